/* gemm_finished.h - products that bias and activation follow, in one pass over C where the activation is a comparison. */
#ifndef WEIR__GEMM_FINISHED_H
#define WEIR__GEMM_FINISHED_H

#include "math/tables.h"

/** What follows a product, row by row of C: C = activation(C + bias). */
typedef struct weir__finish {
    const void *bias; /* one number for each row of C; NULL: none */
    int32_t activation;
} weir__finish;

/** A product by math->gemm and what follows it. The bits are those of math->gemm and then weir__activate. Rows of C are
 *  contiguous. */
void weir__gemm_finish(const weir_math *math, int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row,
                       const void *b, int64_t b_row, double beta, void *c, int64_t c_row,
                       const weir__finish *finish);

/** 1 when the kernels apply this activation to their registers. */
int weir__gemm_takes(int32_t activation);

/* weir_math.gemm, and `finish` if it is not NULL: none, relu or leaky_relu. Returns 1 when C is finished, 0 when the product
 * went a way that leaves `finish` to the caller. */
#define WEIR__GEMM_FINISHED(name)                                                                            \
    int name(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row, int64_t a_col,     \
             const void *b, int64_t b_row, int64_t b_col, double beta, void *c, int64_t c_row,               \
             int64_t c_col, const weir__finish *finish)

#if WEIR__X86_64
WEIR__GEMM_FINISHED(weir__gemm_finished_sse2_f32);
WEIR__GEMM_FINISHED(weir__gemm_finished_sse2_f64);
WEIR__GEMM_FINISHED(weir__gemm_finished_avx2_f32);
WEIR__GEMM_FINISHED(weir__gemm_finished_avx2_f64);
WEIR__GEMM_FINISHED(weir__gemm_finished_avx512_f32);
WEIR__GEMM_FINISHED(weir__gemm_finished_avx512_f64);
#elif WEIR__AARCH64
WEIR__GEMM_FINISHED(weir__gemm_finished_neon_f32);
WEIR__GEMM_FINISHED(weir__gemm_finished_neon_f64);
#endif

#endif
