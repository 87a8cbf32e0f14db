/* array_reduce.c - numbers about arrays: sums, moments, extremes, a fingerprint. */
#include "array.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Everything here walks over blocks of doubles, whatever the type of the array. */
typedef void (*visit)(void *state, const double *values, int64_t count);

static void walk(const weir__array *array, visit each, void *state)
{
    double block[WEIR__BLOCK];
    for (int64_t first = 0; first < array->count; first += WEIR__BLOCK) {
        const int64_t left = array->count - first, n = left < WEIR__BLOCK ? left : WEIR__BLOCK;
        weir__array_load(array, first, n, block);
        each(state, block, n);
    }
}

/* Statistics of one column, or of everything. Two passes keep the variance exact. */
typedef struct moments {
    double sum, squares, mean, low, high;
} moments;

static void add_values(void *state, const double *values, int64_t count)
{
    moments *const m = state;
    for (int64_t i = 0; i < count; i++) m->sum += values[i];
}

static void add_squares(void *state, const double *values, int64_t count)
{
    moments *const m = state;
    for (int64_t i = 0; i < count; i++) m->squares += (values[i] - m->mean) * (values[i] - m->mean);
}

static void add_extremes(void *state, const double *values, int64_t count)
{
    moments *const m = state;
    for (int64_t i = 0; i < count; i++) {
        if (values[i] < m->low) m->low = values[i];
        if (values[i] > m->high) m->high = values[i];
    }
}

#define SUM  1
#define MEAN 2
#define STD  3
#define MIN  4
#define MAX  5

static double figure(int what, const moments *m, int64_t count)
{
    switch (what) {
    case SUM:
        return m->sum;
    case MEAN:
        return m->sum / (double)count;
    case STD:
        return sqrt(m->squares / (double)(count > 1 ? count - 1 : 1));
    case MIN:
        return m->low;
    default:
        return m->high;
    }
}

static moments gather(int what, const weir__array *array)
{
    moments m = {.low = INFINITY, .high = -INFINITY};
    if (what == MIN || what == MAX)
        walk(array, add_extremes, &m);
    else
        walk(array, add_values, &m);
    m.mean = m.sum / (double)array->count;
    if (what == STD) walk(array, add_squares, &m);
    return m;
}

/* By column: a 1 x columns array. */
static int by_column(lua_State *L, int what, const weir__array *array)
{
    weir__array *const made = weir__array_push_matrix(L, WEIR_DTYPE_F64, 1, array->columns);
    double *const out = made->data;
    moments *const m = lua_newuserdata(L, ((size_t)array->columns + 1) * sizeof *m);
    for (int64_t j = 0; j < array->columns; j++) m[j] = (moments){.low = INFINITY, .high = -INFINITY};
    for (int pass = 0; pass < (what == STD ? 2 : 1); pass++) {
        for (int64_t i = 0; i < array->rows; i++) {
            for (int64_t j = 0; j < array->columns; j++) {
                const double value = weir__array_at(array, i * array->columns + j);
                if (pass == 1)
                    add_squares(&m[j], &value, 1);
                else if (what == MIN || what == MAX)
                    add_extremes(&m[j], &value, 1);
                else
                    add_values(&m[j], &value, 1);
            }
        }
        for (int64_t j = 0; j < array->columns; j++) m[j].mean = m[j].sum / (double)array->rows;
    }
    for (int64_t j = 0; j < array->columns; j++) out[j] = figure(what, &m[j], array->rows);
    lua_pop(L, 1);
    return 1;
}

/* With the argument 1 along the rows: one figure for each column. Without: of all elements. */
static int reduce(lua_State *L, int what)
{
    const weir__array *const array = weir__array_check(L, 1);
    if (array->count == 0 && what != SUM) return luaL_error(L, "the array has no elements");
    if (!lua_isnoneornil(L, 2)) {
        weir__integer_check(L, 2, 1, 1);
        return by_column(L, what, array);
    }
    const moments m = gather(what, array);
    lua_pushnumber(L, figure(what, &m, array->count));
    return 1;
}

static int sum(lua_State *L)
{
    return reduce(L, SUM);
}

static int mean(lua_State *L)
{
    return reduce(L, MEAN);
}

/** The sample standard deviation (divisor n - 1). */
static int std(lua_State *L)
{
    return reduce(L, STD);
}

static int min(lua_State *L)
{
    return reduce(L, MIN);
}

static int max(lua_State *L)
{
    return reduce(L, MAX);
}

/** nonfinite(["nan"]): row and column of the first element that is not finite (or that is NaN); nil when there is none. */
static int nonfinite(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    const int nan_only = lua_toboolean(L, 2);
    if (array->dtype != WEIR_DTYPE_F32 && array->dtype != WEIR_DTYPE_F64) return lua_pushnil(L), 1;
    double block[WEIR__BLOCK];
    for (int64_t first = 0; first < array->count; first += WEIR__BLOCK) {
        const int64_t left = array->count - first, n = left < WEIR__BLOCK ? left : WEIR__BLOCK;
        weir__array_load(array, first, n, block);
        for (int64_t i = 0; i < n; i++) {
            if (nan_only ? !isnan(block[i]) : isfinite(block[i])) continue;
            const int64_t row = (first + i) / array->columns, column = (first + i) % array->columns;
            lua_pushnumber(L, (double)(row + 1));
            lua_pushnumber(L, (double)(column + 1));
            return 2;
        }
    }
    return lua_pushnil(L), 1;
}

static uint64_t fnv(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *const at = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/** fingerprint(): 16 hexadecimal digits of type, shape and contents (FNV-1a). Tells accidents apart, not attacks. */
static int fingerprint(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = fnv(hash, &array->dtype, sizeof array->dtype);
    hash = fnv(hash, &array->rows, sizeof array->rows);
    hash = fnv(hash, &array->columns, sizeof array->columns);
    hash = fnv(hash, array->data, (size_t)array->count * weir__dtype_size(array->dtype));
    char text[20];
    const int length = snprintf(text, sizeof text, "%016" PRIx64, hash);
    lua_pushlstring(L, text, (size_t)length);
    return 1;
}

static const luaL_Reg methods[] = {{"sum", sum},
                                   {"mean", mean},
                                   {"std", std},
                                   {"min", min},
                                   {"max", max},
                                   {"nonfinite", nonfinite},
                                   {"fingerprint", fingerprint},
                                   {NULL, NULL}};

void weir__array_register_reduce(lua_State *L)
{
    luaL_register(L, NULL, methods);
}
