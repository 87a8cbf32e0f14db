/* spec.c - see spec.h. The bridge has checked types and sizes. */
#include "spec.h"

#include <lauxlib.h>
#include <stdlib.h>

static void *room(lua_State *L, size_t bytes)
{
    void *const memory = calloc(1, bytes ? bytes : 1);
    if (!memory) luaL_error(L, "out of memory");
    return memory;
}

static double number_at(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    const double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The list on top of the stack. */
static void numbers_of(lua_State *L, double *values, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, i + 1);
        values[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
}

static int32_t read_ends(lua_State *L, const char *key, double ends[2])
{
    lua_getfield(L, -1, key);
    const int there = lua_istable(L, -1);
    if (there) numbers_of(L, ends, 2);
    lua_pop(L, 1);
    return there;
}

static int32_t init_kind(const char *name)
{
    return strcmp(name, "constant") == 0  ? WEIR_INIT_CONSTANT
           : strcmp(name, "uniform") == 0 ? WEIR_INIT_UNIFORM
           : strcmp(name, "normal") == 0  ? WEIR_INIT_NORMAL
                                          : WEIR_INIT_VALUES;
}

static void read_init(lua_State *L, lua_tensor *t)
{
    t->init.struct_size = (uint32_t)sizeof t->init;
    lua_getfield(L, -1, "init");
    t->init.kind = init_kind(lua_tostring(L, -1));
    lua_pop(L, 1);
    t->init.a = number_at(L, "a");
    t->init.b = number_at(L, "b");
    if (t->init.kind != WEIR_INIT_VALUES) return;
    t->values = room(L, (size_t)t->count * sizeof *t->values);
    lua_getfield(L, -1, "values");
    numbers_of(L, t->values, (int32_t)t->count);
    lua_pop(L, 1);
    t->init.values = t->values;
}

/* The tensor on top of the stack. */
static void read_tensor(lua_State *L, lua_tensor *t)
{
    double dims[4] = {0};
    lua_getfield(L, -1, "name");
    snprintf(t->name, sizeof t->name, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_getfield(L, -1, "derived");
    t->derived = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "dims");
    t->rank = (int32_t)lua_objlen(L, -1);
    numbers_of(L, dims, t->rank);
    lua_pop(L, 1);
    t->count = 1;
    for (int32_t i = 0; i < t->rank; i++) t->count *= t->dims[i] = (int64_t)dims[i];
    if (!t->derived) read_init(L, t);
}

void WEIR_NAME(lua_spec_read)(lua_State *L, lua_spec *spec)
{
    spec->params = (int32_t)number_at(L, "params");
    spec->identity = room(L, (size_t)spec->params * sizeof *spec->identity);
    lua_getfield(L, -1, "identity");
    if (spec->params) numbers_of(L, spec->identity, spec->params);
    lua_pop(L, 1);
    spec->has_domain = read_ends(L, "domain", spec->domain);
    spec->has_codomain = read_ends(L, "codomain", spec->codomain);
    lua_getfield(L, -1, "tensors");
    const int32_t count = (int32_t)lua_objlen(L, -1);
    for (int32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, i + 1);
        spec->tensor_count = i + 1;
        read_tensor(L, &spec->tensors[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_getfield(L, -1, "signature");
    const char *const signature = lua_tostring(L, -1);
    const size_t size = strlen(signature) + 1;
    spec->signature = room(L, size);
    memcpy(spec->signature, signature, size);
    lua_pop(L, 1);
}

void WEIR_NAME(lua_spec_compare)(lua_State *L, const lua_spec *spec)
{
    lua_getfield(L, -1, "signature");
    const char *const now = lua_tostring(L, -1);
    if (strcmp(now, spec->signature) != 0)
        luaL_error(L, "it has other parameters or functions now (%s) than the model was built with (%s)", now,
                   spec->signature);
    lua_pop(L, 1);
}
