/* skew.h - the skew-symmetric matrix A = -A^T behind two kinds of orthogonal matrices, packed in the parameter `skew`. */
#ifndef LINEAR_SKEW_H
#define LINEAR_SKEW_H

#include "orthogonal.h"

/** Declares the parameter, and the orthogonal matrix `rotation` made of it. */
weir_status WEIR_NAME(skew_declare)(factor *self, weir_builder *build, const start *start);

/** Lays A out; *norm is the largest sum of absolute values along a row. WEIR_INVALID, with a reason, when A is not finite
 *  or so large that rounding would show in what is made of it. */
weir_status WEIR_NAME(skew_read)(const factor *self, weir_frame *frame, double *a, double *norm);

/** Adds the gradient of the parameter, given A's cotangent. */
void WEIR_NAME(skew_pull)(const factor *self, weir_frame *frame, const double *a_bar);

#endif
