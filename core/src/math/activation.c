/* activation.c - activations and their derivatives, for both precisions. */
#include "math/activation.h"

#define LEAKY_SLOPE 0.01
/* Elements that a sweep with a temporary takes at once. */
#define PIECE 64

#define REAL    float
#define NAME(f) f##_f32
#include "math/activation_body.h"
#undef REAL
#undef NAME

#define REAL    double
#define NAME(f) f##_f64
#include "math/activation_body.h"

void weir__activate(const weir_math *math, int32_t activation, int64_t lanes, int64_t n, const void *bias,
                    void *y, int64_t stride)
{
    if (math->precision == WEIR_F32) {
        activate_f32(math, activation, lanes, n, bias, y, stride);
    } else {
        activate_f64(math, activation, lanes, n, bias, y, stride);
    }
}

void weir__activation_vjp(const weir_math *math, int32_t activation, int64_t n, const void *y, void *y_bar)
{
    if (math->precision == WEIR_F32) {
        activation_vjp_f32(math, activation, n, y, y_bar);
    } else {
        activation_vjp_f64(math, activation, n, y, y_bar);
    }
}
