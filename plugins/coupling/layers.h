/* layers.h - the modules of this plugin beside coupling. */
#ifndef COUPLING_LAYERS_H
#define COUPLING_LAYERS_H

#include "halves.h"

extern const weir_module WEIR_NAME(gin_module);
extern const weir_module WEIR_NAME(all_in_one_module);

#endif
