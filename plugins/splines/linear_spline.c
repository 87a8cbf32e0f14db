/* linear_spline - piecewise-linear spline: bins of equal width, learned heights. */
#include "grid.h"

#include "knots.h"
#include "splines.h"

#include <stdlib.h>

typedef struct linear_spline {
    box box;
    weir_real width, per_width;
    weir_real min_height;
} linear_spline;

static const char linear_spline_doc[] =
    "Piecewise-linear map of [-bound, bound] onto itself in `bins` bins of equal width w = 2 bound / bins, the identity\n"
    "outside. Bin k has height h_k = 2 bound (min_height + (1 - bins min_height) softmax(p)_k), so inside it\n"
    "  y = Y_k + h_k (x - X_k) / w,   log dy/dx = log(h_k / w),   X_k = -bound + k w,   Y_k = -bound + h_0 + .. + h_(k-1).\n"
    "The log-det is piecewise constant: its gradient in x is 0. It jumps at every knot, at +-bound too, so densities are\n"
    "histograms; a knot belongs to the bin on its right, and +-bound to the tails. Use it where that is what is wanted, or\n"
    "where speed is: the bin is found by a division, the rest is one multiplication.\n"
    "Parameters per element: bins. All zero is the identity. The widths are not learned: where a density is a step, its\n"
    "gradient with respect to where the step lies is zero almost everywhere (Mueller et al., section 4.1).\n"
    "The inverse is as simple and exact. Rows with NaN or an infinity, in the input or in the parameters, are discarded.\n"
    "Cost: bins + 1 vectorised functions and O(bins) additions a value, in either direction.\n"
    "Source: Mueller et al. 2019, \"Neural Importance Sampling\", arXiv:1808.03856, section 4.1, on a box of any size.";

static const weir_option linear_spline_options[] = {
    BINS_OPTION(2),
    BOUND_OPTION,
    SHARE_OPTION("min_height", "height", "2 bound"),
};

/** Where every row of a lane is: bin, the knot below it in y, the bin's height, and the share of the bin that is passed. */
typedef struct piece {
    axis y;
    weir_real *bin, *y0, *h, *xi;
} piece;

static int take_piece(const linear_spline *self, weir_frame *frame, int32_t n, piece *g)
{
    const int64_t bins = self->box.bins;
    weir_real *next = weir_take(frame, (2 * bins + 6) * n * (int64_t)sizeof *next);
    if (!next) return 0;
    weir_real **const places[] = {&g->y.exps, &g->y.knots, &g->y.norm, &g->bin, &g->y0, &g->h, &g->xi};
    const int64_t sizes[] = {bins, bins + 1, 1, 1, 1, 1, 1};
    for (size_t j = 0; j < sizeof places / sizeof *places; next += sizes[j] * n, j++) *places[j] = next;
    g->y.least = self->min_height;
    return 1;
}

static void find_equal_bins(const linear_spline *self, int32_t n, const weir_real *restrict x,
                            weir_real *restrict bin)
{
    const weir_real bound = self->box.bound, per_width = self->per_width;
    const int32_t last = self->box.bins - 1;
    for (int32_t i = 0; i < n; i++) {
        const int32_t k = (int32_t)((confined(x[i], bound) + bound) * per_width);
        bin[i] = (weir_real)(k < last ? k : last);
    }
}

static void fetch(int32_t n, const piece *g)
{
    for (int32_t i = 0; i < n; i++) {
        const int64_t at = (int64_t)(int32_t)g->bin[i] * n + i;
        g->y0[i] = g->y.knots[at];
        g->h[i] = g->y.knots[at + n] - g->y.knots[at];
    }
}

static int place(const linear_spline *self, weir_frame *frame, int32_t n, const weir_real *p, int64_t s,
                 piece *g)
{
    const int32_t bins = self->box.bins;
    if (!take_piece(self, frame, n, g)) return 0;
    WEIR_NAME(less_largest)(n, bins, p, s, g->bin, g->y.exps);
    frame->math->exp((int64_t)bins * n, g->y.exps, g->y.exps);
    WEIR_NAME(place_knots)(&self->box, n, &g->y);
    return 1;
}

static int locate_x(const linear_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                    const weir_real *p, int64_t s, piece *g)
{
    const weir_real bound = self->box.bound;
    if (!place(self, frame, n, p, s, g)) return 0;
    find_equal_bins(self, n, x, g->bin);
    fetch(n, g);
    for (int32_t i = 0; i < n; i++)
        g->xi[i] = (confined(x[i], bound) - (g->bin[i] * self->width - bound)) * self->per_width;
    return 1;
}

static int locate_y(const linear_spline *self, weir_frame *frame, int32_t n, const weir_real *y,
                    const weir_real *p, int64_t s, piece *g)
{
    const weir_real bound = self->box.bound;
    if (!place(self, frame, n, p, s, g)) return 0;
    WEIR_NAME(find_bins)(n, self->box.bins, y, g->y.knots, g->bin);
    fetch(n, g);
    for (int32_t i = 0; i < n; i++) g->xi[i] = (confined(y[i], bound) - g->y0[i]) / g->h[i];
    return 1;
}

/** dy/dx, 1 in the tails; NaN where `at`, x or y, is not finite. */
static void slopes(const linear_spline *self, int32_t n, const weir_real *restrict at, const piece *g,
                   weir_real *restrict slope)
{
    const weir_real bound = self->box.bound, per_width = self->per_width;
    const weir_real *restrict const h = g->h;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(at[i], bound);
        slope[i] = in * (h[i] * per_width) + (1 - in) + (at[i] - at[i]);
    }
}

static weir_status linear_spline_lane_forward(const void *module, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s, weir_real *y,
                                              weir_real *log_det)
{
    const linear_spline *const self = module;
    weir_real *const slope = weir_take_lane(frame);
    piece g;
    if (!slope || !locate_x(self, frame, n, x, p, s, &g)) return WEIR_ERROR;
    slopes(self, n, x, &g, slope);
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], self->box.bound);
        y[i] = in * (g.y0[i] + g.h[i] * g.xi[i]) + (1 - in) * x[i];
    }
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status linear_spline_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                              const weir_real *y, const weir_real *p, int64_t s, weir_real *x,
                                              weir_real *log_det)
{
    const linear_spline *const self = module;
    weir_real *const slope = weir_take_lane(frame);
    piece g;
    if (!slope || !locate_y(self, frame, n, y, p, s, &g)) return WEIR_ERROR;
    slopes(self, n, y, &g, slope);
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(y[i], self->box.bound);
        x[i] = in * ((g.bin[i] + g.xi[i]) * self->width - self->box.bound) + (1 - in) * y[i];
    }
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

/* y = (1 - xi) Y_k + xi Y_{k+1} and log dy/dx = log(Y_{k+1} - Y_k) + const. */
static int pull(const linear_spline *self, weir_frame *frame, int32_t n, const weir_real *at, const piece *g,
                const weir_real *y_bar, const weir_real *l_bar, weir_real *p_bar, int64_t s)
{
    weir_real *const y0_bar = weir_take_lane(frame), *const y1_bar = weir_take_lane(frame);
    if (!y0_bar || !y1_bar) return 0;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(at[i], self->box.bound), l = l_bar[i] / g->h[i];
        y0_bar[i] = in * (y_bar[i] * (1 - g->xi[i]) - l);
        y1_bar[i] = in * (y_bar[i] * g->xi[i] + l);
    }
    WEIR_NAME(knots_pull)(&self->box, n, &g->y, g->bin, g->y0, g->h, y0_bar, y1_bar, g->xi, p_bar, s);
    return 1;
}

static weir_status linear_spline_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                                  const weir_real *x, const weir_real *p, int64_t s,
                                                  const weir_real *y, const weir_real *y_bar,
                                                  const weir_real *log_det_bar, weir_real *x_bar,
                                                  weir_real *p_bar)
{
    const linear_spline *const self = module;
    piece g;
    (void)y;
    if (!locate_x(self, frame, n, x, p, s, &g)) return WEIR_ERROR;
    slopes(self, n, x, &g, x_bar);
    for (int32_t i = 0; i < n; i++) x_bar[i] *= y_bar[i];
    return pull(self, frame, n, x, &g, y_bar, log_det_bar, p_bar, s) ? WEIR_OK : WEIR_ERROR;
}

/* The implicit function theorem with dL/dx = 0. The bin is y's: x, rounded, may lie beyond its knot. */
static weir_status linear_spline_lane_inverse_vjp(const void *module, weir_frame *frame, int32_t n,
                                                  const weir_real *y, const weir_real *p, int64_t s,
                                                  const weir_real *x, const weir_real *x_bar,
                                                  const weir_real *log_det_bar, weir_real *y_bar,
                                                  weir_real *p_bar)
{
    const linear_spline *const self = module;
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    piece g;
    (void)x;
    if (!minus_y || !minus_l || !locate_y(self, frame, n, y, p, s, &g)) return WEIR_ERROR;
    slopes(self, n, y, &g, y_bar);
    for (int32_t i = 0; i < n; i++) {
        y_bar[i] = x_bar[i] / y_bar[i];
        minus_y[i] = -y_bar[i];
        minus_l[i] = -log_det_bar[i];
    }
    return pull(self, frame, n, y, &g, minus_y, minus_l, p_bar, s) ? WEIR_OK : WEIR_ERROR;
}

WEIR_UNIVARIATE_LANES(linear_spline)

static weir_status linear_spline_create(weir_builder *build, void **self)
{
    static const double identity[MOST_BINS] = {0};
    linear_spline spline = {.box = WEIR_NAME(box_read)(build)};
    const double width = 2 * build->number(build, "bound") / spline.box.bins;
    spline.width = WEIR_C(width);
    spline.per_width = WEIR_C(1 / width);
    if (WEIR_NAME(share_read)(build, spline.box.bins, "min_height", &spline.min_height) != WEIR_OK)
        return WEIR_INVALID;
    if (build->params(build, spline.box.bins, identity) != WEIR_OK) return WEIR_INVALID;
    linear_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = spline;
    *self = made;
    return WEIR_OK;
}

static weir_status linear_knots(const void *module, weir_frame *frame, const weir_real *theta, weir_real *x,
                                weir_real *y)
{
    const linear_spline *const self = module;
    piece g;
    if (!place(self, frame, 1, theta, 1, &g)) return WEIR_ERROR;
    for (int32_t k = 0; k < self->box.bins; k++) x[k] = (weir_real)k * self->width - self->box.bound;
    x[self->box.bins] = self->box.bound;
    memcpy(y, g.y.knots, ((size_t)self->box.bins + 1) * sizeof *y);
    return WEIR_NAME(knots_finite)(frame, self->box.bins + 1, y);
}

static const weir_method linear_spline_methods[] = {
    WEIR_METHOD("knots", "(real theta[params]) -> real x[bins + 1], real y[bins + 1]",
                "the knots of the spline with these parameters", linear_knots),
};

const weir_module WEIR_NAME(linear_spline_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "linear_spline",
    .version = "1.0.0",
    .summary = "monotone piecewise-linear spline: densities are histograms (neural importance sampling)",
    .doc = linear_spline_doc,
    WEIR_OPTIONS(linear_spline_options),
    WEIR_METHODS(linear_spline_methods),
    .create = linear_spline_create,
    .destroy = free,
    .ops = &linear_spline_ops,
};
