/* coupled_kl.c - maximum likelihood over a flow that is cut at its batch-coupled layers (stages.h).
 *
 * On the way there, for each coupled layer: every tile goes through the stage before it, its rows are counted in the
 * layer's statistics, and observe_finish makes them the batch's. The last stage goes there and back in one. On the way back,
 * for each coupled layer: every tile's stage gives the cotangents of what the layer made, their sums are finished by
 * observe_vjp_finish, and then its forward_vjp knows all.
 *
 * A row that turns out bad has been counted in the statistics of every layer before that place. So it is taken out of the
 * batch, and the batch starts again without it. Each start has fewer rows than the one before. */
#include "train/stages.h"

#include <math.h>
#include <string.h>

/* One pass over the lanes. */
typedef struct pass {
    weir__batch *batch;
    weir__stages *stages;
    int32_t stage;
    int32_t lost; /* 1: some tile took rows out, and the batch starts again */
} pass;

/* ---- one tile ------------------------------------------------------------------------------------------------------------- */

/* The worker's frame for the rows of a tile that are left; x too when it is the first stage. */
static void begin_tile(const pass *p, int64_t tile, weir__worker *w, int32_t with_tape)
{
    const weir__stages *const s = p->stages;
    const weir_step *const step = p->batch->step;
    const int64_t first = tile * p->batch->tile_rows;
    const int32_t rows = s->counts[tile];
    weir__batch_begin_rows(p->batch, w, first, rows, with_tape);
    weir__batch_key_rows(s->kept, first, rows, &w->run);
    if (p->stage == 0) weir__gather_rows(step->x, s->kept, first, rows, &w->run.frame, &w->x);
    if (w->context.features)
        weir__gather_rows(step->context, s->kept, first, rows, &w->run.frame, &w->context);
}

static weir_tile input_of(const weir__stages *s, const weir_frame *frame, int32_t k, int64_t tile)
{
    const int32_t features = s->coupled[k]->child.in;
    return weir__stages_tile(s, frame, s->inputs[k], features, features, tile);
}

static weir_tile bar_of(const weir__stages *s, const weir_frame *frame, int32_t k, int64_t tile)
{
    return weir__stages_tile(s, frame, s->bars, s->widest, s->coupled[k]->child.out, tile);
}

/* What enters the stage: x, or what the coupled layer before it makes of its input, without tape. */
static weir_status enter(const pass *p, int64_t tile, weir__worker *w, weir_tile *in, void *log_det)
{
    weir_frame *const frame = &w->run.frame;
    weir_tape *const tape = frame->tape;
    if (p->stage == 0) return *in = w->x, WEIR_OK;
    const weir__instance *const before = p->stages->coupled[p->stage - 1];
    const weir_tile from = input_of(p->stages, frame, p->stage - 1, tile);
    *in = weir__run_tile(frame, before->child.out);
    if (!in->data) return WEIR_ERROR;
    frame->tape = w->run.other.tape = NULL;
    const weir_status status = weir__call_forward(before, frame, &from, in, log_det);
    frame->tape = w->run.other.tape = tape;
    return status;
}

static weir_status through_stage(const pass *p, weir_frame *frame, const weir_tile *in, const weir_tile *out,
                                 void *log_det)
{
    return weir__chain_forward(&p->stages->chains[p->stage], frame, in, out, log_det);
}

/* Back through the stage, which has just run with tape; then the tile's share of the sums that the coupled layer before it
 * needs, whose cotangent is kept. */
static weir_status back_through_stage(const pass *p, int64_t tile, weir__worker *w, const weir_tile *in,
                                      const weir_tile *out, const weir_tile *out_bar, void *partial)
{
    const weir__stages *const s = p->stages;
    const int32_t k = p->stage - 1;
    weir_frame *const frame = &w->run.frame;
    if (k < 0) return weir__chain_forward_vjp(&s->chains[0], frame, in, out, out_bar, w->bar, NULL);
    const weir_tile in_bar = bar_of(s, frame, k, tile), from = input_of(s, frame, k, tile);
    const weir_status status =
        weir__chain_forward_vjp(&s->chains[p->stage], frame, in, out, out_bar, w->bar, &in_bar);
    if (status > WEIR_DISCARD) return status;
    return weir__call_observe_vjp(s->coupled[k], frame, &from, in, &in_bar, w->bar, partial);
}

static int is_bad(const weir_frame *frame, const weir_tile *out, const void *log_det, int32_t r)
{
    if (weir__is_discarded(frame, r) || !isfinite(weir__lane_value(frame, log_det, r))) return 1;
    for (int32_t f = 0; out && f < out->features; f++)
        if (!isfinite(weir__lane_value(frame, weir__lane(frame, out, f), r))) return 1;
    return 0;
}

/* Takes the bad rows of the tile out of the batch; 1 when there were any. */
static int32_t lose_bad(const pass *p, int64_t tile, const weir_frame *frame, const weir_tile *out,
                        const void *log_det)
{
    int64_t *const rows = p->stages->kept + tile * p->batch->tile_rows;
    int32_t left = 0;
    for (int32_t r = 0; r < frame->rows; r++)
        if (!is_bad(frame, out, log_det, r)) rows[left++] = rows[r];
    p->stages->counts[tile] = left;
    return left < frame->rows;
}

static void *log_det_of(const weir__stages *s, const weir_frame *frame, int64_t tile)
{
    return s->log_dets + tile * s->stride * weir__real_size(frame);
}

static weir_status tile_there(pass *p, int64_t tile, weir__worker *w, void *partial)
{
    const weir__stages *const s = p->stages;
    weir_frame *const frame = &w->run.frame;
    weir_tile in;
    begin_tile(p, tile, w, 0);
    const weir_tile out = input_of(s, frame, p->stage, tile);
    void *const log_det = log_det_of(s, frame, tile);
    if (p->stage == 0) memset(log_det, 0, (size_t)frame->width * (size_t)weir__real_size(frame));
    weir_status status = enter(p, tile, w, &in, log_det);
    if (status <= WEIR_DISCARD) status = through_stage(p, frame, &in, &out, log_det);
    if (status > WEIR_DISCARD) return status;
    if (lose_bad(p, tile, frame, &out, log_det)) {
        __atomic_store_n(&p->lost, 1, __ATOMIC_RELAXED);
        return WEIR_OK;
    }
    return weir__call_observe(s->coupled[p->stage], frame, 0, &out, partial);
}

static weir_status tile_at_the_end(pass *p, int64_t tile, weir__worker *w, void *partial)
{
    const weir__stages *const s = p->stages;
    const weir_child *const base = &s->model->base->child;
    weir_frame *const frame = &w->run.frame;
    weir_tile in;
    begin_tile(p, tile, w, 1);
    memcpy(w->log_p, log_det_of(s, frame, tile), (size_t)frame->width * (size_t)weir__real_size(frame));
    weir_status status = enter(p, tile, w, &in, w->log_p);
    if (status <= WEIR_DISCARD) status = through_stage(p, frame, &in, &w->z, w->log_p);
    if (status <= WEIR_DISCARD) status = base->density->log_density(base->self, frame, &w->z, w->log_p);
    if (status > WEIR_DISCARD) return status;
    if (lose_bad(p, tile, frame, NULL, w->log_p)) {
        __atomic_store_n(&p->lost, 1, __ATOMIC_RELAXED);
        return WEIR_OK;
    }
    weir__batch_set_cotangents(p->batch, w, s->kept, tile * p->batch->tile_rows, frame->rows, NULL,
                               &p->batch->trainer->tiles[tile]);
    status = base->density->vjp(base->self, frame, &w->z, w->bar, &w->z_bar);
    if (status > WEIR_DISCARD) return status;
    return back_through_stage(p, tile, w, &in, &w->z, &w->z_bar, partial);
}

/* First the coupled layer after the stage, whose sums are complete now, then the stage. */
static weir_status tile_back(pass *p, int64_t tile, weir__worker *w, void *partial)
{
    const weir__stages *const s = p->stages;
    const weir__instance *const after = s->coupled[p->stage];
    weir_frame *const frame = &w->run.frame;
    weir_tile in;
    begin_tile(p, tile, w, 1);
    weir__batch_set_cotangents(p->batch, w, s->kept, tile * p->batch->tile_rows, frame->rows, NULL, NULL);
    const weir_tile from = input_of(s, frame, p->stage, tile), made_bar = bar_of(s, frame, p->stage, tile);
    const weir_tile made = weir__run_tile(frame, after->child.out),
                    out = weir__run_tile(frame, after->child.in),
                    out_bar = weir__run_tile(frame, after->child.in);
    if (!made.data || !out.data || !out_bar.data) return WEIR_ERROR;
    weir_status status = weir__call_forward(after, frame, &from, &made, NULL);
    if (status <= WEIR_DISCARD)
        status = weir__call_forward_vjp(after, frame, &from, &made, &made_bar, w->bar, &out_bar);
    if (status <= WEIR_DISCARD) status = enter(p, tile, w, &in, NULL);
    if (status <= WEIR_DISCARD) status = through_stage(p, frame, &in, &out, NULL);
    if (status > WEIR_DISCARD) return status;
    return back_through_stage(p, tile, w, &in, &out, &out_bar, partial);
}

/* ---- lanes ------------------------------------------------------------------------------------------------------------------ */

typedef weir_status (*tile_work)(pass *p, int64_t tile, weir__worker *w, void *partial);

static void work_lane(pass *p, int64_t lane, int32_t thread, weir__gradient *gradient, tile_work work)
{
    weir__worker *const w = p->batch->workers[thread];
    void *const partial = p->stages->partials + lane * p->stages->partial_bytes;
    int64_t tile, end;
    w->gradient = gradient;
    w->thread = thread;
    for (weir__batch_lane(p->batch, lane, &tile, &end); tile < end; tile++) {
        const weir_status status = p->stages->counts[tile] ? work(p, tile, w, partial) : WEIR_OK;
        if (status > WEIR_DISCARD) weir__batch_note(p->batch, w, status);
    }
}

static void lane_there(void *user, int64_t lane, int32_t thread)
{
    work_lane(user, lane, thread, NULL, tile_there);
}

static void lane_at_the_end(void *user, int64_t lane, int32_t thread)
{
    pass *const p = user;
    weir_trainer *const t = p->batch->trainer;
    int64_t tile, end;
    for (weir__batch_lane(p->batch, lane, &tile, &end); tile < end; tile++)
        t->tiles[tile] = (weir__tile_result){0};
    weir__gradient_begin(&t->lanes[lane], &t->model->net);
    work_lane(p, lane, thread, &t->lanes[lane], tile_at_the_end);
}

static void lane_back(void *user, int64_t lane, int32_t thread)
{
    pass *const p = user;
    work_lane(p, lane, thread, &p->batch->trainer->lanes[lane], tile_back);
}

/* ---- the batch ---------------------------------------------------------------------------------------------------------------- */

static int64_t rows_left(const pass *p)
{
    int64_t rows = 0;
    for (int64_t t = 0; t < p->batch->tiles; t++) rows += p->stages->counts[t];
    return rows;
}

/* A pass over all tiles, then the statistics that they gave to `layer` (NULL: none). */
static weir_status run_pass(pass *p, void (*lane)(void *, int64_t, int32_t), const weir__instance *layer,
                            int32_t what, weir_error *error)
{
    weir__stages *const s = p->stages;
    memset(s->partials, 0, (size_t)(s->partial_bytes * p->batch->lanes));
    const weir_status status = weir__batch_run_lanes(p->batch, lane, p, error);
    if (status || p->lost || !layer || !rows_left(p)) return status;
    return weir__statistics_finish(&s->model->net, &p->batch->workers[0]->run, layer, what, 0, s->partials,
                                   s->partial_bytes, p->batch->lanes, error);
}

static weir_status run_passes(pass *p, weir_error *error)
{
    const weir__stages *const s = p->stages;
    weir_status status = WEIR_OK;
    for (p->stage = 0; p->stage < s->count && !status && !p->lost; p->stage++)
        status = run_pass(p, lane_there, s->coupled[p->stage], WEIR__STATISTICS_STEP, error);
    if (status || p->lost) return status;
    status = run_pass(p, lane_at_the_end, s->coupled[s->count - 1], WEIR__STATISTICS_VJP, error);
    for (p->stage = s->count - 1; p->stage >= 0 && !status && !p->lost; p->stage--)
        status = run_pass(p, lane_back, p->stage > 0 ? s->coupled[p->stage - 1] : NULL, WEIR__STATISTICS_VJP,
                          error);
    return status;
}

static void count_discarded(const pass *p)
{
    const weir__batch *const batch = p->batch;
    for (int64_t t = 0; t < batch->tiles; t++) {
        const int64_t rest = batch->rows - t * batch->tile_rows;
        batch->trainer->tiles[t].discarded =
            (rest < batch->tile_rows ? rest : batch->tile_rows) - p->stages->counts[t];
    }
}

weir_status weir__coupled_kl(weir__batch *batch, weir_error *error)
{
    pass p = {.batch = batch, .stages = batch->trainer->stages};
    weir_status status = weir__stages_reserve(p.stages, batch, error);
    if (status) return status;
    weir__stages_hold(p.stages);
    for (;;) {
        status = run_passes(&p, error);
        if (status || !p.lost) break;
        weir__stages_put_back(p.stages);
        p.lost = 0;
    }
    if (!status) count_discarded(&p);
    return status;
}
