/* grid.c - see spline.h: knots and slopes from parameters, and the bin of every row.
 *
 * Only the look-up of a bin's knots goes row by row: six loads are cheaper than K comparisons of six candidates. */
#include "spline.h"

static int take_segment(const rq_spline *self, weir_frame *frame, int32_t n, segment *g)
{
    const int64_t bins = self->bins, lanes = 2 * bins + 2 * (bins + 1) + 11;
    weir_real *next = weir_take(frame, lanes * n * (int64_t)sizeof *next);
    if (!next) return 0;
    weir_real **const places[] = {&g->x.exps, &g->y.exps, &g->x.knots, &g->y.knots, &g->x.norm,
                                  &g->y.norm, &g->bin,    &g->x0,      &g->w,       &g->y0,
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
static void place_knots(const rq_spline *self, int32_t n, const axis *a)
{
    const int32_t bins = self->bins;
    const weir_real bound = self->bound, step = 2 * bound * a->least,
                    room = 2 * bound - step * (weir_real)bins;
    weir_real *restrict const knots = a->knots, *restrict const norm = a->norm;
    for (int32_t i = 0; i < n; i++) knots[i] = -bound;
    memset(norm, 0, (size_t)n * sizeof *norm);
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const e = a->exps + (int64_t)k * n;
        weir_real *restrict const knot = knots + (int64_t)(k + 1) * n;
        for (int32_t i = 0; i < n; i++) knot[i] = norm[i] += e[i];
    }
    for (int32_t i = 0; i < n; i++) norm[i] = 1 / norm[i];
    for (int32_t k = 1; k < bins; k++) {
        const weir_real start = step * (weir_real)k - bound;
        weir_real *restrict const knot = knots + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) knot[i] = start + room * (knot[i] * norm[i]);
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

int WEIR_NAME(spline_locate)(const rq_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                             int on_y, const weir_real *p, int64_t s, segment *g)
{
    const int32_t bins = self->bins;
    if (!take_segment(self, frame, n, g)) return 0;
    less_largest(n, bins, p, s, g->bin, g->x.exps);
    less_largest(n, bins, p + bins * s, s, g->bin, g->y.exps);
    frame->math->exp(2 * (int64_t)bins * n, g->x.exps, g->x.exps);
    place_knots(self, n, &g->x);
    place_knots(self, n, &g->y);
    find_bins(n, bins, at, on_y ? g->y.knots : g->x.knots, g->bin);
    fetch(self, n, p + 2 * (int64_t)bins * s, s, g);
    place_slopes(self, frame, n, g);
    return 1;
}
