/* activation_base.c - activations and their derivatives for every processor. */
#include "math/activation.h"

#define REAL    float
#define NAME(f) f##_base_f32
#include "math/activation_body.h"

#define REAL    double
#define NAME(f) f##_base_f64
#include "math/activation_body.h"
