/* statistics.c - of the batch and of the past: which are in use, and how they come about. */
#include "batch_norm.h"
#include "sums.h"

/* ---- the statistics in use -------------------------------------------------------------------- */

/** Makes a mean and a variance those of feature f. Returns its log-det. Powers are taken in double, so that a deviation
 *  whose square is beyond this precision is no trouble. */
static double use(const batch_norm *self, const weir_frame *frame, int32_t f, double mean, double variance)
{
    const double logs = log_gamma_of(self, frame, f), under = variance + self->eps;
    weir_tensor(frame, self->centre)[f] = WEIR_C(mean);
    weir_tensor(frame, self->steepness)[f] = WEIR_C(1 / sqrt(under));
    weir_tensor(frame, self->slope)[f] = WEIR_C(exp(logs) / sqrt(under));
    weir_tensor(frame, self->pull)[f] = weir_tensor(frame, self->pull)[self->features + f] = 0;
    return logs - log(under) / 2;
}

weir_status WEIR_NAME(batch_norm_prepare)(const void *module, weir_frame *frame)
{
    const batch_norm *const self = module;
    const weir_real *const means = weir_tensor(frame, self->running_mean);
    const weir_real *const variances = weir_tensor(frame, self->running_variance);
    double log_det = 0;
    for (int32_t f = 0; f < self->features; f++)
        log_det += use(self, frame, f, (double)means[f], (double)variances[f]);
    *weir_tensor(frame, self->log_det) = WEIR_C(log_det);
    return WEIR_OK;
}

/** The VJPs add to the parameters' gradients themselves: derived tensors collect nothing. */
weir_status WEIR_NAME(batch_norm_prepare_vjp)(const void *module, weir_frame *frame)
{
    (void)module, (void)frame;
    return WEIR_OK;
}

/* ---- sums over the batch ---------------------------------------------------------------------- */

int64_t WEIR_NAME(batch_norm_observe_size)(const void *self)
{
    return batch_sums_size(((const batch_norm *)self)->features);
}

static weir_moments moments_of(const weir_real *lane, int32_t rows)
{
    double sums[8] = {0}, squares[8] = {0};
    int32_t i = 0;
    for (; i + 8 <= rows; i += 8)
        for (int k = 0; k < 8; k++) sums[k] += (double)lane[i + k];
    for (; i < rows; i++) sums[0] += (double)lane[i];
    const double sum = eight(sums), mean = rows > 0 ? sum / rows : 0;
    if (sum - sum != 0) return weir_moments_of(lane, rows); /* leaves out what is not finite */
    for (i = 0; i + 8 <= rows; i += 8)
        for (int k = 0; k < 8; k++) squares[k] += ((double)lane[i + k] - mean) * ((double)lane[i + k] - mean);
    for (; i < rows; i++) squares[0] += ((double)lane[i] - mean) * ((double)lane[i] - mean);
    return (weir_moments){rows, mean, eight(squares)};
}

weir_status WEIR_NAME(batch_norm_observe)(const void *module, weir_frame *frame, int32_t inverse,
                                          const weir_tile *tile, void *partial)
{
    batch_sums *const sums = partial;
    (void)module, (void)inverse;
    sums->kind = SUMS_OF_ROWS;
    for (int32_t f = 0; f < tile->features; f++) {
        const weir_moments from = moments_of(weir_lane(tile, f), frame->rows);
        weir_moments_merge(&sums->of[f].moments, &from, 1);
    }
    return WEIR_OK;
}

weir_status WEIR_NAME(batch_norm_merge)(const void *self, void *into, const void *from)
{
    batch_sums_merge(into, from, ((const batch_norm *)self)->features);
    return WEIR_OK;
}

static double variance_of(const weir_moments *m)
{
    return m->count > 0 ? m->squares / m->count : 0;
}

/** Initialisation. When it is the inverse that the data go through, its output is to have what forward's would:
 *  x = m + z / s with 1 / s = 1 / sd. Where that takes a variance below 0, eps stands in the way, and 0 comes nearest.
 *  One row tells nothing about a variance. */
static void replace_running(const batch_norm *self, const weir_frame *frame, int32_t inverse,
                            const weir_moments *m, int32_t f)
{
    const double variance = m->count > 1 ? variance_of(m) : 1, under = variance + self->eps;
    const double turned = 1 / under - self->eps;
    weir_tensor(frame, self->running_mean)[f] = WEIR_C(inverse ? -m->mean / sqrt(under) : m->mean);
    weir_tensor(frame, self->running_variance)[f] = WEIR_C(!inverse ? variance : turned > 0 ? turned : 0);
}

static void move_running(const batch_norm *self, const weir_frame *frame, const weir_moments *m, int32_t f)
{
    weir_real *const mean = weir_tensor(frame, self->running_mean) + f;
    weir_real *const variance = weir_tensor(frame, self->running_variance) + f;
    *mean = WEIR_C((double)*mean + self->momentum * (m->mean - (double)*mean));
    if (m->count > 1)
        *variance = WEIR_C((double)*variance + self->momentum * (variance_of(m) - (double)*variance));
}

weir_status WEIR_NAME(batch_norm_observe_finish)(const void *module, weir_frame *frame, int32_t inverse,
                                                 const void *total)
{
    const batch_norm *const self = module;
    const batch_sums *const sums = total;
    double log_det = 0;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_moments *const m = &sums->of[f].moments;
        if (frame->mode == WEIR_MODE_TRAIN) {
            move_running(self, frame, m, f);
            log_det += use(self, frame, f, m->mean, variance_of(m));
        } else {
            replace_running(self, frame, inverse, m, f);
        }
    }
    if (frame->mode == WEIR_MODE_TRAIN) *weir_tensor(frame, self->log_det) = WEIR_C(log_det);
    return WEIR_OK;
}

weir_status WEIR_NAME(batch_norm_observe_vjp)(const void *module, weir_frame *frame, const weir_tile *x,
                                              const weir_tile *z, const weir_tile *z_bar,
                                              const void *log_det_bar, void *partial)
{
    const batch_norm *const self = module;
    batch_sums *const sums = partial;
    (void)z;
    sums->kind = SUMS_OF_COTANGENTS;
    sums->rows += frame->rows;
    sums->log_det_bar += sum_of(frame, log_det_bar);
    for (int32_t f = 0; f < self->features; f++) {
        sums->of[f].cotangents.bar += sum_of(frame, weir_lane(z_bar, f));
        sums->of[f].cotangents.along += along(self, frame, x, z_bar, f);
    }
    return WEIR_OK;
}

weir_status WEIR_NAME(batch_norm_observe_vjp_finish)(const void *module, weir_frame *frame, const void *total)
{
    const batch_norm *const self = module;
    const batch_sums *const sums = total;
    weir_real *const pulls = weir_tensor(frame, self->pull);
    for (int32_t f = 0; sums->rows > 0 && f < self->features; f++) {
        const double gamma = (double)gamma_of(self, frame, f);
        const cotangent_sums *const c = &sums->of[f].cotangents;
        pulls[f] = WEIR_C(gamma * c->bar / sums->rows);
        pulls[self->features + f] = WEIR_C((gamma * c->along + sums->log_det_bar) / sums->rows);
    }
    return WEIR_OK;
}
