/* gemm_tile_avx2.c - products of tiles with AVX2 and FMA. Compiled with the flags of flags.cmake. */
#include "math/gemm_tile.h"

#if WEIR__X86_64

#include <immintrin.h>

#define ROWS  6
#define BYTES 32

/* Masks of the first n numbers begin at element LANES - n. */
static const int32_t window_f32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t window_f64[8] = {-1, -1, -1, -1};

static inline __m256i mask_at(const void *window)
{
    return _mm256_loadu_si256((const __m256i *)window);
}

#define REAL          float
#define LANES         8
#define GREATER(a, b) _mm256_max_ps(a, b)
#define PART(p, n)    _mm256_maskload_ps(p, mask_at(window_f32 + 8 - (n)))
#define HALF(p)       _mm256_broadcast_ps((const __m128 *)(const void *)(p))
#define QUARTER(p)                                                                                           \
    _mm256_castsi256_ps(_mm256_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#define NAME(f) f##_avx2_f32
#define BIG     weir__gemm_blis_f32
#include "math/gemm_tile_body.h"

#define REAL          double
#define LANES         4
#define GREATER(a, b) _mm256_max_pd(a, b)
#define PART(p, n)    _mm256_maskload_pd(p, mask_at(window_f64 + 4 - (n)))
#define HALF(p)       _mm256_broadcast_pd((const __m128d *)(const void *)(p))
#define NAME(f)       f##_avx2_f64
#define BIG           weir__gemm_blis_f64
#include "math/gemm_tile_body.h"

#endif
