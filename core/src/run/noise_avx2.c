/* noise_avx2.c - lanes of noise for AVX2. Compiled with the flags of flags.cmake. */
#include "run/noise.h"

#if defined(__x86_64__)
#define NAME(f) f##_avx2
#include "run/noise_body.h"
#endif
