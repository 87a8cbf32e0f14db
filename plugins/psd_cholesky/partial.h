/* partial.h - one row of the Cholesky factor of a correlation matrix and its canonical partial correlations, tanh z.
 *
 * Row i (from 0) has the entries L_i0 .. L_ii; r_j^2 = L_ij^2 + ... + L_ii^2 is what its first j entries leave of 1.
 * The formulas stand in correlation.c.
 */
#ifndef PSD_CHOLESKY_PARTIAL_H
#define PSD_CHOLESKY_PARTIAL_H

#include "triangle.h"

#define remainders      WEIR_NAME(partial_remainders)
#define row_forward     WEIR_NAME(partial_row_forward)
#define row_forward_vjp WEIR_NAME(partial_row_forward_vjp)
#define row_inverse     WEIR_NAME(partial_row_inverse)
#define row_inverse_vjp WEIR_NAME(partial_row_inverse_vjp)

/** Entry (i, j), j < i, of a triangle without its diagonal. */
WEIR_INLINE weir_real *strict_lane(const weir_tile *tile, int32_t i, int32_t j)
{
    return weir_lane(tile, (int32_t)(triangle_size(i - 1) + j));
}

/** squares, lane j = r_j^2. */
void remainders(const weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares);
/** Adds the row's part of log|det dz/dL|. squares: room for i + 1 lanes. */
weir_status row_forward(weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares,
                        const weir_tile *z, weir_real *log_det);
/** Overwrites row i of L_bar, 0 on the diagonal. carried: one lane. */
void row_forward_vjp(const weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares,
                     weir_real *carried, const weir_tile *z_bar, const weir_real *l_bar,
                     const weir_tile *L_bar);
/** Adds the row's part of log|det dL/dz| and `more` times log L_ii. log_r, step: one lane each. */
weir_status row_inverse(weir_frame *frame, const weir_tile *z, int32_t i, weir_real more, weir_real *log_r,
                        weir_real *step, const weir_tile *L, weir_real *log_det);
/** Overwrites row i of z_bar. runs: room for i + 1 lanes; carried, t: one lane each. */
void row_inverse_vjp(const weir_frame *frame, const weir_tile *z, int32_t i, weir_real more,
                     const weir_tile *L, const weir_tile *L_bar, const weir_real *l_bar,
                     const weir_tile *runs, weir_real *carried, weir_real *t, const weir_tile *z_bar);

#endif
