/* quadratic_pull.c - see quadratic.h: the vector-Jacobian product. */
#include "quadratic.h"

/** Cotangents of what decides the row's y and slope; in the tails all are 0. */
typedef struct bend_bar {
    weir_real *start;   /**< [n] of X_k: of every width before the bin */
    weir_real *y;       /**< [n] of Y_k */
    weir_real *w;       /**< [n] of w_k beside that */
    weir_real *d0, *d1; /**< [n] of the two slopes beside what they do to Y_k */
    weir_real *d;       /**< [K + 1][n] of all slopes */
    weir_real *widths;  /**< [K][n] of all widths */
    weir_real *mass;    /**< [n] sum of d_bar (d - m) */
} bend_bar;

static int take_bar(const quadratic_spline *self, weir_frame *frame, int32_t n, bend_bar *c)
{
    const int64_t bins = self->box.bins;
    weir_real *const at = weir_take(frame, (2 * bins + 7) * n * (int64_t)sizeof *at);
    *c = (bend_bar){.start = at,
                    .y = at + n,
                    .w = at + 2 * n,
                    .d0 = at + 3 * n,
                    .d1 = at + 4 * n,
                    .mass = at + 5 * n,
                    .d = at + 6 * n,
                    .widths = at + (7 + bins) * n};
    return at != NULL;
}

/* With u = dy/dx and A the area up to xi over w:  dy = u dx - u dX_k + (A - xi u) dw + w xi (1 - xi/2) dd_k
 * + w xi^2/2 dd_{k+1} + dY_k, and the same for L = log u with dL/dx = (d_{k+1} - d_k) / (u w). */
WEIR_CLONES static void pull_bin(const quadratic_spline *self, int32_t n, const weir_real *restrict x,
                                 const bend *g, const weir_real *restrict y_bar,
                                 const weir_real *restrict l_bar, const bend_bar *c,
                                 weir_real *restrict x_bar)
{
    const weir_real bound = self->box.bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w;
    const weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    weir_real *restrict const start_bar = c->start, *restrict const y0_bar = c->y,
                              *restrict const w_bar = c->w;
    weir_real *restrict const d0_bar = c->d0, *restrict const d1_bar = c->d1;
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real at = x[i], width = w[i], left = d0[i], right = d1[i];
        const weir_real in = within(at, bound), per_w = 1 / width;
        const weir_real xi = (confined(at, bound) - x0[i]) * per_w;
        const weir_real u = left * (1 - xi) + right * xi, rise = (right - left) * xi;
        const weir_real v = y_bar[i], l = l_bar[i] / u, turn = l * (right - left) * per_w;
        x_bar[i] = in * (v * u + turn) + (1 - in) * v;
        start_bar[i] = -in * (v * u + turn);
        y0_bar[i] = in * v;
        w_bar[i] = -in * xi * (v * rise / 2 + turn);
        d0_bar[i] = in * (v * width * xi * (1 - xi / 2) + l * (1 - xi));
        d1_bar[i] = in * (v * width * xi * xi / 2 + l * xi);
    }
}

/** Adds what the slopes before the bin do to Y_k, and sums d_bar (d - m). */
WEIR_CLONES static void pull_slopes(const quadratic_spline *self, int32_t n, const bend *g, const bend_bar *c)
{
    const weir_real least = self->min_derivative;
    const weir_real *restrict const bin = g->bin, *restrict const y_bar = c->y;
    const weir_real *restrict const d0_bar = c->d0, *restrict const d1_bar = c->d1;
    weir_real *restrict const mass = c->mass;
    memset(mass, 0, (size_t)n * sizeof *mass);
    for (int32_t j = 1; j < self->box.bins; j++) {
        const weir_real here = (weir_real)j;
        const weir_real *restrict const x = g->x.knots + (int64_t)j * n, *restrict const d =
                                                                             g->d + (int64_t)j * n;
        weir_real *restrict const to = c->d + (int64_t)j * n;
        WEIR_LANES_APART
        for (int32_t i = 0; i < n; i++) {
            const weir_real left = bin[i] == here, right = bin[i] == here - 1;
            const weir_real before = here < bin[i], upto = here <= bin[i];
            const weir_real area = before * (x[n + i] - x[i]) + upto * (x[i] - x[i - n]);
            const weir_real bar = left * d0_bar[i] + right * d1_bar[i] + y_bar[i] * area / 2;
            to[i] = bar;
            mass[i] += bar * (d[i] - least);
        }
    }
}

/* d_j = m + (1 - m) e_j / c, so  v_bar_j = (d_j - m) d_bar_j - mass e_j M_j / (c sum M), and c's weights give
 * M_bar_j = -mass (e_j / c - 1) / sum M, which is left in d_bar_j's place. */
WEIR_CLONES static void pull_exps(int32_t n, int32_t bins, weir_real least, const bend *g, const bend_bar *c,
                                  weir_real *p_bar, int64_t s)
{
    const weir_real *restrict const mean = g->mean, *restrict const sum = g->sum,
                                    *restrict const mass = c->mass;
    for (int32_t j = 1; j < bins; j++) {
        const weir_real *restrict const x = g->x.knots + (int64_t)j * n, *restrict const d =
                                                                             g->d + (int64_t)j * n;
        const weir_real *restrict const e = g->exps + (int64_t)(j - 1) * n;
        weir_real *restrict const bar = c->d + (int64_t)j * n, *restrict const to = p_bar + (j - 1) * s;
        WEIR_LANES_APART
        for (int32_t i = 0; i < n; i++) {
            const weir_real share = e[i] / mean[i], weight = (x[n + i] - x[i - n]) / 2;
            const weir_real all = sum[i], part = mass[i];
            to[i] = (d[i] - least) * bar[i] - part * share * weight / all;
            bar[i] = -part * (share - 1) / all;
        }
    }
}

/** Cotangents of all widths: what moves X_k and Y_k, the bin's own, and the weights of the mean. */
WEIR_CLONES static void pull_widths(int32_t n, int32_t bins, const bend *g, const bend_bar *c)
{
    const weir_real *restrict const bin = g->bin, *restrict const start_bar = c->start;
    const weir_real *restrict const y_bar = c->y, *restrict const w_bar = c->w;
    for (int32_t i = 0; i < n; i++) c->d[i] = c->d[(int64_t)bins * n + i] = 0;
    for (int32_t k = 0; k < bins; k++) {
        const weir_real here = (weir_real)k;
        const weir_real *restrict const d = g->d + (int64_t)k * n, *restrict const weight_bar =
                                                                       c->d + (int64_t)k * n;
        weir_real *restrict const to = c->widths + (int64_t)k * n;
        WEIR_LANES_APART
        for (int32_t i = 0; i < n; i++) {
            const weir_real before = here < bin[i], own = bin[i] == here;
            to[i] = before * (start_bar[i] + y_bar[i] * (d[i] + d[n + i]) / 2) + own * w_bar[i] +
                    (weight_bar[i] + weight_bar[n + i]) / 2;
        }
    }
}

int WEIR_NAME(quadratic_pull)(const quadratic_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                              const bend *g, const weir_real *y_bar, const weir_real *l_bar, weir_real *x_bar,
                              weir_real *p_bar, int64_t s)
{
    const int32_t bins = self->box.bins;
    bend_bar c;
    if (!take_bar(self, frame, n, &c)) return 0;
    pull_bin(self, n, x, g, y_bar, l_bar, &c, x_bar);
    pull_slopes(self, n, g, &c);
    pull_exps(n, bins, self->min_derivative, g, &c, p_bar + bins * s, s);
    pull_widths(n, bins, g, &c);
    WEIR_NAME(sizes_pull)(&self->box, n, &g->x, c.widths, c.mass, p_bar, s);
    return 1;
}
