/* diagnose.c - after a step went wrong: which layer, tensor and row made the first value that is not finite. Runs tiles
 * again one at a time on the calling thread; slow, and only then. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *bad_tensor(const weir_trainer *t, const weir__gradient *g)
{
    const weir__net *const net = &t->model->net;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        if (net->tensors[h].kind != WEIR__PARAMETER || !g->table[h]) continue;
        for (int64_t i = 0; i < net->tensors[h].count; i++) {
            const double value = net->precision == WEIR_F32 ? (double)((const float *)g->table[h])[i]
                                                            : ((const double *)g->table[h])[i];
            if (!isfinite(value)) return net->tensors[h].name;
        }
    }
    return NULL;
}

static int64_t row_number(const weir__batch *batch, int64_t tile, int32_t row)
{
    const int64_t at = tile * batch->tile_rows + row;
    return batch->step->x && batch->step->rows ? batch->step->rows[at] + 1 : at + 1;
}

static int32_t rows_in(const weir__batch *batch, int64_t tile)
{
    const int64_t rest = batch->rows - tile * batch->tile_rows;
    return (int32_t)(rest < batch->tile_rows ? rest : batch->tile_rows);
}

/* A value in the forward pass. */
static int find_value(weir__batch *batch, weir__worker *w, weir_step_result *result)
{
    for (int64_t tile = 0; tile < batch->tiles; tile++) {
        w->run.diagnose = 1;
        weir__batch_tile(batch, tile, w);
        w->run.diagnose = 0;
        if (!w->run.bad_place[0]) {
            if (!batch->trainer->tiles[tile].discarded) continue;
            snprintf(result->message, sizeof result->message, "row %lld: the base density is not finite",
                     (long long)row_number(batch, tile, 0));
            return 1;
        }
        snprintf(result->message, sizeof result->message, "%s: not finite at row %lld", w->run.bad_place,
                 (long long)row_number(batch, tile, w->run.bad_row));
        return 1;
    }
    return 0;
}

/* A gradient: the first tile whose own gradient is bad, then the first row of it. */
static int find_gradient(weir__batch *batch, weir__worker *w, const char *tensor, weir_step_result *result)
{
    weir_trainer *const t = batch->trainer;
    for (int64_t tile = 0; tile < batch->tiles; tile++) {
        batch->only_row = -1;
        weir__gradient_begin(w->gradient, &t->model->net);
        weir__batch_tile(batch, tile, w);
        weir__gradient_end(w->gradient, &t->model->net);
        const char *const here = bad_tensor(t, w->gradient);
        if (!here) continue;
        int32_t row = 0;
        for (; row < rows_in(batch, tile); row++) {
            batch->only_row = row;
            weir__gradient_begin(w->gradient, &t->model->net);
            weir__batch_tile(batch, tile, w);
            weir__gradient_end(w->gradient, &t->model->net);
            if (bad_tensor(t, w->gradient)) break;
        }
        batch->only_row = -1;
        snprintf(result->message, sizeof result->message, "%s: its gradient is not finite at row %lld", here,
                 (long long)row_number(batch, tile, row < rows_in(batch, tile) ? row : 0));
        return 1;
    }
    if (!tensor) return 0;
    snprintf(result->message, sizeof result->message,
             "%s: its gradient is not finite (the sum over the batch overflows)", tensor);
    return 1;
}

void weir__diagnose(weir__batch *batch, weir_step_result *result)
{
    weir_trainer *const t = batch->trainer;
    weir__worker *const w = batch->workers[0];
    const char *const tensor = bad_tensor(t, &t->lanes[0]);
    weir__gradient own;
    if (weir__gradient_init(&own, &t->model->net, NULL)) return;
    weir__gradient_begin(&own, &t->model->net);
    weir__gradient *const before = w->gradient;
    w->gradient = &own;
    if (!find_value(batch, w, result)) find_gradient(batch, w, tensor, result);
    w->gradient = before;
    weir__gradient_clear(&own);
}
