/* engine.h - one lua_State over a script: loaded, called, swept.
 *
 * No Lua error leaves this file: all that can raise one runs under lua_cpcall or lua_pcall. */
#ifndef ENGINE_H
#define ENGINE_H

#include "call.h"
#include "script.h"

#include <lua.h>

/** The functions that a script may have. */
#define LUA_CALLS(X)                                                                                         \
    X(forward)                                                                                               \
    X(forward_vjp)                                                                                           \
    X(inverse)                                                                                               \
    X(inverse_vjp)                                                                                           \
    X(vjp)                                                                                                   \
    X(log_density)                                                                                           \
    X(sample)                                                                                                \
    X(sample_vjp)                                                                                            \
    X(prepare)                                                                                               \
    X(prepare_vjp)

#define LUA_CALL_INDEX(name) LUA_CALL_##name,
enum { LUA_CALLS(LUA_CALL_INDEX) LUA_CALL_COUNT };

typedef struct lua_engine {
    lua_State *lua;
    int functions[LUA_CALL_COUNT]; /* references; LUA_NOREF: the script has none */
    int32_t version;               /* of the file that is loaded */
    int limit;                     /* kilobytes from which on garbage is swept */
} lua_engine;

/** Loads a version of the file for the module that `script` describes; its functions find their arguments in *call. spec (empty) gets
 *  what the text says; when it is NULL the text must say what script->spec does. On failure, one line in `why`. */
int WEIR_NAME(lua_engine_open)(lua_engine *engine, const lua_script *script, const lua_text *text,
                               weir_lua_call *call, lua_spec *spec, char *why, size_t room);
void WEIR_NAME(lua_engine_close)(lua_engine *engine);

int WEIR_NAME(lua_engine_has)(const lua_engine *engine, int function);
/** Calls a function; 0 when it raised an error, with one line in `why`. Garbage is swept between calls, never in one. */
int WEIR_NAME(lua_engine_run)(lua_engine *engine, int function, char *why, size_t room);

/** What the bridge (bridge.lua) is made of: texts that the build embeds. */
extern const char WEIR_NAME(lua_bridge)[], WEIR_NAME(lua_cdef)[];
extern const size_t WEIR_NAME(lua_bridge_size), WEIR_NAME(lua_cdef_size);

#endif
