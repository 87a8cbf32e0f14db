/* tables.h - the tables math.c chooses from, one pair for each instruction set. */
#ifndef WEIR__TABLES_H
#define WEIR__TABLES_H

#include "math/math.h"

#if defined(__x86_64__)
#define WEIR__X86_64 1
#else
#define WEIR__X86_64 0
#endif

extern const weir_math weir__math_plain_f32, weir__math_plain_f64;
#if WEIR__X86_64
extern const weir_math weir__math_sse2_f32, weir__math_sse2_f64;
extern const weir_math weir__math_avx2_f32, weir__math_avx2_f64;
extern const weir_math weir__math_avx512_f32, weir__math_avx512_f64;
#endif

/** The triple loop, for what BLIS refuses. Same contract as weir_math.gemm. */
void weir__gemm_plain_f32(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                          int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                          int64_t c_row, int64_t c_col);
void weir__gemm_plain_f64(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                          int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                          int64_t c_row, int64_t c_col);

/** BLIS on the calling thread alone. Same contract. */
void weir__gemm_blis_f32(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                         int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                         int64_t c_row, int64_t c_col);
void weir__gemm_blis_f64(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                         int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                         int64_t c_row, int64_t c_col);

#endif
