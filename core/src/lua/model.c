/* model.c - models: building, loading, saving, and what they say about themselves. */
#include "array.h"
#include "handle.h"
#include "json.h"
#include "reach.h"

#include <string.h>

static void close_model(void *object)
{
    weir_model_close(object);
}

static weir_model *model_at(lua_State *L, int index)
{
    return weir__handle_check(L, index, weir__model_type)->object;
}

/** build(runtime, description): a table or JSON text; the model, or nil and a message. */
static int build(lua_State *L)
{
    weir__handle *const runtime = weir__handle_check(L, 1, weir__runtime_type);
    const char *const json = weir__json_push_text(L, 2, 1);
    weir__handle *const handle = weir__handle_push(L, weir__model_type, close_model, runtime);
    weir_model *model;
    weir_error error;
    if (weir_model_build(runtime->object, json, -1, &model, &error)) return weir__failure(L, &error);
    handle->object = model;
    return 1;
}

/** load(runtime, path): the model, or nil and a message. */
static int load(lua_State *L)
{
    weir__handle *const runtime = weir__handle_check(L, 1, weir__runtime_type);
    const char *const path = weir__reach_read(L, 2);
    weir__handle *const handle = weir__handle_push(L, weir__model_type, close_model, runtime);
    weir_model *model;
    weir_error error;
    if (weir_model_load(runtime->object, path, &model, &error)) return weir__failure(L, &error);
    handle->object = model;
    return 1;
}

/** save(path): true, or nil and a message. */
static int save(lua_State *L)
{
    weir_error error;
    const weir__handle *const handle = weir__handle_idle(L, 1, weir__model_type);
    if (weir_model_save(handle->object, weir__reach_write(L, 2), &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

static int push_json(lua_State *L, weir_status status, char *json, const weir_error *error)
{
    if (status) return weir__failure(L, error);
    lua_pushstring(L, json);
    weir_free(json);
    size_t length;
    const char *const text = lua_tolstring(L, -1, &length);
    if (weir__json_push_value(L, text, length))
        return luaL_error(L, "the library gave bad JSON: %s", lua_tostring(L, -1));
    return 1;
}

static int describe(lua_State *L)
{
    char *json = NULL;
    weir_error error;
    const weir_status status = weir_model_describe(model_at(L, 1), &json, &error);
    return push_json(L, status, json, &error);
}

static int metadata(lua_State *L)
{
    char *json = NULL;
    weir_error error;
    const weir_status status = weir_model_metadata(model_at(L, 1), &json, &error);
    return push_json(L, status, json, &error);
}

static int set_metadata(lua_State *L)
{
    weir_error error;
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (weir_model_set_metadata(model, weir__json_push_text(L, 2, 0), &error))
        return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

/** get(name): one number about the model. */
static int get(lua_State *L)
{
    static const char *const names[] = {"features", "latent", "context", "precision", "parameters", "buffers",
                                        "tensors",  "tile",   "levels",  "version",   NULL};
    const weir_model *const model = model_at(L, 1);
    const int what = luaL_checkoption(L, 2, NULL, names) + WEIR_MODEL_FEATURES;
    lua_pushnumber(L, (double)weir_model_get(model, what));
    return 1;
}

static int set_recompute(lua_State *L)
{
    weir_error error;
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    if (weir_model_set_recompute(model, lua_toboolean(L, 2), &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

static int to_string(lua_State *L)
{
    const weir_model *const model = model_at(L, 1);
    lua_pushfstring(L, "weir model, %d features, %f parameters",
                    (int)weir_model_get(model, WEIR_MODEL_FEATURES),
                    (double)weir_model_get(model, WEIR_MODEL_PARAMETERS));
    return 1;
}

static const luaL_Reg methods[] = {{"save", save},
                                   {"describe", describe},
                                   {"metadata", metadata},
                                   {"set_metadata", set_metadata},
                                   {"get", get},
                                   {"set_recompute", set_recompute},
                                   {NULL, NULL}};

void weir__model_register(lua_State *L)
{
    weir__handle_register(L, weir__model_type, methods, to_string);
    luaL_getmetatable(L, weir__model_type);
    lua_getfield(L, -1, "__index");
    weir__evaluate_register(L);
    weir__tensors_register(L);
    weir__methods_register(L);
    lua_pop(L, 2);
    lua_pushcfunction(L, build);
    lua_setfield(L, -2, "build");
    lua_pushcfunction(L, load);
    lua_setfield(L, -2, "load_model");
}
