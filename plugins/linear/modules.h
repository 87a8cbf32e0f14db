/* modules.h - the other modules of this plugin, for the list in linear.c. */
#ifndef LINEAR_MODULES_H
#define LINEAR_MODULES_H

#include <weir/plugin.h>

extern const weir_module WEIR_NAME(lu_linear_module), WEIR_NAME(affine_gaussian_module);

#endif
