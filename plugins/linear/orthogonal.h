/* orthogonal.h - tile calls of factors that prepare an orthogonal matrix Q, the derived tensor `dense`: Q^-1 = Q^T. */
#ifndef LINEAR_ORTHOGONAL_H
#define LINEAR_ORTHOGONAL_H

#include "factor.h"

weir_status WEIR_NAME(orthogonal_multiply)(const factor *self, weir_frame *frame, int transposed,
                                           const weir_tile *in, const weir_tile *out);
weir_status WEIR_NAME(orthogonal_solve)(const factor *self, weir_frame *frame, int transposed,
                                        const weir_tile *in, const weir_tile *out);
weir_status WEIR_NAME(orthogonal_outer)(const factor *self, weir_frame *frame, double sign,
                                        const weir_tile *left, const weir_tile *right);

/** The members of factor_ops that such a factor shares. */
#define ORTHOGONAL_CALLS                                                                                     \
    .multiply = WEIR_NAME(orthogonal_multiply), .solve = WEIR_NAME(orthogonal_solve),                        \
    .outer = WEIR_NAME(orthogonal_outer), .keeps_volume = 1

#endif
