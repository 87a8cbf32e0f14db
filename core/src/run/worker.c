/* worker.c - workers: taken by a call, given back after it, kept for the next. */
#include "run/model.h"

#include <stdlib.h>
#include <string.h>

/* What modules hand to each other on one tile is to stay in half of a common second-level cache. Parameters of twice that
 * cache come from the next one for every tile: then the widest is best, whatever else it pushes out. */
#define STAYS    (INT64_C(1) << 19)
#define OUTGROWN (INT64_C(2) << 20)

/* An evaluation's tiles become wider only where so many are left for threads. */
#define TILES_KEPT 8

int32_t weir__tile_most(const weir_model *model)
{
    const int64_t row = model->net.lanes * (model->net.precision == WEIR_F32 ? 4 : 8);
    int32_t most = WEIR__TILE_MOST;
    if (model->net.parameter_bytes > OUTGROWN) return most;
    while (most > WEIR__TILE_USUAL && most * row > STAYS) most /= 2;
    return most;
}

int32_t weir__even_tile(int64_t rows, int32_t most)
{
    if (rows <= most) return (int32_t)(rows > 0 ? rows : 1);
    const int64_t tiles = (rows + most - 1) / most, even = (rows + tiles - 1) / tiles;
    return weir__width((int32_t)even);
}

int32_t weir__tile_rows(const weir_model *model, int64_t rows)
{
    const int64_t shared = rows / TILES_KEPT;
    int32_t most = weir__tile_most(model);
    if (shared < most) most = shared > WEIR__TILE_USUAL ? (int32_t)shared : WEIR__TILE_USUAL;
    return weir__even_tile(rows, most);
}

void weir__worker_free(weir__worker *worker)
{
    if (!worker) return;
    weir__run_clear(&worker->run);
    free(worker->memory);
    free(worker);
}

/* All tiles of the edges in one block of memory, as rows of `capacity` at the widest stride a smaller tile can have. */
static int reserve(weir__worker *worker, const weir_model *model, int32_t rows)
{
    if (worker->capacity >= rows && worker->memory) return 1;
    const int64_t stride = weir__stride(weir__width(rows));
    const int64_t lanes = 2 * ((int64_t)model->features + model->latent + model->context) + 8;
    const int64_t bytes = lanes * stride * 8;
    unsigned char *const memory = aligned_alloc(64, (size_t)((bytes + 63) & ~INT64_C(63)));
    if (!memory) return 0;
    memset(memory, 0, (size_t)bytes);
    free(worker->memory);
    worker->memory = memory;
    worker->capacity = rows;
    return 1;
}

weir__worker *weir__worker_take(weir_model *model, int32_t rows, weir_error *error)
{
    pthread_mutex_lock(&model->lock);
    weir__worker *worker = model->idle;
    if (worker) model->idle = worker->next;
    pthread_mutex_unlock(&model->lock);
    if (!worker) {
        worker = calloc(1, sizeof *worker);
        if (!worker) weir__no_memory(error, "a worker");
        if (!worker || weir__run_init(&worker->run, &model->net, error)) return free(worker), NULL;
    }
    if (!reserve(worker, model, rows)) {
        weir__worker_free(worker);
        weir__no_memory(error, "a worker");
        return NULL;
    }
    return worker;
}

void weir__worker_give(weir_model *model, weir__worker *worker)
{
    pthread_mutex_lock(&model->lock);
    worker->next = model->idle;
    model->idle = worker;
    pthread_mutex_unlock(&model->lock);
}

static void *carve(weir__worker *worker, unsigned char **at, int32_t lanes)
{
    void *const data = *at;
    *at += lanes * worker->run.frame.stride * weir__real_size(&worker->run.frame);
    return data;
}

static weir_tile carve_tile(weir__worker *worker, unsigned char **at, int32_t features)
{
    const weir_frame *const frame = &worker->run.frame;
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = carve(worker, at, features),
                       .stride = frame->stride,
                       .rows = frame->rows,
                       .width = frame->width};
}

static weir_model *model_of(const weir__worker *worker)
{
    return (weir_model *)((char *)(uintptr_t)worker->run.net - offsetof(weir_model, net));
}

void weir__worker_begin(weir__worker *worker, int32_t rows, int32_t mode, int32_t with_tape, uint64_t seed,
                        uint64_t step, uint64_t first_row)
{
    const weir_model *const model = model_of(worker);
    unsigned char *at = worker->memory;
    weir__run_begin(&worker->run, rows, mode, with_tape, seed, step, first_row);
    worker->run.recompute = model->recompute;
    worker->x = carve_tile(worker, &at, model->features);
    worker->x_bar = carve_tile(worker, &at, model->features);
    worker->z = carve_tile(worker, &at, model->latent);
    worker->z_bar = carve_tile(worker, &at, model->latent);
    worker->context = carve_tile(worker, &at, model->context);
    worker->context_bar = carve_tile(worker, &at, model->context);
    worker->log_det = carve(worker, &at, 1);
    worker->log_p = carve(worker, &at, 1);
    worker->bar = carve(worker, &at, 1);
    worker->bar2 = carve(worker, &at, 1);
    if (model->context) worker->run.frame.context = &worker->context;
}

weir_status weir__model_prepare(weir_model *model, weir_error *error)
{
    if (__atomic_load_n(&model->net.prepared, __ATOMIC_ACQUIRE) == model->net.version) return WEIR_OK;
    weir__worker *const worker = weir__worker_take(model, 1, error);
    if (!worker) return WEIR_ERROR;
    pthread_mutex_lock(&model->lock);
    const weir_status status = weir__net_prepare(&model->net, &worker->run, error);
    pthread_mutex_unlock(&model->lock);
    weir__worker_give(model, worker);
    return status;
}

weir_status weir__run_error(const weir__run *run, weir_status status, weir_error *error)
{
    const char *const why = run->message[0] ? run->message : "failed";
    if (run->place[0]) return weir__fail(error, status, "%s: %s", run->place, why);
    return weir__fail(error, status, "%s", why);
}
