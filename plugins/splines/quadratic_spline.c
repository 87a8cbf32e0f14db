/* quadratic_spline - piecewise-quadratic spline, whose slope is a broken line through learned knots. */
#include "quadratic.h"

#include "knots.h"
#include "splines.h"

#include <stdlib.h>

static const char quadratic_spline_doc[] =
    "Piecewise-quadratic map of [-bound, bound] onto itself, the identity outside: the slope is continuous and linear between\n"
    "knots, and 1 at both ends, so densities are continuous everywhere and have kinks at the knots. Inside bin k, with\n"
    "w = X_(k+1) - X_k, xi = (x - X_k) / w and the slopes d_k, d_(k+1) at its knots:\n"
    "  dy/dx = d_k (1 - xi) + d_(k+1) xi,   y = Y_k + w xi (d_k (2 - xi) + d_(k+1) xi) / 2.\n"
    "Parameters per element: 2 bins - 1. First `bins` widths, 2 bound (min_width + (1 - bins min_width) softmax(p)); then\n"
    "bins - 1 inner slopes, min_derivative + (1 - min_derivative) e^v / c with c the mean of e^v, weighted with the widths\n"
    "around each knot: so the pieces add up to 2 bound. All zero is the identity; a constant added to all v changes nothing.\n"
    "The log-det is the logarithm of dy/dx, 0 outside.\n"
    "The inverse solves the quadratic by a discriminant that is a sum of squares; no difference of like numbers, no failure.\n"
    "Cost: 2 bins vectorised functions and O(bins) operations a value, in either direction.\n"
    "Rows with NaN or an infinity, in the input or in the parameters, are discarded.\n"
    "Source: Mueller et al. 2019, \"Neural Importance Sampling\", arXiv:1808.03856, section 4.2. There the end slopes are free;\n"
    "they are tied to the tails here, as in the nflows library, at the price of one degree of freedom.";

static const weir_option quadratic_spline_options[] = {
    BINS_OPTION(3),
    BOUND_OPTION,
    SHARE_OPTION("min_width", "width", "2 bound"),
    SLOPE_OPTION("least slope anywhere"),
};

/* ---- forward and inverse -------------------------------------------------------------------------- */

/** y and dy/dx, which is 1 in the tails; NaN where x is not finite. The bin's height h stands for its area, so that a
 *  bin ends exactly where the next begins. */
WEIR_CLONES static void values(const quadratic_spline *self, int32_t n, const weir_real *restrict x,
                               const bend *g, weir_real *restrict y, weir_real *restrict slope)
{
    const weir_real bound = self->box.bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), xi = (confined(x[i], bound) - x0[i]) / w[i];
        const weir_real share = xi * (d0[i] * (2 - xi) + d1[i] * xi) / (d0[i] + d1[i]);
        y[i] = in * (y0[i] + h[i] * share) + (1 - in) * x[i];
        slope[i] = in * (d0[i] * (1 - xi) + d1[i] * xi) + (1 - in) + (x[i] - x[i]);
    }
}

/* With eta = (y - Y_k) / h the slope at the root is r = sqrt(d_k^2 (1 - eta) + d_{k+1}^2 eta), and
 * xi = eta (d_k + d_{k+1}) / (d_k + r): sums of positive numbers only. */
WEIR_CLONES static void roots(const quadratic_spline *self, int32_t n, const weir_real *restrict y,
                              const bend *g, weir_real *restrict x, weir_real *restrict slope)
{
    const weir_real bound = self->box.bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(y[i], bound), eta = (confined(y[i], bound) - y0[i]) / h[i];
        const weir_real r = REAL_SQRT(d0[i] * d0[i] * (1 - eta) + d1[i] * d1[i] * eta);
        const weir_real xi = eta * ((d0[i] + d1[i]) / (d0[i] + r));
        x[i] = in * (x0[i] + w[i] * xi) + (1 - in) * y[i];
        slope[i] = in * r + (1 - in) + (y[i] - y[i]);
    }
}

static weir_status quadratic_spline_lane_forward(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *x, const weir_real *p, int64_t s,
                                                 weir_real *y, weir_real *log_det)
{
    bend g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(quadratic_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    values(self, n, x, &g, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status quadratic_spline_lane_inverse(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *y, const weir_real *p, int64_t s,
                                                 weir_real *x, weir_real *log_det)
{
    bend g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(quadratic_locate)(self, frame, n, y, 1, p, s, &g)) return WEIR_ERROR;
    roots(self, n, y, &g, x, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

/* ---- vector-Jacobian products ----------------------------------------------------------------------- */

static weir_status quadratic_spline_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                                     const weir_real *x, const weir_real *p, int64_t s,
                                                     const weir_real *y, const weir_real *y_bar,
                                                     const weir_real *log_det_bar, weir_real *x_bar,
                                                     weir_real *p_bar)
{
    bend g;
    (void)y;
    if (!WEIR_NAME(quadratic_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    return WEIR_NAME(quadratic_pull)(self, frame, n, x, &g, y_bar, log_det_bar, x_bar, p_bar, s) ? WEIR_OK
                                                                                                 : WEIR_ERROR;
}

/** a = (x_bar - l_bar dL/dx) / (dy/dx): by the implicit function theorem the cotangent of y, and -a and -l_bar are what
 *  the forward map's VJP takes for the parameters. */
static void implicit(const quadratic_spline *self, int32_t n, const weir_real *restrict x, const bend *g,
                     const weir_real *restrict x_bar, const weir_real *restrict l_bar,
                     weir_real *restrict y_bar, weir_real *restrict minus_y, weir_real *restrict minus_l)
{
    const weir_real bound = self->box.bound;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), xi = (confined(x[i], bound) - g->x0[i]) / g->w[i];
        const weir_real u = g->d0[i] * (1 - xi) + g->d1[i] * xi;
        const weir_real turn = (g->d1[i] - g->d0[i]) / (u * g->w[i]);
        y_bar[i] = in * ((x_bar[i] - l_bar[i] * turn) / u) + (1 - in) * x_bar[i];
        minus_y[i] = -y_bar[i];
        minus_l[i] = -l_bar[i];
    }
}

static weir_status quadratic_spline_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                                     const weir_real *y, const weir_real *p, int64_t s,
                                                     const weir_real *x, const weir_real *x_bar,
                                                     const weir_real *log_det_bar, weir_real *y_bar,
                                                     weir_real *p_bar)
{
    bend g;
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    weir_real *const sink = weir_take_lane(frame);
    (void)y;
    if (!minus_y || !minus_l || !sink || !WEIR_NAME(quadratic_locate)(self, frame, n, x, 0, p, s, &g))
        return WEIR_ERROR;
    implicit(self, n, x, &g, x_bar, log_det_bar, y_bar, minus_y, minus_l);
    return WEIR_NAME(quadratic_pull)(self, frame, n, x, &g, minus_y, minus_l, sink, p_bar, s) ? WEIR_OK
                                                                                              : WEIR_ERROR;
}

WEIR_UNIVARIATE_LANES(quadratic_spline)

static weir_status quadratic_spline_create(weir_builder *build, void **self)
{
    static const double identity[2 * MOST_BINS] = {0};
    quadratic_spline spline = {.box = WEIR_NAME(box_read)(build)};
    spline.min_derivative = WEIR_C(build->number(build, "min_derivative"));
    if (WEIR_NAME(share_read)(build, spline.box.bins, "min_width", &spline.min_width) != WEIR_OK)
        return WEIR_INVALID;
    if (build->params(build, 2 * spline.box.bins - 1, identity) != WEIR_OK) return WEIR_INVALID;
    quadratic_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = spline;
    *self = made;
    return WEIR_OK;
}

static const weir_method quadratic_spline_methods[] = {
    WEIR_METHOD("knots", KNOTS_SIGNATURE, KNOTS_SUMMARY, WEIR_NAME(quadratic_knots)),
};

const weir_module WEIR_NAME(quadratic_spline_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "quadratic_spline",
    .version = "1.0.0",
    .summary = "monotone piecewise-quadratic spline with linear tails (neural importance sampling)",
    .doc = quadratic_spline_doc,
    WEIR_OPTIONS(quadratic_spline_options),
    WEIR_METHODS(quadratic_spline_methods),
    .create = quadratic_spline_create,
    .destroy = free,
    .ops = &quadratic_spline_ops,
};
