/* weir/formula.h - writes a whole univariate from one function over one number.
 *
 * SPDX-License-Identifier: MIT
 *
 * The shortest way to a univariate: say what y = u(x; p) is at a point, with its first and second derivatives,
 *
 *   static const double bend_identity[] = {0, 0};           as many values as there are parameters, the identity or near it
 *   static void bend_formula(weir_real x, const weir_real *p, weir_formula *at)
 *   static weir_real bend_solve(weir_real y, const weir_real *p)           optional: the x with u(x; p) = y
 *
 * and WEIR_FORMULA_SOLVED(bend, .id = "acme.bend", .version = "1.0.0", .summary = "...", .doc = "...") makes bend_module, with
 * both directions, log-dets and gradients; WEIR_FORMULA does without bend_solve, the host then searches for the root. The
 * designated members keep this order, which C++20 insists on.
 *
 * It costs a call of libm's scalar functions where a univariate over lanes (weir/lanes.h) uses the host's, which work on
 * many rows at once; rewrite it so when it has proved itself. Options and a domain other than the line need that too.
 */
#ifndef WEIR_FORMULA_H
#define WEIR_FORMULA_H

#include <weir/lanes.h>

/** The most parameters an element may have here. */
#define WEIR_FORMULA_MOST 16

/** u and its derivatives at one x. What a formula does not set stays 0. */
typedef struct weir_formula {
    weir_real y;                           /**< u(x; p) */
    weir_real slope;                       /**< du/dx: never 0, of one sign for all x and p */
    weir_real curve;                       /**< d2u/dx2 */
    weir_real y_by[WEIR_FORMULA_MOST];     /**< du/dp[k] */
    weir_real slope_by[WEIR_FORMULA_MOST]; /**< d2u/dx dp[k] */
} weir_formula;

typedef void (*weir_formula_point)(weir_real x, const weir_real *p, weir_formula *at);
typedef weir_real (*weir_formula_root)(weir_real y, const weir_real *p);

/** The parameters of one row, which lie s apart, side by side. */
WEIR_INLINE void weir_formula_gather(const weir_real *p, int64_t s, int32_t count, weir_real *own)
{
    for (int32_t k = 0; k < count; k++) own[k] = p[k * s];
}

/** Adds sign * log|slope|; the rows without a finite answer are discarded. */
WEIR_INLINE weir_status weir_formula_finish(weir_frame *frame, int32_t n, weir_real sign, weir_real *slope,
                                            const weir_real *out, weir_real *log_det)
{
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < n; i++) slope[i] = slope[i] < 0 ? -slope[i] : slope[i];
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += sign * slope[i];
    WEIR_TRY(status, weir_discard_unless_finite(frame, out));
    WEIR_TRY(status, weir_discard_unless_finite(frame, slope));
    return status;
}

WEIR_INLINE weir_status weir_formula_forward(weir_formula_point formula, int32_t count, weir_frame *frame,
                                             int32_t n, const weir_real *x, const weir_real *p, int64_t s,
                                             weir_real *y, weir_real *log_det)
{
    weir_real own[WEIR_FORMULA_MOST], *const slope = weir_take_lane(frame);
    weir_formula at;
    if (!slope) return WEIR_ERROR;
    memset(&at, 0, sizeof at);
    for (int32_t i = 0; i < n; i++) {
        weir_formula_gather(p + i, s, count, own);
        formula(x[i], own, &at);
        y[i] = at.y;
        slope[i] = at.slope;
    }
    return weir_formula_finish(frame, n, 1, slope, y, log_det);
}

WEIR_INLINE weir_status weir_formula_inverse(weir_formula_point formula, weir_formula_root solve,
                                             int32_t count, weir_frame *frame, int32_t n, const weir_real *y,
                                             const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    weir_real own[WEIR_FORMULA_MOST], *const slope = weir_take_lane(frame);
    weir_formula at;
    if (!slope) return WEIR_ERROR;
    memset(&at, 0, sizeof at);
    for (int32_t i = 0; i < n; i++) {
        weir_formula_gather(p + i, s, count, own);
        x[i] = solve(y[i], own);
        formula(x[i], own, &at);
        slope[i] = at.slope;
    }
    return weir_formula_finish(frame, n, -1, slope, x, log_det);
}

/** Both VJPs start from x. With l = log|slope|: forward, x_bar = y_bar slope + l_bar curve / slope and
 *  p_bar = y_bar dy/dp + l_bar dslope/dp / slope; inverse, y_bar = (x_bar - l_bar curve / slope) / slope, and the parameters
 *  get what forward gives them for the cotangents (-y_bar, -l_bar). */
WEIR_INLINE weir_status weir_formula_pull(weir_formula_point formula, int32_t count, int inverse, int32_t n,
                                          const weir_real *x, const weir_real *p, int64_t s,
                                          const weir_real *out_bar, const weir_real *log_det_bar,
                                          weir_real *in_bar, weir_real *p_bar)
{
    weir_real own[WEIR_FORMULA_MOST];
    weir_formula at;
    memset(&at, 0, sizeof at);
    for (int32_t i = 0; i < n; i++) {
        weir_formula_gather(p + i, s, count, own);
        formula(x[i], own, &at);
        const weir_real through = log_det_bar[i] / at.slope;
        const weir_real in = inverse ? (out_bar[i] - through * at.curve) / at.slope
                                     : out_bar[i] * at.slope + through * at.curve;
        const weir_real by_y = inverse ? -in : out_bar[i], by_slope = inverse ? -through : through;
        for (int32_t k = 0; k < count; k++) p_bar[i + k * s] = by_y * at.y_by[k] + by_slope * at.slope_by[k];
        in_bar[i] = in;
    }
    return WEIR_OK;
}

#define WEIR_FORMULA_COUNT(name) ((int32_t)(sizeof name##_identity / sizeof name##_identity[0]))

/* Defines NAME_forward, NAME_forward_vjp and NAME_create. */
#define WEIR_FORMULA_CALLS(name)                                                                             \
    typedef char name##_has_few_parameters[WEIR_FORMULA_COUNT(name) <= WEIR_FORMULA_MOST ? 1 : -1];          \
    static weir_status name##_lane_forward(const void *self, weir_frame *frame, int32_t n,                   \
                                           const weir_real *x, const weir_real *p, int64_t s, weir_real *y,  \
                                           weir_real *log_det)                                               \
    {                                                                                                        \
        (void)self;                                                                                          \
        return weir_formula_forward(name##_formula, WEIR_FORMULA_COUNT(name), frame, n, x, p, s, y,          \
                                    log_det);                                                                \
    }                                                                                                        \
    static weir_status name##_lane_forward_vjp(                                                              \
        const void *self, weir_frame *frame, int32_t n, const weir_real *x, const weir_real *p, int64_t s,   \
        const weir_real *y, const weir_real *y_bar, const weir_real *log_det_bar, weir_real *x_bar,          \
        weir_real *p_bar)                                                                                    \
    {                                                                                                        \
        (void)self, (void)frame, (void)y;                                                                    \
        return weir_formula_pull(name##_formula, WEIR_FORMULA_COUNT(name), 0, n, x, p, s, y_bar,             \
                                 log_det_bar, x_bar, p_bar);                                                 \
    }                                                                                                        \
    WEIR_UNIVARIATE_FORWARD_LANES(name)                                                                      \
    static weir_status name##_create(weir_builder *build, void **self) WEIR_NOEXCEPT                         \
    {                                                                                                        \
        *self = NULL;                                                                                        \
        return build->params(build, WEIR_FORMULA_COUNT(name), name##_identity);                              \
    }

/* Defines NAME_inverse and NAME_inverse_vjp. */
#define WEIR_FORMULA_INVERSE(name)                                                                           \
    static weir_status name##_lane_inverse(const void *self, weir_frame *frame, int32_t n,                   \
                                           const weir_real *y, const weir_real *p, int64_t s, weir_real *x,  \
                                           weir_real *log_det)                                               \
    {                                                                                                        \
        (void)self;                                                                                          \
        return weir_formula_inverse(name##_formula, name##_solve, WEIR_FORMULA_COUNT(name), frame, n, y, p,  \
                                    s, x, log_det);                                                          \
    }                                                                                                        \
    static weir_status name##_lane_inverse_vjp(                                                              \
        const void *self, weir_frame *frame, int32_t n, const weir_real *y, const weir_real *p, int64_t s,   \
        const weir_real *x, const weir_real *x_bar, const weir_real *log_det_bar, weir_real *y_bar,          \
        weir_real *p_bar)                                                                                    \
    {                                                                                                        \
        (void)self, (void)frame, (void)y;                                                                    \
        return weir_formula_pull(name##_formula, WEIR_FORMULA_COUNT(name), 1, n, x, p, s, x_bar,             \
                                 log_det_bar, y_bar, p_bar);                                                 \
    }                                                                                                        \
    WEIR_UNIVARIATE_INVERSE_LANES(name)

#define WEIR_FORMULA_MODULE(name, ...)                                                                       \
    static const weir_module name##_module = {                                                               \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_UNIVARIATE,                                                                             \
        .precision = WEIR_PRECISION,                                                                         \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        __VA_ARGS__,                                                                                         \
        .create = name##_create,                                                                             \
        .destroy = weir_destroy_nothing,                                                                     \
        .ops = &name##_ops,                                                                                  \
    };

/** Defines NAME_module from NAME_identity and NAME_formula; the host inverts. */
#define WEIR_FORMULA(name, ...)                                                                              \
    WEIR_FORMULA_CALLS(name)                                                                                 \
    static const weir_univariate_ops name##_ops = {                                                          \
        .struct_size = (uint32_t)sizeof(weir_univariate_ops),                                                \
        .forward = name##_forward,                                                                           \
        .forward_vjp = name##_forward_vjp,                                                                   \
    };                                                                                                       \
    WEIR_FORMULA_MODULE(name, __VA_ARGS__)

/** Defines NAME_module from NAME_identity, NAME_formula and NAME_solve. */
#define WEIR_FORMULA_SOLVED(name, ...)                                                                       \
    WEIR_FORMULA_CALLS(name)                                                                                 \
    WEIR_FORMULA_INVERSE(name)                                                                               \
    static const weir_univariate_ops name##_ops = {                                                          \
        .struct_size = (uint32_t)sizeof(weir_univariate_ops),                                                \
        .forward = name##_forward,                                                                           \
        .inverse = name##_inverse,                                                                           \
        .forward_vjp = name##_forward_vjp,                                                                   \
        .inverse_vjp = name##_inverse_vjp,                                                                   \
    };                                                                                                       \
    WEIR_FORMULA_MODULE(name, __VA_ARGS__)

#endif
