/* json.c - see json.h. */
#include "json.h"

#include <jansson.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char list_name[] = "weir.list";
static const char text_name[] = "weir.json_text";

#define DEEPEST 200

/* A json_t in a userdata, so that a Lua error on the way does not lose it. */
static json_t **push_guard(lua_State *L)
{
    json_t **const guard = lua_newuserdata(L, sizeof *guard);
    *guard = NULL;
    luaL_getmetatable(L, text_name);
    lua_setmetatable(L, -2);
    return guard;
}

static int release_guard(lua_State *L)
{
    json_t **const guard = luaL_checkudata(L, 1, text_name);
    json_decref(*guard);
    *guard = NULL;
    return 0;
}

/* ---- Lua to JSON ----------------------------------------------------------------------------- */

static json_t *from_lua(lua_State *L, int index, int depth);

static json_t *lost(lua_State *L, json_t *made, const char *why)
{
    json_decref(made);
    luaL_error(L, "no JSON form: %s", why);
    return NULL;
}

static json_t *from_number(lua_State *L, double value)
{
    if (!isfinite(value)) return lost(L, NULL, "a number that is not finite");
    if (floor(value) == value && fabs(value) < 9007199254740992.0 && !(value == 0 && signbit(value))) {
        return json_integer((json_int_t)value);
    }
    return json_real(value);
}

static int is_list(lua_State *L, int index)
{
    if (lua_objlen(L, index) > 0) return 1;
    if (!lua_getmetatable(L, index)) return 0;
    luaL_getmetatable(L, list_name);
    const int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Children go straight into a parent that a guard owns: nothing leaks when a later one raises. */
static void fill_list(lua_State *L, int index, json_t *list, int depth)
{
    const int count = (int)lua_objlen(L, index);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        json_array_append_new(list, from_lua(L, lua_gettop(L), depth + 1));
        lua_pop(L, 1);
    }
}

static void fill_object(lua_State *L, int index, json_t *object, int depth)
{
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "no JSON form: a key that is a %s", luaL_typename(L, -2));
        json_t *const value = from_lua(L, lua_gettop(L), depth + 1);
        if (json_object_set_new(object, lua_tostring(L, -2), value))
            luaL_error(L, "no JSON form: a key that is not UTF-8");
    }
}

static json_t *from_table(lua_State *L, int index, int depth)
{
    luaL_checkstack(L, 6, "JSON");
    if (depth > DEEPEST) luaL_error(L, "no JSON form: tables nested more than %d deep", DEEPEST);
    json_t **const guard = push_guard(L);
    const int list = is_list(L, index);
    *guard = list ? json_array() : json_object();
    if (!*guard) luaL_error(L, "out of memory");
    if (list)
        fill_list(L, index, *guard, depth);
    else
        fill_object(L, index, *guard, depth);
    json_t *const made = *guard;
    *guard = NULL;
    lua_pop(L, 1);
    return made;
}

static json_t *from_lua(lua_State *L, int index, int depth)
{
    json_t *made = NULL;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return json_null();
    case LUA_TBOOLEAN:
        return lua_toboolean(L, index) ? json_true() : json_false();
    case LUA_TNUMBER:
        made = from_number(L, lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        made = json_string(lua_tostring(L, index));
        break;
    case LUA_TTABLE:
        made = from_table(L, index, depth);
        break;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, index)) return json_null();
        /* fall through */
    default:
        luaL_error(L, "no JSON form: a %s", luaL_typename(L, index));
    }
    if (!made) luaL_error(L, "no JSON form: text that is not UTF-8");
    return made;
}

const char *weir__json_push_text(lua_State *L, int index, int text_too)
{
    if (index < 0) index += lua_gettop(L) + 1;
    if (text_too && lua_type(L, index) == LUA_TSTRING) return lua_pushvalue(L, index), lua_tostring(L, -1);
    json_t **const guard = push_guard(L);
    *guard = from_lua(L, index, 0);
    char *const text = json_dumps(*guard, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text) luaL_error(L, "out of memory");
    lua_pushstring(L, text);
    free(text);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* ---- JSON to Lua ----------------------------------------------------------------------------- */

static void push(lua_State *L, json_t *value);

static void push_list(lua_State *L, const json_t *list)
{
    const size_t count = json_array_size(list);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push(L, json_array_get(list, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
    luaL_getmetatable(L, list_name);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, json_t *object)
{
    lua_createtable(L, 0, (int)json_object_size(object));
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        lua_pushstring(L, json_object_iter_key(at));
        push(L, json_object_iter_value(at));
        lua_rawset(L, -3);
    }
}

static void push(lua_State *L, json_t *value)
{
    luaL_checkstack(L, 6, "JSON");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(L, value);
        break;
    case JSON_ARRAY:
        push_list(L, value);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        lua_pushnumber(L, json_number_value(value));
        break;
    case JSON_TRUE:
        lua_pushboolean(L, 1);
        break;
    case JSON_FALSE:
        lua_pushboolean(L, 0);
        break;
    default:
        lua_pushlightuserdata(L, NULL);
        break;
    }
}

int weir__json_push_value(lua_State *L, const char *text, size_t length)
{
    json_error_t error;
    json_t **const guard = push_guard(L);
    *guard = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!*guard) {
        lua_pushfstring(L, "line %d, column %d: %s", error.line, error.column, error.text);
        lua_remove(L, -2);
        return -1;
    }
    push(L, *guard);
    lua_remove(L, -2);
    return 0;
}

/** json_encode(value): text. */
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    weir__json_push_text(L, 1, 0);
    return 1;
}

/** json_decode(text): the value, or nil and a message. */
static int decode(lua_State *L)
{
    size_t length;
    const char *const text = luaL_checklstring(L, 1, &length);
    if (weir__json_push_value(L, text, length) == 0) return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

/** list(table): the same table, marked as a list even when it is empty. */
static int list(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_getmetatable(L, list_name);
    lua_setmetatable(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"json_encode", encode}, {"json_decode", decode}, {"list", list}, {NULL, NULL}};

void weir__json_register(lua_State *L)
{
    luaL_newmetatable(L, list_name);
    luaL_newmetatable(L, text_name);
    lua_pushcfunction(L, release_guard);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
    luaL_register(L, NULL, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
