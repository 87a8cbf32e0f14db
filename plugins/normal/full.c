/* full.c - the normal density with a full covariance L L^T.
 *
 * L is lower triangular: its diagonal is exp(log_scale), what stands below is `factor`, row by row. The tape keeps the
 * standardized tile e, of which both directions are made: e solves L e = z - m, and z = m + L e.
 */
#include "normal.h"

static const weir_real *row_of(const normal *self, const weir_frame *frame, int32_t i)
{
    return weir_tensor(frame, self->factor) + (int64_t)i * (i - 1) / 2;
}

static weir_real diagonal(const normal *self, const weir_frame *frame, int32_t i)
{
    return WEIR_C(exp((double)weir_tensor(frame, self->log_scale)[i]));
}

/** to += a * from */
static void add_lane(const weir_frame *frame, weir_real a, const weir_real *restrict from,
                     weir_real *restrict to)
{
    for (int32_t r = 0; r < frame->width; r++) to[r] += a * from[r];
}

weir_status WEIR_NAME(normal_full_log_density)(const normal *self, weir_frame *frame, const weir_tile *z,
                                               weir_real *log_p)
{
    weir_tile e;
    weir_real *const restrict total = weir_take_lane(frame);
    double constant = self->features * HALF_LOG_2PI;
    if (!total || !weir_keep_tile(frame, self->features, &e)) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real m = weir_tensor(frame, self->mean)[i], scale = diagonal(self, frame, i);
        const weir_real *const from = weir_lane(z, i), *const row = row_of(self, frame, i);
        weir_real *const lane = weir_lane(&e, i);
        for (int32_t r = 0; r < frame->width; r++) lane[r] = from[r] - m;
        for (int32_t j = 0; j < i; j++) add_lane(frame, -row[j], weir_lane(&e, j), lane);
        for (int32_t r = 0; r < frame->width; r++) lane[r] /= scale;
        for (int32_t r = 0; r < frame->width; r++) total[r] += lane[r] * lane[r];
        constant += (double)weir_tensor(frame, self->log_scale)[i];
    }
    for (int32_t r = 0; r < frame->width; r++) total[r] = WEIR_C(-0.5) * total[r] - WEIR_C(constant);
    for (int32_t r = 0; r < frame->width; r++) log_p[r] += total[r];
    return weir_discard_unless_finite(frame, total);
}

/** Adds sign times the sums over rows of w_i e_j to the gradients of L, and of w_i to that of the mean. */
static weir_status add_gradients(const normal *self, weir_frame *frame, weir_real sign, const weir_tile *w,
                                 const weir_tile *e)
{
    const int32_t n = self->features;
    weir_real *const mean = weir_gradient(frame, self->mean), *to = weir_gradient(frame, self->factor);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    weir_real *const product = weir_take(frame, (int64_t)n * n * (int64_t)sizeof *product);
    if (!product) return WEIR_ERROR;
    frame->math->gemm(n, n, frame->rows, (double)sign, w->data, w->stride, 1, e->data, 1, e->stride, 0,
                      product, n, 1);
    for (int32_t i = 0; i < n; i++) {
        const weir_real *const row = product + (int64_t)i * n;
        for (int32_t j = 0; to && j < i; j++) *to++ += row[j];
        if (log_scale) log_scale[i] += row[i] * diagonal(self, frame, i);
        if (mean) mean[i] += sign * weir_sum_lane(frame, weir_lane(w, i));
    }
    return WEIR_OK;
}

/** w = L^-T (-l_bar e) is the cotangent of z, minus that of the mean, and -w e^T that of L. */
weir_status WEIR_NAME(normal_full_vjp)(const normal *self, weir_frame *frame, const weir_tile *z,
                                       const weir_real *log_p_bar, const weir_tile *z_bar)
{
    weir_tile e, w;
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    const weir_real count = weir_sum_lane(frame, log_p_bar);
    (void)z;
    if (!weir_pop_tile(frame, self->features, &e) || !weir_take_tile(frame, self->features, &w))
        return WEIR_ERROR;
    for (int32_t i = self->features - 1; i >= 0; i--) {
        const weir_real scale = diagonal(self, frame, i), *const from = weir_lane(&e, i);
        weir_real *const lane = weir_lane(&w, i);
        for (int32_t r = 0; r < frame->width; r++) lane[r] = -log_p_bar[r] * from[r];
        for (int32_t k = i + 1; k < self->features; k++)
            add_lane(frame, -row_of(self, frame, k)[i], weir_lane(&w, k), lane);
        for (int32_t r = 0; r < frame->width; r++) lane[r] /= scale;
        if (z_bar) weir_copy_lane(frame, lane, weir_lane(z_bar, i));
        if (log_scale) log_scale[i] -= count;
    }
    return add_gradients(self, frame, -1, &w, &e);
}

weir_status WEIR_NAME(normal_full_sample)(const normal *self, weir_frame *frame, const weir_tile *z)
{
    weir_tile e;
    if (!weir_keep_tile(frame, self->features, &e)) return WEIR_ERROR;
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real m = weir_tensor(frame, self->mean)[i], scale = diagonal(self, frame, i);
        const weir_real *const row = row_of(self, frame, i);
        weir_real *const to = weir_lane(z, i), *const own = weir_lane(&e, i);
        frame->services->random_normal(frame, self->stream, (uint32_t)i, own);
        for (int32_t r = 0; r < frame->width; r++) to[r] = m + scale * own[r];
        for (int32_t j = 0; j < i; j++) add_lane(frame, row[j], weir_lane(&e, j), to);
    }
    return WEIR_OK;
}

weir_status WEIR_NAME(normal_full_sample_vjp)(const normal *self, weir_frame *frame, const weir_tile *z_bar)
{
    weir_tile e, w;
    if (!weir_pop_tile(frame, self->features, &e) || !weir_take_tile(frame, self->features, &w))
        return WEIR_ERROR;
    for (int32_t i = 0; i < self->features; i++) weir_copy_lane(frame, weir_lane(z_bar, i), weir_lane(&w, i));
    return add_gradients(self, frame, 1, &w, &e);
}

weir_status WEIR_NAME(normal_full_covariance)(const normal *self, weir_frame *frame, weir_real *covariance)
{
    const int32_t n = self->features;
    weir_real *const l = weir_take(frame, (int64_t)n * n * (int64_t)sizeof *l);
    if (!l) return WEIR_ERROR;
    memset(l, 0, (size_t)n * (size_t)n * sizeof *l);
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < i; j++) l[(int64_t)i * n + j] = row_of(self, frame, i)[j];
        l[(int64_t)i * n + i] = diagonal(self, frame, i);
    }
    frame->math->gemm(n, n, n, 1, l, n, 1, l, 1, n, 0, covariance, n, 1);
    return WEIR_OK;
}
