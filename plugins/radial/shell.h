/* shell.h - what radial does to a distance from its centre. */
#ifndef RADIAL_SHELL_H
#define RADIAL_SHELL_H

#include <weir/plugin.h>

#define LEAST_SIGMA 1e-6

typedef struct radial {
    int32_t features;
    int inverted;                        /* the formula is the inverse */
    weir_handle centre, log_alpha, beta; /* parameters */
    weir_handle alpha, sigma;            /* derived */
} radial;

/* Lanes: the radius, the factors across and along it, and their derivatives. */
typedef struct shell {
    weir_real *r, *a, *b;
    weir_real *a_slope;   /* dA/dr */
    weir_real *log_slope; /* d((D - 1) log A + log B)/dr */
} shell;

/** Lanes in scratch; false when memory is exhausted. */
int WEIR_NAME(shell_take)(weir_frame *frame, shell *at);
/** r = |point - centre|; infinite when its square overflows. */
void WEIR_NAME(shell_radius)(const radial *self, const weir_frame *frame, const weir_tile *points,
                             weir_real *r);
/** The radius that is mapped to r, in place. */
void WEIR_NAME(shell_solve)(const radial *self, const weir_frame *frame, weir_real *r);
/** Everything from r. */
void WEIR_NAME(shell_evaluate)(const radial *self, const weir_frame *frame, shell *at);
/** log_det += sign ((D - 1) log A + log B); spends at->a and at->b. */
void WEIR_NAME(shell_add_log_det)(const radial *self, weir_frame *frame, shell *at, weir_real sign,
                                  weir_real *log_det);
/** The cotangent of the input is across * out_bar + along * (s - centre), given dot = (s - centre).out_bar. */
void WEIR_NAME(shell_pull)(const radial *self, const weir_frame *frame, const shell *at, const weir_real *dot,
                           const weir_real *l_bar, int implicit, weir_real *across, weir_real *along);
/** Adds sign times the gradients of alpha and sigma, given dot = (s - centre).y_bar. */
void WEIR_NAME(shell_add_gradients)(const radial *self, const weir_frame *frame, const shell *at,
                                    const weir_real *dot, const weir_real *l_bar, weir_real sign);

weir_status WEIR_NAME(radial_prepare)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(radial_prepare_vjp)(const void *self, weir_frame *frame);

#endif
