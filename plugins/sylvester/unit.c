/* unit.c - see unit.h; the formulas are in planar's doc. */
#include "unit.h"

#include "bend.h"

int WEIR_NAME(unit_take)(weir_frame *frame, unit *at, int curve)
{
    const int64_t stride = frame->stride, lanes = curve ? 5 : 4;
    weir_real *const first = weir_take(frame, lanes * stride * (int64_t)sizeof *first);
    if (!first) return 0;
    *at = (unit){first, first + stride, first + 2 * stride, first + 3 * stride,
                 curve ? first + 4 * stride : NULL};
    return 1;
}

static void evaluate_leaky(const planar *self, int32_t n, weir_real q, unit *at)
{
    const weir_real below = self->below;
    for (int32_t i = 0; i < n; i++) {
        const weir_real slope = at->a[i] < 0 ? below : 1;
        at->h[i] = slope * at->a[i];
        at->slope[i] = slope;
        at->psi[i] = (1 - slope) + slope * q;
    }
    if (at->curve) memset(at->curve, 0, (size_t)n * sizeof *at->curve);
}

void WEIR_NAME(unit_evaluate)(const planar *self, weir_frame *frame, unit *at)
{
    const weir_real q = *weir_tensor(frame, self->q);
    if (self->leaky)
        evaluate_leaky(self, frame->width, q, at);
    else
        WEIR_NAME(bend_evaluate)(frame, q, at->a, at->h, at->slope, at->psi, at->curve);
}

void WEIR_NAME(unit_add_log_det)(weir_frame *frame, unit *at, weir_real sign, weir_real *log_det)
{
    weir_real *const logs = at->a;
    frame->math->log(frame->width, at->psi, logs);
    for (int32_t i = 0; i < frame->width; i++) log_det[i] += sign * logs[i];
}

/* ---- the root ------------------------------------------------------------------------------------------------ */

weir_status WEIR_NAME(unit_solve)(const planar *self, weir_frame *frame, weir_real *c)
{
    const weir_real q = *weir_tensor(frame, self->q), below = (1 - self->below) + self->below * q;
    if (!self->leaky) return WEIR_NAME(bend_solve)(frame, q, c);
    for (int32_t i = 0; i < frame->width; i++) c[i] /= c[i] < 0 ? below : q;
    return WEIR_OK;
}

/* ---- the constraint -------------------------------------------------------------------------------------------- */

#define LEAST_SQUARE 1e-60 /* of |w| */

typedef struct products {
    double uw, ww;
} products;

static products multiply(const planar *self, const weir_frame *frame)
{
    const weir_real *const w = weir_tensor(frame, self->w), *const u = weir_tensor(frame, self->u);
    products sum = {0, 0};
    for (int32_t f = 0; f < self->features; f++) {
        sum.uw += (double)u[f] * (double)w[f];
        sum.ww += (double)w[f] * (double)w[f];
    }
    return sum;
}

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* q - 1 - w.u; for large w.u without the difference of two large numbers. */
static double correction(const planar *self, double uw)
{
    const double t = uw + self->offset, rest = LEAST_STRETCH - 1;
    return t > 0 ? self->offset + log1p(exp(-t)) + rest : softplus(t) - uw + rest;
}

weir_status WEIR_NAME(planar_prepare)(const void *module, weir_frame *frame)
{
    const planar *const self = module;
    const weir_real *const w = weir_tensor(frame, self->w), *const u = weir_tensor(frame, self->u);
    weir_real *const v = weir_tensor(frame, self->v), *const q = weir_tensor(frame, self->q);
    const products p = multiply(self, frame);
    const int flat = p.ww <= LEAST_SQUARE;
    const double along = flat ? 0 : correction(self, p.uw) / p.ww;
    *q = WEIR_C(flat ? 1 + p.uw : softplus(p.uw + self->offset) + LEAST_STRETCH);
    for (int32_t f = 0; f < self->features; f++) v[f] = WEIR_C((double)u[f] + along * (double)w[f]);
    return WEIR_OK;
}

static double gradient_at(const weir_real *gradient, int32_t f)
{
    return gradient ? (double)gradient[f] : 0;
}

/* With t = w.u, k = q - 1 - t and v = u + k w / |w|^2: k_bar = v_bar.w / |w|^2, t_bar = (q_bar + k_bar) sigmoid - k_bar. */
weir_status WEIR_NAME(planar_prepare_vjp)(const void *module, weir_frame *frame)
{
    const planar *const self = module;
    const weir_real *const w = weir_tensor(frame, self->w), *const u = weir_tensor(frame, self->u);
    const weir_real *const v_bar = weir_gradient(frame, self->v);
    weir_real *const w_bar = weir_gradient(frame, self->w), *const u_bar = weir_gradient(frame, self->u);
    const double q_bar = gradient_at(weir_gradient(frame, self->q), 0);
    const products p = multiply(self, frame);
    const int flat = p.ww <= LEAST_SQUARE;
    const double k = flat ? 0 : correction(self, p.uw), t = p.uw + self->offset;
    const double sigmoid = t < 0 ? exp(t) / (1 + exp(t)) : 1 / (1 + exp(-t));
    double k_bar = 0;
    for (int32_t f = 0; !flat && f < self->features; f++)
        k_bar += gradient_at(v_bar, f) * (double)w[f] / p.ww;
    const double t_bar = flat ? q_bar : q_bar * sigmoid - k_bar * (1 - sigmoid);
    const double along = flat ? 0 : k / p.ww, round = flat ? 0 : 2 * along * k_bar;
    for (int32_t f = 0; f < self->features; f++) {
        const double bar = gradient_at(v_bar, f);
        if (u_bar) u_bar[f] += WEIR_C(bar + t_bar * (double)w[f]);
        if (w_bar) w_bar[f] += WEIR_C(t_bar * (double)u[f] + along * bar - round * (double)w[f]);
    }
    return WEIR_OK;
}
