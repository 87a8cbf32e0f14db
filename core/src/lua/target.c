/* target.c - see target.h. The library is on the C stack between two stretches of Lua, so no error may pass it: all of Lua
 * runs protected, and the message waits on the stack until the step has returned. */
#include "target.h"

#include "array.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void read_answer(lua_State *L, int index, int64_t count, double *values, const char *what)
{
    const weir__array *const answer = weir__array_to(L, index);
    if (!answer)
        luaL_error(L, "the target function gave a %s as its %s, not an array", luaL_typename(L, index), what);
    if (answer->count != count) {
        luaL_error(L, "the target function gave %f %s, %f are needed", (double)answer->count, what,
                   (double)count);
    }
    weir__array_load(answer, 0, count, values);
}

/* Calls f(x) and reads the values; leaves the second answer on the stack. */
static void call_function(lua_State *L, const weir__lua_target *t, int x, double *values)
{
    lua_pushvalue(L, 1);
    lua_pushvalue(L, x);
    lua_call(L, 1, 2);
    read_answer(L, -2, t->rows, values, "values");
    lua_remove(L, -2);
}

static void warn_once(const weir__lua_target *t)
{
    if (*t->warned) return;
    *t->warned = 1;
    fprintf(
        stderr,
        "weir: warning: the target function gives no gradients; they are taken by differences, %lld calls a batch\n",
        2 * (long long)t->columns);
}

/* Column j of x is moved by h to both sides. h balances rounding against the cubic term: eps^(1/3) of the size of x. */
static void differences(lua_State *L, const weir__lua_target *t)
{
    weir__array *const moved = weir__array_push_matrix(L, WEIR_DTYPE_F64, t->rows, t->columns);
    const int at = lua_gettop(L);
    double *const up = weir__array_push_vector(L, WEIR_DTYPE_F64, 2 * t->rows)->data, *const down =
                                                                                          up + t->rows;
    double *const x = moved->data;
    warn_once(t);
    for (int64_t j = 0; j < t->columns; j++) {
        for (int side = 0; side < 2; side++) {
            memcpy(x, t->x, (size_t)moved->count * sizeof *x);
            for (int64_t i = 0; i < t->rows; i++) {
                const double value = t->x[i * t->columns + j], h = 6e-6 * (1 + fabs(value));
                x[i * t->columns + j] = side ? value - h : value + h;
            }
            call_function(L, t, at, side ? down : up);
            lua_pop(L, 1);
        }
        for (int64_t i = 0; i < t->rows; i++) {
            const double h = 6e-6 * (1 + fabs(t->x[i * t->columns + j]));
            t->gradient[i * t->columns + j] = (up[i] - down[i]) / (2 * h);
        }
    }
}

/* Runs under pcall with (function, lightuserdata). */
static int protected_call(lua_State *L)
{
    weir__lua_target *const t = lua_touserdata(L, 2);
    weir__array *const x = weir__array_push_matrix(L, WEIR_DTYPE_F64, t->rows, t->columns);
    memcpy(x->data, t->x, (size_t)x->count * sizeof(double));
    call_function(L, t, lua_gettop(L), t->log_p);
    if (lua_isnil(L, -1))
        differences(L, t);
    else
        read_answer(L, -1, t->rows * t->columns, t->gradient, "gradients");
    return 0;
}

int32_t weir__lua_target_call(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                              double *gradient)
{
    weir__lua_target *const t = user;
    if (t->failed || !lua_checkstack(t->L, 4)) return -1;
    t->rows = rows;
    t->columns = columns;
    t->x = x;
    t->log_p = log_p;
    t->gradient = gradient;
    lua_pushcfunction(t->L, protected_call);
    lua_pushvalue(t->L, t->function);
    lua_pushlightuserdata(t->L, t);
    t->failed = lua_pcall(t->L, 2, 0, 0) != 0;
    return t->failed ? -1 : 0;
}
