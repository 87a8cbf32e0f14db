/* lane_sums_avx2.c - sums of lanes for AVX2. Compiled with the flags of flags.cmake. */
#include "math/lane_sums.h"

#if WEIR__X86_64

#define BYTES 32

#define REAL    float
#define NAME(f) f##_f32
#include "math/lane_sums_body.h"

#define REAL    double
#define NAME(f) f##_f64
#include "math/lane_sums_body.h"

WEIR__LANE_SUMS(weir__lane_sums_avx2)
{
    if (precision == WEIR_F32) {
        lane_sums_f32(lanes, rows, data, stride, sums);
    } else {
        lane_sums_f64(lanes, rows, data, stride, sums);
    }
}

#endif
