/* batch.c - a gradient's memory, one tile of a batch, and work dealt out by lanes. */
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

static int64_t bytes_of(const weir__net *net)
{
    return net->parameter_bytes + net->derived_bytes + net->other_bytes;
}

weir_status weir__gradient_init(weir__gradient *g, const weir__net *net, weir_error *error)
{
    const size_t entries = (size_t)net->tensor_count + 1;
    g->memory = aligned_alloc(64, (size_t)bytes_of(net) + 64);
    g->table = calloc(entries, sizeof *g->table);
    g->other_table = calloc(entries, sizeof *g->other_table);
    g->unwritten = calloc(entries, sizeof *g->unwritten);
    if (g->memory && g->table && g->other_table && g->unwritten) return WEIR_OK;
    weir__gradient_clear(g);
    return weir__no_memory(error, "gradients");
}

void weir__gradient_clear(weir__gradient *g)
{
    free(g->memory);
    free(g->table);
    free(g->other_table);
    free(g->unwritten);
    *g = (weir__gradient){0};
}

static size_t tensor_bytes(const weir__net *net, const weir__tensor *t)
{
    return (size_t)t->count * (net->precision == WEIR_F32 ? sizeof(float) : sizeof(double));
}

/* What has a shadow is also added to there; what several objects share is hidden by each in its own way. */
static int written_whole(const weir__tensor *t)
{
    return t->kind == WEIR__PARAMETER && !t->frozen && t->linear >= 0 && !t->shared && t->other_offset < 0;
}

/* The first time all is zeroed: hidden weights, which are never written, stay so. */
static void zero(weir__gradient *g, const weir__net *net)
{
    if (!g->used) {
        memset(g->memory, 0, (size_t)bytes_of(net));
    } else if (!g->clean) {
        for (int32_t h = 0; h < net->tensor_count; h++) {
            const weir__tensor *const t = &net->tensors[h];
            if (t->kind == WEIR__PARAMETER && !written_whole(t))
                memset(g->memory + t->offset, 0, tensor_bytes(net, t));
        }
        memset(g->memory + net->parameter_bytes, 0, (size_t)(net->derived_bytes + net->other_bytes));
    }
    g->used = 1;
    g->clean = 0;
}

void weir__gradient_begin(weir__gradient *g, const weir__net *net)
{
    zero(g, net);
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        const int wanted = t->kind == WEIR__DERIVED || (t->kind == WEIR__PARAMETER && !t->frozen);
        const int64_t base = t->kind == WEIR__DERIVED ? net->parameter_bytes : 0;
        g->table[h] = wanted ? g->memory + base + t->offset : NULL;
        g->other_table[h] = wanted && t->other_offset >= 0
                                ? g->memory + net->parameter_bytes + net->derived_bytes + t->other_offset
                                : NULL;
        g->unwritten[h] = (unsigned char)written_whole(t);
    }
}

void weir__gradient_end(weir__gradient *g, const weir__net *net)
{
    for (int32_t h = 0; h < net->tensor_count; h++) {
        if (!g->unwritten[h]) continue;
        memset(g->table[h], 0, tensor_bytes(net, &net->tensors[h]));
        g->unwritten[h] = 0;
    }
}

/* ---- tiles and lanes ------------------------------------------------------------------------------------------------- */

void weir__batch_tile(weir__batch *batch, int64_t index, weir__worker *worker)
{
    weir__tile_result *const out = &batch->trainer->tiles[index];
    *out = (weir__tile_result){0};
    if (batch->step->x)
        weir__forward_kl_tile(batch, index, worker, out);
    else
        weir__reverse_kl_tile(batch, index, worker, out);
    if (out->status) weir__batch_note(batch, worker, out->status);
}

void weir__batch_note(weir__batch *batch, const weir__worker *worker, weir_status status)
{
    pthread_mutex_lock(&batch->lock);
    if (!batch->error.status) weir__run_error(&worker->run, status, &batch->error);
    pthread_mutex_unlock(&batch->lock);
}

void weir__batch_lane(const weir__batch *batch, int64_t lane, int64_t *first, int64_t *end)
{
    *first = lane * batch->tiles / batch->lanes;
    *end = (lane + 1) * batch->tiles / batch->lanes;
}

weir_status weir__batch_run_lanes(weir__batch *batch, void (*task)(void *, int64_t, int32_t), void *user,
                                  weir_error *error)
{
    weir_runtime *const rt = batch->trainer->model->runtime;
    const int32_t stopped = weir__pool_run(rt->pool, batch->lanes, task, user, rt->interrupted, rt->user);
    if (stopped) return weir__fail(error, WEIR_INVALID, "interrupted");
    if (!batch->error.status) return WEIR_OK;
    if (error) *error = batch->error;
    return batch->error.status;
}
