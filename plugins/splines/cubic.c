/* cubic.c - see cubic.h: the bin of every row and its neighbours. */
#include "cubic.h"

static int take_curve(const cubic_spline *self, weir_frame *frame, int32_t n, curve *g)
{
    const int64_t bins = self->box.bins, lanes = 2 * bins + 2 * (bins + 1) + 19;
    weir_real *next = weir_take(frame, lanes * n * (int64_t)sizeof *next);
    if (!next) return 0;
    weir_real **const places[] = {
        &g->x.exps,      &g->y.exps,       &g->x.knots,      &g->y.knots,     &g->x.norm,
        &g->y.norm,      &g->bin,          &g->x0,           &g->w,           &g->y0,
        &g->h,           &g->left.w,       &g->left.h,       &g->left.there,  &g->left.parabola,
        &g->left.steep,  &g->right.w,      &g->right.h,      &g->right.there, &g->right.parabola,
        &g->right.steep, &g->left.sigmoid, &g->right.sigmoid};
    const int64_t sizes[] = {bins, bins, bins + 1, bins + 1, 1, 1, 1, 1, 1, 1, 1, 1,
                             1,    1,    1,        1,        1, 1, 1, 1, 1, 1, 1};
    for (size_t j = 0; j < sizeof places / sizeof *places; next += sizes[j] * n, j++) *places[j] = next;
    g->x.least = self->min_width;
    g->y.least = self->min_height;
    return 1;
}

static weir_real size_at(const weir_real *knots, int32_t n, int32_t k, int32_t i)
{
    const int64_t at = (int64_t)k * n + i;
    return knots[at + n] - knots[at];
}

static void fetch(const cubic_spline *self, int32_t n, const curve *g)
{
    const int32_t last = self->box.bins - 1;
    for (int32_t i = 0; i < n; i++) {
        const int32_t k = (int32_t)g->bin[i], left = k > 0 ? k - 1 : k, right = k < last ? k + 1 : k;
        g->x0[i] = g->x.knots[(int64_t)k * n + i];
        g->y0[i] = g->y.knots[(int64_t)k * n + i];
        g->w[i] = size_at(g->x.knots, n, k, i);
        g->h[i] = size_at(g->y.knots, n, k, i);
        g->left.w[i] = size_at(g->x.knots, n, left, i);
        g->left.h[i] = size_at(g->y.knots, n, left, i);
        g->left.there[i] = k > 0;
        g->right.w[i] = size_at(g->x.knots, n, right, i);
        g->right.h[i] = size_at(g->y.knots, n, right, i);
        g->right.there[i] = k < last;
    }
}

/* Divided by s, Steffen's slope is min(2 s'/s, 2, p/s). */
WEIR_CLONES static void place_steep(const cubic_spline *self, int32_t n, const weir_real *restrict w,
                                    const weir_real *restrict h, const neighbour *side)
{
    const weir_real least = self->min_derivative, room = 3 - 2 * least;
    const weir_real *restrict const there = side->there, *restrict const sigmoid = side->sigmoid;
    const weir_real *restrict const other_w = side->w, *restrict const other_h = side->h;
    weir_real *restrict const parabola = side->parabola, *restrict const steep = side->steep;
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real own_w = w[i], next_w = other_w[i], s = h[i] / own_w, other = other_h[i] / next_w;
        const weir_real lower = s < other ? s : other, p = (s * next_w + other * own_w) / (own_w + next_w);
        const weir_real d = 2 * lower < p ? 2 * lower : p;
        parabola[i] = p;
        steep[i] = there[i] * (d / s) + (1 - there[i]) * (least + room * sigmoid[i]);
    }
}

int WEIR_NAME(cubic_locate)(const cubic_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                            int on_y, const weir_real *p, int64_t s, curve *g)
{
    const int32_t bins = self->box.bins;
    const weir_real *const ends = p + 2 * (int64_t)bins * s;
    if (!take_curve(self, frame, n, g)) return 0;
    WEIR_NAME(less_largest)(n, bins, p, s, g->bin, g->x.exps);
    WEIR_NAME(less_largest)(n, bins, p + bins * s, s, g->bin, g->y.exps);
    frame->math->exp(2 * (int64_t)bins * n, g->x.exps, g->x.exps);
    WEIR_NAME(place_knots)(&self->box, n, &g->x);
    WEIR_NAME(place_knots)(&self->box, n, &g->y);
    WEIR_NAME(find_bins)(n, bins, at, on_y ? g->y.knots : g->x.knots, g->bin);
    fetch(self, n, g);
    for (int32_t i = 0; i < n; i++) g->left.sigmoid[i] = ends[i] + self->shift;
    for (int32_t i = 0; i < n; i++) g->right.sigmoid[i] = ends[s + i] + self->shift;
    frame->math->sigmoid(2 * (int64_t)n, g->left.sigmoid, g->left.sigmoid);
    place_steep(self, n, g->w, g->h, &g->left);
    place_steep(self, n, g->w, g->h, &g->right);
    return 1;
}
