/* reduce.c - lanes added up in their order, derived tensors chained back, squares summed. */
#include "train/arena.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>

#define PIECE 16384 /* numbers of a segment */

/* Small, so that threads that share out the lanes draw the line between them near where the segments' is. */
#define DRAIN_BYTES 32768

static int64_t pieces(int64_t count)
{
    return (count + PIECE - 1) / PIECE;
}

static weir_status list_segments(weir_trainer *t, weir_error *error)
{
    const weir__net *const net = &t->model->net;
    int64_t total = 0;
    for (int32_t h = 0; h < net->tensor_count; h++)
        if (net->tensors[h].kind == WEIR__PARAMETER) total += pieces(net->tensors[h].count);
    if (!t->segments) t->segments = calloc((size_t)total + 1, sizeof *t->segments);
    if (!t->segments) return weir__no_memory(error, "the gradient");
    t->segment_count = 0;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const tensor = &net->tensors[h];
        if (tensor->kind != WEIR__PARAMETER || tensor->frozen) continue;
        for (int64_t first = 0; first < tensor->count; first += PIECE) {
            const int64_t rest = tensor->count - first;
            t->segments[t->segment_count++] =
                (weir__segment){.handle = h, .first = first, .count = rest < PIECE ? rest : PIECE};
        }
    }
    return WEIR_OK;
}

/* ---- adding lanes: whole arenas in pieces --------------------------------------------------------------------------------- */

typedef struct sum {
    weir__batch *batch;
    int64_t pieces_own, pieces_other;
    int drained; /* lanes are left empty */
} sum;

static int64_t drains(int64_t bytes)
{
    return (bytes + DRAIN_BYTES - 1) / DRAIN_BYTES;
}

static void add_piece(void *user, int64_t index, int32_t thread)
{
    (void)thread;
    const sum *const s = user;
    weir_trainer *const t = s->batch->trainer;
    const weir__net *const net = &t->model->net;
    const int own = index < s->pieces_own;
    const int64_t region = own ? net->parameter_bytes + net->derived_bytes : net->other_bytes;
    const int64_t at = (own ? index : index - s->pieces_own) * DRAIN_BYTES;
    const int64_t bytes = region - at < DRAIN_BYTES ? region - at : DRAIN_BYTES;
    const int64_t offset = (own ? 0 : net->parameter_bytes + net->derived_bytes) + at;
    const int narrow = (net->precision == WEIR_F32) == own;
    const weir__arena *const passes = weir__arena_passes(narrow ? WEIR_F32 : WEIR_F64);
    for (int32_t lane = 1; lane < s->batch->lanes; lane++) {
        const int64_t count = bytes / (narrow ? 4 : 8);
        unsigned char *const from = t->lanes[lane].memory + offset, *const into = t->lanes[0].memory + offset;
        if (s->drained)
            passes->drain(count, from, into);
        else
            passes->add(count, from, into);
    }
}

static void add_lanes(weir__batch *batch)
{
    const weir__net *const net = &batch->trainer->model->net;
    weir__pool *const pool = batch->trainer->model->runtime->pool;
    sum s = {.batch = batch, .drained = weir__pool_threads(pool) > 1};
    s.pieces_own = drains(net->parameter_bytes + net->derived_bytes);
    s.pieces_other = drains(net->other_bytes);
    if (batch->lanes > 1) weir__pool_run(pool, s.pieces_own + s.pieces_other, add_piece, &s, NULL, NULL);
    for (int32_t lane = 1; lane < batch->lanes; lane++) batch->trainer->lanes[lane].clean = s.drained;
}

/* ---- scaling and squares ---------------------------------------------------------------------------------------------------- */

typedef struct finish {
    weir_trainer *trainer;
    double scale;
} finish;

static void finish_segment(void *user, int64_t index, int32_t thread)
{
    (void)thread;
    const finish *const f = user;
    const weir__net *const net = &f->trainer->model->net;
    weir__segment *const s = &f->trainer->segments[index];
    const int64_t first = s->first * (net->precision == WEIR_F32 ? 4 : 8);
    unsigned char *const gradient = f->trainer->lanes[0].table[s->handle];
    s->squares = weir__arena_passes(net->precision)->squares(s->count, f->scale, gradient + first);
    s->finite = isfinite(s->squares);
}

weir_status weir__reduce(weir__batch *batch, double scale, weir_error *error)
{
    weir_trainer *const t = batch->trainer;
    weir_model *const m = t->model;
    for (int32_t lane = 0; lane < batch->lanes; lane++) weir__gradient_end(&t->lanes[lane], &m->net);
    add_lanes(batch);
    weir_status status = weir__net_prepare_vjp(&m->net, &batch->workers[0]->run, t->lanes[0].table,
                                               t->lanes[0].other_table, error);
    if (!status) status = list_segments(t, error);
    if (status) return status;
    finish f = {t, scale};
    weir__pool_run(m->runtime->pool, t->segment_count, finish_segment, &f, NULL, NULL);
    return WEIR_OK;
}
