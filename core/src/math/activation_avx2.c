/* activation_avx2.c - activations and their derivatives for AVX2. Compiled with the flags of flags.cmake. */
#include "math/activation.h"

#if WEIR__X86_64

#define REAL    float
#define NAME(f) f##_avx2_f32
#include "math/activation_body.h"

#define REAL    double
#define NAME(f) f##_avx2_f64
#include "math/activation_body.h"

#endif
