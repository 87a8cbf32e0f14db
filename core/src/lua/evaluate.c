/* evaluate.c - log_prob, forward, inverse, sample, score and data-dependent initialisation of a model. */
#include "array.h"
#include "handle.h"

#include <string.h>

/* A call with the optional table {context, seed, step, first_row, train} at a stack index. */
typedef struct options {
    weir_call call;
    weir_matrix context;
} options;

static uint64_t key(lua_State *L, int table, const char *name)
{
    weir__field_push(L, table, name);
    const double value = lua_isnil(L, -1) ? 0 : lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (!(value >= 0 && value < 9007199254740992.0))
        luaL_error(L, "%s: expected a whole number, 0 or more", name);
    return (uint64_t)value;
}

static void read_options(lua_State *L, int index, options *o)
{
    memset(o, 0, sizeof *o);
    o->call.struct_size = (uint32_t)sizeof o->call;
    if (lua_isnoneornil(L, index)) return;
    luaL_checktype(L, index, LUA_TTABLE);
    o->call.seed = key(L, index, "seed");
    o->call.step = key(L, index, "step");
    o->call.first_row = key(L, index, "first_row");
    weir__field_push(L, index, "train");
    o->call.mode = lua_toboolean(L, -1);
    weir__field_push(L, index, "context");
    if (!lua_isnil(L, -1)) {
        const weir__array *const array = weir__array_to(L, -1); /* the options table keeps it alive */
        if (!array) luaL_error(L, "context: expected an array, got a %s", luaL_typename(L, -1));
        o->context = weir__array_matrix(array);
        o->call.context = &o->context;
    }
    lua_pop(L, 2);
}

static const weir_model *idle_model(lua_State *L)
{
    return weir__handle_idle(L, 1, weir__model_type)->object;
}

/* Results are in the model's precision. */
static int32_t result_dtype(const weir_model *model)
{
    return weir_model_get(model, WEIR_MODEL_PRECISION) == 64 ? WEIR_DTYPE_F64 : WEIR_DTYPE_F32;
}

/** log_prob(x [, options]): a vector of log densities in nats, and how many rows had none. */
static int log_prob(lua_State *L)
{
    const weir_model *const model = idle_model(L);
    const weir_matrix x = weir__array_matrix(weir__array_check(L, 2));
    options o;
    read_options(L, 3, &o);
    weir__array *const out = weir__array_push_vector(L, WEIR_DTYPE_F64, x.rows);
    weir_error error;
    if (weir_log_prob(model, &x, &o.call, out->data, &error)) return weir__failure(L, &error);
    lua_pushnumber(L, (double)o.call.discarded);
    return 2;
}

typedef weir_status (*map)(const weir_model *, const weir_matrix *, weir_call *, const weir_matrix *,
                           double *, weir_error *);

/* Rows to rows of another width, and a number a row. */
static int push_mapped(lua_State *L, map f, int32_t width)
{
    const weir_model *const model = idle_model(L);
    const weir_matrix in = weir__array_matrix(weir__array_check(L, 2));
    options o;
    read_options(L, 3, &o);
    const weir_matrix out = weir__array_matrix(
        weir__array_push_matrix(L, result_dtype(model), in.rows, weir_model_get(model, width)));
    weir__array *const figures = weir__array_push_vector(L, WEIR_DTYPE_F64, in.rows);
    weir_error error;
    if (f(model, &in, &o.call, &out, figures->data, &error)) return weir__failure(L, &error);
    lua_pushnumber(L, (double)o.call.discarded);
    return 3;
}

/** forward(x [, options]): z, log |det dz/dx|, rows discarded. */
static int forward(lua_State *L)
{
    return push_mapped(L, weir_forward, WEIR_MODEL_LATENT);
}

/** inverse(z [, options]): x, log |det dx/dz|, rows discarded. */
static int inverse(lua_State *L)
{
    return push_mapped(L, weir_inverse, WEIR_MODEL_FEATURES);
}

/** score(x [, options]): d log p / dx, log p, rows discarded. */
static int score(lua_State *L)
{
    return push_mapped(L, weir_score, WEIR_MODEL_FEATURES);
}

/** sample(n [, options]): n rows, their log densities, rows discarded. */
static int sample(lua_State *L)
{
    const weir_model *const model = idle_model(L);
    const int64_t rows = weir__integer_check(L, 2, 0, INT32_MAX);
    options o;
    read_options(L, 3, &o);
    const weir_matrix x = weir__array_matrix(
        weir__array_push_matrix(L, result_dtype(model), rows, weir_model_get(model, WEIR_MODEL_FEATURES)));
    weir__array *const figures = weir__array_push_vector(L, WEIR_DTYPE_F64, rows);
    weir_error error;
    if (weir_sample(model, &o.call, &x, figures->data, &error)) return weir__failure(L, &error);
    lua_pushnumber(L, (double)o.call.discarded);
    return 3;
}

/** initialize(x [, options]): lets layers that start from data see it; options.again repeats it. */
static int initialize(lua_State *L)
{
    weir_model *const model = weir__handle_idle(L, 1, weir__model_type)->object;
    const weir_matrix x = weir__array_matrix(weir__array_check(L, 2));
    options o;
    read_options(L, 3, &o);
    int again = 0;
    if (lua_istable(L, 3)) {
        weir__field_push(L, 3, "again");
        again = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    weir_error error;
    if (weir_model_initialize(model, &x, &o.call, again, &error)) return weir__failure(L, &error);
    return lua_pushboolean(L, 1), 1;
}

static const luaL_Reg methods[] = {
    {"log_prob", log_prob}, {"forward", forward},       {"inverse", inverse}, {"score", score},
    {"sample", sample},     {"initialize", initialize}, {NULL, NULL}};

void weir__evaluate_register(lua_State *L)
{
    luaL_register(L, NULL, methods);
}
