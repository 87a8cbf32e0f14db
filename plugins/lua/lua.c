/* lua.c - the plugin: modules of each kind, written as Lua files over raw tiles. */
#include "instance.h"

WEIR_PLUGIN(&WEIR_NAME(lua_univariate_module), &WEIR_NAME(lua_layer_module), &WEIR_NAME(lua_network_module),
            &WEIR_NAME(lua_density_module));
