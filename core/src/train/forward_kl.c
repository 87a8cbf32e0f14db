/* forward_kl.c - maximum likelihood: the loss sum_r w_r (-log p(x_r)) / sum_r w_r over one tile, and its gradient. */
#include "train/trainer.h"

#include "container/container.h"

#include <math.h>
#include <string.h>

void weir__batch_begin_rows(const weir__batch *batch, weir__worker *w, int64_t first, int32_t rows,
                            int32_t with_tape)
{
    const weir_trainer *const t = batch->trainer;
    weir__worker_begin(w, rows, WEIR_MODE_TRAIN, with_tape, t->seed, batch->step->epoch, (uint64_t)first);
    weir__run *const run = &w->run;
    run->frame.worker = run->other.worker = w->thread;
    run->frame.gradients = w->gradient ? w->gradient->table : NULL;
    run->other.gradients = w->gradient ? w->gradient->other_table : NULL;
    run->unwritten = w->gradient ? w->gradient->unwritten : NULL;
}

int32_t weir__batch_begin_tile(weir__batch *batch, int64_t index, weir__worker *w, int32_t with_tape)
{
    const int64_t first = index * batch->tile_rows;
    const int32_t rows =
        (int32_t)(batch->rows - first < batch->tile_rows ? batch->rows - first : batch->tile_rows);
    weir__batch_begin_rows(batch, w, first, rows, with_tape);
    return rows;
}

void weir__batch_key_rows(const int64_t *list, int64_t first, int32_t rows, weir__run *run)
{
    for (int32_t r = 0; r < run->frame.width; r++) {
        const int64_t at = first + (r < rows ? r : rows - 1);
        run->row_ids[r] = (uint64_t)(list ? list[at] : at);
    }
}

static weir_status forward(weir__batch *batch, weir__worker *w)
{
    const weir_model *const m = batch->trainer->model;
    const weir_child *const base = &m->base->child;
    weir_frame *const frame = &w->run.frame;
    memset(w->log_p, 0, (size_t)frame->width * (size_t)weir__real_size(frame));
    const weir_status status = weir__call_forward(m->flow, frame, &w->x, &w->z, w->log_p);
    if (status > WEIR_DISCARD) return status;
    return base->density->log_density(base->self, frame, &w->z, w->log_p);
}

static int is_bad(const weir__worker *w, int32_t r)
{
    return weir__is_discarded(&w->run.frame, r) || !isfinite(weir__lane_value(&w->run.frame, w->log_p, r));
}

static void copy_column(const weir_frame *frame, const weir_tile *tile, int32_t from, int32_t to)
{
    for (int32_t f = 0; f < tile->features; f++) {
        void *const lane = weir__lane(frame, tile, f);
        weir__lane_set(frame, lane, to, weir__lane_value(frame, lane, from));
    }
}

/* Zero times infinity is NaN in a weight's gradient: bad rows are overwritten by a good one and run again with it, their
 * cotangents are zero. Returns the number of bad rows, or -1 when the tile has no good one. */
static int32_t replace_bad(const weir__batch *batch, weir__worker *w, int32_t rows, uint64_t *bad)
{
    int32_t good = -1, count = 0;
    for (int32_t r = 0; r < rows && good < 0; r++)
        if (!is_bad(w, r)) good = r;
    for (int32_t r = 0; r < w->run.frame.width; r++) {
        if (r < rows && !is_bad(w, r)) continue;
        if (r < rows) {
            bad[r >> 6] |= UINT64_C(1) << (r & 63);
            count++;
        }
        if (good < 0 || count == 0) continue;
        copy_column(&w->run.frame, &w->x, good, r);
        if (w->context.features) copy_column(&w->run.frame, &w->context, good, r);
        w->run.row_ids[r] = w->run.row_ids[good];
    }
    (void)batch;
    return count && good < 0 ? -1 : count;
}

static void again(weir__worker *w)
{
    weir__tape_reset(w->run.tape);
    weir__scratch_reset(w->run.scratch);
    memset(w->run.discard, 0, sizeof w->run.discard);
}

void weir__batch_set_cotangents(const weir__batch *batch, weir__worker *w, const int64_t *list, int64_t first,
                                int32_t rows, const uint64_t *bad, weir__tile_result *out)
{
    const weir_frame *const frame = &w->run.frame;
    const double *const weights = batch->step->weights;
    for (int32_t r = 0; r < frame->width; r++) {
        const int lost = r >= rows || (bad && (bad[r >> 6] >> (r & 63) & 1));
        const int asked = batch->only_row < 0 || batch->only_row == r;
        const double weight = lost ? 0 : !weights ? 1 : weights[list ? list[first + r] : first + r];
        weir__lane_set(frame, w->bar, r, asked ? -weight / batch->total_weight : 0);
        if (lost || !out) continue;
        out->loss -= weight * weir__lane_value(frame, w->log_p, r);
        out->weight += weight;
        out->rows++;
    }
}

static weir_status backward(weir__batch *batch, weir__worker *w)
{
    const weir_model *const m = batch->trainer->model;
    const weir_child *const base = &m->base->child;
    weir_frame *const frame = &w->run.frame;
    const weir_status status = base->density->vjp(base->self, frame, &w->z, w->bar, &w->z_bar);
    if (status > WEIR_DISCARD) return status;
    return weir__call_forward_vjp(m->flow, frame, &w->x, &w->z, &w->z_bar, w->bar, NULL);
}

void weir__forward_kl_tile(weir__batch *batch, int64_t index, weir__worker *w, weir__tile_result *out)
{
    const weir_step *const step = batch->step;
    const int64_t first = index * batch->tile_rows;
    const int32_t rows = weir__batch_begin_tile(batch, index, w, 1);
    uint64_t bad[WEIR__TILE_MOST / 64] = {0};
    weir__batch_key_rows(step->rows, first, rows, &w->run);
    weir__gather_rows(step->x, step->rows, first, rows, &w->run.frame, &w->x);
    if (w->context.features)
        weir__gather_rows(step->context, step->rows, first, rows, &w->run.frame, &w->context);
    weir_status status = forward(batch, w);
    if (status <= WEIR_DISCARD) {
        const int32_t lost = replace_bad(batch, w, rows, bad);
        out->discarded = lost < 0 ? rows : lost;
        if (lost < 0) return;
        if (lost > 0) {
            again(w);
            status = forward(batch, w);
        }
    }
    if (status <= WEIR_DISCARD) {
        weir__batch_set_cotangents(batch, w, step->rows, first, rows, bad, out);
        status = backward(batch, w);
    }
    out->status = status > WEIR_DISCARD ? status : WEIR_OK;
}
