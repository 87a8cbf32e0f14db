/* array.h - the numeric arrays of Lua: bounds-checked userdata over row-major memory.
 *
 * An array is always seen as rows x columns: rank 1 is one column, rank 3 and 4 keep their dims for saving and count
 * all axes after the first as columns. Lua sees indices from 1. The elements live inside the userdata, so that the
 * collector knows their weight; only those too large for a userdata are malloc'ed.
 */
#ifndef WEIR__LUA_ARRAY_H
#define WEIR__LUA_ARRAY_H

#include <lauxlib.h>
#include <lua.h>

#include <weir.h>

typedef struct weir__array {
    int32_t dtype, rank;
    int64_t dims[4];
    int64_t rows, columns, count;
    void *data;
    void *owned; /* malloc'ed block to free, or NULL */
} weir__array;

/** Elements that pass through one block of doubles at a time. */
#define WEIR__BLOCK 1024

/** Pushes a new array of zeros; raises a Lua error when the size is absurd or memory is short. */
weir__array *weir__array_push(lua_State *L, int32_t dtype, int32_t rank, const int64_t *dims);
weir__array *weir__array_push_matrix(lua_State *L, int32_t dtype, int64_t rows, int64_t columns);
/** Pushes rank 1. */
weir__array *weir__array_push_vector(lua_State *L, int32_t dtype, int64_t count);

/** The array at a stack index: raises an argument error, or (to) gives NULL. */
weir__array *weir__array_check(lua_State *L, int index);
weir__array *weir__array_to(lua_State *L, int index);

/** The library's view of it. */
weir_matrix weir__array_matrix(const weir__array *array);

/** Elements [first, first + count) as doubles, and back (rounded and clamped for integer types). */
void weir__array_load(const weir__array *array, int64_t first, int64_t count, double *values);
void weir__array_store(weir__array *array, int64_t first, int64_t count, const double *values);
double weir__array_at(const weir__array *array, int64_t index);

size_t weir__dtype_size(int32_t dtype);
const char *weir__dtype_name(int32_t dtype);
/** Reads a dtype name at a stack index ("f32", ...); `otherwise` when it is nil. */
int32_t weir__dtype_check(lua_State *L, int index, int32_t otherwise);
/** A whole number in [low, high], or an argument error. */
int64_t weir__integer_check(lua_State *L, int index, int64_t low, int64_t high);

/* Each adds its functions to the table on top of the stack: methods, */
void weir__array_register(lua_State *L);
void weir__array_register_rows(lua_State *L);
void weir__array_register_reduce(lua_State *L);
void weir__array_register_arithmetic(lua_State *L);
void weir__array_register_linear(lua_State *L);
/* the metatable's + - * / and so on, */
void weir__array_register_operators(lua_State *L);
/* and what makes arrays of others (concat, ...). */
void weir__array_register_makers(lua_State *L);
void weir__array_register_functions(lua_State *L); /* new, from, load */
/** Makes the metatable, with its events, and pushes it. */
void weir__array_register_events(lua_State *L);

/** array_library.c: all of these together; pushes the table of array functions (new, from, load, concat, ...). */
void weir__array_open(lua_State *L);

#endif
