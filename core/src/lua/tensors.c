/* tensors.c - a model's named tensors: list, read, write, freeze. */
#include "array.h"
#include "handle.h"

#include <string.h>

static weir_tensor_info info_at(lua_State *L, const weir_model *model, int64_t index)
{
    weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
    weir_error error;
    if (weir_tensor_at(model, index, &info, &error)) luaL_error(L, "%s", error.message);
    return info;
}

static int64_t named(lua_State *L, const weir_model *model)
{
    const char *const name = luaL_checkstring(L, 2);
    const int64_t index = weir_tensor_find(model, name);
    if (index < 0) luaL_error(L, "no tensor is called %s; model:tensors() lists them", name);
    return index;
}

/** tensors(): a list of {name, kind, dtype, shape, count, frozen}. */
static int tensors(lua_State *L)
{
    const weir_model *const model = weir__handle_check(L, 1, weir__model_type)->object;
    const int64_t count = weir_model_get(model, WEIR_MODEL_TENSORS);
    lua_createtable(L, (int)count, 0);
    for (int64_t i = 0; i < count; i++) {
        const weir_tensor_info info = info_at(L, model, i);
        lua_createtable(L, 0, 6);
        lua_pushstring(L, info.name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, info.kind == WEIR_TENSOR_PARAMETER ? "parameter" : "buffer");
        lua_setfield(L, -2, "kind");
        lua_pushstring(L, weir__dtype_name(info.dtype));
        lua_setfield(L, -2, "dtype");
        lua_pushnumber(L, (double)info.count);
        lua_setfield(L, -2, "count");
        lua_pushboolean(L, info.frozen);
        lua_setfield(L, -2, "frozen");
        lua_createtable(L, info.rank, 0);
        for (int32_t k = 0; k < info.rank; k++) {
            lua_pushnumber(L, (double)info.dims[k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_setfield(L, -2, "shape");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/** tensor(name): a copy, f64. */
static int read_tensor(lua_State *L)
{
    const weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    const int64_t index = named(L, model);
    const weir_tensor_info info = info_at(L, model, index);
    const int64_t one = 1;
    weir__array *const array =
        weir__array_push(L, WEIR_DTYPE_F64, info.rank ? info.rank : 1, info.rank ? info.dims : &one);
    weir_error error;
    if (weir_tensor_read(model, index, array->data, info.count, &error)) return weir__failure(L, &error);
    return 1;
}

/** write_tensor(name, array): as many elements as the tensor has, in row-major order. */
static int write_tensor(lua_State *L)
{
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    const int64_t index = named(L, model);
    const weir__array *const array = weir__array_check(L, 3);
    weir__array *const values = weir__array_push_vector(L, WEIR_DTYPE_F64, array->count);
    weir__array_load(array, 0, array->count, values->data);
    weir_error error;
    if (weir_tensor_write(model, index, values->data, values->count, &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

/** freeze(pattern [, frozen = true]): parameters whose name matches the shell pattern are (not) trained. */
static int freeze(lua_State *L)
{
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    const int frozen = lua_isnoneornil(L, 3) || lua_toboolean(L, 3);
    weir_error error;
    if (weir_freeze(model, luaL_checkstring(L, 2), frozen, &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

static const luaL_Reg methods[] = {{"tensors", tensors},
                                   {"tensor", read_tensor},
                                   {"write_tensor", write_tensor},
                                   {"freeze", freeze},
                                   {NULL, NULL}};

void weir__tensors_register(lua_State *L)
{
    luaL_register(L, NULL, methods);
}
