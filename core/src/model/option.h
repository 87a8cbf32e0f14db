/* option.h - the options that a module declares, and what a user gives for them. */
#ifndef WEIR__OPTION_H
#define WEIR__OPTION_H

#include "plugin/registry.h"

#include <jansson.h>

/** Checks `given` (object or NULL) against a module's schema; returns a new object with every option that has a value. */
weir_status weir__options_check(const weir_module *module, const json_t *given, const char *path,
                                json_t **options, weir_error *error);
/** The i-th option or slot of a module, through its stride. */
const weir_option *weir__option_at(const weir_module *module, int32_t index);
const weir_slot *weir__slot_at(const weir_module *module, int32_t index);

#endif
