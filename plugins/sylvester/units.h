/* units.h - sylvester's hidden units: their values at the rows of a tile, and the triangular solves over them. */
#ifndef SYLVESTER_UNITS_H
#define SYLVESTER_UNITS_H

#include "factors.h"

/* Tiles of `hidden` lanes. */
typedef struct units {
    weir_tile a, h;
    weir_tile slope; /* h' */
    weir_tile psi;   /* 1 + h' (q - 1) */
    weir_tile curve; /* h'' (q - 1) / psi, the derivative of log psi in a */
} units;

/** Tiles in scratch; false when memory is exhausted. */
int WEIR_NAME(units_take)(const sylvester *self, weir_frame *frame, units *at);
/** Everything from a. */
void WEIR_NAME(units_evaluate)(const sylvester *self, weir_frame *frame, const units *at);
/** log_det += sign sum log psi; spends at->a. */
void WEIR_NAME(units_add_log_det)(const sylvester *self, weir_frame *frame, const units *at, weir_real sign,
                                  weir_real *log_det);
/** at->a holds c and becomes the root of a + T h(a) = c; spends at->h. */
weir_status WEIR_NAME(units_solve)(const sylvester *self, weir_frame *frame, const units *at);
/** k holds B^T out_bar and becomes the k of the doc. */
void WEIR_NAME(units_pull)(const sylvester *self, const weir_frame *frame, const units *at,
                           const weir_real *l_bar, int numeric, const weir_tile *k);

#endif
