/* sleef_sse2.c - the tables for SSE2: every x86-64 processor. Compiled with the flags of flags.cmake. */
#include "math/tables.h"

#if WEIR__X86_64

#include <immintrin.h>
#include <math.h>
#include <sleef.h>

#define REAL          float
#define SINGLE        1
#define LIBM(g)       g##f
#define NAME(f)       f##_f32
#define PRECISION     WEIR_F32
#define TABLE         weir__math_sse2_f32
#define GEMM          weir__gemm_sse2_f32
#define VECTOR        __m128
#define LANES         4
#define LOAD          _mm_loadu_ps
#define STORE         _mm_storeu_ps
#define SPLAT         _mm_set1_ps
#define MAGNITUDE(v)  _mm_andnot_ps(_mm_set1_ps((float)-0.0), v)
#define ABOVE_ZERO(v) _mm_max_ps(_mm_setzero_ps(), v)
#define NEGATIVE(x, a, b)                                                                                    \
    _mm_or_ps(_mm_and_ps(_mm_cmplt_ps(x, _mm_setzero_ps()), b),                                              \
              _mm_andnot_ps(_mm_cmplt_ps(x, _mm_setzero_ps()), a))
#define ANY_BEYOND(v, limit) (_mm_movemask_ps(_mm_cmple_ps(MAGNITUDE(v), _mm_set1_ps(limit))) != 15)
#define WITHIN(v, limit)     _mm_and_ps(v, _mm_cmple_ps(MAGNITUDE(v), _mm_set1_ps(limit)))
#define SLEEF10(f)           Sleef_##f##f4_u10sse2
#define SLEEF35(f)           Sleef_##f##f4_u35sse2
#define FAST(f)              SLEEF35(f)
#include "math/sleef_body.h"

#define REAL          double
#define SINGLE        0
#define LIBM(g)       g
#define NAME(f)       f##_f64
#define PRECISION     WEIR_F64
#define TABLE         weir__math_sse2_f64
#define GEMM          weir__gemm_sse2_f64
#define VECTOR        __m128d
#define LANES         2
#define LOAD          _mm_loadu_pd
#define STORE         _mm_storeu_pd
#define SPLAT         _mm_set1_pd
#define MAGNITUDE(v)  _mm_andnot_pd(_mm_set1_pd((double)-0.0), v)
#define ABOVE_ZERO(v) _mm_max_pd(_mm_setzero_pd(), v)
#define NEGATIVE(x, a, b)                                                                                    \
    _mm_or_pd(_mm_and_pd(_mm_cmplt_pd(x, _mm_setzero_pd()), b),                                              \
              _mm_andnot_pd(_mm_cmplt_pd(x, _mm_setzero_pd()), a))
#define ANY_BEYOND(v, limit) (_mm_movemask_pd(_mm_cmple_pd(MAGNITUDE(v), _mm_set1_pd(limit))) != 3)
#define WITHIN(v, limit)     _mm_and_pd(v, _mm_cmple_pd(MAGNITUDE(v), _mm_set1_pd(limit)))
#define SLEEF10(f)           Sleef_##f##d2_u10sse2
#define SLEEF35(f)           Sleef_##f##d2_u35sse2
#define FAST(f)              SLEEF10(f)
#include "math/sleef_body.h"

#endif
