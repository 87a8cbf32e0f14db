/* sample.c - quantiles of the truncated normal, and how they move with location and scale.
 *
 * Solved for in d = e - reference, the distance from the end of the interval that is nearest to 0, so that no digit is lost
 * far out. Both log F and log(1 - F) are concave; the one that belongs to the smaller of u and 1 - u is used.
 */
#include "truncated.h"

#include <weir/roots.h>

/* So many scales beyond its reference the mass is below every uniform number. */
#define FAR 40.0
/* In place of an infinite logarithm at the very end of the interval: the search then takes the middle. */
#define VERY_LOW -1e4

typedef struct quantiles {
    const stretch *at;
    const weir_real *u;
} quantiles;

/** log of the share of the mass between a and b, and of the density over that share. */
static double log_share(const stretch *at, double a, double b, double e, double *log_slope)
{
    if (!(a < b)) {
        *log_slope = 0;
        return VERY_LOW;
    }
    const mass part = WEIR_NAME(mass_of)(a, b);
    *log_slope = (part.reference - e) * (part.reference + e) / 2 - part.log_rest;
    return fmax(mass_log_ratio(&part, &at->whole), VERY_LOW);
}

/** Increasing in d: log F - log u where u is below a half, else log(1 - u) - log(1 - F). */
static void tail_excess(const void *context, weir_frame *frame, int32_t n, const weir_real *d,
                        weir_real *value, weir_real *slope)
{
    const quantiles *const q = context;
    const stretch *const at = q->at;
    (void)frame;
    for (int32_t i = 0; i < n; i++) {
        const double e = at->whole.reference + (double)d[i], u = (double)q->u[i];
        double log_slope;
        value[i] = WEIR_C(u < 0.5 ? log_share(at, at->from, e, e, &log_slope) - log(u)
                                  : log1p(-u) - log_share(at, e, at->to, e, &log_slope));
        slope[i] = WEIR_C(exp(log_slope));
    }
}

static void bracket(const stretch *at, int32_t n, weir_real *low, weir_real *high, weir_real *d)
{
    const double reference = at->whole.reference, unit = 1 / fmax(1, fabs(reference));
    const double from = fmax(at->from - reference, -FAR), to = fmin(at->to - reference, FAR);
    const double middle = from + (to - from) / 2;
    const double start = reference > 0 ? fmin(unit, middle) : reference < 0 ? fmax(-unit, middle) : middle;
    for (int32_t i = 0; i < n; i++) {
        low[i] = WEIR_C(from);
        high[i] = WEIR_C(to);
        d[i] = WEIR_C(start);
    }
}

static weir_real place_of(const truncated *self, const stretch *at, int32_t f, double d)
{
    const double reference = at->whole.reference;
    const double origin = reference > 0 ? self->lower[f] : reference < 0 ? self->upper[f] : at->m;
    const double z = origin + at->s * d;
    return WEIR_C(isnan(d) ? d : fmin(fmax(z, self->lower[f]), self->upper[f]));
}

weir_status WEIR_NAME(truncated_sample)(const void *module, weir_frame *frame, const weir_tile *z)
{
    const truncated *const self = module;
    weir_real *const u = weir_take_lane(frame), *const d = weir_take_lane(frame);
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    weir_status status = WEIR_OK;
    if (!u || !d || !low || !high) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const stretch at = stretch_of(self, frame, f);
        const quantiles q = {&at, u};
        weir_real *const lane = weir_lane(z, f);
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, u);
        bracket(&at, frame->width, low, high, d);
        WEIR_TRY(status, weir_find_roots(frame, frame->width, tail_excess, &q, low, high, d));
        for (int32_t i = 0; i < frame->width; i++) lane[i] = place_of(self, &at, f, (double)d[i]);
    }
    return status;
}

/** The share of mass on the far side of e as seen from `end`, times phi(end) / phi(e): de/d end. 0 for no bound. */
static double pull(const stretch *at, double end, double a, double b, double e)
{
    if (isinf(end) || !(a < b)) return 0;
    const mass part = WEIR_NAME(mass_of)(a, b);
    return exp(mass_log_ratio(&part, &at->whole) + (e - end) * (e + end) / 2);
}

/** From Phi(e) = (1 - u) Phi(from) + u Phi(to): de = A dfrom + B dto; the ends move by -dm/s and -end ds/s. */
weir_status WEIR_NAME(truncated_sample_vjp)(const void *module, weir_frame *frame, const weir_tile *z,
                                            const weir_tile *z_bar)
{
    const truncated *const self = module;
    weir_real *const location = weir_gradient(frame, self->location);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    for (int32_t f = 0; (location || log_scale) && f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f), *const bar = weir_lane(z_bar, f);
        const stretch at = stretch_of(self, frame, f);
        double by_location = 0, by_scale = 0;
        for (int32_t r = 0; r < frame->rows; r++) {
            const double e = ((double)lane[r] - at.m) / at.s;
            const double lower = pull(&at, at.from, e, at.to, e), upper = pull(&at, at.to, at.from, e, e);
            const double ends = (lower > 0 ? lower * at.from : 0) + (upper > 0 ? upper * at.to : 0);
            by_location += (double)bar[r] * (1 - lower - upper);
            by_scale += (double)bar[r] * at.s * (e - ends);
        }
        if (location) location[f] += WEIR_C(by_location);
        if (log_scale) log_scale[f] += WEIR_C(by_scale);
    }
    return WEIR_OK;
}
