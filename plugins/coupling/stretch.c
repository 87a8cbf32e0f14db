/* stretch.c - see stretch.h. */
#include "stretch.h"

/* ---- calls ---------------------------------------------------------------------------------- */

static weir_real factor_of(const stretch *self, const weir_frame *frame, int32_t f)
{
    return self->scaled ? weir_tensor(frame, self->factors)[f] : 1;
}

static void add_log_volume(const stretch *self, const weir_frame *frame, weir_real sign, weir_real *log_det)
{
    if (!self->scaled || !log_det) return;
    const weir_real volume = sign * *weir_tensor(frame, self->log_volume);
    for (int32_t r = 0; r < frame->width; r++) log_det[r] += volume;
}

void WEIR_NAME(stretch_forward)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                const weir_tile *u, weir_real *log_det)
{
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real by = factor_of(self, frame, f), shift = weir_tensor(frame, self->shift)[f];
        const weir_real *restrict const in = weir_lane(h, f);
        weir_real *restrict const out = weir_lane(u, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] = by * in[r] + shift;
    }
    add_log_volume(self, frame, 1, log_det);
}

void WEIR_NAME(stretch_inverse)(const stretch *self, const weir_frame *frame, const weir_tile *u,
                                const weir_tile *h, weir_real *log_det)
{
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real by = factor_of(self, frame, f), shift = weir_tensor(frame, self->shift)[f];
        const weir_real *restrict const in = weir_lane(u, f);
        weir_real *restrict const out = weir_lane(h, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] = (in[r] - shift) / by;
    }
    add_log_volume(self, frame, -1, log_det);
}

/* sign: 1 forward, -1 for the inverse. */
static void add_gradients(const stretch *self, const weir_frame *frame, weir_real sign,
                          const weir_tile *u_bar, const weir_tile *h, const weir_real *log_det_bar)
{
    weir_real *const shift_bar = weir_gradient(frame, self->shift);
    weir_real *const factor_bar = self->scaled ? weir_gradient(frame, self->factors) : NULL;
    weir_real *const volume_bar = self->scaled ? weir_gradient(frame, self->log_volume) : NULL;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(u_bar, f), *const value = weir_lane(h, f);
        weir_real sum = 0;
        for (int32_t r = 0; factor_bar && r < frame->rows; r++) sum += lane[r] * value[r];
        if (factor_bar) factor_bar[f] += sign * sum;
        if (shift_bar) shift_bar[f] += sign * weir_sum_lane(frame, lane);
    }
    if (volume_bar && log_det_bar) *volume_bar += sign * weir_sum_lane(frame, log_det_bar);
}

void WEIR_NAME(stretch_forward_vjp)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                    const weir_tile *u_bar, const weir_real *log_det_bar,
                                    const weir_tile *h_bar)
{
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real by = factor_of(self, frame, f);
        for (int32_t r = 0; r < frame->width; r++) weir_lane(h_bar, f)[r] = by * weir_lane(u_bar, f)[r];
    }
    add_gradients(self, frame, 1, u_bar, h, log_det_bar);
}

void WEIR_NAME(stretch_inverse_vjp)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                    const weir_tile *h_bar, const weir_real *log_det_bar,
                                    const weir_tile *u_bar)
{
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real by = factor_of(self, frame, f);
        for (int32_t r = 0; r < frame->width; r++) weir_lane(u_bar, f)[r] = weir_lane(h_bar, f)[r] / by;
    }
    add_gradients(self, frame, -1, u_bar, h, log_det_bar);
}

/* ---- preparation ---------------------------------------------------------------------------- */

static double positive(const stretch *self, double g)
{
    return self->exponential ? exp(g) : fmax(g, 0) + log1p(exp(-fabs(g)));
}

/* The derivative. */
static double slope_at(const stretch *self, double g)
{
    return self->exponential ? exp(g) : 1 / (1 + exp(-g));
}

weir_status WEIR_NAME(stretch_prepare)(const stretch *self, weir_frame *frame)
{
    double volume = 0;
    if (!self->scaled) return WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const double g = (double)weir_tensor(frame, self->scale)[f], v = positive(self, g);
        weir_real *const factor = weir_tensor(frame, self->factors) + f;
        *factor = WEIR_C(v);
        if (!(*factor > 0) || *factor - *factor != 0)
            return weir_failf(
                frame, WEIR_INVALID,
                "the scale of feature %d is %g (from the parameter %g): it must be finite and above 0",
                (int)f + 1, v, g);
        volume += log(v);
    }
    *weir_tensor(frame, self->log_volume) = WEIR_C(volume);
    return WEIR_OK;
}

void WEIR_NAME(stretch_prepare_vjp)(const stretch *self, const weir_frame *frame)
{
    if (!self->scaled) return;
    const weir_real *const factor_bar = weir_gradient(frame, self->factors);
    const weir_real *const volume_bar = weir_gradient(frame, self->log_volume);
    weir_real *const scale_bar = weir_gradient(frame, self->scale);
    for (int32_t f = 0; scale_bar && f < self->features; f++) {
        const double g = (double)weir_tensor(frame, self->scale)[f];
        const double through_volume = volume_bar ? (double)*volume_bar / positive(self, g) : 0;
        const double v_bar = (factor_bar ? (double)factor_bar[f] : 0) + through_volume;
        scale_bar[f] += WEIR_C(v_bar * slope_at(self, g));
    }
}

/* ---- creation ------------------------------------------------------------------------------- */

weir_status WEIR_NAME(stretch_declare)(weir_builder *build, stretch *self, int scaled)
{
    const int64_t side[1] = {build->features}, one[1] = {1};
    const char *const kind = build->string(build, "scale");
    if (!kind) return WEIR_INVALID;
    self->features = build->features;
    self->scaled = scaled;
    self->exponential = strcmp(kind, "exp") == 0;
    const weir_init start = {.struct_size = (uint32_t)sizeof start,
                             .kind = WEIR_INIT_CONSTANT,
                             .a = self->exponential ? 0 : 0.54132485461291810}; /* log(e - 1) */
    self->shift = build->parameter(build, "shift", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    if (scaled) {
        self->scale = build->parameter(build, "scale", 1, side, &start, WEIR_TENSOR_NO_DECAY);
        self->factors = build->derived(build, "factors", 1, side);
        self->log_volume = build->derived(build, "log_volume", 1, one);
    }
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}
