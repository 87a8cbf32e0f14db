/* quadratic.c - see quadratic.h: knots and slopes from parameters, and the bin of every row. */
#include "quadratic.h"

static int take_bend(const quadratic_spline *self, weir_frame *frame, int32_t n, bend *g)
{
    const int64_t bins = self->box.bins;
    weir_real *next = weir_take(frame, (5 * bins + 12) * n * (int64_t)sizeof *next);
    if (!next) return 0;
    weir_real **const places[] = {&g->x.exps, &g->exps, &g->x.knots, &g->y,   &g->d,
                                  &g->x.norm, &g->mean, &g->sum,     &g->bin, &g->x0,
                                  &g->w,      &g->y0,   &g->h,       &g->d0,  &g->d1};
    const int64_t sizes[] = {bins, bins - 1, bins + 1, bins + 1, bins + 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t j = 0; j < sizeof places / sizeof *places; next += sizes[j] * n, j++) *places[j] = next;
    g->x.least = self->min_width;
    return 1;
}

/** c and the sum of the weights. */
WEIR_CLONES static void average(int32_t n, int32_t bins, const bend *g)
{
    weir_real *restrict const mean = g->mean, *restrict const sum = g->sum;
    memset(mean, 0, (size_t)n * sizeof *mean);
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t j = 1; j < bins; j++) {
        const weir_real *restrict const below = g->x.knots + (int64_t)(j - 1) * n;
        const weir_real *restrict const above = below + 2 * n;
        const weir_real *restrict const e = g->exps + (int64_t)(j - 1) * n;
        for (int32_t i = 0; i < n; i++) {
            const weir_real weight = (above[i] - below[i]) / 2;
            mean[i] += weight * e[i];
            sum[i] += weight;
        }
    }
    for (int32_t i = 0; i < n; i++) mean[i] /= sum[i];
}

WEIR_CLONES static void place_slopes(const quadratic_spline *self, int32_t n, const bend *g)
{
    const int32_t bins = self->box.bins;
    const weir_real least = self->min_derivative;
    const weir_real *restrict const mean = g->mean;
    for (int32_t i = 0; i < n; i++) g->d[i] = g->d[(int64_t)bins * n + i] = 1;
    for (int32_t j = 1; j < bins; j++) {
        const weir_real *restrict const e = g->exps + (int64_t)(j - 1) * n;
        weir_real *restrict const d = g->d + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) d[i] = least + (1 - least) * (e[i] / mean[i]);
    }
}

/** Running areas under the slope; the two ends are exact. */
WEIR_CLONES static void place_heights(const quadratic_spline *self, int32_t n, const bend *g)
{
    const int32_t bins = self->box.bins;
    for (int32_t i = 0; i < n; i++) g->y[i] = -self->box.bound;
    for (int32_t k = 0; k < bins - 1; k++) {
        const weir_real *restrict const x = g->x.knots + (int64_t)k * n, *restrict const d =
                                                                             g->d + (int64_t)k * n;
        const weir_real *restrict const from = g->y + (int64_t)k * n;
        weir_real *restrict const to = g->y + (int64_t)(k + 1) * n;
        for (int32_t i = 0; i < n; i++) to[i] = from[i] + (x[n + i] - x[i]) * (d[i] + d[n + i]) / 2;
    }
    for (int32_t i = 0; i < n; i++) g->y[(int64_t)bins * n + i] = self->box.bound;
}

static void fetch(int32_t n, const bend *g)
{
    for (int32_t i = 0; i < n; i++) {
        const int64_t at = (int64_t)(int32_t)g->bin[i] * n + i;
        g->x0[i] = g->x.knots[at];
        g->w[i] = g->x.knots[at + n] - g->x.knots[at];
        g->y0[i] = g->y[at];
        g->h[i] = g->y[at + n] - g->y[at];
        g->d0[i] = g->d[at];
        g->d1[i] = g->d[at + n];
    }
}

int WEIR_NAME(quadratic_locate)(const quadratic_spline *self, weir_frame *frame, int32_t n,
                                const weir_real *at, int on_y, const weir_real *p, int64_t s, bend *g)
{
    const int32_t bins = self->box.bins;
    if (!take_bend(self, frame, n, g)) return 0;
    WEIR_NAME(less_largest)(n, bins, p, s, g->bin, g->x.exps);
    WEIR_NAME(less_largest)(n, bins - 1, p + bins * s, s, g->bin, g->exps);
    frame->math->exp((2 * (int64_t)bins - 1) * n, g->x.exps, g->x.exps);
    WEIR_NAME(place_knots)(&self->box, n, &g->x);
    average(n, bins, g);
    place_slopes(self, n, g);
    place_heights(self, n, g);
    WEIR_NAME(find_bins)(n, bins, at, on_y ? g->y : g->x.knots, g->bin);
    fetch(n, g);
    return 1;
}
