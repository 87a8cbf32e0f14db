/* noise_base.c - lanes of noise for every processor. */
#include "run/noise.h"

#define NAME(f) f##_base
#include "run/noise_body.h"
