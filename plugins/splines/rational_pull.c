/* rational_pull.c - see rational.h: the vector-Jacobian products. */
#include "rational.h"

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
WEIR_CLONES static void pull_back(const rational_spline *self, int32_t n, const weir_real *restrict x,
                                  const segment *g, const weir_real *restrict y_bar,
                                  const weir_real *restrict l_bar, const pull *c, weir_real *restrict x_bar)
{
    const weir_real bound = self->box.bound, tail = self->tail;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    weir_real *restrict const x0_bar = c->x0, *restrict const x1_bar = c->x1, *restrict const y0_bar = c->y0;
    weir_real *restrict const y1_bar = c->y1, *restrict const d0_bar = c->d0, *restrict const d1_bar = c->d1;
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real at = x[i], width = w[i], height = h[i], bar = y_bar[i], volume = l_bar[i];
        const weir_real in = within(at, tail), per_w = 1 / width, s = height * per_w;
        const rational q = rational_at(share_of_bin(confined(at, bound) - x0[i], per_w), s, d0[i], d1[i]);
        const weir_real per_den = 1 / q.den, per_num = 1 / q.num, r = s * per_den;
        const weir_real v_bar = bar * height * per_den, n_bar = volume * per_num;
        const weir_real den_bar = -(v_bar * q.value + 2 * volume * per_den), rest = 1 - q.xi;
        const weir_real s_bar =
            v_bar * q.xi * q.xi + 2 * n_bar * q.t + den_bar * (1 - 2 * q.t) + 2 * volume / s;
        const weir_real xi_bar = bar * width * r * (r * q.num) + volume * rational_bend(&q);
        const weir_real w_bar = -(s_bar * s + xi_bar * q.xi) * per_w;
        const weir_real h_bar = bar * q.value + s_bar * per_w;
        x_bar[i] = in * (xi_bar * per_w) + (1 - in) * bar;
        x0_bar[i] = -in * (xi_bar * per_w + w_bar);
        x1_bar[i] = in * w_bar;
        y0_bar[i] = in * (bar - h_bar);
        y1_bar[i] = in * h_bar;
        d0_bar[i] = in * ((v_bar + den_bar) * q.t + n_bar * rest * rest);
        d1_bar[i] = in * (den_bar * q.t + n_bar * q.xi * q.xi);
    }
}

/** Slope k + 1 of the grid is parameter k: the right slope of bin k, the left one of bin k + 1. */
WEIR_CLONES static void slopes_pull(int32_t n, int32_t bins, const weir_real *restrict bin,
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

/** Slope k of a circle is parameter k: the left slope of bin k, the right one of the bin before. */
WEIR_CLONES static void periodic_slopes_pull(int32_t n, int32_t bins, const weir_real *restrict bin,
                                             const weir_real *restrict d0_bar,
                                             const weir_real *restrict d1_bar, weir_real *restrict p_bar,
                                             int64_t s)
{
    for (int32_t k = 0; k < bins; k++) {
        const weir_real here = (weir_real)k, before = (weir_real)(k > 0 ? k - 1 : bins - 1);
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) {
            const weir_real right = bin[i] == before, left = bin[i] == here;
            to[i] = right * d1_bar[i] + left * d0_bar[i];
        }
    }
}

/** Parameters' cotangents from those of the knots and slopes, which are used up. */
static void pull_params(const rational_spline *self, weir_frame *frame, int32_t n, const segment *g,
                        const pull *c, weir_real *p_bar, int64_t s)
{
    const int32_t bins = self->box.bins;
    frame->math->sigmoid(2 * (int64_t)n, g->raw0, g->raw0);
    for (int32_t i = 0; i < n; i++) c->d0[i] *= g->raw0[i];
    for (int32_t i = 0; i < n; i++) c->d1[i] *= g->raw1[i];
    (self->periodic ? periodic_slopes_pull : slopes_pull)(n, bins, g->bin, c->d0, c->d1,
                                                          p_bar + 2 * (int64_t)bins * s, s);
    WEIR_NAME(knots_pull)(&self->box, n, &g->x, g->bin, g->x0, g->w, c->x0, c->x1, g->d0, p_bar, s);
    WEIR_NAME(knots_pull)
    (&self->box, n, &g->y, g->bin, g->y0, g->h, c->y0, c->y1, g->d0, p_bar + bins * s, s);
}

int WEIR_NAME(rational_pull)(const rational_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                             const segment *g, const weir_real *y_bar, const weir_real *l_bar,
                             weir_real *x_bar, weir_real *p_bar, int64_t s)
{
    pull c;
    if (!take_pull(frame, n, &c)) return 0;
    pull_back(self, n, x, g, y_bar, l_bar, &c, x_bar);
    pull_params(self, frame, n, g, &c, p_bar, s);
    return 1;
}

/* The implicit function theorem: with a = (x_bar - l_bar dL/dx) / (dy/dx), the cotangent of y is a and those of the
 * parameters are what the forward map gives for (-a, -l_bar). */
WEIR_CLONES static void implicit(const rational_spline *self, int32_t n, const weir_real *restrict x,
                                 const segment *g, const weir_real *restrict x_bar,
                                 const weir_real *restrict l_bar, weir_real *restrict y_bar,
                                 weir_real *restrict minus_y, weir_real *restrict minus_l)
{
    const weir_real bound = self->box.bound, tail = self->tail;
    const weir_real *restrict const x0 = g->x0, *restrict const w = g->w, *restrict const h = g->h;
    const weir_real *restrict const d0 = g->d0, *restrict const d1 = g->d1;
    for (int32_t i = 0; i < n; i++) {
        const weir_real in = within(x[i], tail), per_w = 1 / w[i];
        const rational q =
            rational_at(share_of_bin(confined(x[i], bound) - x0[i], per_w), h[i] * per_w, d0[i], d1[i]);
        const weir_real a = (x_bar[i] - l_bar[i] * rational_bend(&q) * per_w) / rational_slope(&q);
        y_bar[i] = in * a + (1 - in) * x_bar[i];
        minus_y[i] = -y_bar[i];
        minus_l[i] = -l_bar[i];
    }
}

int WEIR_NAME(rational_pull_inverse)(const rational_spline *self, weir_frame *frame, int32_t n,
                                     const weir_real *x, const segment *g, const weir_real *x_bar,
                                     const weir_real *l_bar, weir_real *y_bar, weir_real *p_bar, int64_t s)
{
    weir_real *const minus_y = weir_take_lane(frame), *const minus_l = weir_take_lane(frame);
    weir_real *const sink = weir_take_lane(frame);
    if (!minus_y || !minus_l || !sink) return 0;
    implicit(self, n, x, g, x_bar, l_bar, y_bar, minus_y, minus_l);
    return WEIR_NAME(rational_pull)(self, frame, n, x, g, minus_y, minus_l, sink, p_bar, s);
}
