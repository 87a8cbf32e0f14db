/* array_library.c - the type "array" and the table weir.core.array, put together from the files that hold its methods. */
#include "array.h"

void weir__array_open(lua_State *L)
{
    weir__array_register_events(L);
    weir__array_register_operators(L);
    lua_newtable(L);
    weir__array_register(L);
    weir__array_register_rows(L);
    weir__array_register_reduce(L);
    weir__array_register_arithmetic(L);
    weir__array_register_linear(L);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, "array");
    lua_setfield(L, -2, "__metatable"); /* scripts cannot reach __gc */
    lua_pop(L, 1);
    lua_newtable(L);
    weir__array_register_functions(L);
    weir__array_register_makers(L);
}
