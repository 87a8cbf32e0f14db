/* gemm_tile_avx512.c - products of tiles with AVX-512F. Compiled with the flags of flags.cmake. */
#include "math/gemm_tile.h"

#if WEIR__X86_64

#include <immintrin.h>

#define ROWS 12

#define REAL          float
#define LANES         16
#define GREATER(a, b) _mm512_max_ps(a, b)
#define NAME(f)       f##_avx512_f32
#define BIG           weir__gemm_blis_f32
#define SHORT         weir__gemm_finished_avx2_f32
#include "math/gemm_tile_body.h"

#define REAL          double
#define LANES         8
#define GREATER(a, b) _mm512_max_pd(a, b)
#define NAME(f)       f##_avx512_f64
#define BIG           weir__gemm_blis_f64
#define SHORT         weir__gemm_finished_avx2_f64
#include "math/gemm_tile_body.h"

#endif
