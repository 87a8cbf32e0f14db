/* rational.c - see rational.h: knots and slopes from parameters, the map and its inverse.
 *
 * Only the look-up of a bin's knots goes row by row: six loads are cheaper than K comparisons of six candidates. */
#include "rational.h"

weir_status WEIR_NAME(rational_read)(weir_builder *build, rational_spline *self)
{
    const double least_slope = build->number(build, "min_derivative");
    const int32_t bins = self->box.bins;
    self->min_derivative = WEIR_C(least_slope);
    self->shift = WEIR_C(log(expm1(1 - least_slope)));
    const weir_status status = WEIR_NAME(share_read)(build, bins, "min_width", &self->min_width);
    return status ? status : WEIR_NAME(share_read)(build, bins, "min_height", &self->min_height);
}

/* ---- the bin of every row ---- */

static int take_segment(const rational_spline *self, weir_frame *frame, int32_t n, segment *g)
{
    const int64_t bins = self->box.bins, lanes = 2 * bins + 2 * (bins + 1) + 11;
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

/** Fetches the lower knots of each row's bin, its sizes and the parameters of its two slopes. A size comes from the softmax:
 *  the difference of two knots would have the rounding of both, large beside a narrow bin. Made twice: `periodic` is a
 *  constant. */
WEIR_INLINE void fetch(const rational_spline *self, int32_t n, const weir_real *slopes, int64_t s,
                       const segment *g, int periodic)
{
    const int32_t last = self->box.bins - 1;
    const weir_real least_w = least_size(&self->box, &g->x), room_w = shared_size(&self->box, &g->x);
    const weir_real least_h = least_size(&self->box, &g->y), room_h = shared_size(&self->box, &g->y);
    for (int32_t i = 0; i < n; i++) {
        const int32_t k = (int32_t)g->bin[i];
        const int64_t at = (int64_t)k * n + i;
        g->x0[i] = g->x.knots[at];
        g->w[i] = least_w + room_w * (g->x.exps[at] * g->x.norm[i]);
        g->y0[i] = g->y.knots[at];
        g->h[i] = least_h + room_h * (g->y.exps[at] * g->y.norm[i]);
        if (periodic) {
            g->raw0[i] = self->shift + slopes[k * s + i];
            g->raw1[i] = self->shift + slopes[(k < last ? k + 1 : 0) * s + i];
        } else {
            g->raw0[i] = self->shift + (k > 0 ? slopes[(k - 1) * s + i] : 0);
            g->raw1[i] = self->shift + (k < last ? slopes[k * s + i] : 0);
        }
    }
}

/** Slopes from their parameters; exactly 1 at the two outer knots of a line. */
WEIR_CLONES static void place_slopes(const rational_spline *self, weir_frame *frame, int32_t n,
                                     const segment *g)
{
    const weir_real first = self->periodic ? -1 : 0, least = self->min_derivative;
    const weir_real last = (weir_real)(self->box.bins - (self->periodic ? 0 : 1));
    weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    const weir_real *restrict const bin = g->bin;
    frame->math->softplus(2 * (int64_t)n, g->raw0, g->d0);
    for (int32_t i = 0; i < n; i++) {
        const weir_real inner0 = bin[i] > first, inner1 = bin[i] < last;
        d0[i] = inner0 * (least + d0[i]) + (1 - inner0);
        d1[i] = inner1 * (least + d1[i]) + (1 - inner1);
    }
}

int WEIR_NAME(rational_locate)(const rational_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                               int on_y, const weir_real *p, int64_t s, segment *g)
{
    const int32_t bins = self->box.bins;
    const weir_real *const slopes = p + 2 * (int64_t)bins * s;
    if (!take_segment(self, frame, n, g)) return 0;
    WEIR_NAME(less_largest)(n, bins, p, s, g->bin, g->x.exps);
    WEIR_NAME(less_largest)(n, bins, p + bins * s, s, g->bin, g->y.exps);
    frame->math->exp(2 * (int64_t)bins * n, g->x.exps, g->x.exps);
    WEIR_NAME(place_knots)(&self->box, n, &g->x);
    WEIR_NAME(place_knots)(&self->box, n, &g->y);
    WEIR_NAME(find_bins)(n, bins, at, on_y ? g->y.knots : g->x.knots, g->bin);
    if (self->periodic)
        fetch(self, n, slopes, s, g, 1);
    else
        fetch(self, n, slopes, s, g, 0);
    place_slopes(self, frame, n, g);
    return 1;
}

/* ---- the map ---- */

WEIR_CLONES void WEIR_NAME(rational_values)(const rational_spline *self, int32_t n,
                                            const weir_real *restrict x, const segment *g,
                                            weir_real *restrict y, weir_real *restrict slope)
{
    const weir_real bound = self->box.bound, tail = self->tail;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], tail), per_w = 1 / w[i];
        const rational q =
            rational_at(share_of_bin(confined(x[i], bound) - x0[i], per_w), h[i] * per_w, d0[i], d1[i]);
        y[i] = in * (y0[i] + h[i] * q.value) + (1 - in) * x[i];
        slope[i] = in * rational_slope(&q) + (1 - in) + (x[i] - x[i]);
    }
}

/* With eta = (y - Y_k) / h, xi solves a quadratic. Its discriminant, usually b^2 - 4ac, equals
 * v^2 + 4 s^2 eta (1 - eta) with v = d_k (1 - eta) - d_{k+1} eta: a sum of non-negative terms, however rounded. With
 * m = sqrt(...) + |v| the root is 2 s eta / (2 s eta + m) for v >= 0 and m / (m + 2 s (1 - eta)) otherwise: no
 * difference of like numbers, and in [0, 1] by construction. */
WEIR_CLONES void WEIR_NAME(rational_roots)(const rational_spline *self, int32_t n,
                                           const weir_real *restrict y, const segment *g,
                                           weir_real *restrict x, weir_real *restrict slope)
{
    const weir_real bound = self->box.bound, tail = self->tail;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const y0 = g->y0;
    const weir_real *restrict const h = g->h, *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(y[i], tail), s = h[i] / w[i];
        const weir_real eta = share_of_bin(confined(y[i], bound) - y0[i], 1 / h[i]), rest = 1 - eta;
        const weir_real v = d0[i] * rest - d1[i] * eta, falls = v < 0;
        const weir_real m = REAL_SQRT(v * v + 4 * s * s * (eta * rest)) + REAL_ABS(v);
        const weir_real top = falls * m + (1 - falls) * (2 * s * eta);
        const weir_real more = falls * (2 * s * rest) + (1 - falls) * m;
        const rational q = rational_at(top / (top + more), s, d0[i], d1[i]);
        x[i] = in * (x0[i] + w[i] * q.xi) + (1 - in) * y[i];
        slope[i] = in * rational_slope(&q) + (1 - in) + (y[i] - y[i]);
    }
}
