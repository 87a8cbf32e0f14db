/* json.h - Lua values to JSON text and back.
 *
 * Objects are written with sorted keys, so that the same table always gives the same bytes. An empty table is an object
 * unless weir.core.list marked it; decoded lists carry that mark. JSON's null is weir.core.null.
 */
#ifndef WEIR__LUA_JSON_H
#define WEIR__LUA_JSON_H

#include <lua.h>

/** The JSON text of the value at a stack index, pushed as a string. Raises an error that names the place of what has no
 *  JSON form. A string at the index is taken to be JSON text already when `text_too` is set. */
const char *weir__json_push_text(lua_State *L, int index, int text_too);
/** Pushes the Lua value of a JSON text; 0, or -1 with a message pushed. */
int weir__json_push_value(lua_State *L, const char *text, size_t length);
/** json_encode, json_decode, list, null */
void weir__json_register(lua_State *L);

#endif
