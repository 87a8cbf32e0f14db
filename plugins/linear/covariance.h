/* covariance.h - mean and covariance of rows, gathered tile by tile, and the covariance's Cholesky factor.
 *
 * Each tile's sums are of differences from its own mean, and are merged pairwise (Chan, Golub and LeVeque 1983), so a large
 * mean costs no digits. A row with a value that is not finite is left out as a whole. All in double. */
#ifndef LINEAR_COVARIANCE_H
#define LINEAR_COVARIANCE_H

#include <weir/plugin.h>

/** Numbers in a partial statistic of n features: how many rows, their mean [n], and the lower triangle [n (n + 1)/2] of the
 *  sum of (x - mean)(x - mean)^T, row by row. All zero: no rows. */
WEIR_INLINE int64_t covariance_size(int32_t n)
{
    return 1 + n + (int64_t)n * (n + 1) / 2;
}

/** Adds the frame's rows of a tile. WEIR_ERROR when scratch is exhausted. */
weir_status WEIR_NAME(covariance_add)(weir_frame *frame, const weir_tile *tile, double *partial);
void WEIR_NAME(covariance_merge)(int32_t n, double *into, const double *from);

/** factor [n, n], row-major, lower: L with L L^T = the covariance (denominator N) + jitter^2 I. WEIR_INVALID, with a reason,
 *  where that is singular: too few rows, or a feature that the ones before it determine to rounding. */
weir_status WEIR_NAME(covariance_factor)(weir_frame *frame, int32_t n, const double *total, double jitter,
                                         double *factor);

#endif
