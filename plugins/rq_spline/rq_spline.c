/* rq_spline - monotone rational-quadratic spline, the transformer of neural spline flows. */
#include "spline.h"

#include <stdlib.h>

#if WEIR_REAL == 32
#define REAL_SQRT sqrtf
#define REAL_ABS  fabsf
#else
#define REAL_SQRT sqrt
#define REAL_ABS  fabs
#endif

static const char rq_spline_doc[] =
    "Monotone rational-quadratic spline on [-bound, bound], the identity outside; slope 1 at both ends, so the map\n"
    "is continuously differentiable everywhere.\n"
    "Parameters per element: 3 bins - 1. First `bins` widths and `bins` heights before the softmax, each bin then\n"
    "getting 2 bound (min + (1 - bins min) softmax); then bins - 1 inner slopes, min_derivative + softplus(v + c)\n"
    "with c such that v = 0 gives slope 1. All zero is the identity.\n"
    "The inverse solves a quadratic whose discriminant is written as a sum of squares: it cannot fail. It costs as\n"
    "much as forward.\n"
    "Rows with NaN or an infinity, in the input or in the parameters, are discarded.\n"
    "Source: Durkan et al. 2019, \"Neural Spline Flows\", arXiv:1906.04032, section 3.1 and appendix A.";

static const weir_option rq_spline_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "bins",
     .default_json = "8",
     .minimum = 2,
     .maximum = 256,
     .summary = "number of bins, K"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "bound",
     .default_json = "5",
     .minimum = 1e-3,
     .maximum = 1e6,
     .summary = "the spline lives on [-bound, bound], the tails are the identity; 5 suits standardized data"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_width",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least width of a bin as a fraction of 2 bound; bins * min_width < 1"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_height",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least height of a bin as a fraction of 2 bound; bins * min_height < 1"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_derivative",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least slope at a knot"},
};

/* ---- forward and inverse ------------------------------------------------------------------------ */

/** y and dy/dx, which is 1 in the tails; NaN where x is not finite. */
static void values(const rq_spline *self, int32_t n, const weir_real *restrict x, const segment *g,
                   weir_real *restrict y, weir_real *restrict slope)
{
    const weir_real bound = self->bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), per_w = 1 / w[i];
        const rational q = rational_at((confined(x[i], bound) - x0[i]) * per_w, h[i] * per_w, d0[i], d1[i]);
        y[i] = in * (y0[i] + h[i] * q.value) + (1 - in) * x[i];
        slope[i] = in * rational_slope(&q) + (1 - in) + (x[i] - x[i]);
    }
}

/* With eta = (y - Y_k) / h, xi solves a quadratic. Its discriminant, usually b^2 - 4ac, equals
 * v^2 + 4 s^2 eta (1 - eta) with v = d_k (1 - eta) - d_{k+1} eta: a sum of non-negative terms, however rounded. With
 * m = sqrt(...) + |v| the root is 2 s eta / (2 s eta + m) for v >= 0 and m / (m + 2 s (1 - eta)) otherwise: no
 * difference of like numbers, and in [0, 1] by construction. */
static void roots(const rq_spline *self, int32_t n, const weir_real *restrict y, const segment *g,
                  weir_real *restrict x, weir_real *restrict slope)
{
    const weir_real bound = self->bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(y[i], bound), s = h[i] / w[i];
        const weir_real eta = (confined(y[i], bound) - y0[i]) / h[i], rest = 1 - eta;
        const weir_real v = d0[i] * rest - d1[i] * eta, falls = v < 0;
        const weir_real m = REAL_SQRT(v * v + 4 * s * s * (eta * rest)) + REAL_ABS(v);
        const weir_real top = falls * m + (1 - falls) * (2 * s * eta);
        const weir_real more = falls * (2 * s * rest) + (1 - falls) * m;
        const rational q = rational_at(top / (top + more), s, d0[i], d1[i]);
        x[i] = in * (x0[i] + w[i] * q.xi) + (1 - in) * y[i];
        slope[i] = in * rational_slope(&q) + (1 - in) + (y[i] - y[i]);
    }
}

static weir_status rq_spline_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                          const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    segment g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(spline_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    values(self, n, x, &g, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status rq_spline_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                          const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    segment g;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !WEIR_NAME(spline_locate)(self, frame, n, y, 1, p, s, &g)) return WEIR_ERROR;
    roots(self, n, y, &g, x, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

/* ---- vector-Jacobian products --------------------------------------------------------------------- */

static weir_status rq_spline_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s,
                                              const weir_real *y, const weir_real *y_bar,
                                              const weir_real *log_det_bar, weir_real *x_bar,
                                              weir_real *p_bar)
{
    (void)y;
    segment g;
    if (!WEIR_NAME(spline_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    return WEIR_NAME(spline_pull)(self, frame, n, x, &g, y_bar, log_det_bar, x_bar, p_bar, s) ? WEIR_OK
                                                                                              : WEIR_ERROR;
}

/* The implicit function theorem: with a = (x_bar - l_bar dL/dx) / (dy/dx), the cotangent of y is a and those of the
 * parameters are what the forward map gives for (-a, -l_bar). */
static void implicit(const rq_spline *self, int32_t n, const weir_real *restrict x, const segment *g,
                     const weir_real *restrict x_bar, const weir_real *restrict l_bar,
                     weir_real *restrict y_bar, weir_real *restrict minus_y, weir_real *restrict minus_l)
{
    const weir_real bound = self->bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), per_w = 1 / w[i];
        const rational q = rational_at((confined(x[i], bound) - x0[i]) * per_w, h[i] * per_w, d0[i], d1[i]);
        const weir_real a = (x_bar[i] - l_bar[i] * rational_bend(&q) * per_w) / rational_slope(&q);
        y_bar[i] = in * a + (1 - in) * x_bar[i];
        minus_y[i] = -y_bar[i];
        minus_l[i] = -l_bar[i];
    }
}

static weir_status rq_spline_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *y, const weir_real *p, int64_t s,
                                              const weir_real *x, const weir_real *x_bar,
                                              const weir_real *log_det_bar, weir_real *y_bar,
                                              weir_real *p_bar)
{
    (void)y;
    segment g;
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    weir_real *const sink = weir_take_lane(frame);
    if (!minus_y || !minus_l || !sink) return WEIR_ERROR;
    if (!WEIR_NAME(spline_locate)(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    implicit(self, n, x, &g, x_bar, log_det_bar, y_bar, minus_y, minus_l);
    return WEIR_NAME(spline_pull)(self, frame, n, x, &g, minus_y, minus_l, sink, p_bar, s) ? WEIR_OK
                                                                                           : WEIR_ERROR;
}

WEIR_UNIVARIATE_LANES(rq_spline)

/* ---- creation --------------------------------------------------------------------------------------- */

static weir_status check_shares(weir_builder *build, int64_t bins, const char *name)
{
    const double least = build->number(build, name);
    if ((double)bins * least < 1) return WEIR_OK;
    return weir_refuse(build, "%s = %g is too large for %d bins; choose it below %g", name, least, (int)bins,
                       1 / (double)bins);
}

static weir_status rq_spline_create(weir_builder *build, void **self)
{
    static const double identity[3 * 256] = {0};
    const int64_t bins = build->integer(build, "bins");
    if (check_shares(build, bins, "min_width") != WEIR_OK) return WEIR_INVALID;
    if (check_shares(build, bins, "min_height") != WEIR_OK) return WEIR_INVALID;
    if (build->params(build, (int32_t)(3 * bins - 1), identity) != WEIR_OK) return WEIR_INVALID;
    rq_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    const double least_slope = build->number(build, "min_derivative");
    made->bins = (int32_t)bins;
    made->bound = WEIR_C(build->number(build, "bound"));
    made->min_width = WEIR_C(build->number(build, "min_width"));
    made->min_height = WEIR_C(build->number(build, "min_height"));
    made->min_derivative = WEIR_C(least_slope);
    made->shift = WEIR_C(log(expm1(1 - least_slope)));
    *self = made;
    return WEIR_OK;
}

static const weir_module rq_spline_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "rq_spline",
    .version = "1.0.0",
    .summary = "monotone rational-quadratic spline with linear tails (neural spline flows)",
    .doc = rq_spline_doc,
    WEIR_OPTIONS(rq_spline_options),
    .create = rq_spline_create,
    .destroy = free,
    .ops = &rq_spline_ops,
};

WEIR_PLUGIN(&rq_spline_module);
