/* linear.h - linear objects: dense layers that the host owns for any network (weir/frame.h says what they do). */
#ifndef WEIR__LINEAR_H
#define WEIR__LINEAR_H

#include "error.h"

#include <weir/build.h>

/** One object. Precision-neutral: the frame of a call says how to read the tensors. */
typedef struct weir__linear {
    int32_t in, out;
    int32_t activation;
    weir_handle weight; /* [out, in], row-major; entries outside the block structure are zero */
    weir_handle bias;   /* [out], or -1 */
    int32_t *extent;    /* [out]: output o sees inputs [0, extent[o]); NULL: all */
    int32_t sorted;     /* extent does not decrease (or is NULL) */
    /* Blocks of consecutive outputs that are multiplied together, each with the largest extent inside it;
     * block b holds outputs [block_first[b], block_first[b + 1]) and inputs [0, block_extent[b]). */
    int32_t blocks;
    int32_t *block_first, *block_extent;
    /* [in + 1]: first_seen[i] is the first output that sees input i (out: none does). Never decreases, whatever the
     * extents. NULL when dense. */
    int32_t *first_seen;
} weir__linear;

/** Fills *linear from a checked spec (weight and bias handles are set by the caller). */
weir_status weir__linear_init(weir__linear *linear, const weir_linear_spec *spec, weir_error *error);
void weir__linear_clear(weir__linear *linear);
/** Zeroes the entries of a [out, in] array (weights or their gradient) that the block structure hides. */
void weir__linear_mask(const weir__linear *linear, int32_t precision, void *weight);

/** The services of weir/frame.h. They find the object through weir__frame_linear (run/frame.h). An input that no output
 *  of the call sees, and an output that sees no input of the call, is never read. */
weir_status weir__linear_forward(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                 const weir_tile *x, const weir_tile *y, uint32_t flags);
weir_status weir__linear_vjp_activation(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                        const weir_tile *y, const weir_tile *y_bar);
weir_status weir__linear_vjp_input(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                   const weir_tile *y_bar, const weir_tile *x_bar, uint32_t flags);
/** Gradients of hidden entries may be non-zero afterwards; weir__linear_mask is applied once per step, at the reduction. */
weir_status weir__linear_vjp_weights(weir_frame *frame, weir_handle linear, const weir_tile *x,
                                     const weir_tile *y_bar);

#endif
