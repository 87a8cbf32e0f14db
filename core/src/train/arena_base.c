/* arena_base.c - the passes over the arena for every processor. */
#include "train/arena.h"

#include <math.h>

#define REAL    float
#define ROOT    sqrtf
#define NAME(f) f##_base_f32
#include "train/arena_body.h"

#define REAL    double
#define ROOT    sqrt
#define NAME(f) f##_base_f64
#include "train/arena_body.h"
