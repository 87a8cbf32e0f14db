/* interval.c - see interval.h. */
#include "interval.h"

/** Ends that are infinite make a half-line, or the line. */
interval interval_make(double lower, double upper, double alpha, int32_t soft)
{
    const int32_t below = lower > -INFINITY, above = upper < INFINITY;
    interval made = {.shape = above   ? (below ? INTERVAL_BOTH : INTERVAL_UPPER)
                              : below ? INTERVAL_LOWER
                                      : INTERVAL_FREE,
                     .soft = soft,
                     .lower = WEIR_C(lower),
                     .upper = WEIR_C(upper),
                     .alpha = WEIR_C(alpha)};
    if (made.shape != INTERVAL_BOTH) return made;
    made.range = WEIR_C((upper - lower) / (1 - 2 * alpha));
    made.log_range = WEIR_C(log((upper - lower) / (1 - 2 * alpha)));
    return made;
}

/** Two lanes, contiguous; NULL when memory is exhausted. */
static weir_real *take_pair(weir_frame *frame)
{
    return weir_take(frame, 2 * (int64_t)frame->width * (int64_t)sizeof(weir_real));
}

/* ---- between two ends --------------------------------------------------------------------------- */

static void squeeze(const interval *of, int32_t n, const weir_real *restrict x, weir_real *restrict v)
{
    const weir_real lower = of->lower, upper = of->upper, alpha = of->alpha, range = of->range;
    for (int32_t i = 0; i < n; i++) {
        v[i] = alpha + (x[i] - lower) / range;
        v[n + i] = alpha + (upper - x[i]) / range;
    }
}

static weir_status both_forward(const interval *of, weir_frame *frame, const weir_real *x, weir_real *z,
                                weir_real *log_det)
{
    const int32_t n = frame->width;
    weir_real *const v = take_pair(frame);
    if (!v) return WEIR_ERROR;
    squeeze(of, n, x, v);
    frame->math->log(2 * (int64_t)n, v, v);
    for (int32_t i = 0; i < n; i++) z[i] = v[i] - v[n + i];
    for (int32_t i = 0; log_det && i < n; i++) log_det[i] -= of->log_range + v[i] + v[n + i];
    return weir_discard_unless_finite(frame, z);
}

/** With m = -|z|, both x (counted from its nearer end) and the log-det come from terms that do not cancel:
 *  log v + log w = m - 2 softplus(m), and the smaller of v and w is sigmoid(m). */
static weir_status both_inverse(const interval *of, weir_frame *frame, const weir_real *z, weir_real *x,
                                weir_real *log_det)
{
    const int32_t n = frame->width;
    weir_real *const m = take_pair(frame), *const least = m ? m + n : NULL;
    if (!m) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) m[i] = z[i] < 0 ? z[i] : -z[i];
    frame->math->sigmoid(n, m, least);
    for (int32_t i = 0; i < n; i++) {
        const weir_real inward = (least[i] - of->alpha) * of->range;
        x[i] = z[i] < 0 ? of->lower + inward : of->upper - inward;
    }
    if (log_det) frame->math->softplus(n, m, least);
    for (int32_t i = 0; log_det && i < n; i++) log_det[i] += of->log_range + m[i] - 2 * least[i];
    return weir_discard_unless_finite(frame, z);
}

/** dz/dx = 1 / (range v w) and dl/dx = (v - w) / (range v w). */
static weir_status both_forward_vjp(const interval *of, weir_frame *frame, const weir_real *x,
                                    const weir_real *z_bar, const weir_real *log_det_bar, weir_real *x_bar)
{
    const int32_t n = frame->width;
    weir_real *const v = take_pair(frame), *const w = v ? v + n : NULL;
    if (!v) return WEIR_ERROR;
    squeeze(of, n, x, v);
    for (int32_t i = 0; i < n; i++)
        x_bar[i] =
            (z_bar[i] + (log_det_bar ? log_det_bar[i] * (v[i] - w[i]) : 0)) / (of->range * v[i] * w[i]);
    return WEIR_OK;
}

/** dx/dz = range v w and d log|dx/dz| / dz = w - v, with v = sigmoid(z), w = sigmoid(-z). */
static weir_status both_inverse_vjp(const interval *of, weir_frame *frame, const weir_real *z,
                                    const weir_real *x_bar, const weir_real *log_det_bar, weir_real *z_bar)
{
    const int32_t n = frame->width;
    weir_real *const v = take_pair(frame), *const w = v ? v + n : NULL;
    if (!v) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) {
        v[i] = z[i];
        w[i] = -z[i];
    }
    frame->math->sigmoid(2 * (int64_t)n, v, v);
    for (int32_t i = 0; i < n; i++)
        z_bar[i] = x_bar[i] * of->range * v[i] * w[i] + (log_det_bar ? log_det_bar[i] * (w[i] - v[i]) : 0);
    return WEIR_OK;
}

/* ---- one end: v = sign (x - end), z = sign h(v) ---------------------------------------------------- */

static weir_real sign_of(const interval *of)
{
    return of->shape == INTERVAL_LOWER ? WEIR_C(1) : WEIR_C(-1);
}

static void distances(const interval *of, int32_t n, const weir_real *restrict x, weir_real *restrict v)
{
    const weir_real sign = sign_of(of), end = of->shape == INTERVAL_LOWER ? of->lower : of->upper;
    for (int32_t i = 0; i < n; i++) v[i] = sign * (x[i] - end);
}

/** t = 1 - e^-v, the slope of softplus where its value is v. */
static void soft_slope(const weir_frame *frame, const weir_real *v, weir_real *t)
{
    for (int32_t i = 0; i < frame->width; i++) t[i] = -v[i];
    frame->math->expm1(frame->width, t, t);
    for (int32_t i = 0; i < frame->width; i++) t[i] = -t[i];
}

static weir_status half_forward(const interval *of, weir_frame *frame, const weir_real *x, weir_real *z,
                                weir_real *log_det)
{
    const int32_t n = frame->width;
    const weir_real sign = sign_of(of), straight = of->soft ? 1 : 0;
    weir_real *const v = take_pair(frame), *const t = v ? v + n : NULL;
    if (!v) return WEIR_ERROR;
    distances(of, n, x, v);
    if (of->soft)
        soft_slope(frame, v, t);
    else
        memcpy(t, v, (size_t)n * sizeof *t);
    frame->math->log(n, t, t);
    for (int32_t i = 0; i < n; i++) z[i] = sign * (t[i] + straight * v[i]);
    for (int32_t i = 0; log_det && i < n; i++) log_det[i] -= t[i];
    return weir_discard_unless_finite(frame, z);
}

static weir_status half_inverse(const interval *of, weir_frame *frame, const weir_real *z, weir_real *x,
                                weir_real *log_det)
{
    const int32_t n = frame->width;
    const weir_real sign = sign_of(of), end = of->shape == INTERVAL_LOWER ? of->lower : of->upper;
    weir_real *const v = take_pair(frame), *const minus = v ? v + n : NULL;
    if (!v) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) {
        v[i] = sign * z[i];
        minus[i] = -v[i];
    }
    if (of->soft) {
        frame->math->softplus(2 * (int64_t)n, v, v);
        for (int32_t i = 0; log_det && i < n; i++) log_det[i] -= minus[i];
    } else {
        for (int32_t i = 0; log_det && i < n; i++) log_det[i] += v[i];
        frame->math->exp(n, v, v);
    }
    for (int32_t i = 0; i < n; i++) x[i] = end + sign * v[i];
    const weir_status status = weir_discard_unless_finite(frame, z);
    const weir_status far = weir_discard_unless_finite(frame, x);
    return far > status ? far : status;
}

/** dz/dx = 1/t and dl/dx = -sign t'/t, where t = v and t' = 1, or t = 1 - e^-v and t' = 1 - t. */
static weir_status half_forward_vjp(const interval *of, weir_frame *frame, const weir_real *x,
                                    const weir_real *z_bar, const weir_real *log_det_bar, weir_real *x_bar)
{
    const int32_t n = frame->width;
    const weir_real sign = sign_of(of), straight = of->soft ? 1 : 0;
    weir_real *const v = take_pair(frame), *const t = v ? v + n : NULL;
    if (!v) return WEIR_ERROR;
    distances(of, n, x, v);
    if (of->soft)
        soft_slope(frame, v, t);
    else
        memcpy(t, v, (size_t)n * sizeof *t);
    for (int32_t i = 0; i < n; i++)
        x_bar[i] = (z_bar[i] - (log_det_bar ? log_det_bar[i] * sign * (1 - straight * t[i]) : 0)) / t[i];
    return WEIR_OK;
}

/** dx/dz = e^(sign z) with dl/dz = sign, or sigmoid(sign z) with dl/dz = sign sigmoid(-sign z). */
static weir_status half_inverse_vjp(const interval *of, weir_frame *frame, const weir_real *z,
                                    const weir_real *x_bar, const weir_real *log_det_bar, weir_real *z_bar)
{
    const int32_t n = frame->width;
    const weir_real sign = sign_of(of);
    weir_real *const slope = take_pair(frame), *const rest = slope ? slope + n : NULL;
    if (!slope) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) {
        slope[i] = sign * z[i];
        rest[i] = -slope[i];
    }
    if (of->soft)
        frame->math->sigmoid(2 * (int64_t)n, slope, slope);
    else
        frame->math->exp(n, slope, slope);
    for (int32_t i = 0; i < n; i++)
        z_bar[i] = x_bar[i] * slope[i] + (log_det_bar ? log_det_bar[i] * sign * (of->soft ? rest[i] : 1) : 0);
    return WEIR_OK;
}

/* ---- any --------------------------------------------------------------------------------------------- */

weir_status interval_forward(const interval *of, weir_frame *frame, const weir_real *x, weir_real *z,
                             weir_real *log_det)
{
    if (of->shape == INTERVAL_BOTH) return both_forward(of, frame, x, z, log_det);
    if (of->shape != INTERVAL_FREE) return half_forward(of, frame, x, z, log_det);
    weir_copy_lane(frame, x, z);
    return weir_discard_unless_finite(frame, z);
}

weir_status interval_inverse(const interval *of, weir_frame *frame, const weir_real *z, weir_real *x,
                             weir_real *log_det)
{
    if (of->shape == INTERVAL_BOTH) return both_inverse(of, frame, z, x, log_det);
    if (of->shape != INTERVAL_FREE) return half_inverse(of, frame, z, x, log_det);
    weir_copy_lane(frame, z, x);
    return weir_discard_unless_finite(frame, x);
}

weir_status interval_forward_vjp(const interval *of, weir_frame *frame, const weir_real *x,
                                 const weir_real *z_bar, const weir_real *log_det_bar, weir_real *x_bar)
{
    if (of->shape == INTERVAL_BOTH) return both_forward_vjp(of, frame, x, z_bar, log_det_bar, x_bar);
    if (of->shape != INTERVAL_FREE) return half_forward_vjp(of, frame, x, z_bar, log_det_bar, x_bar);
    weir_copy_lane(frame, z_bar, x_bar);
    return WEIR_OK;
}

weir_status interval_inverse_vjp(const interval *of, weir_frame *frame, const weir_real *z,
                                 const weir_real *x_bar, const weir_real *log_det_bar, weir_real *z_bar)
{
    if (of->shape == INTERVAL_BOTH) return both_inverse_vjp(of, frame, z, x_bar, log_det_bar, z_bar);
    if (of->shape != INTERVAL_FREE) return half_inverse_vjp(of, frame, z, x_bar, log_det_bar, z_bar);
    weir_copy_lane(frame, x_bar, z_bar);
    return WEIR_OK;
}

/** Uniform between two ends, exponential from one, normal on the line. */
void interval_sample_point(const interval *of, weir_frame *frame, uint32_t stream, uint32_t draw,
                           weir_real *x)
{
    if (of->shape == INTERVAL_FREE) {
        frame->services->random_normal(frame, stream, draw, x);
        return;
    }
    frame->services->random_uniform(frame, stream, draw, x);
    if (of->shape == INTERVAL_BOTH) {
        for (int32_t i = 0; i < frame->width; i++) x[i] = of->lower * (1 - x[i]) + of->upper * x[i];
        return;
    }
    const weir_real end = of->shape == INTERVAL_LOWER ? of->lower : of->upper;
    frame->math->log(frame->width, x, x);
    for (int32_t i = 0; i < frame->width; i++) x[i] = end - sign_of(of) * x[i];
}
