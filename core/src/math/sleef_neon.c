/* sleef_neon.c - the tables for NEON: every 64-bit Arm processor. */
#include "math/tables.h"

#if WEIR__AARCH64

#include <arm_neon.h>
#include <math.h>
#include <sleef.h>

static inline float32x4_t kept_f32(float32x4_t v, uint32x4_t mask)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), mask));
}

static inline float64x2_t kept_f64(float64x2_t v, uint64x2_t mask)
{
    return vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(v), mask));
}

static inline int all_f64(uint64x2_t mask)
{
    return (vgetq_lane_u64(mask, 0) & vgetq_lane_u64(mask, 1)) != 0;
}

#define REAL                 float
#define SINGLE               1
#define LIBM(g)              g##f
#define NAME(f)              f##_f32
#define PRECISION            WEIR_F32
#define TABLE                weir__math_neon_f32
#define GEMM                 weir__gemm_neon_f32
#define VECTOR               float32x4_t
#define LANES                4
#define LOAD                 vld1q_f32
#define STORE                vst1q_f32
#define SPLAT                vdupq_n_f32
#define MAGNITUDE(v)         vabsq_f32(v)
#define ABOVE_ZERO(v)        vbslq_f32(vcltzq_f32(v), vdupq_n_f32(0), v)
#define NEGATIVE(x, a, b)    vbslq_f32(vcltzq_f32(x), b, a)
#define ANY_BEYOND(v, limit) (vminvq_u32(vcleq_f32(vabsq_f32(v), vdupq_n_f32(limit))) == 0)
#define WITHIN(v, limit)     kept_f32(v, vcleq_f32(vabsq_f32(v), vdupq_n_f32(limit)))
#define SLEEF10(f)           Sleef_##f##f4_u10advsimd
#define SLEEF35(f)           Sleef_##f##f4_u35advsimd
#define FAST(f)              SLEEF35(f)
#include "math/sleef_body.h"

#define REAL                 double
#define SINGLE               0
#define LIBM(g)              g
#define NAME(f)              f##_f64
#define PRECISION            WEIR_F64
#define TABLE                weir__math_neon_f64
#define GEMM                 weir__gemm_neon_f64
#define VECTOR               float64x2_t
#define LANES                2
#define LOAD                 vld1q_f64
#define STORE                vst1q_f64
#define SPLAT                vdupq_n_f64
#define MAGNITUDE(v)         vabsq_f64(v)
#define ABOVE_ZERO(v)        vbslq_f64(vcltzq_f64(v), vdupq_n_f64(0), v)
#define NEGATIVE(x, a, b)    vbslq_f64(vcltzq_f64(x), b, a)
#define ANY_BEYOND(v, limit) (!all_f64(vcleq_f64(vabsq_f64(v), vdupq_n_f64(limit))))
#define WITHIN(v, limit)     kept_f64(v, vcleq_f64(vabsq_f64(v), vdupq_n_f64(limit)))
#define SLEEF10(f)           Sleef_##f##d2_u10advsimd
#define SLEEF35(f)           Sleef_##f##d2_u35advsimd
#define FAST(f)              SLEEF10(f)
#include "math/sleef_body.h"

#endif
