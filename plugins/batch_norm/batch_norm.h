/* batch_norm.h - the layer's tensors, and its calls that make statistics. */
#ifndef BATCH_NORM_H
#define BATCH_NORM_H

#include <weir/plugin.h>

typedef struct batch_norm {
    int32_t features;
    double eps, momentum;
    weir_handle log_gamma, beta;                /* parameters [features]; -1 without affine */
    weir_handle running_mean, running_variance; /* buffers [features] */
    /* Derived, of the statistics in use: the batch's between observe_finish and the end of a step, else the running ones. */
    weir_handle centre, steepness; /* [features] m and s = 1 / sqrt(v + eps) */
    weir_handle slope;             /* [features] gamma s */
    weir_handle log_det;           /* [] */
    weir_handle pull; /* [2, features] of the batch's gradient: P and Q of the docstring; else 0 */
} batch_norm;

WEIR_INLINE double log_gamma_of(const batch_norm *self, const weir_frame *frame, int32_t f)
{
    return self->log_gamma < 0 ? 0 : (double)weir_tensor(frame, self->log_gamma)[f];
}

WEIR_INLINE weir_real gamma_of(const batch_norm *self, const weir_frame *frame, int32_t f)
{
    return WEIR_C(exp(log_gamma_of(self, frame, f)));
}

WEIR_INLINE weir_real beta_of(const batch_norm *self, const weir_frame *frame, int32_t f)
{
    return self->beta < 0 ? 0 : weir_tensor(frame, self->beta)[f];
}

/* Sums over cotangents run over the padding too, where they are 0, in eight parts, which a processor adds side by side. */
WEIR_INLINE double eight(const double *parts)
{
    return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

/** Sum of z_bar x^ over the rows of feature f. */
WEIR_INLINE double along(const batch_norm *self, const weir_frame *frame, const weir_tile *x,
                         const weir_tile *z_bar, int32_t f)
{
    const weir_real *const at = weir_lane(x, f), *const bar = weir_lane(z_bar, f);
    const double centre = (double)weir_tensor(frame, self->centre)[f];
    double parts[8] = {0};
    for (int32_t i = 0; i < frame->width; i += 8)
        for (int k = 0; k < 8; k++) parts[k] += (double)bar[i + k] * ((double)at[i + k] - centre);
    return eight(parts) * (double)weir_tensor(frame, self->steepness)[f];
}

/** Sum of a lane of cotangents; NULL: 0. */
WEIR_INLINE double sum_of(const weir_frame *frame, const weir_real *lane)
{
    double parts[8] = {0};
    for (int32_t i = 0; lane && i < frame->width; i += 8)
        for (int k = 0; k < 8; k++) parts[k] += (double)lane[i + k];
    return eight(parts);
}

weir_status WEIR_NAME(batch_norm_prepare)(const void *module, weir_frame *frame);
weir_status WEIR_NAME(batch_norm_prepare_vjp)(const void *module, weir_frame *frame);
int64_t WEIR_NAME(batch_norm_observe_size)(const void *self);
weir_status WEIR_NAME(batch_norm_observe)(const void *module, weir_frame *frame, int32_t inverse,
                                          const weir_tile *tile, void *partial);
weir_status WEIR_NAME(batch_norm_merge)(const void *self, void *into, const void *from);
weir_status WEIR_NAME(batch_norm_observe_finish)(const void *module, weir_frame *frame, int32_t inverse,
                                                 const void *total);
weir_status WEIR_NAME(batch_norm_observe_vjp)(const void *module, weir_frame *frame, const weir_tile *x,
                                              const weir_tile *z, const weir_tile *z_bar,
                                              const void *log_det_bar, void *partial);
weir_status WEIR_NAME(batch_norm_observe_vjp_finish)(const void *module, weir_frame *frame,
                                                     const void *total);

#endif
