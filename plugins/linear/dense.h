/* dense.h - products with a dense n x n matrix over all rows of a tile. */
#ifndef LINEAR_DENSE_H
#define LINEAR_DENSE_H

#include <weir/plugin.h>

/** out [n, rows] = W in, or W^T in, for a row-major W [n, n]; the tiles do not overlap. */
WEIR_INLINE void dense_multiply(weir_frame *frame, int32_t n, const weir_real *w, int transposed,
                                const weir_tile *in, const weir_tile *out)
{
    frame->math->gemm(n, frame->width, n, 1, w, transposed ? 1 : n, transposed ? n : 1, in->data, in->stride,
                      1, 0, out->data, out->stride, 1);
}

/** gradient [left, right] += sign * left right^T, summed over the rows that count. */
WEIR_INLINE void dense_outer(weir_frame *frame, double sign, const weir_tile *left, const weir_tile *right,
                             weir_real *gradient)
{
    if (!gradient) return;
    frame->math->gemm(left->features, right->features, frame->rows, sign, left->data, left->stride, 1,
                      right->data, 1, right->stride, 1, gradient, right->features, 1);
}

/** The sum of a * b over the rows that count. */
WEIR_INLINE weir_real dot_lanes(const weir_frame *frame, const weir_real *a, const weir_real *b)
{
    weir_real sum = 0;
    for (int32_t r = 0; r < frame->rows; r++) sum += a[r] * b[r];
    return sum;
}

#endif
