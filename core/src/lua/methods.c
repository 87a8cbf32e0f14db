/* methods.c - calls of the methods of a model's modules. */
#include "array.h"
#include "handle.h"

#include <string.h>

#define ARGUMENTS_MOST 16

/* A number, a text or an array; an array's elements become doubles in a userdata that is left on the stack. */
static weir_value value_at(lua_State *L, int index)
{
    weir_value v = {.struct_size = (uint32_t)sizeof v};
    if (lua_type(L, index) == LUA_TNUMBER) {
        v.type = WEIR_VALUE_NUMBER;
        v.number = lua_tonumber(L, index);
        return v;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        v.type = WEIR_VALUE_TEXT;
        v.text = lua_tostring(L, index);
        return v;
    }
    const weir__array *const array = weir__array_to(L, index);
    if (!array) luaL_argerror(L, index, "expected a number, a text or an array");
    double *const reals = lua_newuserdata(L, ((size_t)array->count + 1) * sizeof *reals);
    weir__array_load(array, 0, array->count, reals);
    v.type = WEIR_VALUE_REALS;
    v.reals = reals;
    v.rank = array->rank;
    memcpy(v.dims, array->dims, sizeof v.dims);
    return v;
}

static void push_array(lua_State *L, const weir_value *v)
{
    const int32_t dtype = v->type == WEIR_VALUE_REALS ? WEIR_DTYPE_F64 : WEIR_DTYPE_I64;
    weir__array *const array = weir__array_push(L, dtype, v->rank, v->dims);
    const void *const from = v->type == WEIR_VALUE_REALS ? (const void *)v->reals : (const void *)v->integers;
    if (array->count) memcpy(array->data, from, (size_t)array->count * 8);
}

static int push_results(lua_State *L)
{
    const weir_answer *const answer = lua_touserdata(L, 1);
    const int32_t count = weir_answer_count(answer);
    for (int32_t i = 0; i < count; i++) {
        weir_value v = {.struct_size = (uint32_t)sizeof v};
        weir_answer_at(answer, i, &v, NULL);
        if (v.type == WEIR_VALUE_NUMBER)
            lua_pushnumber(L, v.number);
        else if (v.type == WEIR_VALUE_INTEGER)
            lua_pushnumber(L, (lua_Number)v.integer);
        else
            push_array(L, &v);
    }
    return count;
}

/** call(module, method, ...): its results, or nil and a message. */
static int call(lua_State *L)
{
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    const char *const module = luaL_checkstring(L, 2), *const method = luaL_checkstring(L, 3);
    const int count = lua_gettop(L) - 3;
    weir_value values[ARGUMENTS_MOST];
    weir_answer *answer = NULL;
    weir_error error;
    if (count > ARGUMENTS_MOST) return luaL_error(L, "%s: %d arguments are too many", method, count);
    luaL_checkstack(L, 2 * ARGUMENTS_MOST, NULL);
    for (int i = 0; i < count; i++) values[i] = value_at(L, 4 + i);
    if (weir_model_call(model, module, method, values, count, &answer, &error))
        return weir__failure(L, &error);
    /* the answer is freed whatever making the arrays meets */
    lua_settop(L, 0);
    lua_pushcfunction(L, push_results);
    lua_pushlightuserdata(L, answer);
    const int bad = lua_pcall(L, 1, LUA_MULTRET, 0);
    weir_answer_free(answer);
    return bad ? lua_error(L) : lua_gettop(L);
}

static const luaL_Reg methods[] = {{"call", call}, {NULL, NULL}};

void weir__methods_register(lua_State *L)
{
    luaL_register(L, NULL, methods);
}
