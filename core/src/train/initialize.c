/* initialize.c - data-dependent initialisation: each observing layer in turn sees what the layers before it make of the
 * data. The rows are cut into a fixed number of chunks, each observed in order, the chunks merged in order: the result does
 * not depend on threads. */
#include "train/stages.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS 16

typedef struct watch {
    weir_model *model;
    const weir__instance *layer;
    const weir_matrix *x;
    const weir_call *call;
    int32_t tile_rows, chunks;
    int64_t tiles, partial_bytes;
    unsigned char *partials;
    weir__worker **workers;
    int32_t met, inverse; /* the layer was reached, and which way the data go through it */
    pthread_mutex_t lock;
    weir_error error;
} watch;

static weir_status watch_tile(watch *w, weir__worker *worker, int64_t tile)
{
    const int64_t first = tile * w->tile_rows;
    const int32_t rows = (int32_t)(w->x->rows - first < w->tile_rows ? w->x->rows - first : w->tile_rows);
    const weir_call *const call = w->call;
    weir_frame *const frame = &worker->run.frame;
    weir__worker_begin(worker, rows, WEIR_MODE_TRAIN, 0, call ? call->seed : 0, call ? call->step : 0,
                       (call ? call->first_row : 0) + (uint64_t)first);
    weir__gather_rows(w->x, NULL, first, rows, frame, &worker->x);
    if (worker->context.features)
        weir__gather_rows(call->context, NULL, first, rows, frame, &worker->context);
    return weir__call_forward(w->model->flow, frame, &worker->x, &worker->z, NULL);
}

static void watch_chunk(void *user, int64_t chunk, int32_t thread)
{
    watch *const w = user;
    weir__worker *const worker = w->workers[thread];
    const int64_t first = chunk * w->tiles / w->chunks, end = (chunk + 1) * w->tiles / w->chunks;
    worker->run.observing = w->layer;
    worker->run.partial = w->partials + chunk * w->partial_bytes;
    for (int64_t tile = first; tile < end; tile++) {
        const weir_status status = watch_tile(w, worker, tile);
        if (status == WEIR__MET) {
            __atomic_store_n(&w->met, 1, __ATOMIC_RELAXED);
            __atomic_store_n(&w->inverse, worker->run.met_inverse, __ATOMIC_RELAXED);
            continue;
        }
        pthread_mutex_lock(&w->lock);
        if (!w->error.status && status > WEIR_DISCARD) weir__run_error(&worker->run, status, &w->error);
        pthread_mutex_unlock(&w->lock);
        break;
    }
    worker->run.observing = NULL;
}

static weir_status finish(watch *w, weir_error *error)
{
    weir__net *const net = &w->model->net;
    const weir_status status =
        weir__statistics_finish(net, &w->workers[0]->run, w->layer, WEIR__STATISTICS_INITIAL, w->inverse,
                                w->partials, w->partial_bytes, w->chunks, error);
    if (!status) *(int64_t *)net->table[w->layer->observed] = 1;
    return status;
}

static weir_status run_chunks(watch *w, weir_error *error)
{
    weir_runtime *const rt = w->model->runtime;
    const int32_t stopped = weir__pool_run(rt->pool, w->chunks, watch_chunk, w, rt->interrupted, rt->user);
    if (stopped) return weir__fail(error, WEIR_INVALID, "interrupted");
    if (w->error.status) {
        if (error) *error = w->error;
        return w->error.status;
    }
    if (w->met) return WEIR_OK;
    return weir__fail(error, WEIR_UNSUPPORTED,
                      "%s (%s): initialises from data, but stands where the host cannot watch it",
                      w->layer->path, w->layer->module->id);
}

static weir_status observe_layer(weir_model *m, const weir__instance *layer, const weir_matrix *x,
                                 const weir_call *call, weir_error *error)
{
    const int32_t threads = weir__pool_threads(m->runtime->pool);
    watch w = {.model = m, .layer = layer, .x = x, .call = call, .tile_rows = weir__tile_rows(m, x->rows)};
    w.tiles = (x->rows + w.tile_rows - 1) / w.tile_rows;
    w.chunks = w.tiles < CHUNKS ? (int32_t)w.tiles : CHUNKS;
    w.partial_bytes = weir__statistics_bytes(layer);
    w.partials = w.partial_bytes < 0 ? NULL : aligned_alloc(64, (size_t)(w.partial_bytes * w.chunks) + 64);
    w.workers = calloc((size_t)threads, sizeof(weir__worker *));
    weir_status status = w.partials && w.workers ? WEIR_OK : weir__no_memory(error, "statistics");
    if (!status) memset(w.partials, 0, (size_t)(w.partial_bytes * w.chunks));
    if (!status) status = weir__model_prepare(m, error);
    for (int32_t i = 0; i < threads && !status; i++)
        if (!(w.workers[i] = weir__worker_take(m, w.tile_rows, error))) status = WEIR_ERROR;
    pthread_mutex_init(&w.lock, NULL);
    if (!status) status = run_chunks(&w, error);
    if (!status) status = finish(&w, error);
    pthread_mutex_destroy(&w.lock);
    for (int32_t i = 0; w.workers && i < threads; i++)
        if (w.workers[i]) weir__worker_give(m, w.workers[i]);
    free(w.workers);
    free(w.partials);
    return status;
}

weir_status weir_model_initialize(weir_model *model, const weir_matrix *x, weir_call *call, int32_t again,
                                  weir_error *error)
{
    weir_status status = weir__matrix_check(x, model->features, 0, "data", error);
    if (!status && model->context && (!call || !call->context))
        status =
            weir__fail(error, WEIR_INVALID, "the model needs a context of %d columns", (int)model->context);
    if (!status && model->context)
        status = weir__matrix_check(call->context, model->context, 0, "context", error);
    if (!status && model->context && call->context->rows != x->rows && call->context->rows != 1)
        status = weir__fail(error, WEIR_INVALID, "context has %lld rows, the data %lld",
                            (long long)call->context->rows, (long long)x->rows);
    if (!status && x->rows < 1) status = weir__fail(error, WEIR_INVALID, "no rows to initialise from");
    for (int32_t i = 0; i < model->net.instance_count && !status; i++) {
        const weir__instance *const layer = model->net.instances[i];
        if (layer->observed < 0 || (!again && *(const int64_t *)model->net.table[layer->observed])) continue;
        status = observe_layer(model, layer, x, call, error);
    }
    return status;
}
