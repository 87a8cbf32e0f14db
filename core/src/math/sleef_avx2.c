/* sleef_avx2.c - the tables for AVX2 with FMA. Compiled with the flags of flags.cmake. */
#include "math/tables.h"

#if WEIR__X86_64

#include <immintrin.h>
#include <math.h>
#include <sleef.h>

#define REAL              float
#define SINGLE            1
#define LIBM(g)           g##f
#define NAME(f)           f##_f32
#define PRECISION         WEIR_F32
#define TABLE             weir__math_avx2_f32
#define GEMM              weir__gemm_avx2_f32
#define VECTOR            __m256
#define LANES             8
#define LOAD              _mm256_loadu_ps
#define STORE             _mm256_storeu_ps
#define SPLAT             _mm256_set1_ps
#define MAGNITUDE(v)      _mm256_andnot_ps(_mm256_set1_ps((float)-0.0), v)
#define ABOVE_ZERO(v)     _mm256_max_ps(_mm256_setzero_ps(), v)
#define NEGATIVE(x, a, b) _mm256_blendv_ps(a, b, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ))
#define ANY_BEYOND(v, limit)                                                                                 \
    (_mm256_movemask_ps(_mm256_cmp_ps(MAGNITUDE(v), _mm256_set1_ps(limit), _CMP_LE_OQ)) != 255)
#define WITHIN(v, limit) _mm256_and_ps(v, _mm256_cmp_ps(MAGNITUDE(v), _mm256_set1_ps(limit), _CMP_LE_OQ))
#define SLEEF10(f)       Sleef_##f##f8_u10avx2
#define SLEEF35(f)       Sleef_##f##f8_u35avx2
#define FAST(f)          SLEEF35(f)
#include "math/sleef_body.h"

#define REAL              double
#define SINGLE            0
#define LIBM(g)           g
#define NAME(f)           f##_f64
#define PRECISION         WEIR_F64
#define TABLE             weir__math_avx2_f64
#define GEMM              weir__gemm_avx2_f64
#define VECTOR            __m256d
#define LANES             4
#define LOAD              _mm256_loadu_pd
#define STORE             _mm256_storeu_pd
#define SPLAT             _mm256_set1_pd
#define MAGNITUDE(v)      _mm256_andnot_pd(_mm256_set1_pd((double)-0.0), v)
#define ABOVE_ZERO(v)     _mm256_max_pd(_mm256_setzero_pd(), v)
#define NEGATIVE(x, a, b) _mm256_blendv_pd(a, b, _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_LT_OQ))
#define ANY_BEYOND(v, limit)                                                                                 \
    (_mm256_movemask_pd(_mm256_cmp_pd(MAGNITUDE(v), _mm256_set1_pd(limit), _CMP_LE_OQ)) != 15)
#define WITHIN(v, limit) _mm256_and_pd(v, _mm256_cmp_pd(MAGNITUDE(v), _mm256_set1_pd(limit), _CMP_LE_OQ))
#define SLEEF10(f)       Sleef_##f##d4_u10avx2
#define SLEEF35(f)       Sleef_##f##d4_u35avx2
#define FAST(f)          SLEEF10(f)
#include "math/sleef_body.h"

#endif
