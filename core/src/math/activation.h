/* activation.h - the elementwise part of a linear object, lane by lane. */
#ifndef WEIR__ACTIVATION_H
#define WEIR__ACTIVATION_H

#include "math/tables.h"

#include <weir/build.h>

#define WEIR__LEAKY_SLOPE 0.01

#define WEIR__ACTIVATE(name)                                                                                 \
    void name(const weir_math *math, int32_t activation, int64_t lanes, int64_t n, const void *bias,         \
              void *y, int64_t stride)
#define WEIR__ACTIVATION_VJP(name)                                                                           \
    void name(const weir_math *math, int32_t activation, int64_t lanes, int64_t n, const void *output,       \
              int64_t output_stride, void *cotangent, int64_t stride)

/** y = activation(y + bias) over `lanes` lanes of n elements; bias holds one number per lane, or is NULL: none. */
WEIR__ACTIVATE(weir__activate);

/** cotangent *= activation'(x) over `lanes` lanes of n elements, from the output y = activation(x). Zero times a derivative that is not finite
 *  cannot arise: every derivative here is bounded. */
WEIR__ACTIVATION_VJP(weir__activation_vjp);

/* The same for one precision and instruction set. */
WEIR__ACTIVATE(weir__activate_base_f32);
WEIR__ACTIVATE(weir__activate_base_f64);
WEIR__ACTIVATION_VJP(weir__activation_vjp_base_f32);
WEIR__ACTIVATION_VJP(weir__activation_vjp_base_f64);
#if WEIR__X86_64
WEIR__ACTIVATE(weir__activate_avx2_f32);
WEIR__ACTIVATE(weir__activate_avx2_f64);
WEIR__ACTIVATION_VJP(weir__activation_vjp_avx2_f32);
WEIR__ACTIVATION_VJP(weir__activation_vjp_avx2_f64);
#endif

#endif
