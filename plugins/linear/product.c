/* product.c - see product.h.
 *
 * Between factors lie tiles: right[k] is what factor k multiplies, so right[count - 1] is x, and what it gives is
 * right[k - 1], or y - b for k = 0. Going back, left[k] is the cotangent of what factor k gives, with left[0] = y_bar; for
 * the inverse the same holds with y_bar = W^-T x_bar, and all gradients have the other sign. */
#include "product.h"

/* ---- what both directions share ------------------------------------------------------------------------------- */

/* The tiles between factors. Those that a gradient needs go on the tape. */
static int take_between(const product *self, weir_frame *frame, weir_tile *right)
{
    for (int32_t k = 0; k < self->count - 1; k++) {
        const int taken = self->factors[k].ops->outer ? weir_keep_tile(frame, self->features, &right[k])
                                                      : weir_take_tile(frame, self->features, &right[k]);
        if (!taken) return 0;
    }
    return 1;
}

static int pop_between(const product *self, weir_frame *frame, weir_tile *right)
{
    for (int32_t k = self->count - 2; k >= 0; k--)
        if (self->factors[k].ops->outer && !weir_pop_tile(frame, self->features, &right[k])) return 0;
    return 1;
}

static void shift(const product *self, const weir_frame *frame, weir_real sign, const weir_tile *from,
                  const weir_tile *to)
{
    const weir_real *const bias = self->biased ? weir_tensor(frame, self->bias) : NULL;
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real *const in = weir_lane(from, i), by = bias ? sign * bias[i] : 0;
        weir_real *const out = weir_lane(to, i);
        for (int32_t r = 0; r < frame->width; r++) out[r] = in[r] + by;
    }
}

static weir_status finish(const product *self, weir_frame *frame, weir_real sign, const weir_tile *out,
                          weir_real *log_det)
{
    const weir_real volume = sign * *weir_tensor(frame, self->log_volume);
    weir_status status = WEIR_OK;
    for (int32_t r = 0; log_det && r < frame->width; r++) log_det[r] += volume;
    for (int32_t i = 0; i < self->features; i++)
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(out, i)));
    return status;
}

static weir_status add_gradients(const product *self, weir_frame *frame, double sign, const weir_tile *left,
                                 const weir_tile *right, const weir_real *log_det_bar)
{
    weir_real *const volume = weir_gradient(frame, self->log_volume);
    weir_real *const bias = self->biased ? weir_gradient(frame, self->bias) : NULL;
    weir_status status = WEIR_OK;
    for (int32_t k = 0; frame->gradients && k < self->count; k++) {
        const factor *const f = &self->factors[k];
        if (f->ops->outer) WEIR_TRY(status, f->ops->outer(f, frame, sign, &left[k], &right[k]));
    }
    if (volume && log_det_bar) *volume += WEIR_C(sign) * weir_sum_lane(frame, log_det_bar);
    for (int32_t i = 0; bias && i < self->features; i++)
        bias[i] += WEIR_C(sign) * weir_sum_lane(frame, weir_lane(&left[0], i));
    return status;
}

/* ---- x to y --------------------------------------------------------------------------------------------------- */

weir_status WEIR_NAME(product_run)(const void *module, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *y, void *log_det)
{
    const product *const self = module;
    weir_tile right[PRODUCT_MOST];
    weir_status status = WEIR_OK;
    if (!take_between(self, frame, right)) return WEIR_ERROR;
    right[self->count - 1] = *x;
    for (int32_t k = self->count - 1; k >= 0; k--) {
        const factor *const f = &self->factors[k];
        WEIR_TRY(status, f->ops->multiply(f, frame, 0, &right[k], k > 0 ? &right[k - 1] : y));
    }
    if (self->biased) shift(self, frame, 1, y, y);
    WEIR_TRY(status, finish(self, frame, 1, y, log_det));
    return status;
}

weir_status WEIR_NAME(product_run_vjp)(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *y, const weir_tile *y_bar, const void *log_det_bar,
                                       const weir_tile *x_bar)
{
    const product *const self = module;
    weir_tile right[PRODUCT_MOST], left[PRODUCT_MOST];
    weir_status status = WEIR_OK;
    (void)y;
    if (!pop_between(self, frame, right)) return WEIR_ERROR;
    right[self->count - 1] = *x;
    left[0] = *y_bar;
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const f = &self->factors[k];
        const int last = k == self->count - 1;
        if (!last && !weir_take_tile(frame, self->features, &left[k + 1])) return WEIR_ERROR;
        if (!last || x_bar)
            WEIR_TRY(status, f->ops->multiply(f, frame, 1, &left[k], last ? x_bar : &left[k + 1]));
    }
    WEIR_TRY(status, add_gradients(self, frame, 1, left, right, log_det_bar));
    return status;
}

/* ---- y to x --------------------------------------------------------------------------------------------------- */

weir_status WEIR_NAME(product_solve)(const void *module, weir_frame *frame, const weir_tile *y,
                                     const weir_tile *x, void *log_det)
{
    const product *const self = module;
    weir_tile right[PRODUCT_MOST], shifted;
    weir_status status = WEIR_OK;
    if (!take_between(self, frame, right) || !weir_take_tile(frame, self->features, &shifted))
        return WEIR_ERROR;
    right[self->count - 1] = *x;
    shift(self, frame, -1, y, &shifted);
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const f = &self->factors[k];
        WEIR_TRY(status, f->ops->solve(f, frame, 0, k > 0 ? &right[k - 1] : &shifted, &right[k]));
    }
    WEIR_TRY(status, finish(self, frame, -1, x, log_det));
    return status;
}

weir_status WEIR_NAME(product_solve_vjp)(const void *module, weir_frame *frame, const weir_tile *y,
                                         const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                         const weir_tile *y_bar)
{
    const product *const self = module;
    weir_tile right[PRODUCT_MOST], left[PRODUCT_MOST];
    weir_status status = WEIR_OK;
    (void)y;
    if (!pop_between(self, frame, right)) return WEIR_ERROR;
    right[self->count - 1] = *x;
    for (int32_t k = 1; k < self->count; k++)
        if (!weir_take_tile(frame, self->features, &left[k])) return WEIR_ERROR;
    if (y_bar)
        left[0] = *y_bar;
    else if (!weir_take_tile(frame, self->features, &left[0]))
        return WEIR_ERROR;
    for (int32_t k = self->count - 1; k >= 0; k--) {
        const factor *const f = &self->factors[k];
        const weir_tile *const from = k == self->count - 1 ? x_bar : &left[k + 1];
        WEIR_TRY(status, f->ops->solve(f, frame, 1, from, &left[k]));
    }
    WEIR_TRY(status, add_gradients(self, frame, -1, left, right, log_det_bar));
    return status;
}

/* ---- preparation ---------------------------------------------------------------------------------------------- */

weir_status WEIR_NAME(product_prepare)(const void *module, weir_frame *frame)
{
    const product *const self = module;
    double log_volume = 0;
    weir_status status = WEIR_OK;
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const f = &self->factors[k];
        const int64_t mark = frame->services->scratch_mark(frame);
        if (f->ops->prepare) WEIR_TRY(status, f->ops->prepare(f, frame, &log_volume));
        frame->services->scratch_release(frame, mark);
    }
    *weir_tensor(frame, self->log_volume) = WEIR_C(log_volume);
    return status;
}

weir_status WEIR_NAME(product_prepare_vjp)(const void *module, weir_frame *frame)
{
    const product *const self = module;
    const weir_real *const volume_bar = weir_gradient(frame, self->log_volume);
    weir_status status = WEIR_OK;
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const f = &self->factors[k];
        const int64_t mark = frame->services->scratch_mark(frame);
        if (f->ops->prepare_vjp)
            WEIR_TRY(status, f->ops->prepare_vjp(f, frame, volume_bar ? (double)*volume_bar : 0));
        frame->services->scratch_release(frame, mark);
    }
    return status;
}

/* ---- declaration ---------------------------------------------------------------------------------------------- */

weir_status WEIR_NAME(product_declare)(product *self, weir_builder *build, const char *bias,
                                       const start *from)
{
    const int64_t side[1] = {self->features}, one[1] = {1};
    int keeps_volume = 1;
    for (int32_t k = 0; k < self->count; k++) {
        factor *const f = &self->factors[k];
        f->features = self->features;
        keeps_volume = keeps_volume && f->ops->keeps_volume;
        if (f->ops->declare(f, build, from) != WEIR_OK) return WEIR_INVALID;
    }
    self->biased = bias != NULL;
    if (bias) self->bias = build->parameter(build, bias, 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->log_volume = build->derived(build, "log_volume", 1, one);
    if (keeps_volume) build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}
