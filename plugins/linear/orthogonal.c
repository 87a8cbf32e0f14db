/* orthogonal.c - see orthogonal.h. */
#include "orthogonal.h"

#include "dense.h"

weir_status WEIR_NAME(orthogonal_multiply)(const factor *self, weir_frame *frame, int transposed,
                                           const weir_tile *in, const weir_tile *out)
{
    dense_multiply(frame, self->features, weir_tensor(frame, self->dense), transposed, in, out);
    return WEIR_OK;
}

weir_status WEIR_NAME(orthogonal_solve)(const factor *self, weir_frame *frame, int transposed,
                                        const weir_tile *in, const weir_tile *out)
{
    return WEIR_NAME(orthogonal_multiply)(self, frame, !transposed, in, out);
}

weir_status WEIR_NAME(orthogonal_outer)(const factor *self, weir_frame *frame, double sign,
                                        const weir_tile *left, const weir_tile *right)
{
    dense_outer(frame, sign, left, right, weir_gradient(frame, self->dense));
    return WEIR_OK;
}
