/* reach.h - which files a script may reach. Free at first; core.keep_to ends that once and for all. */
#ifndef WEIR__LUA_REACH_H
#define WEIR__LUA_REACH_H

#include <lua.h>

/** The path at a stack index, when the script may read, or write, that file; else a Lua error. */
const char *weir__reach_read(lua_State *L, int index);
const char *weir__reach_write(lua_State *L, int index);

/** A Lua error in a process that is kept to its files: for what has no place there at all. */
void weir__reach_refuse(lua_State *L, const char *what);

void weir__reach_register(lua_State *L);
void weir__confine_register(lua_State *L);

#endif
