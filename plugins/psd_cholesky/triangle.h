/* triangle.h - lower triangles as tiles, row by row (11, 21, 22, 31, ...), a matrix for every row of data: Cholesky
 * factors, products L L^T, and their VJPs. Loops run over the lanes' rows, so that they vectorise.
 */
#ifndef PSD_CHOLESKY_TRIANGLE_H
#define PSD_CHOLESKY_TRIANGLE_H

#include <weir/spaces.h>

#define triangle_side    WEIR_NAME(triangle_side)
#define triangle_factor  WEIR_NAME(triangle_factor)
#define triangle_product WEIR_NAME(triangle_product)
#define factor_vjp       WEIR_NAME(triangle_factor_vjp)
#define product_vjp      WEIR_NAME(triangle_product_vjp)

/** Entries of a lower triangle with its diagonal. */
WEIR_INLINE int64_t triangle_size(int64_t side)
{
    return side * (side + 1) / 2;
}

/** Entry (i, j), j <= i, both from 0. */
WEIR_INLINE weir_real *triangle_lane(const weir_tile *tile, int32_t i, int32_t j)
{
    return weir_lane(tile, (int32_t)(triangle_size(i) + j));
}

/** d with d (d + 1) / 2 = features; 0, with the nearest such numbers named, when there is none. `what` says of what. */
int32_t triangle_side(weir_builder *build, const char *what);

/** L from S = L L^T. Rows of data whose S is not positive definite, as far as rounding lets one tell (a pivot of at most
 *  4 d epsilon S_ii), get a NaN in a diagonal lane and are discarded. L may not be S. */
weir_status triangle_factor(weir_frame *frame, int32_t side, const weir_tile *S, const weir_tile *L);
/** S = L L^T. S may not be L. */
void triangle_product(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *S);
/** The VJP of triangle_factor: from L_bar, in place, the cotangent of S's lower triangle. */
void factor_vjp(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *bar);
/** The VJP of triangle_product: L_bar from S_bar. */
void product_vjp(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *S_bar,
                 const weir_tile *L_bar);

/** Both modules' descriptors stand in files of their own. */
extern const weir_module WEIR_NAME(correlation_module);

#endif
