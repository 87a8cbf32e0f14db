/* unit.h - planar's hidden unit: its values at the rows of a tile, the root of its scalar equation, its constraint. */
#ifndef PLANAR_UNIT_H
#define PLANAR_UNIT_H

#include <weir/plugin.h>

#define LEAST_STRETCH 1e-6 /* q is larger */

typedef struct planar {
    int32_t features;
    int leaky;    /* h is leaky_relu, not tanh */
    int inverted; /* the formula is the inverse */
    weir_real below;
    double offset;       /* inside the softplus */
    weir_handle w, u, b; /* parameters */
    weir_handle v, q;    /* derived: the constrained u, and 1 + w.v */
} planar;

/* Lanes. */
typedef struct unit {
    weir_real *a, *h;
    weir_real *slope; /* h' */
    weir_real *psi;   /* 1 + h' (q - 1) */
    weir_real
        *curve; /* h'' (q - 1) / psi, the derivative of log psi in a; NULL when only the map is wanted */
} unit;

/** Lanes in scratch, `curve` only where it is wanted; false when memory is exhausted. */
int WEIR_NAME(unit_take)(weir_frame *frame, unit *at, int curve);
/** Everything from a. */
void WEIR_NAME(unit_evaluate)(const planar *self, weir_frame *frame, unit *at);
/** log_det += sign log psi */
void WEIR_NAME(unit_add_log_det)(weir_frame *frame, unit *at, weir_real sign, weir_real *log_det);
/** c becomes the root a of a + (q - 1) h(a) = c. */
weir_status WEIR_NAME(unit_solve)(const planar *self, weir_frame *frame, weir_real *c);

/** The module planar. */
extern const weir_module WEIR_NAME(planar_module);

weir_status WEIR_NAME(planar_prepare)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(planar_prepare_vjp)(const void *self, weir_frame *frame);

#endif
