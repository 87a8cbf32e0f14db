/* matrix.h - dense algebra in double, for prepare and creation. Matrices are row-major. */
#ifndef LINEAR_MATRIX_H
#define LINEAR_MATRIX_H

#include <weir/plugin.h>

/** c [n, m] = a [n, k] b [k, m]; c overlaps neither. */
void WEIR_NAME(matrix_product)(int32_t n, int32_t m, int32_t k, const double *a, const double *b, double *c);

/** to [m, n] = from [n, m] transposed. */
void WEIR_NAME(matrix_transpose)(int32_t n, int32_t m, const double *from, double *to);

/** Gaussian elimination with partial pivoting, in place: L below the diagonal, U on and above it; origin[k] is the row
 *  that became row k. A column without a pivot is left as it is: then u_kk is 0. */
void WEIR_NAME(matrix_eliminate)(int32_t n, double *a, int64_t *origin);

/** What is known about an inverse. */
typedef struct matrix_size {
    double log_volume; /* log |det A| */
    double
        condition; /* the largest entry of |A^-1| |A| (1, ..., 1)^T: does not change when rows are scaled (Skeel 1979) */
} matrix_size;

/** inverse = a^-1, destroying a. WEIR_INVALID when a is singular to the rounding of this plugin's precision, or not finite;
 *  size->condition then says how badly: infinite where a pivot is missing. WEIR_ERROR when scratch is exhausted. */
weir_status WEIR_NAME(matrix_invert)(weir_frame *frame, int32_t n, double *a, double *inverse,
                                     matrix_size *size);

/** WEIR_INVALID, with a reason that gives the entry, when the parameter `name` [rows, columns] holds a value that is not
 *  finite. */
weir_status WEIR_NAME(require_finite)(weir_frame *frame, const char *name, weir_handle parameter,
                                      int64_t rows, int64_t columns);

/** n numbers of scratch; NULL when it is exhausted. */
WEIR_INLINE double *matrix_take(weir_frame *frame, int64_t count)
{
    return (double *)weir_take(frame, (count + 1) * (int64_t)sizeof(double));
}

WEIR_INLINE void matrix_read(int64_t count, const weir_real *from, double *to)
{
    for (int64_t i = 0; i < count; i++) to[i] = (double)from[i];
}

WEIR_INLINE void matrix_write(int64_t count, const double *from, weir_real *to)
{
    for (int64_t i = 0; i < count; i++) to[i] = WEIR_C(from[i]);
}

#endif
