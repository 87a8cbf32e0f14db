/* descriptor.h - what must hold of a module's descriptor before the host relies on it. */
#ifndef WEIR__DESCRIPTOR_H
#define WEIR__DESCRIPTOR_H

#include "error.h"

#include <weir/module.h>

/** Checks a descriptor that was asked for in `precision`: sizes, names, tables, defaults, required calls. The message
 *  names the module, not the file. */
weir_status weir__descriptor_check(const weir_module *module, int32_t precision, weir_error *error);
/** Checks that the two precisions of a module are the same module. */
weir_status weir__descriptor_agree(const weir_module *f32, const weir_module *f64, weir_error *error);

/** The option and slot tables of a descriptor: strides, names, types, ranges, defaults. */
weir_status weir__schema_check(const weir_module *module, weir_error *error);
weir_status weir__options_agree(const weir_module *f32, const weir_module *f64, weir_error *error);

#endif
