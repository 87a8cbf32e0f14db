/* diagonal.c - a positive diagonal, kept by its logarithm. */
#include "dense.h"
#include "factor.h"

static weir_status diagonal_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t side[1] = {self->features};
    (void)from;
    self->main = build->parameter(build, self->name, 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->scale = build->derived(build, "scale", 1, side);
    return WEIR_OK;
}

static weir_status diagonal_multiply(const factor *self, weir_frame *frame, int transposed,
                                     const weir_tile *in, const weir_tile *out)
{
    (void)transposed;
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real *const restrict from = weir_lane(in, i), scale = weir_tensor(frame, self->scale)[i];
        weir_real *const restrict to = weir_lane(out, i);
        for (int32_t r = 0; r < frame->width; r++) to[r] = from[r] * scale;
    }
    return WEIR_OK;
}

static weir_status diagonal_solve(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                                  const weir_tile *out)
{
    (void)transposed;
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real *const restrict from = weir_lane(in, i), scale = weir_tensor(frame, self->scale)[i];
        weir_real *const restrict to = weir_lane(out, i);
        for (int32_t r = 0; r < frame->width; r++) to[r] = from[r] / scale;
    }
    return WEIR_OK;
}

static weir_status diagonal_outer(const factor *self, weir_frame *frame, double sign, const weir_tile *left,
                                  const weir_tile *right)
{
    weir_real *const scale_bar = weir_gradient(frame, self->scale);
    for (int32_t i = 0; scale_bar && i < self->features; i++)
        scale_bar[i] += WEIR_C(sign) * dot_lanes(frame, weir_lane(left, i), weir_lane(right, i));
    return WEIR_OK;
}

static weir_status diagonal_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const weir_real *const logs = weir_tensor(frame, self->main);
    for (int32_t i = 0; i < self->features; i++) *log_volume += (double)logs[i];
    frame->math->exp(self->features, logs, weir_tensor(frame, self->scale));
    return WEIR_OK;
}

static weir_status diagonal_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const scale_bar = weir_gradient(frame, self->scale);
    weir_real *const log_bar = weir_gradient(frame, self->main);
    for (int32_t i = 0; log_bar && i < self->features; i++)
        log_bar[i] += (scale_bar ? scale_bar[i] * scale[i] : 0) + WEIR_C(log_volume_bar);
    return WEIR_OK;
}

const factor_ops WEIR_NAME(diagonal_factor) = {
    .declare = diagonal_declare,
    .multiply = diagonal_multiply,
    .solve = diagonal_solve,
    .outer = diagonal_outer,
    .prepare = diagonal_prepare,
    .prepare_vjp = diagonal_prepare_vjp,
};
