/* bend.h - the scalar map that planar and sylvester solve for: c = a + (q - 1) tanh a, increasing for every q > 0. */
#ifndef SYLVESTER_BEND_H
#define SYLVESTER_BEND_H

#include <weir/plugin.h>

/** Lanes h = tanh a, slope = h', psi = 1 + h' (q - 1) = dc/da, and, unless NULL, curve = d log psi / da. */
void WEIR_NAME(bend_evaluate)(weir_frame *frame, weir_real q, const weir_real *a, weir_real *h,
                              weir_real *slope, weir_real *psi, weir_real *curve);
/** The lane c becomes the root a. Rows without a finite one are discarded. */
weir_status WEIR_NAME(bend_solve)(weir_frame *frame, weir_real q, weir_real *c);

#endif
