/* tables.h - the tables math.c chooses from, one pair for each instruction set. */
#ifndef WEIR__TABLES_H
#define WEIR__TABLES_H

#include "math/math.h"

#if defined(__x86_64__)
#define WEIR__X86_64 1
#else
#define WEIR__X86_64 0
#endif
#if defined(__aarch64__)
#define WEIR__AARCH64 1
#else
#define WEIR__AARCH64 0
#endif

extern const weir_math weir__math_plain_f32, weir__math_plain_f64;
#if WEIR__X86_64
extern const weir_math weir__math_sse2_f32, weir__math_sse2_f64;
extern const weir_math weir__math_avx2_f32, weir__math_avx2_f64;
extern const weir_math weir__math_avx512_f32, weir__math_avx512_f64;
#elif WEIR__AARCH64
extern const weir_math weir__math_neon_f32, weir__math_neon_f64;
#endif

/** 1 when weir__math chose AVX2 or better. */
int weir__math_has_avx2(void);

/* Everything below has the contract of weir_math.gemm. */
#define WEIR__GEMM(name)                                                                                     \
    void name(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row, int64_t a_col,    \
              const void *b, int64_t b_row, int64_t b_col, double beta, void *c, int64_t c_row,              \
              int64_t c_col)

/** The triple loop. */
WEIR__GEMM(weir__gemm_plain_f32);
WEIR__GEMM(weir__gemm_plain_f64);

/** BLIS on the calling thread alone; the triple loop for what BLIS refuses. */
WEIR__GEMM(weir__gemm_blis_f32);
WEIR__GEMM(weir__gemm_blis_f64);

/** Our own for small matrices with contiguous rows; BLIS for large ones. */
#if WEIR__X86_64
WEIR__GEMM(weir__gemm_sse2_f32);
WEIR__GEMM(weir__gemm_sse2_f64);
WEIR__GEMM(weir__gemm_avx2_f32);
WEIR__GEMM(weir__gemm_avx2_f64);
WEIR__GEMM(weir__gemm_avx512_f32);
WEIR__GEMM(weir__gemm_avx512_f64);
#elif WEIR__AARCH64
WEIR__GEMM(weir__gemm_neon_f32);
WEIR__GEMM(weir__gemm_neon_f64);
#endif

#endif
