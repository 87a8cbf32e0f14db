/* handle.h - the library's objects as userdata: runtime, model, trainer.
 *
 * A trainer needs its model and a model its runtime, but the collector, and above all lua_close, finalises in an order of
 * its own. So each object is counted: a child holds its parent, and the library's close is called when the last holder
 * lets go. `busy` is raised while a call is inside the library, since a Lua target runs in the middle of one and must not
 * close or train what is in use.
 */
#ifndef WEIR__LUA_HANDLE_H
#define WEIR__LUA_HANDLE_H

#include <lauxlib.h>
#include <lua.h>

#include <weir.h>

typedef struct weir__handle {
    int holders, busy;
    void *object;
    void (*close)(void *object);
    struct weir__handle *parent;
    void *scratch; /* freed with the handle */
    size_t scratch_bytes;
} weir__handle;

extern const char weir__runtime_type[];
extern const char weir__model_type[];
extern const char weir__trainer_type[];

/** Pushes a userdata of the type with an empty handle whose parent (may be NULL) is held. The caller then sets object. */
weir__handle *weir__handle_push(lua_State *L, const char *type, void (*close)(void *), weir__handle *parent);
/** The handle at a stack index; an argument error when it is another type, or closed. */
weir__handle *weir__handle_check(lua_State *L, int index, const char *type);
/** The same; an error too when a call is inside it. */
weir__handle *weir__handle_idle(lua_State *L, int index, const char *type);
/** At least `bytes` of memory that lives as long as the handle. */
void *weir__handle_scratch(lua_State *L, weir__handle *handle, size_t bytes);

/** Makes the metatable of a type with these methods, and close. */
void weir__handle_register(lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction to_string);

/** Pushes table[name], by no function of a script's: one that runs in the middle of a call could close what the call works
 *  with, or give an array that nothing keeps alive. `table`: an absolute index. */
void weir__field_push(lua_State *L, int table, const char *name);

/** nil, message: the answer of a function whose failure is the world's fault. */
int weir__failure(lua_State *L, const weir_error *error);

/* Each adds functions or makes its type; the table is on top of the stack. */
void weir__runtime_register(lua_State *L);
void weir__model_register(lua_State *L);
void weir__tensors_register(lua_State *L);
void weir__methods_register(lua_State *L);
void weir__evaluate_register(lua_State *L);
void weir__trainer_register(lua_State *L);
void weir__random_register(lua_State *L);
void weir__system_register(lua_State *L);
void weir__interrupt_register(lua_State *L);

/** Asked by the library between tiles. */
int32_t weir__interrupted(void *unused);

#endif
