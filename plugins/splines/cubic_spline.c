/* cubic_spline - monotone piecewise-cubic spline. */
#include "cubic.h"

#include "knots.h"
#include "splines.h"

#include <weir/roots.h>

#include <stdlib.h>

static const char cubic_spline_doc[] =
    "Monotone piecewise-cubic map of [-bound, bound] onto itself, the identity outside. Inside bin k, with w and h its width\n"
    "and height, s = h / w, xi = (x - X_k) / w, and slopes s a, s b at its two knots:\n"
    "  y = Y_k + h (a xi (1 - xi)^2 + (3 - b) xi^2 (1 - xi) + xi^3),\n"
    "  dy/dx = s (a (1 - xi)^2 + 2 (3 - a - b) xi (1 - xi) + b xi^2).\n"
    "The slope at an inner knot between bins of slopes s, s' and widths w, w' is min(2 s, 2 s', (s w' + s' w) / (w + w')),\n"
    "which keeps the cubics increasing; the slope at an end is s (m + (3 - 2 m) sigmoid(v + c)), m = min_derivative. So the\n"
    "slope is continuous between the ends; at +-bound it jumps to the tails' 1, and densities have a step there. The choice of\n"
    "the least of three makes gradients with respect to parameters jump where two are equal.\n"
    "Parameters per element: 2 bins + 2. First `bins` widths and `bins` heights before the softmax, each bin then getting\n"
    "2 bound (min + (1 - bins min) softmax); then v at -bound and at bound, c such that v = 0 gives the mean slope. All zero is\n"
    "the identity. The log-det is the logarithm of dy/dx, 0 outside.\n"
    "Cost: 2 bins + 3 vectorised functions and O(bins) additions a value; inverse adds the evaluations of one cubic.\n"
    "The inverse finds the root of the bin's cubic in [0, 1] by Newton steps in a bracket, to machine precision: about 6\n"
    "evaluations, reported as iterations. Rows with NaN or an infinity, in the input or in the parameters, are discarded.\n"
    "Source: Durkan et al. 2019, \"Cubic-Spline Flows\", arXiv:1906.02145; the slopes are those of Steffen 1990, Astronomy and\n"
    "Astrophysics 239, 443, within the limits of Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17, 238.";

static const weir_option cubic_spline_options[] = {
    BINS_OPTION(2),
    BOUND_OPTION,
    SHARE_OPTION("min_width", "width", "2 bound"),
    SHARE_OPTION("min_height", "height", "2 bound"),
    SLOPE_OPTION("least slope at +-bound in units of the end bin's mean slope, at most 3 less this"),
};

/** y and dy/dx, which is 1 in the tails; NaN where x is not finite. */
static void values(const cubic_spline *self, int32_t n, const weir_real *restrict x, const curve *g,
                   weir_real *restrict y, weir_real *restrict slope)
{
    const weir_real bound = self->box.bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const alpha = g->left.steep;
    const weir_real *restrict const beta = g->right.steep;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), xi = (confined(x[i], bound) - x0[i]) / w[i];
        y[i] = in * (y0[i] + h[i] * cubic_value(xi, alpha[i], beta[i])) + (1 - in) * x[i];
        slope[i] = in * (h[i] / w[i]) * cubic_slope(xi, alpha[i], beta[i]) + (1 - in) + (x[i] - x[i]);
    }
}

static weir_status cubic_spline_lane_forward(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *x, const weir_real *p, int64_t s, weir_real *y,
                                             weir_real *log_det)
{
    curve g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(cubic_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    values(self, n, x, &g, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, slope);
}

/** What the root's search looks at: V(xi) = eta. */
typedef struct search {
    const weir_real *alpha, *beta, *eta;
} search;

static void miss(const void *context, weir_frame *frame, int32_t n, const weir_real *restrict xi,
                 weir_real *restrict value, weir_real *restrict slope)
{
    const search *const q = context;
    (void)frame;
    for (int32_t i = 0; i < n; i++) {
        value[i] = cubic_value(xi[i], q->alpha[i], q->beta[i]) - q->eta[i];
        slope[i] = cubic_slope(xi[i], q->alpha[i], q->beta[i]);
    }
}

/** Every row's root in [0, 1]; the tails' rows search too, at an end. */
static weir_status find_shares(const cubic_spline *self, weir_frame *frame, int32_t n, const weir_real *y,
                               const curve *g, weir_real *xi)
{
    weir_real *const eta = weir_take_lane(frame), *const low = weir_take_lane(frame);
    weir_real *const high = weir_take_lane(frame);
    if (!eta || !low || !high) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) {
        xi[i] = eta[i] = (confined(y[i], self->box.bound) - g->y0[i]) / g->h[i];
        low[i] = 0;
        high[i] = 1;
    }
    const search q = {g->left.steep, g->right.steep, eta};
    return weir_find_roots(frame, n, miss, &q, low, high, xi);
}

static weir_status cubic_spline_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                             const weir_real *y, const weir_real *p, int64_t s, weir_real *x,
                                             weir_real *log_det)
{
    const cubic_spline *const self = module;
    curve g;
    weir_status status = WEIR_OK;
    weir_real *const slope = weir_take_lane(frame), *const xi = weir_take_lane(frame);
    if (!slope || !xi || !WEIR_NAME(cubic_locate)(self, frame, n, y, 1, p, s, &g)) return WEIR_ERROR;
    WEIR_TRY(status, find_shares(self, frame, n, y, &g, xi));
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(y[i], self->box.bound);
        x[i] = in * (g.x0[i] + g.w[i] * xi[i]) + (1 - in) * y[i];
        slope[i] = in * (g.h[i] / g.w[i]) * cubic_slope(xi[i], g.left.steep[i], g.right.steep[i]) + (1 - in) +
                   (y[i] - y[i]);
    }
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    WEIR_TRY(status, weir_discard_unless_finite(frame, slope));
    return status;
}

static weir_status cubic_spline_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *x, const weir_real *p, int64_t s,
                                                 const weir_real *y, const weir_real *y_bar,
                                                 const weir_real *log_det_bar, weir_real *x_bar,
                                                 weir_real *p_bar)
{
    curve g;
    (void)y;
    const int done = WEIR_NAME(cubic_locate)(self, frame, n, x, 0, p, s, &g) &&
                     WEIR_NAME(cubic_pull)(self, frame, n, x, &g, y_bar, log_det_bar, x_bar, p_bar, s);
    return done ? WEIR_OK : WEIR_ERROR;
}

/** a = (x_bar - l_bar dL/dx) / (dy/dx): by the implicit function theorem the cotangent of y, and -a and -l_bar are what
 *  the forward map's VJP takes for the parameters. */
static void implicit(const cubic_spline *self, int32_t n, const weir_real *restrict x, const curve *g,
                     const weir_real *restrict x_bar, const weir_real *restrict l_bar,
                     weir_real *restrict y_bar, weir_real *restrict minus_y, weir_real *restrict minus_l)
{
    const weir_real bound = self->box.bound;
    for (int32_t i = 0; i < n; i++) {
        const weir_real alpha = g->left.steep[i], beta = g->right.steep[i];
        const weir_real in = within(x[i], bound), xi = (confined(x[i], bound) - g->x0[i]) / g->w[i];
        const weir_real slope = g->h[i] / g->w[i] * cubic_slope(xi, alpha, beta);
        const weir_real turn = cubic_bend(xi, alpha, beta) / g->w[i];
        y_bar[i] = in * ((x_bar[i] - l_bar[i] * turn) / slope) + (1 - in) * x_bar[i];
        minus_y[i] = -y_bar[i];
        minus_l[i] = -l_bar[i];
    }
}

static weir_status cubic_spline_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *y, const weir_real *p, int64_t s,
                                                 const weir_real *x, const weir_real *x_bar,
                                                 const weir_real *log_det_bar, weir_real *y_bar,
                                                 weir_real *p_bar)
{
    curve g;
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    weir_real *const sink = weir_take_lane(frame);
    (void)y;
    if (!minus_y || !minus_l || !sink) return WEIR_ERROR;
    if (!WEIR_NAME(cubic_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    implicit(self, n, x, &g, x_bar, log_det_bar, y_bar, minus_y, minus_l);
    return WEIR_NAME(cubic_pull)(self, frame, n, x, &g, minus_y, minus_l, sink, p_bar, s) ? WEIR_OK
                                                                                          : WEIR_ERROR;
}

WEIR_UNIVARIATE_LANES(cubic_spline)

static weir_status cubic_spline_create(weir_builder *build, void **self)
{
    static const double identity[2 * MOST_BINS + 2] = {0};
    const double least = build->number(build, "min_derivative");
    cubic_spline spline = {.box = WEIR_NAME(box_read)(build), .min_derivative = WEIR_C(least)};
    const int32_t bins = spline.box.bins;
    spline.shift = WEIR_C(log((1 - least) / (2 - least))); /* m + (3 - 2m) sigmoid(c) = 1 */
    if (WEIR_NAME(share_read)(build, bins, "min_width", &spline.min_width) != WEIR_OK) return WEIR_INVALID;
    if (WEIR_NAME(share_read)(build, bins, "min_height", &spline.min_height) != WEIR_OK) return WEIR_INVALID;
    if (build->params(build, 2 * bins + 2, identity) != WEIR_OK) return WEIR_INVALID;
    build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    cubic_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = spline;
    *self = made;
    return WEIR_OK;
}

static const weir_method cubic_spline_methods[] = {
    WEIR_METHOD("knots", KNOTS_SIGNATURE, KNOTS_SUMMARY, WEIR_NAME(cubic_knots)),
};

const weir_module WEIR_NAME(cubic_spline_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "cubic_spline",
    .version = "1.0.0",
    .summary = "monotone piecewise-cubic spline with linear tails (cubic-spline flows)",
    .doc = cubic_spline_doc,
    WEIR_OPTIONS(cubic_spline_options),
    WEIR_METHODS(cubic_spline_methods),
    .create = cubic_spline_create,
    .destroy = free,
    .ops = &cubic_spline_ops,
};
