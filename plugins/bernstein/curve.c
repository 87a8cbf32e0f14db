/* curve.c - see curve.h. */
#include "curve.h"

int WEIR_NAME(curve_make)(const bernstein *self, weir_frame *frame, int32_t n, const weir_real *p, int64_t s,
                          curve *c)
{
    const int64_t degree = self->degree, lane = n;
    weir_real *const at = weir_take(frame, (3 * degree + 4) * lane * (int64_t)sizeof *at);
    if (!at) return 0;
    c->n = n;
    c->delta = at;
    c->lower = c->delta + degree * lane;
    c->basis = c->lower + (degree - 1) * lane;
    c->r = c->basis + degree * lane;
    c->rest = c->r + lane;
    c->over = c->rest + lane;
    c->rate = c->over + lane;
    c->y = c->rate + lane;
    for (int64_t k = 0; k < degree; k++)
        for (int32_t i = 0; i < n; i++) c->delta[k * lane + i] = p[k * s + i] + self->shift;
    frame->math->softplus(degree * lane, c->delta, c->delta);
    for (int64_t j = 0; j < degree * lane; j++) c->delta[j] = self->step * (self->min_slope + c->delta[j]);
    return 1;
}

static void place(const bernstein *self, const curve *c, const weir_real *restrict x)
{
    const weir_real bound = self->bound, half = 1 / (2 * bound);
    weir_real *restrict const r = c->r, *restrict const rest = c->rest, *restrict const over = c->over;
    for (int32_t i = 0; i < c->n; i++) {
        const weir_real within = curve_confined(x[i], bound);
        r[i] = (within + bound) * half;
        rest[i] = (bound - within) * half;
        over[i] = x[i] - within;
    }
}

/** B_{j,M-2}: rising powers of r on the way up, of 1 - r on the way down; `power` is working memory. */
static void lower_basis(const bernstein *self, const curve *c, weir_real *restrict power)
{
    const int32_t n = c->n, last = self->degree - 2;
    const weir_real *restrict const r = c->r, *restrict const rest = c->rest;
    for (int32_t i = 0; i < n; i++) power[i] = 1;
    for (int32_t j = 0; j <= last; j++) {
        weir_real *restrict const to = c->lower + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) {
            to[i] = self->binomials[j] * power[i];
            power[i] *= r[i];
        }
    }
    for (int32_t i = 0; i < n; i++) power[i] = 1;
    for (int32_t j = last; j >= 0; j--) {
        weir_real *restrict const to = c->lower + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) {
            to[i] *= power[i];
            power[i] *= rest[i];
        }
    }
}

/** B_{j,d+1} = (1 - r) B_{j,d} + r B_{j-1,d}, here from d = M - 2. */
static void raise_basis(const bernstein *self, const curve *c)
{
    const int32_t n = c->n, last = self->degree - 1;
    for (int32_t j = 0; j <= last; j++) {
        const weir_real *restrict const own = c->lower + (int64_t)j * n, *restrict const before = own - n;
        weir_real *restrict const to = c->basis + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++)
            to[i] = (j < last ? c->rest[i] * own[i] : 0) + (j > 0 ? c->r[i] * before[i] : 0);
    }
}

void WEIR_NAME(curve_evaluate)(const bernstein *self, const curve *c, const weir_real *x, const weir_real *b)
{
    const int32_t n = c->n;
    weir_real *restrict const above = c->rate, *restrict const y = c->y;
    place(self, c, x);
    lower_basis(self, c, above);
    raise_basis(self, c);
    memcpy(y, b, (size_t)n * sizeof *y);
    memset(above, 0, (size_t)n * sizeof *above);
    for (int32_t j = self->degree - 1; j >= 0; j--) {
        const weir_real *restrict const own = c->basis + (int64_t)j * n;
        const weir_real *restrict const delta = c->delta + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) {
            y[i] += delta[i] * (above[i] + c->r[i] * own[i] - WEIR_C(0.5));
            above[i] += own[i];
        }
    }
    memset(above, 0, (size_t)n * sizeof *above);
    for (int32_t j = 0; j < self->degree; j++) {
        const int64_t from = (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) above[i] += c->delta[from + i] * c->basis[from + i];
    }
    for (int32_t i = 0; i < n; i++) y[i] += c->over[i] * (c->rate[i] / self->step);
}
