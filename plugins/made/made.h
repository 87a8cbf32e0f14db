/* made.h - the instance of a masked autoencoder, shared by its whole passes and its sweeps. */
#ifndef MADE_H
#define MADE_H

#include "degrees.h"

#define MADE_MOST_HIDDEN 64

typedef struct made_layer {
    weir_handle linear;
    int32_t first, width; /* its slice of the tile of hidden activations; the output layer has none */
} made_layer;

typedef struct made {
    int32_t features;    /* D */
    int32_t per_feature; /* P */
    degrees degrees;
    int32_t units;       /* of all hidden layers together */
    weir_handle context; /* matrix from the context into the first layer; -1: the model has no context */
    int32_t count;
    made_layer layers[MADE_MOST_HIDDEN + 1];
} made;

/** What layer i reads and writes, with x or y (or their cotangents) at the two ends. */
weir_tile WEIR_NAME(made_input)(const made *self, int32_t i, const weir_tile *x, const weir_tile *hidden);
weir_tile WEIR_NAME(made_output)(const made *self, int32_t i, const weir_tile *y, const weir_tile *hidden);

/** Writes the context's addend of the first layer. flags is what that layer's own call needs then. */
weir_status WEIR_NAME(made_context)(const made *self, weir_frame *frame, const weir_tile *first,
                                    uint32_t *flags);
/** Adds the gradients of layer i's tensors, and for i = 0 those of the context, given its cotangent. */
weir_status WEIR_NAME(made_weights_vjp)(const made *self, weir_frame *frame, int32_t i, const weir_tile *in,
                                        const weir_tile *out_bar);

/* The incremental calls of weir_network_ops. */
weir_status WEIR_NAME(made_begin)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                                  void **state);
weir_status WEIR_NAME(made_step)(const void *self, weir_frame *frame, void *state, int32_t d,
                                 const weir_tile *x, const weir_tile *y);
weir_status WEIR_NAME(made_begin_vjp)(const void *self, weir_frame *frame, const void *state,
                                      const weir_tile *x, const weir_tile *y, void **work);
weir_status WEIR_NAME(made_step_vjp)(const void *self, weir_frame *frame, const void *state, void *work,
                                     int32_t d, const weir_tile *x, const weir_tile *y,
                                     const weir_tile *y_bar, const weir_tile *x_bar);
weir_status WEIR_NAME(made_end_vjp)(const void *self, weir_frame *frame, const void *state, void *work,
                                    const weir_tile *x, const weir_tile *y, const weir_tile *y_bar);

#endif
