/* quadratic.h - the piecewise-quadratic spline of every row of one lane, whose slope is a broken line.
 *
 * Knots X_0 = -B < ... < X_K = B, widths w_k, slopes d_0 = 1, d_1 .. d_{K-1} > 0, d_K = 1. The slope is linear in between,
 * so Y_{k+1} = Y_k + w_k (d_k + d_{k+1}) / 2, and Y_K = B is one condition on the inner slopes:
 *      sum over j of M_j d_j = sum over j of M_j,    M_j = (w_{j-1} + w_j) / 2,   0 < j < K,
 * that is, their mean with weights M_j is 1. It holds for d_j = m + (1 - m) e_j / c, e_j = exp(v_j), c the mean of the e_j
 * with those weights: every v is allowed, and each d_j is at least m. */
#ifndef SPLINES_QUADRATIC_H
#define SPLINES_QUADRATIC_H

#include "grid.h"

typedef struct quadratic_spline {
    box box;
    weir_real min_width, min_derivative;
} quadratic_spline;

/** Where every row of a lane is: the grid, the slopes at all knots, and those of the row's bin. */
typedef struct bend {
    axis x;
    weir_real *y;          /**< [K + 1][n] knots */
    weir_real *exps;       /**< [K - 1][n] e_j, j from 1 */
    weir_real *d;          /**< [K + 1][n] */
    weir_real *mean, *sum; /**< c and the sum of the M_j */
    weir_real *bin, *x0, *w, *y0, *h, *d0, *d1;
} bend;

/** Everything about the bin of every row, in scratch; `on_y` says whether `at` are values of y. 0: no memory. */
int WEIR_NAME(quadratic_locate)(const quadratic_spline *self, weir_frame *frame, int32_t n,
                                const weir_real *at, int on_y, const weir_real *p, int64_t s, bend *g);
/** Cotangents of x and of the parameters, from those of y and of log dy/dx. 0: no memory. */
int WEIR_NAME(quadratic_pull)(const quadratic_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                              const bend *g, const weir_real *y_bar, const weir_real *l_bar, weir_real *x_bar,
                              weir_real *p_bar, int64_t s);

#endif
