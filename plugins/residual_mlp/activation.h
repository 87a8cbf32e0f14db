/* activation.h - an activation on a whole tile, where no linear object stands before it that could fuse it. */
#ifndef RESIDUAL_MLP_ACTIVATION_H
#define RESIDUAL_MLP_ACTIVATION_H

#include <weir/plugin.h>

/** a = act(h). */
void WEIR_NAME(activate)(int32_t activation, const weir_frame *frame, const weir_tile *h, const weir_tile *a);

/** h_bar += a_bar act'(h), where act' follows from a. False when memory is exhausted. */
int WEIR_NAME(activate_vjp)(int32_t activation, weir_frame *frame, const weir_tile *a, const weir_tile *a_bar,
                            const weir_tile *h_bar);

#endif
