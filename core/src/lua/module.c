/* module.c - the Lua C module weir.core: libweir for Lua scripts.
 *
 * It is thin: whatever can run a layer is a C function here (LuaJIT's FFI must not be re-entered), and scripts/weir/ makes
 * of it what users see. Failures that are the world's (files, plugins, shapes of data) are nil and a one-line message;
 * misuse is a Lua error.
 */
#include "array.h"
#include "handle.h"
#include "json.h"
#include "reach.h"

WEIR_EXPORT int luaopen_weir_core(lua_State *L);

int luaopen_weir_core(lua_State *L)
{
    lua_newtable(L);
    weir__array_open(L);
    lua_setfield(L, -2, "array");
    weir__json_register(L);
    weir__interrupt_register(L);
    weir__random_register(L);
    weir__system_register(L);
    weir__reach_register(L);
    weir__confine_register(L);
    weir__runtime_register(L);
    weir__model_register(L);
    weir__trainer_register(L);
    lua_pushstring(L, weir_version());
    lua_setfield(L, -2, "version");
    lua_pushstring(L, weir_kernels());
    lua_setfield(L, -2, "kernels");
    return 1;
}
