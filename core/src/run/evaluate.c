/* evaluate.c - log_prob, forward, inverse, sample and score: tiles of rows through the model, shared out to the pool. */
#include "run/model.h"

#include "container/container.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct job job;
typedef weir_status (*tile_map)(job *, weir__worker *, int32_t rows);

struct job {
    weir_model *model;
    const weir_matrix *in, *out; /* NULL: none */
    const weir_matrix *context;
    double *numbers; /* one per row: log_p of the base density and log_det, in double; NULL: not wanted */
    tile_map map;    /* computes one tile, gathered already, into the worker's z or x, log_p and log_det */
    int scatter_x;   /* `out` gets the worker's x, x_bar (score) or z */
    int score;
    int inverse;
    int sampled; /* log_det is that of the inverse, to be subtracted */
    int32_t mode, with_tape, tile_rows;
    int64_t rows;
    uint64_t seed, step, first_row;
    weir__worker **workers;
    atomic_llong discarded;
    pthread_mutex_t lock;
    weir_error error; /* the first tile that failed */
};

static weir_status base_log_p(job *j, weir__worker *w)
{
    const weir_child *const base = &j->model->base->child;
    weir__run *const run = &w->run;
    const weir_status status = base->density->log_density(base->self, &run->frame, &w->z, w->log_p);
    if (status > WEIR_DISCARD && !run->place[0])
        snprintf(run->place, sizeof run->place, "%.200s", j->model->base->path);
    return status;
}

static void zero_lane(const weir_frame *frame, void *lane)
{
    memset(lane, 0, (size_t)frame->width * (size_t)weir__real_size(frame));
}

/* The two are kept apart: their sum in f32 would round what each has of the other's digits. */
static void zero_lanes(const weir__worker *w)
{
    zero_lane(&w->run.frame, w->log_p);
    zero_lane(&w->run.frame, w->log_det);
}

static weir_status map_log_prob(job *j, weir__worker *w, int32_t rows)
{
    (void)rows;
    zero_lanes(w);
    const weir_status status = weir__call_forward(j->model->flow, &w->run.frame, &w->x, &w->z, w->log_det);
    if (status > WEIR_DISCARD) return status;
    const weir_status base = base_log_p(j, w);
    return base > status ? base : status;
}

static weir_status map_forward(job *j, weir__worker *w, int32_t rows)
{
    (void)rows;
    zero_lanes(w);
    return weir__call_forward(j->model->flow, &w->run.frame, &w->x, &w->z, j->numbers ? w->log_det : NULL);
}

static weir_status map_inverse(job *j, weir__worker *w, int32_t rows)
{
    (void)rows;
    zero_lanes(w);
    return weir__call_inverse(j->model->flow, &w->run.frame, &w->z, &w->x, j->numbers ? w->log_det : NULL);
}

/* log q(x) = log p(z) - log|det dx/dz|: the inverse's log-det is subtracted. */
static weir_status map_sample(job *j, weir__worker *w, int32_t rows)
{
    const weir_child *const base = &j->model->base->child;
    weir_frame *const frame = &w->run.frame;
    if (!base->density->sample) {
        frame->services->fail(frame, "this density has no sampler");
        return WEIR_UNSUPPORTED;
    }
    weir_status status = base->density->sample(base->self, frame, &w->z);
    if (status > WEIR_DISCARD) return status;
    const weir_status inverse = map_inverse(j, w, rows);
    if (inverse > WEIR_DISCARD || !j->numbers) return inverse;
    const weir_status density = base_log_p(j, w);
    status = inverse > status ? inverse : status;
    return density > status ? density : status;
}

static weir_status map_score(job *j, weir__worker *w, int32_t rows)
{
    const weir_child *const base = &j->model->base->child;
    weir_frame *const frame = &w->run.frame;
    weir_status status = map_log_prob(j, w, rows);
    if (status > WEIR_DISCARD) return status;
    for (int32_t r = 0; r < frame->width; r++) weir__lane_set(frame, w->bar, r, r < rows ? 1 : 0);
    const weir_status density = base->density->vjp(base->self, frame, &w->z, w->bar, &w->z_bar);
    if (density > WEIR_DISCARD) return density;
    const weir_status vjp =
        weir__call_forward_vjp(j->model->flow, frame, &w->x, &w->z, &w->z_bar, w->bar, &w->x_bar);
    return vjp > status ? vjp : status;
}

/* ---- one tile -------------------------------------------------------------------------------------------------------- */

static void note_error(job *j, const weir__worker *w, weir_status status)
{
    pthread_mutex_lock(&j->lock);
    if (!j->error.status) weir__run_error(&w->run, status, &j->error);
    pthread_mutex_unlock(&j->lock);
}

static void write_numbers(job *j, const weir__worker *w, int64_t first, int32_t rows)
{
    const weir_frame *const frame = &w->run.frame;
    int64_t discarded = 0;
    for (int32_t r = 0; r < rows; r++) {
        const int bad = weir__is_discarded(frame, r);
        const double log_det = weir__lane_value(frame, w->log_det, r);
        const double value = weir__lane_value(frame, w->log_p, r) + (j->sampled ? -log_det : log_det);
        /* -infinity is the logarithm of 0, outside a support; a density that overflows is no answer. */
        const int lost = bad || (j->numbers && (isnan(value) || value == INFINITY));
        discarded += lost;
        if (j->numbers) j->numbers[first + r] = lost ? (double)NAN : value;
    }
    atomic_fetch_add(&j->discarded, discarded);
}

static void poison_rows(const weir__worker *w, const weir_tile *tile, int32_t rows)
{
    const weir_frame *const frame = &w->run.frame;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t f = 0; weir__is_discarded(frame, r) && f < tile->features; f++)
            weir__lane_set(frame, weir__lane(frame, tile, f), r, (double)NAN);
}

static void one_tile(void *user, int64_t index, int32_t thread)
{
    job *const j = user;
    weir__worker *const w = j->workers[thread];
    const int64_t first = index * j->tile_rows;
    const int32_t rows = (int32_t)(j->rows - first < j->tile_rows ? j->rows - first : j->tile_rows);
    weir__worker_begin(w, rows, j->mode, j->with_tape, j->seed, j->step, j->first_row + (uint64_t)first);
    weir_frame *const frame = &w->run.frame;
    frame->worker = w->run.other.worker = thread;
    if (j->in) weir__gather_rows(j->in, NULL, first, rows, frame, j->inverse ? &w->z : &w->x);
    if (j->context) weir__gather_rows(j->context, NULL, first, rows, frame, &w->context);
    const weir_status status = j->map(j, w, rows);
    if (status > WEIR_DISCARD) {
        note_error(j, w, status);
        return;
    }
    write_numbers(j, w, first, rows);
    if (!j->out) return;
    const weir_tile *const result = j->score ? &w->x_bar : j->scatter_x ? &w->x : &w->z;
    poison_rows(w, result, rows);
    weir__scatter_rows(frame, result, rows, j->out, first);
}

/* ---- the whole call -------------------------------------------------------------------------------------------------- */

static weir_status check_context(job *j, weir_error *error)
{
    const weir_model *const m = j->model;
    if (!m->context && j->context)
        return weir__fail(error, WEIR_INVALID, "context given, but the model takes none");
    if (!m->context) return WEIR_OK;
    if (!j->context)
        return weir__fail(error, WEIR_INVALID, "the model needs a context of %d columns", (int)m->context);
    const weir_status status = weir__matrix_check(j->context, m->context, 0, "context", error);
    if (status) return status;
    if (j->context->rows != j->rows && j->context->rows != 1)
        return weir__fail(error, WEIR_INVALID, "context has %lld rows, the data %lld",
                          (long long)j->context->rows, (long long)j->rows);
    return WEIR_OK;
}

static weir_status run_job(job *j, weir_call *call, weir_error *error)
{
    weir_model *const m = j->model;
    weir_runtime *const rt = m->runtime;
    const int32_t threads = weir__pool_threads(rt->pool);
    if (call) {
        j->mode = call->mode;
        j->context = call->context;
        j->seed = call->seed;
        j->step = call->mode == WEIR_MODE_TRAIN ? call->step : 0;
        j->first_row = call->first_row;
        call->discarded = 0;
    }
    weir_status status = check_context(j, error);
    if (!status) status = weir__model_prepare(m, error);
    if (status || j->rows == 0) return status;
    j->tile_rows = weir__tile_rows(m, j->rows);
    const int64_t tiles = (j->rows + j->tile_rows - 1) / j->tile_rows;
    const int32_t needed = tiles < threads ? (int32_t)tiles : threads;
    weir__worker *workers[64];
    j->workers = threads <= 64 ? workers : calloc((size_t)threads, sizeof *workers);
    if (!j->workers) return weir__no_memory(error, "workers");
    int32_t taken = 0;
    for (; taken < threads && !status; taken++) {
        /* Any thread may pick up a task, so that each needs a worker even when there are fewer tiles. */
        if (taken >= needed && tiles == 1) break;
        j->workers[taken] = weir__worker_take(m, j->tile_rows, error);
        if (!j->workers[taken]) {
            status = WEIR_ERROR;
            break;
        }
    }
    pthread_mutex_init(&j->lock, NULL);
    int32_t stopped = 0;
    if (!status) stopped = weir__pool_run(rt->pool, tiles, one_tile, j, rt->interrupted, rt->user);
    for (int32_t i = 0; i < taken; i++) weir__worker_give(m, j->workers[i]);
    pthread_mutex_destroy(&j->lock);
    if (j->workers != workers) free(j->workers);
    if (status) return status;
    if (stopped) return weir__fail(error, WEIR_INVALID, "interrupted");
    if (call) call->discarded = atomic_load(&j->discarded);
    if (j->error.status && error) *error = j->error;
    return j->error.status;
}

static weir_status started(job *j, const weir_model *model, tile_map map)
{
    memset(j, 0, sizeof *j);
    /* Evaluation changes nothing that a caller can see: idle workers and derived tensors are caches under locks. */
    j->model = (weir_model *)(uintptr_t)model;
    j->map = map;
    return WEIR_OK;
}

weir_status weir_log_prob(const weir_model *model, const weir_matrix *x, weir_call *call, double *log_p,
                          weir_error *error)
{
    job j;
    started(&j, model, map_log_prob);
    const weir_status status = weir__matrix_check(x, model->features, 0, "data", error);
    if (status) return status;
    j.in = x;
    j.rows = x->rows;
    j.numbers = log_p;
    return run_job(&j, call, error);
}

static weir_status check_rows(const weir_matrix *in, const weir_matrix *out, weir_error *error)
{
    if (in->rows == out->rows) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%lld rows in, room for %lld rows out", (long long)in->rows,
                      (long long)out->rows);
}

weir_status weir_forward(const weir_model *model, const weir_matrix *x, weir_call *call, const weir_matrix *z,
                         double *log_det, weir_error *error)
{
    job j;
    started(&j, model, map_forward);
    weir_status status = weir__matrix_check(x, model->features, 0, "data", error);
    if (!status) status = weir__matrix_check(z, model->latent, 1, "latent", error);
    if (!status) status = check_rows(x, z, error);
    if (status) return status;
    j.in = x;
    j.out = z;
    j.rows = x->rows;
    j.numbers = log_det;
    return run_job(&j, call, error);
}

weir_status weir_inverse(const weir_model *model, const weir_matrix *z, weir_call *call, const weir_matrix *x,
                         double *log_det, weir_error *error)
{
    job j;
    started(&j, model, map_inverse);
    weir_status status = weir__matrix_check(z, model->latent, 0, "latent", error);
    if (!status) status = weir__matrix_check(x, model->features, 1, "data", error);
    if (!status) status = check_rows(z, x, error);
    if (status) return status;
    j.in = z;
    j.out = x;
    j.inverse = j.scatter_x = 1;
    j.rows = z->rows;
    j.numbers = log_det;
    return run_job(&j, call, error);
}

weir_status weir_sample(const weir_model *model, weir_call *call, const weir_matrix *x, double *log_p,
                        weir_error *error)
{
    job j;
    started(&j, model, map_sample);
    const weir_status status = weir__matrix_check(x, model->features, 1, "samples", error);
    if (status) return status;
    j.out = x;
    j.inverse = j.scatter_x = j.sampled = 1;
    j.rows = x->rows;
    j.numbers = log_p;
    return run_job(&j, call, error);
}

weir_status weir_score(const weir_model *model, const weir_matrix *x, weir_call *call,
                       const weir_matrix *score, double *log_p, weir_error *error)
{
    job j;
    started(&j, model, map_score);
    weir_status status = weir__matrix_check(x, model->features, 0, "data", error);
    if (!status) status = weir__matrix_check(score, model->features, 1, "score", error);
    if (!status) status = check_rows(x, score, error);
    if (status) return status;
    j.in = x;
    j.out = score;
    j.score = 1;
    j.with_tape = 1;
    j.rows = x->rows;
    j.numbers = log_p;
    return run_job(&j, call, error);
}
