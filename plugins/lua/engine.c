/* engine.c - see engine.h. */
#include "engine.h"

#include "spec.h"

#include <lauxlib.h>
#include <lualib.h>

/* Kilobytes of garbage that calls may leave before it is swept. A compiled function leaves some hundred bytes a call. */
#define GARBAGE 4096

typedef struct loading {
    lua_engine *engine;
    const lua_script *script;
    const lua_text *text;
    weir_lua_call *call;
    lua_spec *spec;
} loading;

static void push_numbers(lua_State *L, const char *key, const double *values, int32_t count)
{
    lua_createtable(L, count, 0);
    for (int32_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static void push_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

static void push_info(lua_State *L, const lua_script *s)
{
    lua_newtable(L);
    lua_pushstring(L, s->kind);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, WEIR_REAL == 32 ? "f32" : "f64");
    lua_setfield(L, -2, "precision");
    push_number(L, "features", s->features);
    push_number(L, "context", s->context);
    push_number(L, "outputs", s->outputs);
    push_number(L, "stream", s->stream);
    push_numbers(L, "constants", s->constants, s->constant_count);
    if (s->output_bias) push_numbers(L, "output_bias", s->output_bias, s->outputs);
}

/* On the stack: spec, run. */
static void keep_functions(lua_State *L, lua_engine *engine)
{
#define LUA_CALL_NAME(name) #name,
    static const char *const names[] = {LUA_CALLS(LUA_CALL_NAME)};
#undef LUA_CALL_NAME
    for (int i = 0; i < LUA_CALL_COUNT; i++) {
        lua_getfield(L, -1, names[i]);
        engine->functions[i] = lua_isnil(L, -1) ? (lua_pop(L, 1), LUA_NOREF) : luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pop(L, 1);
}

static int load_protected(lua_State *L)
{
    const loading *const l = lua_touserdata(L, 1);
    luaL_openlibs(L);
    if (luaL_loadbuffer(L, WEIR_NAME(lua_bridge), WEIR_NAME(lua_bridge_size), "=bridge")) return lua_error(L);
    lua_pushlstring(L, WEIR_NAME(lua_cdef), WEIR_NAME(lua_cdef_size));
    lua_pushstring(L, WEIR_REAL == 32 ? "float" : "double");
    lua_pushlightuserdata(L, l->call);
    push_info(L, l->script);
    lua_pushlstring(L, l->text->bytes, l->text->size);
    lua_pushstring(L, l->script->name);
    lua_call(L, 6, 2);
    keep_functions(L, l->engine);
    if (l->spec)
        WEIR_NAME(lua_spec_read)(L, l->spec);
    else
        WEIR_NAME(lua_spec_compare)(L, &l->script->spec);
    return 0;
}

static int sweep_protected(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

/* The first line of the error on top of the stack. */
static void explain(lua_State *L, char *why, size_t room)
{
    const char *const text =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no string";
    const int length = (int)strcspn(text, "\n");
    if (length > 0)
        snprintf(why, room, "%.*s", length < 230 ? length : 230, text);
    else
        snprintf(why, room, "an error without words");
    lua_settop(L, 0);
}

/* Finalizers of the script's may raise errors too. The collector stands still during calls. */
static int sweep(lua_engine *engine, char *why, size_t room)
{
    const int failed = lua_cpcall(engine->lua, sweep_protected, NULL);
    if (failed) explain(engine->lua, why, room);
    lua_gc(engine->lua, LUA_GCSTOP, 0);
    engine->limit = lua_gc(engine->lua, LUA_GCCOUNT, 0) + GARBAGE;
    return !failed;
}

int WEIR_NAME(lua_engine_open)(lua_engine *engine, const lua_script *script, const lua_text *text,
                               weir_lua_call *call, lua_spec *spec, char *why, size_t room)
{
    loading l = {engine, script, text, call, spec};
    *engine = (lua_engine){.lua = luaL_newstate(), .version = text->version};
    if (!engine->lua) return snprintf(why, room, "no memory for a Lua state"), 0;
    if (lua_cpcall(engine->lua, load_protected, &l)) {
        explain(engine->lua, why, room);
        WEIR_NAME(lua_engine_close)(engine);
        return 0;
    }
    lua_settop(engine->lua, 0);
    if (sweep(engine, why, room)) return 1;
    WEIR_NAME(lua_engine_close)(engine);
    return 0;
}

void WEIR_NAME(lua_engine_close)(lua_engine *engine)
{
    if (engine->lua) lua_close(engine->lua);
    engine->lua = NULL;
}

int WEIR_NAME(lua_engine_has)(const lua_engine *engine, int function)
{
    return engine->functions[function] != LUA_NOREF;
}

int WEIR_NAME(lua_engine_run)(lua_engine *engine, int function, char *why, size_t room)
{
    lua_State *const L = engine->lua;
    lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[function]);
    if (lua_pcall(L, 0, 0, 0)) return explain(L, why, room), 0;
    return lua_gc(L, LUA_GCCOUNT, 0) < engine->limit || sweep(engine, why, room);
}
