/* sample.c - quantiles of the beta density, and how they move with its powers.
 *
 * With t = log(z / (1 - z)), log I is concave in t and log(1 - I) too, so Newton's steps do not stray far; of the two the
 * one that belongs to the smaller of u and 1 - u is solved for, and neither tail loses digits.
 */
#include "beta.h"

#include <weir/gamma.h>
#include <weir/roots.h>

typedef struct quantiles {
    weir_beta_shape shape;
    const weir_real *u;
} quantiles;

static weir_beta_shape shape_of(const beta *self, const weir_frame *frame, int32_t f)
{
    double a, b;
    beta_powers(self, frame, f, &a, &b);
    return weir_beta_shape_of(a, b);
}

/** log I and log(1 - I) from the tail that is known. */
static void both_tails(const weir_beta_tail *tail, double *log_lower, double *log_upper)
{
    const double other = tail->log_tail < 0 ? log(-expm1(tail->log_tail)) : -INFINITY;
    *log_lower = tail->upper ? other : tail->log_tail;
    *log_upper = tail->upper ? tail->log_tail : other;
}

/** Increasing in t: log I - log u where u is below a half, else log(1 - u) - log(1 - I). */
static void tail_excess(const void *context, weir_frame *frame, int32_t n, const weir_real *t,
                        weir_real *value, weir_real *slope)
{
    const quantiles *const q = context;
    (void)frame;
    for (int32_t i = 0; i < n; i++) {
        const weir_beta_tail tail = weir_beta_tail_at(&q->shape, (double)t[i], 0);
        const double u = (double)q->u[i];
        double lower, upper;
        both_tails(&tail, &lower, &upper);
        value[i] = WEIR_C(u < 0.5 ? lower - log(u) : log1p(-u) - upper);
        slope[i] = WEIR_C(exp(tail.log_density - (u < 0.5 ? lower : upper)));
    }
}

/** I <= 2 x^a / (a B) below a half bounds the quantile from below, and by symmetry from above; widened a little, for
 *  rounding. Newton starts at the logit of the mean. */
static void bracket(const quantiles *q, int32_t n, weir_real *low, weir_real *high, weir_real *t)
{
    const double a = q->shape.a, b = q->shape.b, log_beta = q->shape.log_beta, centre = log(a / b);
    for (int32_t i = 0; i < n; i++) {
        const double u = (double)q->u[i];
        const double from = fmin(0, (log(u) + log(a / 2) + log_beta) / a);
        const double to = -fmin(0, (log1p(-u) + log(b / 2) + log_beta) / b);
        low[i] = WEIR_C(from - 1e-3 * (1 - from));
        high[i] = WEIR_C(to + 1e-3 * (1 + to));
        t[i] = WEIR_C(fmin(fmax(centre, from), to));
    }
}

/** The nearest number of this precision that lies inside the interval. */
static weir_real unit_of(double t)
{
    const weir_real least = WEIR_REAL == 32 ? WEIR_C(FLT_MIN) : WEIR_C(DBL_MIN);
    const weir_real most = 1 - (WEIR_REAL == 32 ? WEIR_C(FLT_EPSILON) : WEIR_C(DBL_EPSILON)) / 2;
    const weir_real z = WEIR_C(t < 0 ? exp(t) / (1 + exp(t)) : 1 / (1 + exp(-t)));
    return z < least ? least : z > most ? most : z;
}

weir_status WEIR_NAME(beta_sample)(const void *module, weir_frame *frame, const weir_tile *z)
{
    const beta *const self = module;
    weir_real *const u = weir_take_lane(frame), *const t = weir_take_lane(frame);
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    weir_status status = WEIR_OK;
    if (!u || !t || !low || !high) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(z, f);
        const quantiles q = {shape_of(self, frame, f), u};
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, u);
        bracket(&q, frame->width, low, high, t);
        WEIR_TRY(status, weir_find_roots(frame, frame->width, tail_excess, &q, low, high, t));
        for (int32_t i = 0; i < frame->width; i++) lane[i] = isnan(t[i]) ? t[i] : unit_of((double)t[i]);
    }
    return status;
}

/** dz/da and dz/db = -(dI/da) / p and -(dI/db) / p, where I / p = z (1 - z) I / (z (1 - z) p) never underflows. */
static void add_row(const weir_beta_tail *tail, double z, double bar, double *by_a, double *by_b)
{
    const double ratio = z * (1 - z) * exp(tail->log_tail - tail->log_density);
    const double by_tail = tail->upper ? bar * ratio : -bar * ratio;
    *by_a += by_tail * tail->by_a;
    *by_b += by_tail * tail->by_b;
}

weir_status WEIR_NAME(beta_sample_vjp)(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *z_bar)
{
    const beta *const self = module;
    weir_real *const log_a = weir_gradient(frame, self->log_a), *const log_b =
                                                                    weir_gradient(frame, self->log_b);
    for (int32_t f = 0; (log_a || log_b) && f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f), *const bar = weir_lane(z_bar, f);
        const weir_beta_shape shape = shape_of(self, frame, f);
        double by_a = 0, by_b = 0;
        for (int32_t r = 0; r < frame->rows; r++) {
            const double at = (double)lane[r];
            const weir_beta_tail tail = weir_beta_tail_at(&shape, log(at) - log1p(-at), 1);
            add_row(&tail, at, (double)bar[r], &by_a, &by_b);
        }
        if (log_a) log_a[f] += WEIR_C(shape.a * by_a);
        if (log_b) log_b[f] += WEIR_C(shape.b * by_b);
    }
    return WEIR_OK;
}
