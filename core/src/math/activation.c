/* activation.c - which build of the activations serves this processor. */
#include "math/activation.h"

WEIR__ACTIVATE(weir__activate)
{
    const int single = math->precision == WEIR_F32;
#if WEIR__X86_64
    if (weir__math_has_avx2()) {
        (single ? weir__activate_avx2_f32 : weir__activate_avx2_f64)(math, activation, lanes, n, bias, y,
                                                                     stride);
        return;
    }
#endif
    (single ? weir__activate_base_f32 : weir__activate_base_f64)(math, activation, lanes, n, bias, y, stride);
}

WEIR__ACTIVATION_VJP(weir__activation_vjp)
{
    const int single = math->precision == WEIR_F32;
#if WEIR__X86_64
    if (weir__math_has_avx2()) {
        (single ? weir__activation_vjp_avx2_f32 : weir__activation_vjp_avx2_f64)(
            math, activation, lanes, n, output, output_stride, cotangent, stride);
        return;
    }
#endif
    (single ? weir__activation_vjp_base_f32 : weir__activation_vjp_base_f64)(
        math, activation, lanes, n, output, output_stride, cotangent, stride);
}
