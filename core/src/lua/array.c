/* array.c - making arrays, and reading and writing single elements. */
#include "array.h"
#include "reach.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char type_name[] = "weir.array";

/* LuaJIT keeps a userdata's length in 31 bits. */
static const size_t largest_inside = (size_t)1 << 30;
static const int64_t most_bytes = (int64_t)1 << 46;

static const struct dtype {
    const char *name;
    int32_t size;
    double lowest, highest;
} dtypes[] = {
    [WEIR_DTYPE_F32] = {"f32", 4, 0, 0},
    [WEIR_DTYPE_F64] = {"f64", 8, 0, 0},
    [WEIR_DTYPE_U8] = {"u8", 1, 0, UINT8_MAX},
    [WEIR_DTYPE_I32] = {"i32", 4, INT32_MIN, INT32_MAX},
    [WEIR_DTYPE_I64] = {"i64", 8, -9223372036854774784.0, 9223372036854774784.0},
    [WEIR_DTYPE_I8] = {"i8", 1, INT8_MIN, INT8_MAX},
    [WEIR_DTYPE_U16] = {"u16", 2, 0, UINT16_MAX},
    [WEIR_DTYPE_I16] = {"i16", 2, INT16_MIN, INT16_MAX},
    [WEIR_DTYPE_U32] = {"u32", 4, 0, UINT32_MAX},
    [WEIR_DTYPE_BOOL] = {"bool", 1, 0, 1},
};
#define DTYPE_COUNT ((int32_t)(sizeof dtypes / sizeof dtypes[0]))

size_t weir__dtype_size(int32_t dtype)
{
    return (size_t)dtypes[dtype].size;
}

const char *weir__dtype_name(int32_t dtype)
{
    return dtype > 0 && dtype < DTYPE_COUNT ? dtypes[dtype].name : "?";
}

int32_t weir__dtype_check(lua_State *L, int index, int32_t otherwise)
{
    if (lua_isnoneornil(L, index)) return otherwise;
    const char *const name = luaL_checkstring(L, index);
    for (int32_t i = 1; i < DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) == 0) return i;
    }
    return luaL_argerror(L, index, "expected f32, f64, u8, u16, u32, i8, i16, i32, i64 or bool");
}

int64_t weir__integer_check(lua_State *L, int index, int64_t low, int64_t high)
{
    const double value = luaL_checknumber(L, index);
    if (value >= (double)low && value <= (double)high && floor(value) == value) return (int64_t)value;
    lua_pushfstring(L, "expected a whole number from %f to %f, got %f", (double)low, (double)high, value);
    return luaL_argerror(L, index, lua_tostring(L, -1));
}

/* ---- elements -------------------------------------------------------------------------------- */

#define LOAD(type)                                                                                           \
    do {                                                                                                     \
        const type *const from = (const type *)array->data + first;                                          \
        for (int64_t i = 0; i < count; i++) values[i] = (double)from[i];                                     \
    } while (0)

void weir__array_load(const weir__array *array, int64_t first, int64_t count, double *values)
{
    switch (array->dtype) {
    case WEIR_DTYPE_F32:
        LOAD(float);
        break;
    case WEIR_DTYPE_F64:
        LOAD(double);
        break;
    case WEIR_DTYPE_I32:
        LOAD(int32_t);
        break;
    case WEIR_DTYPE_I64:
        LOAD(int64_t);
        break;
    case WEIR_DTYPE_I8:
        LOAD(int8_t);
        break;
    case WEIR_DTYPE_U16:
        LOAD(uint16_t);
        break;
    case WEIR_DTYPE_I16:
        LOAD(int16_t);
        break;
    case WEIR_DTYPE_U32:
        LOAD(uint32_t);
        break;
    default:
        LOAD(uint8_t);
        break;
    }
}

/* NaN becomes the lowest value: an integer has nothing better. */
static double to_range(int32_t dtype, double value)
{
    const struct dtype *const t = &dtypes[dtype];
    const double whole = nearbyint(value);
    if (!(whole >= t->lowest)) return t->lowest;
    return whole > t->highest ? t->highest : whole;
}

#define STORE(type)                                                                                          \
    do {                                                                                                     \
        type *const to = (type *)array->data + first;                                                        \
        for (int64_t i = 0; i < count; i++) to[i] = (type)to_range(array->dtype, values[i]);                 \
    } while (0)

static void store_f32(float *to, int64_t count, const double *values)
{
    for (int64_t i = 0; i < count; i++) to[i] = (float)values[i];
}

void weir__array_store(weir__array *array, int64_t first, int64_t count, const double *values)
{
    switch (array->dtype) {
    case WEIR_DTYPE_F32:
        store_f32((float *)array->data + first, count, values);
        break;
    case WEIR_DTYPE_F64:
        memcpy((double *)array->data + first, values, (size_t)count * sizeof *values);
        break;
    case WEIR_DTYPE_I32:
        STORE(int32_t);
        break;
    case WEIR_DTYPE_I64:
        STORE(int64_t);
        break;
    case WEIR_DTYPE_I8:
        STORE(int8_t);
        break;
    case WEIR_DTYPE_U16:
        STORE(uint16_t);
        break;
    case WEIR_DTYPE_I16:
        STORE(int16_t);
        break;
    case WEIR_DTYPE_U32:
        STORE(uint32_t);
        break;
    default:
        STORE(uint8_t);
        break;
    }
}

double weir__array_at(const weir__array *array, int64_t index)
{
    double value;
    weir__array_load(array, index, 1, &value);
    return value;
}

/* ---- making ---------------------------------------------------------------------------------- */

static int64_t checked_count(lua_State *L, int32_t rank, const int64_t *dims, size_t size)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        const int64_t dim = dims[i];
        if (dim < 0 || (dim > 0 && count > most_bytes / (int64_t)size / dim)) {
            return luaL_error(L, "an array of this size cannot be made");
        }
        count *= dim;
    }
    return count;
}

weir__array *weir__array_push(lua_State *L, int32_t dtype, int32_t rank, const int64_t *dims)
{
    const int64_t count = checked_count(L, rank, dims, weir__dtype_size(dtype));
    const size_t bytes = (size_t)count * weir__dtype_size(dtype);
    const size_t header = (sizeof(weir__array) + 15) & ~(size_t)15;
    const int inside = bytes < largest_inside;
    weir__array *const array = lua_newuserdata(L, header + (inside ? bytes : 0));
    memset(array, 0, header + (inside ? bytes : 0));
    luaL_getmetatable(L, type_name);
    lua_setmetatable(L, -2);
    array->data = inside ? (char *)array + header : (array->owned = calloc(1, bytes));
    if (!array->data) luaL_error(L, "out of memory: %f MB for an array", (double)bytes / 1e6);
    array->dtype = dtype;
    array->rank = rank;
    memcpy(array->dims, dims, (size_t)rank * sizeof *dims);
    array->rows = rank > 0 ? dims[0] : 1;
    array->columns = 1;
    for (int32_t i = 1; i < rank; i++) array->columns *= dims[i];
    array->count = count;
    return array;
}

weir__array *weir__array_push_matrix(lua_State *L, int32_t dtype, int64_t rows, int64_t columns)
{
    return weir__array_push(L, dtype, 2, (int64_t[]){rows, columns});
}

weir__array *weir__array_push_vector(lua_State *L, int32_t dtype, int64_t count)
{
    return weir__array_push(L, dtype, 1, &count);
}

weir__array *weir__array_to(lua_State *L, int index)
{
    void *const data = lua_touserdata(L, index);
    if (!data || !lua_getmetatable(L, index)) return NULL;
    luaL_getmetatable(L, type_name);
    const int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? data : NULL;
}

weir__array *weir__array_check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, type_name);
}

weir_matrix weir__array_matrix(const weir__array *array)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = array->dtype,
                         .rows = array->rows,
                         .columns = array->columns,
                         .data = array->data};
}

static int collect(lua_State *L)
{
    weir__array *const array = weir__array_check(L, 1);
    free(array->owned);
    if (array->owned) *array = (weir__array){.dtype = array->dtype, .rank = 1};
    return 0;
}

/** new(dtype, rows [, columns]): zeros. */
static int new_array(lua_State *L)
{
    const int32_t dtype = weir__dtype_check(L, 1, WEIR_DTYPE_F64);
    const int64_t rows = weir__integer_check(L, 2, 0, most_bytes);
    if (lua_isnoneornil(L, 3)) return weir__array_push_vector(L, dtype, rows), 1;
    weir__array_push_matrix(L, dtype, rows, weir__integer_check(L, 3, 0, most_bytes));
    return 1;
}

static double number_in(lua_State *L, int64_t i, int64_t j)
{
    if (lua_type(L, -1) != LUA_TNUMBER) {
        luaL_error(L, "expected a number in row %d, column %d, got %s", (int)i, (int)j, luaL_typename(L, -1));
    }
    const double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static void fill_row(lua_State *L, weir__array *array, int64_t i)
{
    if ((int64_t)lua_objlen(L, -1) != array->columns) {
        luaL_error(L, "row %d has %d numbers, row 1 has %d", (int)i, (int)lua_objlen(L, -1),
                   (int)array->columns);
    }
    for (int64_t j = 1; j <= array->columns; j++) {
        lua_rawgeti(L, -1, (int)j);
        const double value = number_in(L, i, j);
        weir__array_store(array, (i - 1) * array->columns + j - 1, 1, &value);
    }
}

/** from(list [, dtype]): a list of numbers gives a vector, a list of lists a matrix. */
static int from_table(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const int32_t dtype = weir__dtype_check(L, 2, WEIR_DTYPE_F64);
    const int64_t rows = (int64_t)lua_objlen(L, 1);
    lua_rawgeti(L, 1, 1);
    const int nested = lua_istable(L, -1);
    const int64_t columns = nested ? (int64_t)lua_objlen(L, -1) : 1;
    lua_pop(L, 1);
    weir__array *const array =
        nested ? weir__array_push_matrix(L, dtype, rows, columns) : weir__array_push_vector(L, dtype, rows);
    for (int64_t i = 1; i <= rows; i++) {
        lua_rawgeti(L, 1, (int)i);
        if (!nested) {
            const double value = number_in(L, i, 1);
            weir__array_store(array, i - 1, 1, &value);
            continue;
        }
        if (!lua_istable(L, -1))
            return luaL_error(L, "row %d is a %s, not a list", (int)i, luaL_typename(L, -1));
        fill_row(L, array, i);
        lua_pop(L, 1);
    }
    return 1;
}

static void push_names(lua_State *L, const weir_array *array, int64_t columns)
{
    if (!weir_array_column(array, 0)) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)columns, 0);
    for (int64_t j = 0; j < columns; j++) {
        const char *const name = weir_array_column(array, j);
        lua_pushstring(L, name ? name : "");
        lua_rawseti(L, -2, (int)j + 1);
    }
}

static int copy_file_array(lua_State *L)
{
    weir_array *const read = lua_touserdata(L, 1);
    const int32_t rank = weir_array_rank(read);
    int64_t dims[4] = {0};
    for (int32_t i = 0; i < rank && i < 4; i++) dims[i] = weir_array_dim(read, i);
    weir__array *const array = weir__array_push(L, weir_array_dtype(read), rank, dims);
    const size_t bytes = (size_t)array->count * weir__dtype_size(array->dtype);
    if (bytes > 0) memcpy(array->data, weir_array_data(read), bytes);
    push_names(L, read, array->columns);
    return 2;
}

/** load(path [, member]): the array, and the names of its columns or nil; nil, message when it cannot be read. */
static int load(lua_State *L)
{
    const char *const path = weir__reach_read(L, 1);
    weir_array *read;
    weir_error error;
    if (weir_array_read(path, luaL_optstring(L, 2, NULL), &read, &error)) {
        return lua_pushnil(L), lua_pushstring(L, error.message), 2;
    }
    /* Protected, so that the file's memory is released even when Lua has none left. */
    lua_settop(L, 0);
    lua_pushcfunction(L, copy_file_array);
    lua_pushlightuserdata(L, read);
    const int failed = lua_pcall(L, 1, 2, 0);
    weir_array_free(read);
    return failed ? lua_error(L) : 2;
}

/* ---- methods --------------------------------------------------------------------------------- */

static int64_t place(lua_State *L, const weir__array *array)
{
    const int64_t i = weir__integer_check(L, 2, 1, array->rows);
    const int64_t j = lua_isnoneornil(L, 3) ? 1 : weir__integer_check(L, 3, 1, array->columns);
    if (array->columns == 0) return luaL_error(L, "the array has no columns");
    return (i - 1) * array->columns + j - 1;
}

/** get(i [, j]) */
static int get(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    lua_pushnumber(L, weir__array_at(array, place(L, array)));
    return 1;
}

/** set(i, j, value), or set(i, value) for a vector. */
static int set(lua_State *L)
{
    weir__array *const array = weir__array_check(L, 1);
    if (lua_gettop(L) == 3) {
        luaL_argcheck(L, array->columns == 1, 3, "the array has more than one column: set(i, j, value)");
        lua_pushnumber(L, 1);
        lua_insert(L, 3);
    }
    const double value = luaL_checknumber(L, 4);
    weir__array_store(array, place(L, array), 1, &value);
    lua_settop(L, 1);
    return 1;
}

static int rows(lua_State *L)
{
    lua_pushnumber(L, (double)weir__array_check(L, 1)->rows);
    return 1;
}

static int columns(lua_State *L)
{
    lua_pushnumber(L, (double)weir__array_check(L, 1)->columns);
    return 1;
}

static int count(lua_State *L)
{
    lua_pushnumber(L, (double)weir__array_check(L, 1)->count);
    return 1;
}

static int dtype(lua_State *L)
{
    lua_pushstring(L, weir__dtype_name(weir__array_check(L, 1)->dtype));
    return 1;
}

/** shape(): the sizes of the axes, as a list. */
static int shape(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    lua_createtable(L, array->rank, 0);
    for (int32_t i = 0; i < array->rank; i++) {
        lua_pushnumber(L, (double)array->dims[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int to_table(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    if (array->count >= INT32_MAX / 2) return luaL_error(L, "the array is too large for a table");
    lua_createtable(L, (int)array->rows, 0);
    for (int64_t i = 0; i < array->rows; i++) {
        if (array->rank > 1) lua_createtable(L, (int)array->columns, 0);
        for (int64_t j = 0; j < array->columns; j++) {
            lua_pushnumber(L, weir__array_at(array, i * array->columns + j));
            lua_rawseti(L, -2, (int)(array->rank > 1 ? j + 1 : i + 1));
        }
        if (array->rank > 1) lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/** save(path [, names]): .npy or .csv, by the ending. Raises what goes wrong: scripts seldom look at an answer of save. */
static int save(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    const char *const path = weir__reach_write(L, 2);
    const weir_matrix matrix = weir__array_matrix(array);
    const char **names = NULL;
    if (lua_istable(L, 3)) {
        luaL_argcheck(L, (int64_t)lua_objlen(L, 3) == array->columns, 3,
                      "as many names as columns are needed");
        luaL_checkstack(L, 2, "names");
        names = lua_newuserdata(L, ((size_t)array->columns + 1) * sizeof *names);
        for (int64_t j = 0; j < array->columns; j++) {
            lua_rawgeti(L, 3, (int)j + 1);
            luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 3, "names are strings");
            names[j] = lua_tostring(L, -1); /* the list keeps the string alive */
            lua_pop(L, 1);
        }
    }
    weir_error error;
    if (weir_matrix_write(path, &matrix, names, &error)) {
        lua_pushstring(L, error.message);
        return lua_error(L);
    }
    lua_settop(L, 1);
    return 1;
}

static void add_line(luaL_Buffer *text, const weir__array *array, int64_t i)
{
    char number[40];
    luaL_addstring(text, "\n ");
    for (int64_t j = 0; j < array->columns && j < 8; j++) {
        const double value = weir__array_at(array, i * array->columns + j);
        const int length = snprintf(number, sizeof number, " %11.5g", value);
        luaL_addlstring(text, number, (size_t)length);
    }
    if (array->columns > 8) luaL_addstring(text, " ...");
}

static int to_string(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    char head[160];
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    int length = snprintf(head, sizeof head, "array %s ", weir__dtype_name(array->dtype));
    for (int32_t i = 0; i < array->rank; i++) {
        length += snprintf(head + length, sizeof head - (size_t)length, "%s%lld", i ? " x " : "",
                           (long long)array->dims[i]);
    }
    luaL_addlstring(&text, head, (size_t)length);
    for (int64_t i = 0; i < array->rows && i < 8; i++) add_line(&text, array, i);
    if (array->rows > 8) luaL_addstring(&text, "\n  ...");
    luaL_pushresult(&text);
    return 1;
}

static const luaL_Reg methods[] = {
    {"get", get},     {"set", set},     {"rows", rows},         {"columns", columns}, {"count", count},
    {"dtype", dtype}, {"shape", shape}, {"to_table", to_table}, {"save", save},       {NULL, NULL}};
static const luaL_Reg events[] = {
    {"__gc", collect}, {"__tostring", to_string}, {"__len", rows}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"new", new_array}, {"from", from_table}, {"load", load}, {NULL, NULL}};

void weir__array_register(lua_State *L)
{
    luaL_register(L, NULL, methods);
}

void weir__array_register_events(lua_State *L)
{
    luaL_newmetatable(L, type_name);
    luaL_register(L, NULL, events);
}

void weir__array_register_functions(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
