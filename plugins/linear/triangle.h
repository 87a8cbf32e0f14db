/* triangle.h - products and solves with triangular matrices over all rows of a tile. */
#ifndef LINEAR_TRIANGLE_H
#define LINEAR_TRIANGLE_H

#include <weir/plugin.h>

/** A triangular n x n matrix with zeros stored in its other half: element (i, j) is entries[i * row + j * column].
 *  Swapping row and column, and lower, transposes it. */
typedef struct triangle {
    const weir_real *entries;
    int32_t n;
    int64_t row, column;
    int lower;
} triangle;

WEIR_INLINE triangle transposed(triangle t)
{
    return (triangle){t.entries, t.n, t.column, t.row, !t.lower};
}

/** out = T in; the tiles do not overlap. */
void WEIR_NAME(triangle_multiply)(triangle t, weir_frame *frame, const weir_tile *in, const weir_tile *out);

/** tile = T^-1 tile. */
void WEIR_NAME(triangle_solve)(triangle t, weir_frame *frame, const weir_tile *tile);

/** gradient += sign * left right^T, summed over the rows that count, in the half that t keeps (entries of the other half
 *  near the diagonal get values of no meaning). gradient is dense and row-major. */
void WEIR_NAME(triangle_outer)(triangle t, weir_frame *frame, double sign, const weir_tile *left,
                               const weir_tile *right, weir_real *gradient);

#endif
