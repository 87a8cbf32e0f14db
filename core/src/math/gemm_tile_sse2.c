/* gemm_tile_sse2.c - products of tiles with SSE2. Compiled with the flags of flags.cmake. */
#include "math/gemm_tile.h"

#if WEIR__X86_64

#include <immintrin.h>

#define ROWS  6
#define BYTES 16

static inline __m128 part_f32(const float *p, int64_t n)
{
    if (n == 1) return _mm_load_ss(p);
    const __m128 two = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p));
    return n == 2 ? two : _mm_movelh_ps(two, _mm_load_ss(p + 2));
}

static inline __m128 twice_f32(const float *p)
{
    const __m128i two = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm_castsi128_ps(_mm_unpacklo_epi64(two, two));
}

#define REAL          float
#define LANES         4
#define GREATER(a, b) _mm_max_ps(a, b)
#define PART(p, n)    part_f32(p, n)
#define HALF(p)       twice_f32(p)
#define NAME(f)       f##_sse2_f32
#define BIG           weir__gemm_blis_f32
#include "math/gemm_tile_body.h"

#define REAL          double
#define LANES         2
#define GREATER(a, b) _mm_max_pd(a, b)
#define PART(p, n)    ((void)(n), _mm_load_sd(p))
#define NAME(f)       f##_sse2_f64
#define BIG           weir__gemm_blis_f64
#include "math/gemm_tile_body.h"

#endif
