/* runtime.c - weir.core.open, and what a runtime knows. */
#include "handle.h"
#include "json.h"
#include "reach.h"

#include <string.h>

static void close_runtime(void *object)
{
    weir_close(object);
}

/** open{threads = n, plugin_path = "a:b", lock = file}: a runtime, or nil and a message. */
static int open_runtime(lua_State *L)
{
    weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .interrupted = weir__interrupted};
    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE);
        lua_getfield(L, 1, "threads");
        lua_getfield(L, 1, "plugin_path");
        lua_getfield(L, 1, "lock");
        settings.threads = (int32_t)luaL_optinteger(L, -3, 0);
        settings.plugin_path = luaL_optstring(L, -2, NULL);
        settings.lock = luaL_optstring(L, -1, NULL);
        luaL_argcheck(L, settings.threads >= 0 && settings.threads <= 4096, 1, "threads: expected 0 to 4096");
    }
    if (settings.plugin_path || settings.lock) weir__reach_refuse(L, "plugin_path and lock");
    weir_error error;
    weir_runtime *runtime;
    weir__handle *const handle = weir__handle_push(L, weir__runtime_type, close_runtime, NULL);
    if (weir_open(&settings, &runtime, &error)) return weir__failure(L, &error);
    handle->object = runtime;
    return 1;
}

static int threads(lua_State *L)
{
    lua_pushnumber(L, weir_threads(weir__handle_check(L, 1, weir__runtime_type)->object));
    return 1;
}

/** Pushes the Lua value of a JSON text of the library's and frees the text. */
static int give_json(lua_State *L, char *json)
{
    lua_pushstring(L, json);
    weir_free(json);
    size_t length;
    const char *const text = lua_tolstring(L, -1, &length);
    if (weir__json_push_value(L, text, length))
        return luaL_error(L, "the library gave bad JSON: %s", lua_tostring(L, -1));
    return 1;
}

/** modules([id]): what is installed, as a list; nil and a message. */
static int modules(lua_State *L)
{
    const weir__handle *const handle = weir__handle_check(L, 1, weir__runtime_type);
    weir_error error;
    char *json;
    if (weir_modules(handle->object, luaL_optstring(L, 2, NULL), &json, &error))
        return weir__failure(L, &error);
    return give_json(L, json);
}

/** plugins(): what is found where; nil and a message. */
static int plugins(lua_State *L)
{
    const weir__handle *const handle = weir__handle_check(L, 1, weir__runtime_type);
    weir_error error;
    char *json;
    if (weir_plugins(handle->object, &json, &error)) return weir__failure(L, &error);
    return give_json(L, json);
}

/** lock_plugins(path [, model]): writes a lock file; true, or nil and a message. */
static int lock_plugins(lua_State *L)
{
    const weir__handle *const handle = weir__handle_check(L, 1, weir__runtime_type);
    const char *const path = weir__reach_write(L, 2);
    const weir_model *const model =
        lua_isnoneornil(L, 3) ? NULL : weir__handle_check(L, 3, weir__model_type)->object;
    weir_error error;
    if (weir_plugins_lock(handle->object, model, path, &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

/** check(id or file [, options]): the list of results and whether all hold; nil and a message. */
static int check(lua_State *L)
{
    const weir__handle *const handle = weir__handle_check(L, 1, weir__runtime_type);
    const char *const what = luaL_checkstring(L, 2);
    weir__reach_refuse(L, "check");
    const char *const options = lua_isnoneornil(L, 3) ? NULL : weir__json_push_text(L, 3, 1);
    weir_error error;
    char *json;
    int32_t ok;
    if (weir_check(handle->object, what, options, &json, &ok, &error)) return weir__failure(L, &error);
    give_json(L, json);
    lua_pushboolean(L, ok);
    return 2;
}

static int to_string(lua_State *L)
{
    lua_pushstring(L, "weir runtime");
    return 1;
}

static const luaL_Reg methods[] = {{"threads", threads},           {"modules", modules}, {"plugins", plugins},
                                   {"lock_plugins", lock_plugins}, {"check", check},     {NULL, NULL}};

void weir__runtime_register(lua_State *L)
{
    weir__handle_register(L, weir__runtime_type, methods, to_string);
    lua_pushcfunction(L, open_runtime);
    lua_setfield(L, -2, "open");
}
