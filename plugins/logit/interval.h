/* interval.h - one feature of an interval, a half-line or the line, and its increasing map to the whole line.
 *
 * With lower and upper end l and u, each map is written from the distances to the ends, so that neither loses digits there:
 *   BOTH   v = alpha + (x - l) / range, w = alpha + (u - x) / range;  z = log v - log w,  log dz/dx = -log(range v w)
 *   LOWER  v = x - l;  z = log v,  log dz/dx = -log v;   soft: z = log(e^v - 1),  log dz/dx = -log(1 - e^-v)
 *   UPPER  v = u - x;  z = -log v, and likewise
 *   FREE   z = x.
 */
#ifndef LOGIT_INTERVAL_H
#define LOGIT_INTERVAL_H

#include <weir/plugin.h>

enum { INTERVAL_FREE, INTERVAL_LOWER, INTERVAL_UPPER, INTERVAL_BOTH };

typedef struct interval {
    int32_t shape;
    int32_t soft; /* half-lines: the inverse of softplus, a line far from the end, instead of the logarithm */
    weir_real lower, upper;
    weir_real alpha, range; /* BOTH: margin, and (upper - lower) / (1 - 2 alpha) */
    weir_real log_range;
} interval;

/** Lanes of frame->width numbers; log_det and its cotangent may be NULL. Rows that leave the domain are discarded. The
 *  functions take scratch: a caller with many features marks and releases. */
#define interval_make         WEIR_NAME(interval_make)
#define interval_forward      WEIR_NAME(interval_forward)
#define interval_inverse      WEIR_NAME(interval_inverse)
#define interval_forward_vjp  WEIR_NAME(interval_forward_vjp)
#define interval_inverse_vjp  WEIR_NAME(interval_inverse_vjp)
#define interval_sample_point WEIR_NAME(interval_sample_point)

interval interval_make(double lower, double upper, double alpha, int32_t soft);
weir_status interval_forward(const interval *of, weir_frame *frame, const weir_real *x, weir_real *z,
                             weir_real *log_det);
weir_status interval_inverse(const interval *of, weir_frame *frame, const weir_real *z, weir_real *x,
                             weir_real *log_det);
weir_status interval_forward_vjp(const interval *of, weir_frame *frame, const weir_real *x,
                                 const weir_real *z_bar, const weir_real *log_det_bar, weir_real *x_bar);
weir_status interval_inverse_vjp(const interval *of, weir_frame *frame, const weir_real *z,
                                 const weir_real *x_bar, const weir_real *log_det_bar, weir_real *z_bar);
void interval_sample_point(const interval *of, weir_frame *frame, uint32_t stream, uint32_t draw,
                           weir_real *x);

#endif
