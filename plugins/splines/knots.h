/* knots.h - the method `knots`: where a spline's pieces meet, and how steep it is there, for one element's parameters. */
#ifndef SPLINES_KNOTS_H
#define SPLINES_KNOTS_H

#include "cubic.h"
#include "quadratic.h"
#include "rational.h"

#define KNOTS_SIGNATURE "(real theta[params]) -> real x[bins + 1], real y[bins + 1], real slope[bins + 1]"
#define KNOTS_SUMMARY   "the knots of the spline with these parameters, and its slopes there"

weir_status WEIR_NAME(rational_knots)(const rational_spline *self, weir_frame *frame, const weir_real *theta,
                                      weir_real *x, weir_real *y, weir_real *slope);
weir_status WEIR_NAME(quadratic_knots)(const void *self, weir_frame *frame, const weir_real *theta,
                                       weir_real *x, weir_real *y, weir_real *slope);
weir_status WEIR_NAME(cubic_knots)(const void *self, weir_frame *frame, const weir_real *theta, weir_real *x,
                                   weir_real *y, weir_real *slope);

/** WEIR_INVALID, with a reason, where a knot is no number: parameters that are not finite. */
weir_status WEIR_NAME(knots_finite)(weir_frame *frame, int32_t count, const weir_real *values);

#endif
