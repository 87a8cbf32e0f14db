/* weir/lanes.h - writes the tile calls of a univariate from functions over one lane.
 *
 * SPDX-License-Identifier: MIT
 *
 * The author of a univariate writes four functions (or the first two: the host inverts by a bracketed
 * root and differentiates the inverse implicitly), each over the n rows of one feature, and says
 *      WEIR_UNIVARIATE_LANES(affine)
 * to get affine_ops, a weir_univariate_ops. n counts padding rows too. Parameter k of the element lies
 * at p + k * s. None of the pointers is ever NULL: where the caller did not ask for something, the lane
 * function writes to memory that is thrown away; a cotangent that was not given reads as zero.
 *
 *   static weir_status affine_lane_forward(const void *self, weir_frame *frame, int32_t n,
 *          const weir_real *x, const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
 *              y overwritten, log_det added to
 *   static weir_status affine_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
 *          const weir_real *x, const weir_real *p, int64_t s, const weir_real *y,
 *          const weir_real *y_bar, const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
 *              x_bar and p_bar (same stride s) overwritten
 *   affine_lane_inverse(..., y, p, s, x, log_det) and
 *   affine_lane_inverse_vjp(..., y, p, s, x, x_bar, log_det_bar, y_bar, p_bar) likewise.
 */
#ifndef WEIR_LANES_H
#define WEIR_LANES_H

#include <weir/plugin.h>

typedef weir_status (*weir_lane_map)(const void *self, weir_frame *frame, int32_t n, const weir_real *in,
                                     const weir_real *p, int64_t s, weir_real *out, weir_real *log_det);
typedef weir_status (*weir_lane_vjp)(const void *self, weir_frame *frame, int32_t n, const weir_real *in,
                                     const weir_real *p, int64_t s, const weir_real *out,
                                     const weir_real *out_bar, const weir_real *log_det_bar,
                                     weir_real *in_bar, weir_real *p_bar);

WEIR_INLINE weir_status weir_map_lanes(weir_lane_map map, const void *self, weir_frame *frame,
                                       const weir_tile *in, const weir_tile *params, const weir_tile *out,
                                       void *log_det)
{
    weir_status status = WEIR_OK;
    weir_real *const sink = log_det ? (weir_real *)log_det : weir_take_lane(frame);
    if (!sink) return WEIR_ERROR;
    if (!log_det) weir_zero_lane(frame, sink);
    const int32_t count = params && in->features ? params->features / in->features : 0;
    const int64_t s = params ? params->stride : 0;
    const int64_t mark = frame->services->scratch_mark(frame);
    for (int32_t f = 0; f < in->features; f++) {
        const weir_real *const p = count ? weir_lane(params, f * count) : sink;
        frame->services->scratch_release(frame, mark);
        WEIR_TRY(status, map(self, frame, in->width, weir_lane(in, f), p, s, weir_lane(out, f), sink));
    }
    return status;
}

WEIR_INLINE weir_status weir_vjp_lanes(weir_lane_vjp vjp, const void *self, weir_frame *frame,
                                       const weir_tile *in, const weir_tile *params, const weir_tile *out,
                                       const weir_tile *out_bar, const void *log_det_bar,
                                       const weir_tile *in_bar, const weir_tile *params_bar)
{
    weir_status status = WEIR_OK;
    const int32_t count = params && in->features ? params->features / in->features : 0;
    const int64_t s = params ? params->stride : 0;
    const weir_real *l_bar = (const weir_real *)log_det_bar;
    weir_real *unwanted = NULL, *unwanted_params = NULL;
    if (!l_bar) {
        weir_real *const zero = weir_take_lane(frame);
        if (!zero) return WEIR_ERROR;
        weir_zero_lane(frame, zero);
        l_bar = zero;
    }
    if (!in_bar && !(unwanted = weir_take_lane(frame))) return WEIR_ERROR;
    if (!params_bar || params_bar->stride != s) {
        const int64_t span = s < 0 ? -s : s;
        unwanted_params = (weir_real *)weir_take(frame, count * span * (int64_t)sizeof(weir_real));
        if (!unwanted_params) return WEIR_ERROR;
        if (s < 0 && count) unwanted_params += (count - 1) * span; /* lanes go backwards from the first */
    }
    const int64_t mark = frame->services->scratch_mark(frame);
    for (int32_t f = 0; f < in->features; f++) {
        const weir_real *const p = count ? weir_lane(params, f * count) : l_bar;
        weir_real *const x_bar = in_bar ? weir_lane(in_bar, f) : unwanted;
        frame->services->scratch_release(frame, mark);
        weir_real *const p_bar = unwanted_params ? unwanted_params
                                 : count         ? weir_lane(params_bar, f * count)
                                                 : x_bar;
        WEIR_TRY(status, vjp(self, frame, in->width, weir_lane(in, f), p, s, weir_lane(out, f),
                             weir_lane(out_bar, f), l_bar, x_bar, p_bar));
        if (unwanted_params && params_bar) {
            for (int32_t k = 0; k < count; k++)
                weir_copy_lane(frame, p_bar + k * s, weir_lane(params_bar, f * count + k));
        }
    }
    return status;
}

/** Defines NAME_forward and NAME_forward_vjp over tiles. */
#define WEIR_UNIVARIATE_FORWARD_LANES(name)                                                                  \
    static weir_status name##_forward(const void *self, weir_frame *frame, const weir_tile *x,               \
                                      const weir_tile *params, const weir_tile *y, void *log_det)            \
        WEIR_NOEXCEPT                                                                                        \
    {                                                                                                        \
        return weir_map_lanes(name##_lane_forward, self, frame, x, params, y, log_det);                      \
    }                                                                                                        \
    static weir_status name##_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,           \
                                          const weir_tile *params, const weir_tile *y,                       \
                                          const weir_tile *y_bar, const void *log_det_bar,                   \
                                          const weir_tile *x_bar, const weir_tile *params_bar) WEIR_NOEXCEPT \
    {                                                                                                        \
        return weir_vjp_lanes(name##_lane_forward_vjp, self, frame, x, params, y, y_bar, log_det_bar, x_bar, \
                              params_bar);                                                                   \
    }

#define WEIR_UNIVARIATE_INVERSE_LANES(name)                                                                  \
    static weir_status name##_inverse(const void *self, weir_frame *frame, const weir_tile *y,               \
                                      const weir_tile *params, const weir_tile *x, void *log_det)            \
        WEIR_NOEXCEPT                                                                                        \
    {                                                                                                        \
        return weir_map_lanes(name##_lane_inverse, self, frame, y, params, x, log_det);                      \
    }                                                                                                        \
    static weir_status name##_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *y,           \
                                          const weir_tile *params, const weir_tile *x,                       \
                                          const weir_tile *x_bar, const void *log_det_bar,                   \
                                          const weir_tile *y_bar, const weir_tile *params_bar) WEIR_NOEXCEPT \
    {                                                                                                        \
        return weir_vjp_lanes(name##_lane_inverse_vjp, self, frame, y, params, x, x_bar, log_det_bar, y_bar, \
                              params_bar);                                                                   \
    }

/** Defines NAME_ops from all four lane functions. */
#define WEIR_UNIVARIATE_LANES(name)                                                                          \
    WEIR_UNIVARIATE_FORWARD_LANES(name)                                                                      \
    WEIR_UNIVARIATE_INVERSE_LANES(name)                                                                      \
    static const weir_univariate_ops name##_ops = {                                                          \
        .struct_size = (uint32_t)sizeof(weir_univariate_ops),                                                \
        .forward = name##_forward,                                                                           \
        .inverse = name##_inverse,                                                                           \
        .forward_vjp = name##_forward_vjp,                                                                   \
        .inverse_vjp = name##_inverse_vjp,                                                                   \
    };

/* ---- univariates without parameters ------------------------------------------------------------ */

/** What create does for a univariate without parameters that maps the interval (lower, upper) to (out_lower, out_upper). */
WEIR_INLINE weir_status weir_fixed_univariate(weir_builder *build, double lower, double upper,
                                              double out_lower, double out_upper)
{
    const weir_domain from = {(uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, 1, 0, 0, lower, upper};
    const weir_domain to = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, 1, 0, 0, out_lower, out_upper};
    if (build->params(build, 0, NULL) != WEIR_OK) return WEIR_INVALID;
    if (build->require(build, &from) != WEIR_OK) return WEIR_INVALID;
    return build->produce(build, &to) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** destroy of a module whose instances own nothing (self is NULL or constant). */
WEIR_INLINE void weir_destroy_nothing(void *self) WEIR_NOEXCEPT
{
    (void)self;
}

#endif
