/* array_arithmetic.c - element by element: + - * / ^, minus, exp, log and the like.
 *
 * Two operands go together when each axis agrees or is 1 in one of them: a column of numbers scales rows, the result of
 * mean(1) shifts columns. The answer is f32 when every array in it is, else f64.
 */
#include "array.h"

#include <math.h>
#include <string.h>

typedef double (*binary)(double a, double b);
typedef double (*unary)(double a);

static double add(double a, double b)
{
    return a + b;
}

static double subtract(double a, double b)
{
    return a - b;
}

static double multiply(double a, double b)
{
    return a * b;
}

static double divide(double a, double b)
{
    return a / b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double square(double a)
{
    return a * a;
}

static double negative(double a)
{
    return -a;
}

/* An operand: a number has no array. */
typedef struct operand {
    const weir__array *array;
    double number;
    int64_t rows, columns;
} operand;

static operand operand_at(lua_State *L, int index)
{
    operand o = {.array = weir__array_to(L, index), .rows = 1, .columns = 1};
    if (!o.array) {
        o.number = luaL_checknumber(L, index);
        return o;
    }
    o.rows = o.array->rows;
    o.columns = o.array->columns;
    return o;
}

static int64_t common(lua_State *L, int64_t a, int64_t b, const char *what)
{
    if (a == b || b == 1) return a;
    if (a == 1) return b;
    return luaL_error(L, "arrays of %f and %f %s do not go together", (double)a, (double)b, what);
}

/* Columns [first, first + n) of row i of the operand, repeated where it has one row or column only. */
static void load_part(const operand *o, int64_t i, int64_t first, int64_t n, double *values)
{
    const int64_t row = o->rows == 1 ? 0 : i;
    if (o->array && o->columns > 1) {
        weir__array_load(o->array, row * o->columns + first, n, values);
        return;
    }
    const double value = o->array ? weir__array_at(o->array, row) : o->number;
    for (int64_t j = 0; j < n; j++) values[j] = value;
}

static int32_t result_dtype(const operand *a, const operand *b)
{
    const int narrow_a = !a->array || a->array->dtype == WEIR_DTYPE_F32;
    const int narrow_b = !b->array || b->array->dtype == WEIR_DTYPE_F32;
    return narrow_a && narrow_b ? WEIR_DTYPE_F32 : WEIR_DTYPE_F64;
}

static weir__array *push_result(lua_State *L, const operand *a, const operand *b)
{
    const int64_t rows = common(L, a->rows, b->rows, "rows"),
                  columns = common(L, a->columns, b->columns, "columns");
    const int32_t dtype = result_dtype(a, b);
    const int flat = (!a->array || a->array->rank == 1) && (!b->array || b->array->rank == 1);
    return flat ? weir__array_push_vector(L, dtype, rows) : weir__array_push_matrix(L, dtype, rows, columns);
}

/* A vector is walked as if it were one long row, so that blocks are full. */
static void flatten(operand *a, operand *b, int64_t *rows, int64_t *columns)
{
    if (a->columns != b->columns && a->array && b->array) return;
    if (a->array && b->array && a->rows != b->rows) return;
    *columns *= *rows;
    *rows = 1;
    for (int k = 0; k < 2; k++) {
        operand *const o = k ? b : a;
        if (!o->array) continue;
        o->columns = *columns;
        o->rows = 1;
    }
}

static int combine(lua_State *L, binary f)
{
    operand a = operand_at(L, 1), b = operand_at(L, 2);
    weir__array *const made = push_result(L, &a, &b);
    int64_t rows = made->rows, columns = made->columns;
    double left[WEIR__BLOCK], right[WEIR__BLOCK];
    flatten(&a, &b, &rows, &columns);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t first = 0; first < columns; first += WEIR__BLOCK) {
            const int64_t n = columns - first < WEIR__BLOCK ? columns - first : WEIR__BLOCK;
            load_part(&a, i, first, n, left);
            load_part(&b, i, first, n, right);
            for (int64_t j = 0; j < n; j++) left[j] = f(left[j], right[j]);
            weir__array_store(made, i * columns + first, n, left);
        }
    }
    return 1;
}

static int apply(lua_State *L, unary f)
{
    const weir__array *const array = weir__array_check(L, 1);
    const int32_t dtype = array->dtype == WEIR_DTYPE_F32 ? WEIR_DTYPE_F32 : WEIR_DTYPE_F64;
    weir__array *const made = weir__array_push(L, dtype, array->rank, array->dims);
    double block[WEIR__BLOCK];
    for (int64_t first = 0; first < array->count; first += WEIR__BLOCK) {
        const int64_t left = array->count - first, n = left < WEIR__BLOCK ? left : WEIR__BLOCK;
        weir__array_load(array, first, n, block);
        for (int64_t i = 0; i < n; i++) block[i] = f(block[i]);
        weir__array_store(made, first, n, block);
    }
    return 1;
}

static int array_add(lua_State *L)
{
    return combine(L, add);
}

static int array_sub(lua_State *L)
{
    return combine(L, subtract);
}

static int array_mul(lua_State *L)
{
    return combine(L, multiply);
}

static int array_div(lua_State *L)
{
    return combine(L, divide);
}

static int array_pow(lua_State *L)
{
    return combine(L, pow);
}

static int array_minimum(lua_State *L)
{
    return combine(L, smaller);
}

static int array_maximum(lua_State *L)
{
    return combine(L, larger);
}

static int array_negative(lua_State *L)
{
    lua_settop(L, 1);
    return apply(L, negative);
}

static int array_exp(lua_State *L)
{
    return apply(L, exp);
}

static int array_log(lua_State *L)
{
    return apply(L, log);
}

static int array_tanh(lua_State *L)
{
    return apply(L, tanh);
}

static int array_sqrt(lua_State *L)
{
    return apply(L, sqrt);
}

static int array_abs(lua_State *L)
{
    return apply(L, fabs);
}

static int array_floor(lua_State *L)
{
    return apply(L, floor);
}

static int array_square(lua_State *L)
{
    return apply(L, square);
}

/** map(f): f(number) for every element; f64. For what has no method; slow for large arrays. */
static int array_map(lua_State *L)
{
    const weir__array *const array = weir__array_check(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    weir__array *const made = weir__array_push(L, WEIR_DTYPE_F64, array->rank, array->dims);
    for (int64_t i = 0; i < array->count; i++) {
        lua_pushvalue(L, 2);
        lua_pushnumber(L, weir__array_at(array, i));
        lua_call(L, 1, 1);
        if (lua_type(L, -1) != LUA_TNUMBER)
            return luaL_error(L, "the function gave a %s", luaL_typename(L, -1));
        ((double *)made->data)[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"add", array_add},     {"sub", array_sub},         {"mul", array_mul},         {"div", array_div},
    {"pow", array_pow},     {"minimum", array_minimum}, {"maximum", array_maximum}, {"exp", array_exp},
    {"log", array_log},     {"tanh", array_tanh},       {"sqrt", array_sqrt},       {"abs", array_abs},
    {"floor", array_floor}, {"square", array_square},   {"map", array_map},         {NULL, NULL}};
static const luaL_Reg operators[] = {{"__add", array_add}, {"__sub", array_sub}, {"__mul", array_mul},
                                     {"__div", array_div}, {"__pow", array_pow}, {"__unm", array_negative},
                                     {NULL, NULL}};

void weir__array_register_arithmetic(lua_State *L)
{
    luaL_register(L, NULL, methods);
}

void weir__array_register_operators(lua_State *L)
{
    luaL_register(L, NULL, operators);
}
