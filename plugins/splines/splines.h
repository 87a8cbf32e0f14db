/* splines.h - the modules of this plugin, one to a file. */
#ifndef SPLINES_SPLINES_H
#define SPLINES_SPLINES_H

#include <weir/plugin.h>

extern const weir_module WEIR_NAME(linear_spline_module);
extern const weir_module WEIR_NAME(quadratic_spline_module);
extern const weir_module WEIR_NAME(cubic_spline_module);
extern const weir_module WEIR_NAME(rq_spline_module);
extern const weir_module WEIR_NAME(circular_spline_module);

#endif
