/* gemm_tile_neon.c - products of tiles with NEON: every 64-bit Arm processor. Compiled with the flags of flags.cmake. */
#include "math/gemm_tile.h"

#if WEIR__AARCH64

#include <arm_neon.h>

#define ROWS  12
#define BYTES 16

static inline float32x4_t part_f32(const float *p, int64_t n)
{
    float32x4_t part = vsetq_lane_f32(p[0], vdupq_n_f32(0), 0);
    if (n > 1) part = vsetq_lane_f32(p[1], part, 1);
    return n > 2 ? vsetq_lane_f32(p[2], part, 2) : part;
}

static inline float32x4_t twice_f32(const float *p)
{
    return vcombine_f32(vld1_f32(p), vld1_f32(p));
}

#define REAL          float
#define LANES         4
#define GREATER(a, b) (vector) vbslq_f32(vcgtq_f32(a, b), a, b)
#define PART(p, n)    (vector) part_f32(p, n)
#define HALF(p)       (vector) twice_f32(p)
#define NAME(f)       f##_neon_f32
#define BIG           weir__gemm_blis_f32
#include "math/gemm_tile_body.h"

#define REAL          double
#define LANES         2
#define GREATER(a, b) (vector) vbslq_f64(vcgtq_f64(a, b), a, b)
#define PART(p, n)    ((void)(n), (vector)vsetq_lane_f64(*(p), vdupq_n_f64(0), 0))
#define NAME(f)       f##_neon_f64
#define BIG           weir__gemm_blis_f64
#include "math/gemm_tile_body.h"

#endif
