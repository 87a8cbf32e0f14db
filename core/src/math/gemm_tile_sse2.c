/* gemm_tile_sse2.c - products of tiles with SSE2. Compiled with the flags of flags.cmake. */
#include "math/gemm_tile.h"

#if WEIR__X86_64

#include <immintrin.h>

#define ROWS 6

#define REAL          float
#define LANES         4
#define GREATER(a, b) _mm_max_ps(a, b)
#define NAME(f)       f##_sse2_f32
#define BIG           weir__gemm_blis_f32
#include "math/gemm_tile_body.h"

#define REAL          double
#define LANES         2
#define GREATER(a, b) _mm_max_pd(a, b)
#define NAME(f)       f##_sse2_f64
#define BIG           weir__gemm_blis_f64
#include "math/gemm_tile_body.h"

#endif
