/* rq_spline - monotone rational-quadratic spline, the transformer of neural spline flows. */
#include "rational.h"

#include "knots.h"
#include "splines.h"

#include <stdlib.h>

static const char rq_spline_doc[] =
    "Monotone rational-quadratic spline on [-bound, bound], the identity outside; slope 1 at both ends, so the map\n"
    "is continuously differentiable everywhere.\n"
    "Parameters per element: 3 bins - 1. First `bins` widths and `bins` heights before the softmax, each bin then\n"
    "getting 2 bound (min + (1 - bins min) softmax); then bins - 1 inner slopes, min_derivative + softplus(v + c)\n"
    "with c such that v = 0 gives slope 1. All zero is the identity.\n"
    "Inside bin k, with w and h its width and height, s = h / w, xi = (x - X_k) / w, e = xi (1 - xi), slopes d_k and d_(k+1)\n"
    "at its knots and N = s + (d_k + d_(k+1) - 2 s) e:\n"
    "  y = Y_k + h (s xi^2 + d_k e) / N,   dy/dx = s^2 (d_(k+1) xi^2 + 2 s e + d_k (1 - xi)^2) / N^2.\n"
    "log|dy/dx| is the logarithm of that, 0 outside.\n"
    "The inverse solves a quadratic whose discriminant is written as a sum of squares: it cannot fail.\n"
    "Cost: 2 bins + 3 vectorised functions and O(bins) additions a value, in either direction.\n"
    "Rows with NaN or an infinity, in the input or in the parameters, are discarded.\n"
    "Source: Durkan et al. 2019, \"Neural Spline Flows\", arXiv:1906.04032, section 3.1 and appendix A.";

static const weir_option rq_spline_options[] = {
    BINS_OPTION(2),
    BOUND_OPTION,
    SHARE_OPTION("min_width", "width", "2 bound"),
    SHARE_OPTION("min_height", "height", "2 bound"),
    SLOPE_OPTION("least slope at a knot"),
};

static weir_status rq_spline_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                          const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    segment g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(rational_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    WEIR_NAME(rational_values)(self, n, x, &g, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status rq_spline_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                          const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    segment g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(rational_locate)(self, frame, n, y, 1, p, s, &g)) return WEIR_ERROR;
    WEIR_NAME(rational_roots)(self, n, y, &g, x, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status rq_spline_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s,
                                              const weir_real *y, const weir_real *y_bar,
                                              const weir_real *log_det_bar, weir_real *x_bar,
                                              weir_real *p_bar)
{
    (void)y;
    segment g;
    const int done = WEIR_NAME(rational_locate)(self, frame, n, x, 0, p, s, &g) &&
                     WEIR_NAME(rational_pull)(self, frame, n, x, &g, y_bar, log_det_bar, x_bar, p_bar, s);
    return done ? WEIR_OK : WEIR_ERROR;
}

static weir_status rq_spline_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *y, const weir_real *p, int64_t s,
                                              const weir_real *x, const weir_real *x_bar,
                                              const weir_real *log_det_bar, weir_real *y_bar,
                                              weir_real *p_bar)
{
    (void)y;
    segment g;
    const int done =
        WEIR_NAME(rational_locate)(self, frame, n, x, 0, p, s, &g) &&
        WEIR_NAME(rational_pull_inverse)(self, frame, n, x, &g, x_bar, log_det_bar, y_bar, p_bar, s);
    return done ? WEIR_OK : WEIR_ERROR;
}

WEIR_UNIVARIATE_LANES(rq_spline)

static weir_status rq_spline_create(weir_builder *build, void **self)
{
    static const double identity[3 * MOST_BINS] = {0};
    rational_spline spline = {.box = WEIR_NAME(box_read)(build)};
    spline.tail = spline.box.bound;
    if (WEIR_NAME(rational_read)(build, &spline) != WEIR_OK) return WEIR_INVALID;
    if (build->params(build, 3 * spline.box.bins - 1, identity) != WEIR_OK) return WEIR_INVALID;
    rational_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = spline;
    *self = made;
    return WEIR_OK;
}

static const weir_method rq_spline_methods[] = {
    WEIR_METHOD("knots", KNOTS_SIGNATURE, KNOTS_SUMMARY, WEIR_NAME(rational_knots)),
};

const weir_module WEIR_NAME(rq_spline_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "rq_spline",
    .version = "1.0.0",
    .summary = "monotone rational-quadratic spline with linear tails (neural spline flows)",
    .doc = rq_spline_doc,
    WEIR_OPTIONS(rq_spline_options),
    WEIR_METHODS(rq_spline_methods),
    .create = rq_spline_create,
    .destroy = free,
    .ops = &rq_spline_ops,
};
