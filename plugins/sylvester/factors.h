/* factors.h - sylvester's tensors, and how the derived ones follow from Householder vectors and two triangles. */
#ifndef SYLVESTER_FACTORS_H
#define SYLVESTER_FACTORS_H

#include <weir/plugin.h>

typedef struct sylvester {
    int32_t features, hidden;
    int inverted;                                                    /* the formula is the inverse */
    weir_handle householder, outer, inner, log_scale, stretch, bias; /* parameters */
    weir_handle inner_map, outer_map, product, q; /* derived: S Q^T, Q R, S R, 1 + diagonal of S R */
} sylvester;

weir_status WEIR_NAME(sylvester_prepare)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(sylvester_prepare_vjp)(const void *self, weir_frame *frame);

#endif
