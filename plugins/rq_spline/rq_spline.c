/* rq_spline - monotone rational-quadratic spline, the transformer of neural spline flows.
 *
 * One element: knots X_0 = -B < X_1 < ... < X_K = B and Y_0 = -B < ... < Y_K = B with slopes d_0 = 1, ..., d_K = 1.
 * Inside bin k, with w = X_{k+1} - X_k, h = Y_{k+1} - Y_k, s = h / w, xi = (x - X_k) / w, t = xi (1 - xi):
 *      y = Y_k + h A / D,     A = s xi^2 + d_k t,     D = s (1 - 2t) + (d_k + d_{k+1}) t,
 *      dy/dx = s^2 N / D^2,   N = d_{k+1} xi^2 + 2 s t + d_k (1 - xi)^2.
 * Outside [-B, B]: y = x. D is written as a sum of positive terms (t <= 1/4), so nothing cancels.
 *
 * Work goes lane by lane in short loops over the rows, which the compiler vectorises because they have no branch:
 * a choice between results is a weight of 0 or 1 (compilers will not compute both arms of a ?: that may trap). Only
 * the look-up of the bin's knots goes row by row: six loads are cheaper than K comparisons of six candidates. */
#include <weir/lanes.h>

#include <stdlib.h>

#if WEIR_REAL == 32
#define REAL_SQRT sqrtf
#define REAL_ABS  fabsf
#else
#define REAL_SQRT sqrt
#define REAL_ABS  fabs
#endif

typedef struct rq_spline {
    int32_t bins;
    weir_real bound, min_width, min_height, min_derivative;
    weir_real shift; /* added to a slope parameter, so that 0 gives slope 1 */
} rq_spline;

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

/* ---- knots and bins --------------------------------------------------------------------------- */

/** One direction of the grid: widths or heights. */
typedef struct axis {
    weir_real *exps;  /**< [K][n] numerators of the softmax */
    weir_real *knots; /**< [K + 1][n] */
    weir_real *sum;   /**< [n] denominators of the softmax */
    weir_real least;  /**< least share of a bin */
} axis;

/** Where every row of a lane is, and the bin's knots and slopes there. */
typedef struct segment {
    axis x, y;
    weir_real *bin; /**< number of the bin, as a number of the lane's type so that comparisons vectorise */
    weir_real *x0, *w, *y0, *h;
    weir_real *d0, *d1;     /**< slopes, contiguous: d1 = d0 + n */
    weir_real *raw0, *raw1; /**< their parameters, shifted, likewise */
} segment;

static int take_segment(const rq_spline *self, weir_frame *frame, int32_t n, segment *g)
{
    const int64_t bins = self->bins, lanes = 2 * bins + 2 * (bins + 1) + 11;
    weir_real *next = weir_take(frame, lanes * n * (int64_t)sizeof *next);
    if (!next) return 0;
    weir_real **const places[] = {&g->x.exps, &g->y.exps, &g->x.knots, &g->y.knots, &g->x.sum,
                                  &g->y.sum,  &g->bin,    &g->x0,      &g->w,       &g->y0,
                                  &g->h,      &g->d0,     &g->d1,      &g->raw0,    &g->raw1};
    const int64_t sizes[] = {bins, bins, bins + 1, bins + 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t j = 0; j < sizeof places / sizeof *places; next += sizes[j] * n, j++) *places[j] = next;
    g->x.least = self->min_width;
    g->y.least = self->min_height;
    return 1;
}

/** p less the row's largest, so that no exponential overflows; `top` is working memory. */
static void less_largest(int32_t n, int32_t bins, const weir_real *restrict p, int64_t s,
                         weir_real *restrict top, weir_real *restrict out)
{
    memcpy(top, p, (size_t)n * sizeof *top);
    for (int32_t k = 1; k < bins; k++) {
        const weir_real *restrict const from = p + k * s;
        for (int32_t i = 0; i < n; i++) top[i] = from[i] > top[i] ? from[i] : top[i];
    }
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const from = p + k * s;
        weir_real *restrict const to = out + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) to[i] = from[i] - top[i];
    }
}

/** Knots from the exponentials: running sums, each scaled and shifted; the two ends are exact. */
static void place_knots(const rq_spline *self, int32_t n, const weir_real *restrict exps,
                        weir_real *restrict sum, weir_real least, weir_real *restrict knots)
{
    const int32_t bins = self->bins;
    const weir_real bound = self->bound, room = 2 * bound * (1 - (weir_real)bins * least);
    for (int32_t i = 0; i < n; i++) knots[i] = -bound;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const e = exps + (int64_t)k * n;
        weir_real *restrict const knot = knots + (int64_t)(k + 1) * n;
        for (int32_t i = 0; i < n; i++) knot[i] = sum[i] += e[i];
    }
    for (int32_t k = 1; k < bins; k++) {
        const weir_real start = 2 * bound * least * (weir_real)k - bound;
        weir_real *restrict const knot = knots + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) knot[i] = start + room * (knot[i] / sum[i]);
    }
    for (int32_t i = 0; i < n; i++) knots[(int64_t)bins * n + i] = bound;
}

/** bin = how many inner knots `at` has reached; 0 for NaN. */
static void find_bins(int32_t n, int32_t bins, const weir_real *restrict at, const weir_real *restrict knots,
                      weir_real *restrict bin)
{
    memset(bin, 0, (size_t)n * sizeof *bin);
    for (int32_t k = 1; k < bins; k++) {
        const weir_real *restrict const knot = knots + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) bin[i] += at[i] >= knot[i] ? WEIR_C(1) : WEIR_C(0);
    }
}

/** Fetches the knots of each row's bin and the parameters of its two slopes. */
static void fetch(const rq_spline *self, int32_t n, const weir_real *slopes, int64_t s, const segment *g)
{
    const int32_t last = self->bins - 1;
    for (int32_t i = 0; i < n; i++) {
        const int32_t k = (int32_t)g->bin[i];
        const int64_t at = (int64_t)k * n + i;
        g->x0[i] = g->x.knots[at];
        g->w[i] = g->x.knots[at + n] - g->x.knots[at];
        g->y0[i] = g->y.knots[at];
        g->h[i] = g->y.knots[at + n] - g->y.knots[at];
        g->raw0[i] = self->shift + (k > 0 ? slopes[(k - 1) * s + i] : 0);
        g->raw1[i] = self->shift + (k < last ? slopes[k * s + i] : 0);
    }
}

/** Slopes from their parameters; exactly 1 at the two outer knots. */
static void place_slopes(const rq_spline *self, weir_frame *frame, int32_t n, const segment *g)
{
    const weir_real last = (weir_real)(self->bins - 1), least = self->min_derivative;
    weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    const weir_real *restrict const bin = g->bin;
    frame->math->softplus(2 * (int64_t)n, g->raw0, g->d0);
    for (int32_t i = 0; i < n; i++) {
        const weir_real inner0 = bin[i] > 0, inner1 = bin[i] < last;
        d0[i] = inner0 * (least + d0[i]) + (1 - inner0);
        d1[i] = inner1 * (least + d1[i]) + (1 - inner1);
    }
}

/** Everything about the bin of every row; `on_y` says whether `at` are values of y. */
static int locate(const rq_spline *self, weir_frame *frame, int32_t n, const weir_real *at, int on_y,
                  const weir_real *p, int64_t s, segment *g)
{
    const int32_t bins = self->bins;
    if (!take_segment(self, frame, n, g)) return 0;
    less_largest(n, bins, p, s, g->bin, g->x.exps);
    less_largest(n, bins, p + bins * s, s, g->bin, g->y.exps);
    frame->math->exp(2 * (int64_t)bins * n, g->x.exps, g->x.exps);
    place_knots(self, n, g->x.exps, g->x.sum, g->x.least, g->x.knots);
    place_knots(self, n, g->y.exps, g->y.sum, g->y.least, g->y.knots);
    find_bins(n, bins, at, on_y ? g->y.knots : g->x.knots, g->bin);
    fetch(self, n, p + 2 * (int64_t)bins * s, s, g);
    place_slopes(self, frame, n, g);
    return 1;
}

/* ---- the rational quadratic of one row ---------------------------------------------------------- */

typedef struct rational {
    weir_real xi, t, s, d0, d1;
    weir_real value; /**< A / D, in [0, 1] */
    weir_real den;   /**< D */
    weir_real num;   /**< N */
} rational;

WEIR_INLINE rational rational_at(weir_real xi, weir_real s, weir_real d0, weir_real d1)
{
    rational q = {.xi = xi, .t = xi * (1 - xi), .s = s, .d0 = d0, .d1 = d1};
    q.den = s * (1 - 2 * q.t) + (d0 + d1) * q.t;
    q.num = d1 * xi * xi + 2 * s * q.t + d0 * (1 - xi) * (1 - xi);
    q.value = (s * xi * xi + d0 * q.t) / q.den;
    return q;
}

/** dy/dx, ordered so that steep slopes do not overflow. */
WEIR_INLINE weir_real rational_slope(const rational *q)
{
    const weir_real r = q->s / q->den;
    return r * (r * q->num);
}

/** d log(dy/dx) / d xi */
WEIR_INLINE weir_real rational_bend(const rational *q)
{
    const weir_real num_xi = 2 * (q->d1 * q->xi + q->s * (1 - 2 * q->xi) - q->d0 * (1 - q->xi));
    const weir_real den_xi = (q->d0 + q->d1 - 2 * q->s) * (1 - 2 * q->xi);
    return num_xi / q->num - 2 * den_xi / q->den;
}

/** 1 inside (-bound, bound), else 0. */
WEIR_INLINE weir_real within(weir_real x, weir_real bound)
{
    return (weir_real)((x > -bound) & (x < bound));
}

/** x moved into [-bound, bound]; NaN to an end. */
WEIR_INLINE weir_real confined(weir_real x, weir_real bound)
{
    const weir_real above = x > -bound ? x : -bound;
    return above < bound ? above : bound;
}

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

/* With eta = (y - Y_k) / h, xi solves a quadratic. Its discriminant, usually b^2 - 4ac, equals v^2 + 4 s^2 eta (1 - eta)
 * with v = d_k (1 - eta) - d_{k+1} eta: a sum of non-negative terms, however rounded. With m = sqrt(...) + |v| the root
 * is 2 s eta / (2 s eta + m) for v >= 0 and m / (m + 2 s (1 - eta)) otherwise: no difference of like numbers, and in
 * [0, 1] by construction. */
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
    if (!slope || !locate(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
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
    if (!slope || !locate(self, frame, n, y, 1, p, s, &g)) return WEIR_ERROR;
    roots(self, n, y, &g, x, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

/* ---- vector-Jacobian products --------------------------------------------------------------------- */

/** Cotangents of one row's knots and slopes. */
typedef struct pull {
    weir_real *x0, *x1; /**< of X_k and X_{k+1} */
    weir_real *y0, *y1;
    weir_real *d0, *d1;
} pull;

static int take_pull(weir_frame *frame, int32_t n, pull *c)
{
    weir_real *const at = weir_take(frame, 6 * (int64_t)n * (int64_t)sizeof *at);
    *c = (pull){at, at + n, at + 2 * n, at + 3 * n, at + 4 * n, at + 5 * n};
    return at != NULL;
}

/* With L = log dy/dx and u any of xi, s, d_k, d_{k+1} (everything else held):
 *      dy/du = h (A_u - (A / D) D_u) / D,      dL/du = N_u / N - 2 D_u / D  (+ 2 / s for u = s),
 * the first for u = xi being h s N / D^2. Then s = h / w and xi = (x - X_k) / w carry these to w, h, X_k and x, and
 * w = X_{k+1} - X_k, h = Y_{k+1} - Y_k to the knots. In the tails nothing but x counts. */
static void pull_back(const rq_spline *self, int32_t n, const weir_real *restrict x, const segment *g,
                      const weir_real *restrict y_bar, const weir_real *restrict l_bar, const pull *c,
                      weir_real *restrict x_bar)
{
    const weir_real bound = self->bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    weir_real *restrict const x0_bar = c->x0, *restrict const x1_bar = c->x1, *restrict const y0_bar = c->y0;
    weir_real *restrict const y1_bar = c->y1, *restrict const d0_bar = c->d0, *restrict const d1_bar = c->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], bound), per_w = 1 / w[i], s = h[i] * per_w;
        const rational q = rational_at((confined(x[i], bound) - x0[i]) * per_w, s, d0[i], d1[i]);
        const weir_real per_den = 1 / q.den, per_num = 1 / q.num, r = s * per_den;
        const weir_real v_bar = y_bar[i] * h[i] * per_den, n_bar = l_bar[i] * per_num;
        const weir_real den_bar = -(v_bar * q.value + 2 * l_bar[i] * per_den), rest = 1 - q.xi;
        const weir_real s_bar =
            v_bar * q.xi * q.xi + 2 * n_bar * q.t + den_bar * (1 - 2 * q.t) + 2 * l_bar[i] / s;
        const weir_real xi_bar = y_bar[i] * w[i] * r * (r * q.num) + l_bar[i] * rational_bend(&q);
        const weir_real w_bar = -(s_bar * s + xi_bar * q.xi) * per_w;
        const weir_real h_bar = y_bar[i] * q.value + s_bar * per_w;
        x_bar[i] = in * (xi_bar * per_w) + (1 - in) * y_bar[i];
        x0_bar[i] = -in * (xi_bar * per_w + w_bar);
        x1_bar[i] = in * w_bar;
        y0_bar[i] = in * (y_bar[i] - h_bar);
        y1_bar[i] = in * h_bar;
        d0_bar[i] = in * ((v_bar + den_bar) * q.t + n_bar * rest * rest);
        d1_bar[i] = in * (den_bar * q.t + n_bar * q.xi * q.xi);
    }
}

/* Knot j is  start_j + room C_j  with C_j the share of the softmax before j, so for parameter i with exponential e_i
 *      dX_j / du_i = room e_i / S ([i < j] - C_j),
 * and only knots k and k + 1 have cotangents. Turns these, in place, into the factors of e_i [i < k] and e_i [i <= k],
 * and sets `rest`, the factor of every e_i. The outer knots do not move: there [i < j] - C_j = 0 for all i. */
static void softmax_factors(const rq_spline *self, int32_t n, const axis *a, const weir_real *restrict bin,
                            const weir_real *restrict knot, const weir_real *restrict size,
                            weir_real *restrict knot0, weir_real *restrict knot1, weir_real *restrict rest)
{
    const weir_real bound = self->bound, step = 2 * bound * a->least;
    const weir_real room = 2 * bound - step * (weir_real)self->bins;
    const weir_real *restrict const sum = a->sum;
    for (int32_t i = 0; i < n; i++) {
        const weir_real before = knot[i] + bound - step * bin[i]; /* room C_k */
        const weir_real per_sum = 1 / sum[i];
        rest[i] = -(knot0[i] * before + knot1[i] * (before + size[i] - step)) * per_sum;
        knot0[i] *= room * per_sum;
        knot1[i] *= room * per_sum;
    }
}

static void softmax_pull(int32_t n, int32_t bins, const weir_real *restrict exps,
                         const weir_real *restrict bin, const weir_real *restrict knot0,
                         const weir_real *restrict knot1, const weir_real *restrict rest,
                         weir_real *restrict p_bar, int64_t s)
{
    for (int32_t k = 0; k < bins; k++) {
        const weir_real here = (weir_real)k;
        const weir_real *restrict const e = exps + (int64_t)k * n;
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) {
            const weir_real below = here < bin[i], upto = here <= bin[i];
            to[i] = e[i] * (rest[i] + below * knot0[i] + upto * knot1[i]);
        }
    }
}

/** Slope k + 1 of the grid is parameter k: the right slope of bin k, the left one of bin k + 1. */
static void slopes_pull(int32_t n, int32_t bins, const weir_real *restrict bin,
                        const weir_real *restrict d0_bar, const weir_real *restrict d1_bar,
                        weir_real *restrict p_bar, int64_t s)
{
    for (int32_t k = 0; k < bins - 1; k++) {
        const weir_real here = (weir_real)k;
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) {
            const weir_real right = bin[i] == here, left = bin[i] == here + 1;
            to[i] = right * d1_bar[i] + left * d0_bar[i];
        }
    }
}

/** Parameters' cotangents from those of the knots and slopes, which are used up. */
static void pull_params(const rq_spline *self, weir_frame *frame, int32_t n, const segment *g, const pull *c,
                        weir_real *p_bar, int64_t s)
{
    const int32_t bins = self->bins;
    frame->math->sigmoid(2 * (int64_t)n, g->raw0, g->raw0);
    for (int32_t i = 0; i < n; i++) c->d0[i] *= g->raw0[i];
    for (int32_t i = 0; i < n; i++) c->d1[i] *= g->raw1[i];
    slopes_pull(n, bins, g->bin, c->d0, c->d1, p_bar + 2 * (int64_t)bins * s, s);
    softmax_factors(self, n, &g->x, g->bin, g->x0, g->w, c->x0, c->x1, g->d0);
    softmax_pull(n, bins, g->x.exps, g->bin, c->x0, c->x1, g->d0, p_bar, s);
    softmax_factors(self, n, &g->y, g->bin, g->y0, g->h, c->y0, c->y1, g->d0);
    softmax_pull(n, bins, g->y.exps, g->bin, c->y0, c->y1, g->d0, p_bar + bins * s, s);
}

static weir_status rq_spline_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s,
                                              const weir_real *y, const weir_real *y_bar,
                                              const weir_real *log_det_bar, weir_real *x_bar,
                                              weir_real *p_bar)
{
    (void)y;
    segment g;
    pull c;
    if (!take_pull(frame, n, &c) || !locate(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    pull_back(self, n, x, &g, y_bar, log_det_bar, &c, x_bar);
    pull_params(self, frame, n, &g, &c, p_bar, s);
    return WEIR_OK;
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
    pull c;
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    weir_real *const sink = weir_take_lane(frame);
    if (!minus_y || !minus_l || !sink || !take_pull(frame, n, &c)) return WEIR_ERROR;
    if (!locate(self, frame, n, x, 0, p, s, &g)) return WEIR_ERROR;
    implicit(self, n, x, &g, x_bar, log_det_bar, y_bar, minus_y, minus_l);
    pull_back(self, n, x, &g, minus_y, minus_l, &c, sink);
    pull_params(self, frame, n, &g, &c, p_bar, s);
    return WEIR_OK;
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
