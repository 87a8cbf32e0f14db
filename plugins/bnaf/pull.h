/* pull.h - the parts that the VJPs of both directions share. */
#ifndef PULL_H
#define PULL_H

#include "blocks.h"

/** Writes into the cotangents `a_bar` of all units before their tanh what comes through the log-slopes (zero for
 *  l_bar NULL), and adds the gradients that come through them. */
weir_status WEIR_NAME(pull_slopes)(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                                   const weir_real *l_bar, const weir_tile *a_bar);
/** Adds the gradients of all layers and of the gate, given whole cotangents: of the units, of y and of z. */
weir_status WEIR_NAME(pull_gradients)(const bnaf *self, weir_frame *frame, const record *rec, blend by,
                                      const weir_tile *x, const weir_tile *a_bar, const weir_tile *y_bar,
                                      const weir_tile *z_bar, const weir_real *l_bar);
/** a_bar_d += tanh' h_bar_d for the units of some features. */
void WEIR_NAME(pull_bend)(const weir_frame *frame, const weir_tile *h, const weir_tile *h_bar,
                          const weir_tile *a_bar);

#endif
