/* pull.c - gradients of the pass, and the VJP of forward; the formulas are in bnaf's doc. */
#include "pull.h"

/* p_d = d log(dz_d/dx_d) / d log(dy_d/dx_d) */
static void blended_share(const bnaf *self, const weir_frame *frame, blend by,
                          const weir_real *restrict slope, weir_real *restrict p)
{
    for (int32_t r = 0; r < frame->width; r++)
        p[r] = self->residual == RESIDUAL_NONE ? 1 : slope[r] + by.gate;
    if (self->residual != RESIDUAL_NONE) frame->math->sigmoid(frame->width, p, p);
}

static void begin_slopes_bar(const bnaf *self, const weir_frame *frame, const record *rec, blend by,
                             const weir_real *restrict l_bar, const weir_tile *slopes_bar)
{
    for (int32_t d = 0; d < self->features; d++) {
        weir_real *restrict const bar = weir_lane(slopes_bar, d);
        blended_share(self, frame, by, weir_lane(&rec->slopes, d), bar);
        for (int32_t r = 0; r < frame->width; r++) bar[r] *= l_bar[r];
    }
}

/* Of map i > 0: from the cotangents of its log-slopes, which are overwritten, to those of the layer before. */
static void pull_chain(const bnaf *self, const weir_frame *frame, int32_t i, const weir_tile *share,
                       const weir_tile *sum, const weir_tile *slopes_bar, const weir_tile *before_bar)
{
    const block_map *const map = &self->maps[i];
    for (int32_t o = 0; o < sum->features; o++) {
        const weir_real *restrict const s = weir_lane(sum, o);
        weir_real *restrict const bar = weir_lane(slopes_bar, o);
        for (int32_t r = 0; r < frame->width; r++) bar[r] /= s[r];
    }
    for (int32_t d = 0; d < self->features; d++) {
        const weir_tile out_bar = weir_slice(slopes_bar, d * map->out, map->out);
        const weir_tile in = weir_slice(share, d * map->in, map->in);
        const weir_tile in_bar = weir_slice(before_bar, d * map->in, map->in);
        WEIR_NAME(diagonal_pull)(self, map, frame, d, &out_bar, 0, &in_bar);
        WEIR_NAME(diagonal_gradient)(self, map, frame, d, &in, &out_bar);
    }
    for (int32_t k = 0; k < share->features; k++) {
        const weir_real *restrict const e = weir_lane(share, k);
        weir_real *restrict const bar = weir_lane(before_bar, k);
        for (int32_t r = 0; r < frame->width; r++) bar[r] *= e[r];
    }
}

/* d log tanh'(a) / da = -2 tanh(a) */
static void pull_log_bend(const weir_frame *frame, const weir_tile *h, const weir_tile *slopes_bar,
                          const weir_tile *a_bar)
{
    for (int32_t o = 0; o < h->features; o++) {
        const weir_real *restrict const t = weir_lane(h, o), *restrict const bar = weir_lane(slopes_bar, o);
        weir_real *restrict const to = weir_lane(a_bar, o);
        for (int32_t r = 0; r < frame->width; r++) to[r] = -2 * t[r] * bar[r];
    }
}

static void first_gradient(const bnaf *self, const weir_frame *frame, const weir_tile *slopes_bar)
{
    weir_real *const gradient = weir_gradient(frame, self->log_first);
    for (int32_t o = 0; gradient && o < slopes_bar->features; o++)
        gradient[o] += weir_sum_lane(frame, weir_lane(slopes_bar, o));
}

weir_status WEIR_NAME(pull_slopes)(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                                   const weir_real *l_bar, const weir_tile *a_bar)
{
    const int32_t width = self->features * self->hidden;
    int32_t sums = rec->sum.features;
    weir_tile work[2], bar;
    if (!l_bar) {
        for (int32_t o = 0; o < a_bar->features; o++) weir_zero_lane(frame, weir_lane(a_bar, o));
        return WEIR_OK;
    }
    if (!weir_take_tile(frame, width, &work[0]) || !weir_take_tile(frame, width, &work[1])) return WEIR_ERROR;
    bar = weir_slice(&work[0], 0, self->features);
    begin_slopes_bar(self, frame, rec, by, l_bar, &bar);
    for (int32_t i = self->layers; i > 0; i--) {
        const weir_tile h = layer_of(self, &rec->h, i - 1), to = layer_of(self, a_bar, i - 1);
        const weir_tile share = layer_of(self, &rec->share, i - 1);
        sums -= bar.features;
        const weir_tile sum = weir_slice(&rec->sum, sums, bar.features);
        const weir_tile before = work[bar.data == work[0].data];
        pull_chain(self, frame, i, &share, &sum, &bar, &before);
        pull_log_bend(frame, &h, &before, &to);
        bar = before;
    }
    first_gradient(self, frame, &bar);
    return WEIR_OK;
}

void WEIR_NAME(pull_bend)(const weir_frame *frame, const weir_tile *h, const weir_tile *h_bar,
                          const weir_tile *a_bar)
{
    for (int32_t o = 0; o < h->features; o++) {
        const weir_real *restrict const t = weir_lane(h, o), *restrict const bar = weir_lane(h_bar, o);
        weir_real *restrict const to = weir_lane(a_bar, o);
        for (int32_t r = 0; r < frame->width; r++) to[r] += (1 - t[r]) * (1 + t[r]) * bar[r];
    }
}

/* z = alpha (y - x) + x, and alpha' = alpha beta; the log-slope's derivative by the gate is p - alpha. */
static weir_status gate_gradient(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                                 const weir_tile *x, const weir_tile *z_bar, const weir_real *l_bar)
{
    if (self->residual != RESIDUAL_GATED || !weir_gradient(frame, self->gate)) return WEIR_OK;
    weir_real *const gradient = weir_gradient(frame, self->gate), *const p = weir_take_lane(frame);
    if (!p) return WEIR_ERROR;
    for (int32_t d = 0; d < self->features; d++) {
        const weir_real *const from = weir_lane(x, d), *const y = weir_lane(&rec->y, d);
        const weir_real *const bar = weir_lane(z_bar, d);
        weir_real sum = 0;
        blended_share(self, frame, by, weir_lane(&rec->slopes, d), p);
        for (int32_t r = 0; r < frame->rows; r++) sum += by.alpha * by.beta * bar[r] * (y[r] - from[r]);
        for (int32_t r = 0; l_bar && r < frame->rows; r++) sum += l_bar[r] * (p[r] - by.alpha);
        *gradient += sum;
    }
    return WEIR_OK;
}

weir_status WEIR_NAME(pull_gradients)(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                                      const weir_tile *x, const weir_tile *a_bar, const weir_tile *y_bar,
                                      const weir_tile *z_bar, const weir_real *l_bar)
{
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i <= self->layers; i++) {
        const weir_tile in = i ? layer_of(self, &rec->h, i - 1) : *x;
        const weir_tile out_bar = i < self->layers ? layer_of(self, a_bar, i) : *y_bar;
        WEIR_TRY(status, WEIR_NAME(blocks_gradients)(self, &self->maps[i], frame, &in, &out_bar));
    }
    WEIR_TRY(status, gate_gradient(self, frame, rec, by, x, z_bar, l_bar));
    return status;
}

/* ---- forward's VJP ---------------------------------------------------------------------------------------------- */

static void scale_lanes(const weir_frame *frame, weir_real factor, const weir_tile *from, const weir_tile *to)
{
    for (int32_t d = 0; d < from->features; d++) {
        const weir_real *restrict const in = weir_lane(from, d);
        weir_real *restrict const out = weir_lane(to, d);
        for (int32_t r = 0; r < frame->width; r++) out[r] = factor * in[r];
    }
}

/* x_bar += beta z_bar */
static void add_straight(const weir_frame *frame, blend by, const weir_tile *z_bar, const weir_tile *x_bar)
{
    for (int32_t d = 0; d < z_bar->features; d++) {
        const weir_real *restrict const from = weir_lane(z_bar, d);
        weir_real *restrict const to = weir_lane(x_bar, d);
        for (int32_t r = 0; r < frame->width; r++) to[r] += by.beta * from[r];
    }
}

weir_status WEIR_NAME(bnaf_forward_vjp)(const void *module, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                        const weir_tile *x_bar)
{
    const bnaf *const self = module;
    const blend by = WEIR_NAME(blend_of)(self, frame);
    weir_status status = WEIR_OK;
    weir_tile a_bar, y_bar, h_bar;
    record rec;
    (void)z;
    if (!WEIR_NAME(record_pop)(self, frame, &rec) || !weir_take_tile(frame, units_of(self), &a_bar) ||
        !weir_take_tile(frame, self->features, &y_bar) ||
        !weir_take_tile(frame, self->features * self->hidden, &h_bar))
        return WEIR_ERROR;
    WEIR_TRY(status, WEIR_NAME(pull_slopes)(self, frame, &rec, by, log_det_bar, &a_bar));
    scale_lanes(frame, by.alpha, z_bar, &y_bar);
    for (int32_t i = self->layers; i > 0; i--) {
        const weir_tile out_bar = i < self->layers ? layer_of(self, &a_bar, i) : y_bar;
        const weir_tile h = layer_of(self, &rec.h, i - 1), to = layer_of(self, &a_bar, i - 1);
        WEIR_NAME(blocks_pull)(self, &self->maps[i], frame, &out_bar, &h_bar);
        WEIR_NAME(pull_bend)(frame, &h, &h_bar, &to);
    }
    if (x_bar) {
        const weir_tile first_bar = self->layers ? layer_of(self, &a_bar, 0) : y_bar;
        WEIR_NAME(blocks_pull)(self, &self->maps[0], frame, &first_bar, x_bar);
        add_straight(frame, by, z_bar, x_bar);
    }
    WEIR_TRY(status, WEIR_NAME(pull_gradients)(self, frame, &rec, by, x, &a_bar, &y_bar, z_bar, log_det_bar));
    return status;
}
