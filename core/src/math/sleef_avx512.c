/* sleef_avx512.c - the tables for AVX-512F. Compiled with the flags of flags.cmake. */
#include "math/tables.h"

#if WEIR__X86_64

#include <immintrin.h>
#include <math.h>
#include <sleef.h>

#define REAL                 float
#define SINGLE               1
#define LIBM(g)              g##f
#define NAME(f)              f##_f32
#define PRECISION            WEIR_F32
#define TABLE                weir__math_avx512_f32
#define GEMM                 weir__gemm_avx512_f32
#define VECTOR               __m512
#define LANES                16
#define LOAD                 _mm512_loadu_ps
#define STORE                _mm512_storeu_ps
#define SPLAT                _mm512_set1_ps
#define MAGNITUDE(v)         _mm512_abs_ps(v)
#define ABOVE_ZERO(v)        _mm512_max_ps(_mm512_setzero_ps(), v)
#define NEGATIVE(x, a, b)    _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), a, b)
#define ANY_BEYOND(v, limit) (_mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(limit), _CMP_NLE_UQ) != 0)
#define WITHIN(v, limit)                                                                                     \
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(limit), _CMP_LE_OQ), v)
#define SLEEF10(f) Sleef_##f##f16_u10avx512f
#define SLEEF35(f) Sleef_##f##f16_u35avx512f
#define FAST(f)    SLEEF35(f)
#include "math/sleef_body.h"

#define REAL                 double
#define SINGLE               0
#define LIBM(g)              g
#define NAME(f)              f##_f64
#define PRECISION            WEIR_F64
#define TABLE                weir__math_avx512_f64
#define GEMM                 weir__gemm_avx512_f64
#define VECTOR               __m512d
#define LANES                8
#define LOAD                 _mm512_loadu_pd
#define STORE                _mm512_storeu_pd
#define SPLAT                _mm512_set1_pd
#define MAGNITUDE(v)         _mm512_abs_pd(v)
#define ABOVE_ZERO(v)        _mm512_max_pd(_mm512_setzero_pd(), v)
#define NEGATIVE(x, a, b)    _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_LT_OQ), a, b)
#define ANY_BEYOND(v, limit) (_mm512_cmp_pd_mask(_mm512_abs_pd(v), _mm512_set1_pd(limit), _CMP_NLE_UQ) != 0)
#define WITHIN(v, limit)                                                                                     \
    _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(_mm512_abs_pd(v), _mm512_set1_pd(limit), _CMP_LE_OQ), v)
#define SLEEF10(f) Sleef_##f##d8_u10avx512f
#define SLEEF35(f) Sleef_##f##d8_u35avx512f
#define FAST(f)    SLEEF10(f)
#include "math/sleef_body.h"

#endif
