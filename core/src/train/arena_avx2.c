/* arena_avx2.c - the passes over the arena for AVX2. Compiled with the flags of flags.cmake. */
#include "train/arena.h"

#include <math.h>

#if WEIR__X86_64

#define REAL    float
#define ROOT    sqrtf
#define NAME(f) f##_avx2_f32
#include "train/arena_body.h"

#define REAL    double
#define ROOT    sqrt
#define NAME(f) f##_avx2_f64
#include "train/arena_body.h"

#endif
