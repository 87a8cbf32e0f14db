/* array_rows.c - arrays made of parts of others: rows, columns, joins, other types and shapes. */
#include "array.h"

#include <string.h>

static char *element(const weir__array *array, int64_t index)
{
    return (char *)array->data + (size_t)index * weir__dtype_size(array->dtype);
}

/* Rows of the same kind as `from`: rank and the dims after the first are kept. */
static weir__array *push_like(lua_State *L, const weir__array *from, int64_t rows)
{
    int64_t dims[4];
    memcpy(dims, from->dims, sizeof dims);
    dims[0] = rows;
    return weir__array_push(L, from->dtype, from->rank > 0 ? from->rank : 1, dims);
}

/** slice(first [, last]): rows first..last; negative numbers count from the end. */
static int slice(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    int64_t first = weir__integer_check(L, 2, -array->rows, array->rows + 1);
    int64_t last = lua_isnoneornil(L, 3) ? array->rows : weir__integer_check(L, 3, -array->rows, array->rows);
    if (first < 0) first += array->rows + 1;
    if (last < 0) last += array->rows + 1;
    luaL_argcheck(L, first >= 1, 2, "rows are counted from 1");
    const int64_t rows = last >= first ? last - first + 1 : 0;
    weir__array *const part = push_like(L, array, rows);
    const size_t bytes = (size_t)part->count * weir__dtype_size(part->dtype);
    if (bytes > 0) memcpy(part->data, element(array, (first - 1) * array->columns), bytes);
    return 1;
}

/* An index list: a table of numbers or an array. Entry `at` (from 0) as an index in [1, limit]. */
static int64_t listed(lua_State *L, int list, int64_t at, int64_t limit)
{
    const weir__array *const array = weir__array_to(L, list);
    double value = 0;
    if (array) {
        value = weir__array_at(array, at);
    } else {
        lua_rawgeti(L, list, (int)at + 1);
        value = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    if (!(value >= 1 && value <= (double)limit) || (double)(int64_t)value != value) {
        luaL_error(L, "entry %d of the list of indices is %f: whole numbers from 1 to %f are allowed",
                   (int)at + 1, value, (double)limit);
    }
    return (int64_t)value - 1;
}

static int64_t list_length(lua_State *L, int list)
{
    const weir__array *const array = weir__array_to(L, list);
    if (array) return array->count;
    luaL_checktype(L, list, LUA_TTABLE);
    return (int64_t)lua_objlen(L, list);
}

/** take(list): the listed rows, in that order. */
static int take(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    const int64_t rows = list_length(L, 2);
    weir__array *const taken = push_like(L, array, rows);
    const size_t bytes = (size_t)array->columns * weir__dtype_size(array->dtype);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t row = listed(L, 2, i, array->rows);
        memcpy(element(taken, i * array->columns), element(array, row * array->columns), bytes);
    }
    return 1;
}

/** select(list): the listed columns, in that order. */
static int select_columns(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    const int64_t columns = list_length(L, 2);
    weir__array *const selected = weir__array_push_matrix(L, array->dtype, array->rows, columns);
    const size_t size = weir__dtype_size(array->dtype);
    for (int64_t j = 0; j < columns; j++) {
        const int64_t from = listed(L, 2, j, array->columns);
        for (int64_t i = 0; i < array->rows; i++) {
            memcpy(element(selected, i * columns + j), element(array, i * array->columns + from), size);
        }
    }
    return 1;
}

/** cast(dtype): the same numbers in another type; integers round to nearest and stay in range. */
static int cast(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    luaL_checkstring(L, 2);
    const int32_t dtype = weir__dtype_check(L, 2, WEIR_DTYPE_F64);
    weir__array *const made = weir__array_push(L, dtype, array->rank, array->dims);
    double block[WEIR__BLOCK];
    for (int64_t first = 0; first < array->count; first += WEIR__BLOCK) {
        const int64_t left = array->count - first, n = left < WEIR__BLOCK ? left : WEIR__BLOCK;
        weir__array_load(array, first, n, block);
        weir__array_store(made, first, n, block);
    }
    return 1;
}

/** reshape(rows, columns): the same elements in the same order. */
static int reshape(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    const int64_t rows = weir__integer_check(L, 2, 0, array->count);
    const int64_t columns = weir__integer_check(L, 3, 0, array->count > 1 ? array->count : 1);
    if (rows * columns != array->count) {
        return luaL_error(L, "%f elements do not make %f rows of %f", (double)array->count, (double)rows,
                          (double)columns);
    }
    weir__array *const made = weir__array_push_matrix(L, array->dtype, rows, columns);
    memcpy(made->data, array->data, (size_t)array->count * weir__dtype_size(array->dtype));
    return 1;
}

static int transpose(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    weir__array *const made = weir__array_push_matrix(L, array->dtype, array->columns, array->rows);
    const size_t size = weir__dtype_size(array->dtype);
    for (int64_t i = 0; i < array->rows; i++) {
        for (int64_t j = 0; j < array->columns; j++) {
            memcpy(element(made, j * array->rows + i), element(array, i * array->columns + j), size);
        }
    }
    return 1;
}

static weir__array *part(lua_State *L, int index)
{
    lua_rawgeti(L, 1, index);
    weir__array *const array = weir__array_to(L, -1);
    if (!array) luaL_error(L, "entry %d is a %s, not an array", index, luaL_typename(L, -1));
    lua_pop(L, 1);
    return array;
}

/** concat{a, b, ...}: one below the other; dtype and columns are those of the first. */
static int concat(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const int parts = (int)lua_objlen(L, 1);
    luaL_argcheck(L, parts > 0, 1, "expected a list of arrays");
    const weir__array *const first = part(L, 1);
    int64_t rows = 0;
    for (int k = 1; k <= parts; k++) {
        const weir__array *const next = part(L, k);
        rows += next->rows;
        if (next->columns != first->columns || next->dtype != first->dtype) {
            return luaL_error(L, "array %d is %s with %d columns, array 1 is %s with %d", k,
                              weir__dtype_name(next->dtype), (int)next->columns,
                              weir__dtype_name(first->dtype), (int)first->columns);
        }
    }
    weir__array *const made = push_like(L, first, rows);
    for (int64_t k = 1, at = 0; k <= parts; k++) {
        const weir__array *const next = part(L, (int)k);
        if (next->count > 0)
            memcpy(element(made, at), next->data, (size_t)next->count * weir__dtype_size(next->dtype));
        at += next->count;
    }
    return 1;
}

/** join{a, b, ...}: side by side; rows and dtype are those of the first. */
static int join(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const int parts = (int)lua_objlen(L, 1);
    luaL_argcheck(L, parts > 0, 1, "expected a list of arrays");
    const weir__array *const first = part(L, 1);
    int64_t columns = 0;
    for (int k = 1; k <= parts; k++) {
        const weir__array *const next = part(L, k);
        columns += next->columns;
        if (next->rows != first->rows || next->dtype != first->dtype) {
            return luaL_error(L, "array %d is %s with %f rows, array 1 is %s with %f", k,
                              weir__dtype_name(next->dtype), (double)next->rows,
                              weir__dtype_name(first->dtype), (double)first->rows);
        }
    }
    weir__array *const made = weir__array_push_matrix(L, first->dtype, first->rows, columns);
    const size_t size = weir__dtype_size(first->dtype);
    for (int64_t k = 1, at = 0; k <= parts; k++) {
        const weir__array *const next = part(L, (int)k);
        for (int64_t i = 0; i < next->rows; i++) {
            memcpy(element(made, i * columns + at), element(next, i * next->columns),
                   (size_t)next->columns * size);
        }
        at += next->columns;
    }
    return 1;
}

static const luaL_Reg methods[] = {{"slice", slice}, {"take", take},       {"select", select_columns},
                                   {"cast", cast},   {"reshape", reshape}, {"transpose", transpose},
                                   {NULL, NULL}};
static const luaL_Reg makers[] = {{"concat", concat}, {"join", join}, {NULL, NULL}};

void weir__array_register_rows(lua_State *L)
{
    luaL_register(L, NULL, methods);
}

void weir__array_register_makers(lua_State *L)
{
    luaL_register(L, NULL, makers);
}
