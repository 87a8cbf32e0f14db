/* splines.c - monotone splines: univariates on a box with the identity outside, and one on the circle. */
#include "splines.h"

WEIR_PLUGIN(&WEIR_NAME(linear_spline_module), &WEIR_NAME(quadratic_spline_module),
            &WEIR_NAME(cubic_spline_module), &WEIR_NAME(rq_spline_module),
            &WEIR_NAME(circular_spline_module));
