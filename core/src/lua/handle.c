/* handle.c - see handle.h. */
#include "handle.h"

#include <stdlib.h>

const char weir__runtime_type[] = "weir.runtime";
const char weir__model_type[] = "weir.model";
const char weir__trainer_type[] = "weir.trainer";

static void let_go(weir__handle *handle)
{
    while (handle && --handle->holders == 0) {
        weir__handle *const parent = handle->parent;
        if (handle->object) handle->close(handle->object);
        free(handle->scratch);
        free(handle);
        handle = parent;
    }
}

weir__handle *weir__handle_push(lua_State *L, const char *type, void (*close)(void *), weir__handle *parent)
{
    weir__handle **const box = lua_newuserdata(L, sizeof *box);
    *box = NULL;
    luaL_getmetatable(L, type);
    lua_setmetatable(L, -2);
    weir__handle *const handle = calloc(1, sizeof *handle);
    if (!handle) luaL_error(L, "out of memory");
    handle->holders = 1;
    handle->close = close;
    handle->parent = parent;
    if (parent) parent->holders++;
    return *box = handle;
}

weir__handle *weir__handle_check(lua_State *L, int index, const char *type)
{
    weir__handle *const *const box = luaL_checkudata(L, index, type);
    if (!*box) luaL_argerror(L, index, "it is closed");
    return *box;
}

weir__handle *weir__handle_idle(lua_State *L, int index, const char *type)
{
    weir__handle *const handle = weir__handle_check(L, index, type);
    if (handle->busy) luaL_argerror(L, index, "it is in the middle of a training step");
    return handle;
}

void *weir__handle_scratch(lua_State *L, weir__handle *handle, size_t bytes)
{
    if (bytes <= handle->scratch_bytes) return handle->scratch;
    void *const grown = realloc(handle->scratch, bytes);
    if (!grown) luaL_error(L, "out of memory");
    handle->scratch = grown;
    handle->scratch_bytes = bytes;
    return grown;
}

/** close(): the same as losing the last reference; again is harmless. */
static int close_handle(lua_State *L)
{
    weir__handle **const box = lua_touserdata(L, 1);
    luaL_argcheck(L, box, 1, "expected an object of weir.core");
    if (*box && (*box)->busy) return luaL_error(L, "it is in the middle of a training step");
    let_go(*box);
    *box = NULL;
    return 0;
}

/* Every type has its own copy of close, that knows which type it may be called with. */
static int checked_close(lua_State *L)
{
    luaL_checkudata(L, 1, lua_tostring(L, lua_upvalueindex(1)));
    return close_handle(L);
}

void weir__handle_register(lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction to_string)
{
    luaL_newmetatable(L, type);
    lua_pushcfunction(L, to_string);
    lua_setfield(L, -2, "__tostring");
    lua_pushstring(L, type);
    lua_pushcclosure(L, checked_close, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__gc");
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_insert(L, -2);
    lua_setfield(L, -2, "close");
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void weir__field_push(lua_State *L, int table, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, table);
}

int weir__failure(lua_State *L, const weir_error *error)
{
    lua_pushnil(L);
    lua_pushstring(L, error->message);
    return 2;
}
