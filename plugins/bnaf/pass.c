/* pass.c - from data to latent: the network, and its log-slopes in the log domain; the formulas are in bnaf's doc. */
#include "blocks.h"

#define LOG_2 WEIR_C(0.69314718055994530942)

/* ---- what is kept -------------------------------------------------------------------------------------------- */

static int32_t sums_of(const bnaf *self)
{
    return self->layers == 0 ? 0 : (self->layers - 1) * self->features * self->hidden + self->features;
}

static int32_t lanes_of(const bnaf *self)
{
    return 2 * units_of(self) + sums_of(self) + 2 * self->features;
}

static void divide(const bnaf *self, const weir_tile *all, record *rec)
{
    const int32_t units = units_of(self), sums = sums_of(self), d = self->features;
    rec->h = weir_slice(all, 0, units);
    rec->share = weir_slice(all, units, units);
    rec->sum = weir_slice(all, 2 * units, sums);
    rec->slopes = weir_slice(all, 2 * units + sums, d);
    rec->y = weir_slice(all, 2 * units + sums + d, d);
}

int WEIR_NAME(record_keep)(const bnaf *self, weir_frame *frame, record *rec)
{
    weir_tile all;
    if (!weir_keep_tile(frame, lanes_of(self), &all)) return 0;
    divide(self, &all, rec);
    return 1;
}

int WEIR_NAME(record_pop)(const bnaf *self, weir_frame *frame, record *rec)
{
    weir_tile all;
    if (!weir_pop_tile(frame, lanes_of(self), &all)) return 0;
    divide(self, &all, rec);
    return 1;
}

blend WEIR_NAME(blend_of)(const bnaf *self, const weir_frame *frame)
{
    if (self->residual == RESIDUAL_NONE) return (blend){1, 0, 0, 0};
    if (self->residual == RESIDUAL_NORMAL) return (blend){1, 1, 0, 0};
    const double gate = (double)*weir_tensor(frame, self->gate), size = fabs(gate);
    const double softplus = (gate > 0 ? gate : 0) + log1p(exp(-size));
    return (blend){WEIR_C(1 / (1 + exp(-gate))), WEIR_C(1 / (1 + exp(gate))), WEIR_C(gate),
                   WEIR_C(-softplus)};
}

/* ---- log-slopes ---------------------------------------------------------------------------------------------- */

/* The first layer's blocks have one column: their logarithms are the log-slopes, for every row. */
static void begin_slopes(const bnaf *self, const weir_frame *frame, const weir_tile *slopes)
{
    const weir_real *const logs = weir_tensor(frame, self->log_first);
    for (int32_t o = 0; o < slopes->features; o++) {
        weir_real *const lane = weir_lane(slopes, o);
        for (int32_t r = 0; r < frame->width; r++) lane[r] = logs[o];
    }
}

/* Lanes become e^(lane - their largest), which goes to `top`. */
static void take_out_largest(const weir_frame *frame, const weir_tile *lanes, weir_real *restrict top)
{
    weir_copy_lane(frame, weir_lane(lanes, 0), top);
    for (int32_t k = 1; k < lanes->features; k++) {
        const weir_real *restrict const lane = weir_lane(lanes, k);
        for (int32_t r = 0; r < frame->width; r++) top[r] = lane[r] > top[r] ? lane[r] : top[r];
    }
    for (int32_t k = 0; k < lanes->features; k++) {
        weir_real *restrict const lane = weir_lane(lanes, k);
        for (int32_t r = 0; r < frame->width; r++) lane[r] -= top[r];
        frame->math->exp(frame->width, lane, lane);
    }
}

/* slopes = log(W e^share) over the diagonal blocks of map i > 0; share holds the log-slopes of the layer before. */
static void chain_slopes(const bnaf *self, const weir_frame *frame, int32_t i, const weir_tile *share,
                         const weir_tile *sum, weir_real *restrict top, const weir_tile *slopes)
{
    const block_map *const map = &self->maps[i];
    for (int32_t d = 0; d < self->features; d++) {
        const weir_tile share_d = weir_slice(share, d * map->in, map->in);
        const weir_tile sum_d = weir_slice(sum, d * map->out, map->out);
        take_out_largest(frame, &share_d, top);
        WEIR_NAME(diagonal_add)(self, map, frame, d, &share_d, 0, &sum_d);
        for (int32_t j = 0; j < map->out; j++) {
            weir_real *restrict const out = weir_lane(slopes, d * map->out + j);
            frame->math->log(frame->width, weir_lane(&sum_d, j), out);
            for (int32_t r = 0; r < frame->width; r++) out[r] += top[r];
        }
    }
}

/* log tanh'(a) = 2 (log 2 - |a| - softplus(-2 |a|)) is added to the slopes, and a becomes tanh(a). */
static void bend(const weir_frame *frame, const weir_tile *units, const weir_tile *slopes,
                 weir_real *restrict tail)
{
    for (int32_t o = 0; o < units->features; o++) {
        weir_real *const a = weir_lane(units, o);
        if (slopes) {
            weir_real *restrict const slope = weir_lane(slopes, o);
            for (int32_t r = 0; r < frame->width; r++) tail[r] = a[r] < 0 ? 2 * a[r] : -2 * a[r];
            for (int32_t r = 0; r < frame->width; r++) slope[r] += 2 * LOG_2 + tail[r];
            frame->math->softplus(frame->width, tail, tail);
            for (int32_t r = 0; r < frame->width; r++) slope[r] -= 2 * tail[r];
        }
        frame->math->tanh(frame->width, a, a);
    }
}

weir_status WEIR_NAME(network_pass)(const bnaf *self, weir_frame *frame, const weir_tile *x,
                                    const record *rec, int logs)
{
    const int32_t last = self->layers;
    weir_status status = WEIR_OK;
    weir_real *const work = weir_take_lane(frame);
    if (!work) return WEIR_ERROR;
    for (int32_t i = 0, sums = 0; i <= last; i++) {
        const block_map *const map = &self->maps[i];
        const weir_tile in = i ? layer_of(self, &rec->h, i - 1) : *x;
        const weir_tile out = i < last ? layer_of(self, &rec->h, i) : rec->y;
        const weir_tile slopes = i < last ? layer_of(self, &rec->share, i) : rec->slopes;
        WEIR_TRY(status, WEIR_NAME(blocks_start)(map, frame, &out));
        WEIR_NAME(blocks_add)(self, map, frame, &in, &out);
        if (logs && i == 0) begin_slopes(self, frame, &slopes);
        if (logs && i > 0) {
            const weir_tile share = layer_of(self, &rec->share, i - 1);
            const weir_tile sum = weir_slice(&rec->sum, sums, out.features);
            chain_slopes(self, frame, i, &share, &sum, work, &slopes);
            sums += out.features;
        }
        if (i < last) bend(frame, &out, logs ? &slopes : NULL, work);
    }
    return status;
}

/* ---- forward --------------------------------------------------------------------------------------------------- */

static weir_status add_log_det(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                               weir_real *restrict log_det)
{
    weir_status status = WEIR_OK;
    weir_real *restrict const lane = weir_take_lane(frame);
    if (!lane) return WEIR_ERROR;
    for (int32_t d = 0; d < self->features; d++) {
        const weir_real *restrict const slope = weir_lane(&rec->slopes, d);
        for (int32_t r = 0; r < frame->width; r++) lane[r] = slope[r] + by.gate;
        if (self->residual != RESIDUAL_NONE) frame->math->softplus(frame->width, lane, lane);
        for (int32_t r = 0; r < frame->width; r++) log_det[r] += lane[r] + by.log_beta;
        WEIR_TRY(status, weir_discard_unless_finite(frame, slope));
    }
    return status;
}

weir_status WEIR_NAME(bnaf_forward)(const void *module, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, void *log_det)
{
    const bnaf *const self = module;
    const blend by = WEIR_NAME(blend_of)(self, frame);
    weir_status status = WEIR_OK;
    record rec;
    if (!WEIR_NAME(record_keep)(self, frame, &rec)) return WEIR_ERROR;
    WEIR_TRY(status, WEIR_NAME(network_pass)(self, frame, x, &rec, log_det || frame->tape));
    for (int32_t d = 0; d < self->features; d++) {
        const weir_real *restrict const from = weir_lane(x, d), *restrict const y = weir_lane(&rec.y, d);
        weir_real *restrict const to = weir_lane(z, d);
        WEIR_TRY(status, weir_discard_unless_finite(frame, from));
        for (int32_t r = 0; r < frame->width; r++) to[r] = by.alpha * y[r] + by.beta * from[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    if (log_det) WEIR_TRY(status, add_log_det(self, frame, &rec, by, log_det));
    return status;
}
