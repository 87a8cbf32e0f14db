/* spec.h - the bridge's account of a script's table, read into C. Both run protected, with the account on top of the stack,
 * and raise Lua errors. */
#ifndef SPEC_H
#define SPEC_H

#include "script.h"

#include <lua.h>

void WEIR_NAME(lua_spec_read)(lua_State *L, lua_spec *spec);
/** Raises an error unless it says the same of all that may not change. */
void WEIR_NAME(lua_spec_compare)(lua_State *L, const lua_spec *spec);

#endif
