/* shell.c - see shell.h; the formulas are in radial's doc. */
#include "shell.h"

int WEIR_NAME(shell_take)(weir_frame *frame, shell *at)
{
    at->r = weir_take_lane(frame);
    at->a = weir_take_lane(frame);
    at->b = weir_take_lane(frame);
    at->a_slope = weir_take_lane(frame);
    at->log_slope = weir_take_lane(frame);
    return at->r && at->a && at->b && at->a_slope && at->log_slope;
}

void WEIR_NAME(shell_radius)(const radial *self, const weir_frame *frame, const weir_tile *points,
                             weir_real *r)
{
    const weir_real *const centre = weir_tensor(frame, self->centre);
    memset(r, 0, (size_t)frame->width * sizeof *r);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(points, f), middle = centre[f];
        for (int32_t i = 0; i < frame->width; i++) r[i] += (from[i] - middle) * (from[i] - middle);
    }
    for (int32_t i = 0; i < frame->width; i++) r[i] = WEIR_C(sqrt((double)r[i]));
}

/* With d = R - sigma the root is (d + h) / 2, h = sqrt(d^2 + 4 alpha R); for d < 0 multiplied out to 2 alpha R / (h - d). */
void WEIR_NAME(shell_solve)(const radial *self, const weir_frame *frame, weir_real *r)
{
    const double alpha = (double)*weir_tensor(frame, self->alpha);
    const double sigma = (double)*weir_tensor(frame, self->sigma);
    for (int32_t i = 0; i < frame->width; i++) {
        const double from = (double)r[i], d = from - sigma, h = hypot(d, 2 * sqrt(alpha) * sqrt(from));
        r[i] = WEIR_C(d < 0 ? 2 * alpha * from / (h - d) : (d + h) / 2);
    }
}

void WEIR_NAME(shell_evaluate)(const radial *self, const weir_frame *frame, shell *at)
{
    const weir_real alpha = *weir_tensor(frame, self->alpha),
                    ratio = *weir_tensor(frame, self->sigma) / alpha;
    const weir_real others = (weir_real)(self->features - 1), bend = (1 - ratio) / alpha;
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real outer = at->r[i] / (at->r[i] + alpha), inner = alpha / (at->r[i] + alpha);
        const weir_real a = outer + ratio * inner, b = outer * (1 + inner) + ratio * inner * inner;
        const weir_real a_slope = bend * inner * inner;
        at->a[i] = a;
        at->b[i] = b;
        at->a_slope[i] = a_slope;
        at->log_slope[i] = others * a_slope / a + 2 * a_slope * inner / b;
    }
}

void WEIR_NAME(shell_add_log_det)(const radial *self, weir_frame *frame, shell *at, weir_real sign,
                                  weir_real *log_det)
{
    const weir_real others = (weir_real)(self->features - 1);
    frame->math->log(frame->width, at->a, at->a);
    frame->math->log(frame->width, at->b, at->b);
    for (int32_t i = 0; i < frame->width; i++) log_det[i] += sign * (others * at->a[i] + at->b[i]);
}

/* Along e the cotangent gets (A' (d.bar) + l_bar l') / r times d; in the implicit direction J^-1 of the whole:
 * (1/B - 1/A) (d.bar) / r^2 - l_bar l' / (B r), where 1/B - 1/A = -r A' / (A B). */
void WEIR_NAME(shell_pull)(const radial *self, const weir_frame *frame, const shell *at, const weir_real *dot,
                           const weir_real *l_bar, int implicit, weir_real *across, weir_real *along)
{
    (void)self;
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real r = at->r[i], by_log = l_bar ? l_bar[i] * at->log_slope[i] : 0;
        const weir_real turn = implicit ? -at->a_slope[i] / (at->a[i] * at->b[i]) : at->a_slope[i];
        const weir_real push = implicit ? -by_log / at->b[i] : by_log;
        across[i] = implicit ? 1 / at->a[i] : at->a[i];
        along[i] = r > 0 ? (turn * dot[i] + push) / r : 0;
    }
}

void WEIR_NAME(shell_add_gradients)(const radial *self, const weir_frame *frame, const shell *at,
                                    const weir_real *dot, const weir_real *l_bar, weir_real sign)
{
    weir_real *const alpha_bar = weir_gradient(frame, self->alpha);
    weir_real *const sigma_bar = weir_gradient(frame, self->sigma);
    const weir_real alpha = *weir_tensor(frame, self->alpha), sigma = *weir_tensor(frame, self->sigma);
    const weir_real others = (weir_real)(self->features - 1);
    weir_real by_alpha = 0, by_sigma = 0;
    for (int32_t i = 0; i < frame->rows; i++) {
        const weir_real reach = at->r[i] + alpha, inner = alpha / reach, l = l_bar ? sign * l_bar[i] : 0;
        const weir_real a_bar = sign * dot[i] + l * others / at->a[i], b_bar = l / at->b[i];
        by_sigma += (a_bar + b_bar * inner) / reach;
        by_alpha += (b_bar * ((2 * at->r[i] + sigma) / reach - 2 * at->b[i]) - a_bar * at->a[i]) / reach;
    }
    if (alpha_bar) *alpha_bar += by_alpha;
    if (sigma_bar) *sigma_bar += by_sigma;
}

/* ---- the constraint -------------------------------------------------------------------------------------------- */

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

weir_status WEIR_NAME(radial_prepare)(const void *module, weir_frame *frame)
{
    const radial *const self = module;
    *weir_tensor(frame, self->alpha) = WEIR_C(exp((double)*weir_tensor(frame, self->log_alpha)));
    *weir_tensor(frame, self->sigma) =
        WEIR_C(softplus((double)*weir_tensor(frame, self->beta)) + LEAST_SIGMA);
    return WEIR_OK;
}

weir_status WEIR_NAME(radial_prepare_vjp)(const void *module, weir_frame *frame)
{
    const radial *const self = module;
    const weir_real *const alpha_bar = weir_gradient(frame, self->alpha);
    const weir_real *const sigma_bar = weir_gradient(frame, self->sigma);
    weir_real *const log_alpha_bar = weir_gradient(frame, self->log_alpha);
    weir_real *const beta_bar = weir_gradient(frame, self->beta);
    const double t = (double)*weir_tensor(frame, self->beta);
    const double sigmoid = t < 0 ? exp(t) / (1 + exp(t)) : 1 / (1 + exp(-t));
    if (log_alpha_bar && alpha_bar) *log_alpha_bar += *alpha_bar * *weir_tensor(frame, self->alpha);
    if (beta_bar && sigma_bar) *beta_bar += *sigma_bar * WEIR_C(sigmoid);
    return WEIR_OK;
}
