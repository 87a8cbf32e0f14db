/* normal.h - what the diagonal and the full normal share. */
#ifndef NORMAL_H
#define NORMAL_H

#include <weir/plugin.h>

#define HALF_LOG_2PI 0.91893853320467274178

typedef struct normal {
    int32_t features;
    uint32_t stream;
    weir_handle mean, log_scale; /* -1, -1: fixed at 0, 0 */
    weir_handle factor;          /* -1: the covariance is diagonal */
} normal;

/* The calls where the covariance is full; see full.c. */
weir_status WEIR_NAME(normal_full_log_density)(const normal *self, weir_frame *frame, const weir_tile *z,
                                               weir_real *log_p);
weir_status WEIR_NAME(normal_full_vjp)(const normal *self, weir_frame *frame, const weir_tile *z,
                                       const weir_real *log_p_bar, const weir_tile *z_bar);
weir_status WEIR_NAME(normal_full_sample)(const normal *self, weir_frame *frame, const weir_tile *z);
weir_status WEIR_NAME(normal_full_sample_vjp)(const normal *self, weir_frame *frame, const weir_tile *z_bar);

/** L L^T, [features, features] */
weir_status WEIR_NAME(normal_full_covariance)(const normal *self, weir_frame *frame, weir_real *covariance);

#endif
