/* activation.h - the elementwise part of a linear object, lane by lane. */
#ifndef WEIR__ACTIVATION_H
#define WEIR__ACTIVATION_H

#include <weir/build.h>

/** y = activation(y + bias) over `lanes` lanes of n elements; bias holds one number per lane, or is NULL: none. */
void weir__activate(const weir_math *math, int32_t activation, int64_t lanes, int64_t n, const void *bias,
                    void *y, int64_t stride);

/** y_bar *= activation'(x) over one lane, from the output y = activation(x). Zero times a derivative that is not finite
 *  cannot arise: every derivative here is bounded. */
void weir__activation_vjp(const weir_math *math, int32_t activation, int64_t n, const void *y, void *y_bar);

#endif
