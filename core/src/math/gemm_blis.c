/* gemm_blis.c - matrix products by BLIS; the one file that sees blis.h, whose structs change between releases.
 *
 * BLIS ends the process on sizes and strides that it does not like, so everything it might object to is asked here
 * first, and the plain loop takes the rest: nothing that reaches BLIS can abort. Every call carries its own runtime
 * object with one thread, so that neither OMP_NUM_THREADS nor BLIS_NUM_THREADS can start threads inside ours. */
#include "math/tables.h"

#include <blis.h>

/* A rows x cols view that BLIS 0.9 takes: strides that differ, with no element shared. Negative strides it takes too, and
 * returns wrong products. */
static int separable(int64_t rows, int64_t cols, int64_t row, int64_t col)
{
    if (rows > 1 && row <= 0) return 0;
    if (cols > 1 && col <= 0) return 0;
    if (rows <= 1 || cols <= 1) return 1;
    return row < col ? row * rows <= col : col * cols <= row;
}

/* A dimension of one element has no stride; BLIS looks at it all the same. */
static int64_t stride_for(int64_t count, int64_t stride, int64_t other_count, int64_t other_stride)
{
    if (count > 1) return stride;
    return other_count > 1 && other_stride == 1 ? other_count : 1;
}

#define GEMM(name, plain, real, call)                                                                        \
    WEIR__GEMM(name)                                                                                         \
    {                                                                                                        \
        if (m <= 0 || n <= 0) return;                                                                        \
        if (k <= 0 || alpha == 0 || !separable(m, k, a_row, a_col) || !separable(k, n, b_row, b_col) ||      \
            !separable(m, n, c_row, c_col)) {                                                                \
            plain(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col);                  \
            return;                                                                                          \
        }                                                                                                    \
        rntm_t runtime = BLIS_RNTM_INITIALIZER;                                                              \
        bli_rntm_set_num_threads(1, &runtime);                                                               \
        real al = (real)alpha, be = (real)beta;                                                              \
        call(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, m, n, k, &al, (real *)(uintptr_t)a,                       \
             stride_for(m, a_row, k, a_col), stride_for(k, a_col, m, a_row), (real *)(uintptr_t)b,           \
             stride_for(k, b_row, n, b_col), stride_for(n, b_col, k, b_row), &be, c,                         \
             stride_for(m, c_row, n, c_col), stride_for(n, c_col, m, c_row), NULL, &runtime);                \
    }
GEMM(weir__gemm_blis_f32, weir__gemm_plain_f32, float, bli_sgemm_ex)
GEMM(weir__gemm_blis_f64, weir__gemm_plain_f64, double, bli_dgemm_ex)
