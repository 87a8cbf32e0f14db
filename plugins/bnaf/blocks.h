/* blocks.h - products of tiles with the block lower-triangular matrices of the layers. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "bnaf.h"

/** out = bias + V context: what the product below is added to. */
weir_status WEIR_NAME(blocks_start)(const block_map *map, weir_frame *frame, const weir_tile *out);
/** out += W in */
void WEIR_NAME(blocks_add)(const bnaf *self, const block_map *map, const weir_frame *frame,
                           const weir_tile *in, const weir_tile *out);
/** in_bar = W^T out_bar */
void WEIR_NAME(blocks_pull)(const bnaf *self, const block_map *map, const weir_frame *frame,
                            const weir_tile *out_bar, const weir_tile *in_bar);
/** Adds the gradients of W, of the bias and of the context with its matrix. */
weir_status WEIR_NAME(blocks_gradients)(const bnaf *self, const block_map *map, weir_frame *frame,
                                        const weir_tile *in, const weir_tile *out_bar);

/* One feature's rows and columns of W. Tiles named _d hold that feature's units only. */

/** out_d += W in, columns of features before d only: what those after d hold does not matter. */
void WEIR_NAME(blocks_add_before)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *in, const weir_tile *out_d);
/** in_bar_d = W^T out_bar, rows of features after d only. */
void WEIR_NAME(blocks_pull_after)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *out_bar, const weir_tile *in_bar_d);
/** out_d = keep out_d + P in_d, P the diagonal block. */
void WEIR_NAME(diagonal_add)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                             const weir_tile *in_d, double keep, const weir_tile *out_d);
/** in_bar_d = keep in_bar_d + P^T out_bar_d */
void WEIR_NAME(diagonal_pull)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                              const weir_tile *out_bar_d, double keep, const weir_tile *in_bar_d);
/** Adds out_bar_d in_d^T to the gradient of P. */
void WEIR_NAME(diagonal_gradient)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *in_d, const weir_tile *out_bar_d);
/** P, its rows D * map->in apart. */
const weir_real *WEIR_NAME(diagonal_of)(const bnaf *self, const block_map *map, const weir_frame *frame,
                                        int32_t d);

#endif
