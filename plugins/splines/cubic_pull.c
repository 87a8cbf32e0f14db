/* cubic_pull.c - see cubic.h: the vector-Jacobian product.
 *
 * A row's y depends on its own bin, on the one before and the one after through Steffen's slopes, and on all sizes before
 * its bin through X_k and Y_k. In the tails all cotangents but x's are 0. */
#include "cubic.h"

/** Cotangents of a neighbour's sizes; `steep` is that of alpha or beta, and then of the end's parameter. */
typedef struct neighbour_bar {
    weir_real *w, *h, *steep;
} neighbour_bar;

typedef struct curve_bar {
    weir_real *x0, *w, *y0, *h;
    neighbour_bar left, right;
    weir_real *mean; /* working memory */
    weir_real *all;  /* [K][n] sizes, of one direction at a time */
} curve_bar;

static int take_bar(const cubic_spline *self, weir_frame *frame, int32_t n, curve_bar *c)
{
    const int64_t bins = self->box.bins;
    weir_real *const at = weir_take(frame, (bins + 11) * n * (int64_t)sizeof *at);
    *c = (curve_bar){.x0 = at,
                     .w = at + n,
                     .y0 = at + 2 * n,
                     .h = at + 3 * n,
                     .left = {at + 4 * n, at + 5 * n, at + 6 * n},
                     .right = {at + 7 * n, at + 8 * n, at + 9 * n},
                     .mean = at + 10 * n,
                     .all = at + 11 * n};
    return at != NULL;
}

/* With L = log s + log V':  V_alpha = xi (1 - xi)^2,  V_beta = -xi^2 (1 - xi),
 * V'_alpha = (1 - xi)(1 - 3 xi),  V'_beta = xi (3 xi - 2). */
WEIR_CLONES static void pull_bin(const cubic_spline *self, int32_t n, const weir_real *restrict x,
                                 const curve *g, const weir_real *restrict y_bar,
                                 const weir_real *restrict l_bar, const curve_bar *c,
                                 weir_real *restrict x_bar)
{
    const weir_real bound = self->box.bound;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const alpha = g->left.steep, *restrict const beta = g->right.steep;
    weir_real *restrict const x0_bar = c->x0, *restrict const w_bar = c->w, *restrict const y0_bar = c->y0;
    weir_real *restrict const h_bar = c->h, *restrict const alpha_bar = c->left.steep;
    weir_real *restrict const beta_bar = c->right.steep;
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real at = x[i], height = h[i], left = alpha[i], right = beta[i];
        const weir_real bar = y_bar[i], volume = l_bar[i];
        const weir_real in = within(at, bound), per_w = 1 / w[i];
        const weir_real xi = (confined(at, bound) - x0[i]) * per_w, rest = 1 - xi;
        const weir_real slope = cubic_slope(xi, left, right), l = volume / slope, v = bar * height;
        const weir_real at_bar =
            per_w * (v * slope + volume * cubic_bend(xi, left, right)); /* of x inside the bin */
        x_bar[i] = in * at_bar + (1 - in) * bar;
        x0_bar[i] = -in * at_bar;
        w_bar[i] = -in * (at_bar * xi + volume * per_w);
        y0_bar[i] = in * bar;
        h_bar[i] = in * (bar * cubic_value(xi, left, right) + volume / height);
        alpha_bar[i] = in * rest * (v * xi * rest + l * (1 - 3 * xi));
        beta_bar[i] = in * xi * (l * (3 * xi - 2) - v * xi * rest);
    }
}

/* alpha = d / s with d = min(2 s', 2 s, p): whichever is least has d's cotangent (two of them equal: the first). The
 * parabola's p = (s w' + s' w) / (w + w'). Adds to the cotangents of w and h, overwrites the neighbour's; at an end
 * everything goes to the end's parameter. */
WEIR_CLONES static void pull_steep(const cubic_spline *self, int32_t n, const curve *g, const neighbour *side,
                                   const curve_bar *c, const neighbour_bar *bar)
{
    const weir_real room = 3 - 2 * self->min_derivative;
    const weir_real *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const other_w = side->w, *restrict const other_h = side->h;
    const weir_real *restrict const there = side->there, *restrict const sigmoid = side->sigmoid;
    const weir_real *restrict const parabola = side->parabola, *restrict const steep = side->steep;
    weir_real *restrict const w_bar = c->w, *restrict const h_bar = c->h,
                              *restrict const steep_bar = bar->steep;
    weir_real *restrict const other_w_bar = bar->w, *restrict const other_h_bar = bar->h;
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real own_w = w[i], next_w = other_w[i], s = h[i] / own_w, other = other_h[i] / next_w;
        const weir_real lower = s < other ? s : other, p = parabola[i], inner = there[i], was = steep_bar[i];
        const weir_real d_bar = inner * was / s, both = own_w + next_w, bent = sigmoid[i];
        const weir_real by_parabola = (weir_real) !(2 * lower < p);
        const weir_real by_own = (1 - by_parabola) * (weir_real)(s < other);
        const weir_real by_other = 1 - by_parabola - by_own, p_bar = by_parabola * d_bar / both;
        const weir_real s_bar = 2 * by_own * d_bar + p_bar * next_w - d_bar * steep[i];
        const weir_real other_bar = 2 * by_other * d_bar + p_bar * own_w;
        h_bar[i] += s_bar / own_w;
        w_bar[i] += p_bar * (other - p) - s_bar * s / own_w;
        other_h_bar[i] = other_bar / next_w;
        other_w_bar[i] = p_bar * (s - p) - other_bar * other / next_w;
        steep_bar[i] = was * ((1 - inner) * room * bent * (1 - bent));
    }
}

/** Every bin's size: `start` for those before the row's bin, then its own and those of its neighbours. */
WEIR_CLONES static void spread(int32_t n, int32_t bins, const weir_real *restrict bin,
                               const weir_real *restrict start, const weir_real *restrict own,
                               const weir_real *restrict left, const weir_real *restrict right,
                               weir_real *restrict all)
{
    for (int32_t k = 0; k < bins; k++) {
        const weir_real here = (weir_real)k;
        weir_real *restrict const to = all + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) {
            const weir_real before = here < bin[i], at = here == bin[i];
            const weir_real below = here == bin[i] - 1, above = here == bin[i] + 1;
            to[i] = before * start[i] + at * own[i] + below * left[i] + above * right[i];
        }
    }
}

int WEIR_NAME(cubic_pull)(const cubic_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                          const curve *g, const weir_real *y_bar, const weir_real *l_bar, weir_real *x_bar,
                          weir_real *p_bar, int64_t s)
{
    const int32_t bins = self->box.bins;
    weir_real *const ends_bar = p_bar + 2 * (int64_t)bins * s;
    curve_bar c;
    if (!take_bar(self, frame, n, &c)) return 0;
    pull_bin(self, n, x, g, y_bar, l_bar, &c, x_bar);
    pull_steep(self, n, g, &g->left, &c, &c.left);
    pull_steep(self, n, g, &g->right, &c, &c.right);
    spread(n, bins, g->bin, c.x0, c.w, c.left.w, c.right.w, c.all);
    WEIR_NAME(sizes_pull)(&self->box, n, &g->x, c.all, c.mean, p_bar, s);
    spread(n, bins, g->bin, c.y0, c.h, c.left.h, c.right.h, c.all);
    WEIR_NAME(sizes_pull)(&self->box, n, &g->y, c.all, c.mean, p_bar + bins * s, s);
    memcpy(ends_bar, c.left.steep, (size_t)n * sizeof *ends_bar);
    memcpy(ends_bar + s, c.right.steep, (size_t)n * sizeof *ends_bar);
    return 1;
}
