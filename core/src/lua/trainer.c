/* trainer.c - trainers: optimisation steps, gradients, snapshots, checkpoints. */
#include "array.h"
#include "handle.h"
#include "json.h"
#include "reach.h"
#include "target.h"

#include <string.h>

static void close_trainer(void *object)
{
    weir_trainer_close(object);
}

/** trainer(model [, settings]): settings as weir_trainer_create takes them; nil and a message. */
static int create(lua_State *L)
{
    weir__handle *const model = weir__handle_idle(L, 1, weir__model_type);
    const char *const settings = lua_isnoneornil(L, 2) ? NULL : weir__json_push_text(L, 2, 1);
    weir__handle *const handle = weir__handle_push(L, weir__trainer_type, close_trainer, model);
    weir_trainer *trainer;
    weir_error error;
    if (weir_trainer_create(model->object, settings, &trainer, &error)) return weir__failure(L, &error);
    handle->object = trainer;
    return 1;
}

/* ---- a step's table -------------------------------------------------------------------------- */

/* Everything a step points to; arrays stay alive because they stay on the stack. */
typedef struct request {
    weir_step step;
    weir_matrix x, context;
    weir__lua_target target;
} request;

static double number_field(lua_State *L, const char *name, double otherwise)
{
    weir__field_push(L, 2, name);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER) {
        luaL_error(L, "%s: expected a number, got a %s", name, luaL_typename(L, -1));
    }
    const double value = lua_isnil(L, -1) ? otherwise : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static int64_t count_field(lua_State *L, const char *name, int64_t otherwise)
{
    const double value = number_field(L, name, (double)otherwise);
    if (!(value >= 0 && value < 9007199254740992.0) || (double)(int64_t)value != value) {
        luaL_error(L, "%s: expected a whole number, 0 or more", name);
    }
    return (int64_t)value;
}

/* Leaves the array (or nil) on the stack. */
static const weir__array *array_field(lua_State *L, const char *name)
{
    weir__field_push(L, 2, name);
    if (lua_isnil(L, -1)) return NULL;
    const weir__array *const array = weir__array_to(L, -1);
    if (!array) luaL_error(L, "%s: expected an array, got a %s", name, luaL_typename(L, -1));
    return array;
}

/* `rows` counts from 1, in any dtype; first and count choose a stretch of it. The library gets indices from 0. */
static void read_rows(lua_State *L, weir__handle *trainer, weir_step *step)
{
    const weir__array *const rows = array_field(L, "rows");
    if (!rows) return;
    const int64_t first = count_field(L, "first", 1), count = count_field(L, "count", rows->count);
    if (first < 1 || count < 1 || count > rows->count || first - 1 > rows->count - count) {
        luaL_error(L, "first and count reach past the %f entries of rows", (double)rows->count);
    }
    int64_t *const index = weir__handle_scratch(L, trainer, (size_t)count * sizeof *index);
    for (int64_t i = 0; i < count; i++) {
        const double row = weir__array_at(rows, first - 1 + i);
        if (!(row >= 1 && row <= (double)step->x->rows)) {
            luaL_error(L, "rows: entry %f is %f, x has %f rows", (double)(first + i), row,
                       (double)step->x->rows);
        }
        index[i] = (int64_t)row - 1;
    }
    step->rows = index;
    step->row_count = count;
}

static void read_weights(lua_State *L, weir_step *step)
{
    const weir__array *const weights = array_field(L, "weights");
    if (!weights) return;
    if (weights->dtype != WEIR_DTYPE_F64 || weights->count != step->x->rows) {
        luaL_error(L, "weights: expected an f64 vector, one number for each of the %f rows",
                   (double)step->x->rows);
    }
    step->weights = weights->data;
}

static void read_target(lua_State *L, weir__handle *trainer, request *r)
{
    weir__field_push(L, 2, "target");
    r->step.samples = count_field(L, "samples", 256);
    if (lua_isfunction(L, -1)) {
        if (!trainer->scratch) memset(weir__handle_scratch(L, trainer, sizeof(int)), 0, sizeof(int));
        r->target = (weir__lua_target){.L = L, .function = lua_gettop(L), .warned = trainer->scratch};
        r->step.target = weir__lua_target_call;
        r->step.target_user = &r->target;
    } else if (lua_istable(L, -1) || lua_isstring(L, -1)) {
        r->step.target_json = weir__json_push_text(L, -1, 1);
    } else {
        luaL_error(L, "a step needs x (forward KL) or target, a function or a density (reverse KL)");
    }
}

static void read_step(lua_State *L, weir__handle *trainer, request *r)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkstack(L, 12, "step");
    memset(r, 0, sizeof *r);
    r->step.struct_size = (uint32_t)sizeof r->step;
    r->step.learning_rate = number_field(L, "learning_rate", 1e-3);
    r->step.epoch = (uint64_t)count_field(L, "epoch", 0);
    const weir__array *const context = array_field(L, "context");
    if (context) {
        r->context = weir__array_matrix(context);
        r->step.context = &r->context;
    }
    const weir__array *const x = array_field(L, "x");
    if (!x) {
        read_target(L, trainer, r);
        return;
    }
    r->x = weir__array_matrix(x);
    r->step.x = &r->x;
    read_rows(L, trainer, &r->step);
    read_weights(L, &r->step);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void set_busy(weir__handle *trainer, int by)
{
    for (weir__handle *h = trainer; h; h = h->parent) h->busy += by;
}

static void push_result(lua_State *L, const weir_step_result *result)
{
    lua_createtable(L, 0, 6);
    lua_pushboolean(L, result->applied);
    lua_setfield(L, -2, "applied");
    lua_pushnumber(L, result->loss);
    lua_setfield(L, -2, "loss");
    lua_pushnumber(L, result->gradient_norm);
    lua_setfield(L, -2, "gradient_norm");
    lua_pushnumber(L, (double)result->rows);
    lua_setfield(L, -2, "rows");
    lua_pushnumber(L, (double)result->discarded);
    lua_setfield(L, -2, "discarded");
    lua_pushstring(L, result->message);
    lua_setfield(L, -2, "message");
}

static int failure(lua_State *L, const request *r, const weir_error *error)
{
    if (r->target.failed) return lua_error(L); /* the target function's own error, still on the stack */
    return weir__failure(L, error);
}

/** step{x = array, rows = indices, first =, count =, weights =, context =, learning_rate =, epoch =} or
 *  step{target = f or density, samples = n, ...}: one step of the optimizer. Gives {applied, loss, gradient_norm, rows,
 *  discarded, message}; nil and a message. */
static int step(lua_State *L)
{
    weir__handle *const trainer = weir__handle_idle(L, 1, weir__trainer_type);
    request r;
    read_step(L, trainer, &r);
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    weir_error error;
    set_busy(trainer, 1);
    const weir_status status = weir_trainer_step(trainer->object, &r.step, &result, &error);
    set_busy(trainer, -1);
    if (status || r.target.failed) return failure(L, &r, &error);
    push_result(L, &result);
    return 1;
}

/** gradient(as step): the result, and the gradient of the loss as a vector, in the order of the tensors. */
static int gradient(lua_State *L)
{
    weir__handle *const trainer = weir__handle_idle(L, 1, weir__trainer_type);
    request r;
    read_step(L, trainer, &r);
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    weir_error error;
    const int64_t count = weir_model_get(trainer->parent->object, WEIR_MODEL_PARAMETERS);
    weir__array *const out = weir__array_push_vector(L, WEIR_DTYPE_F64, count);
    const int at = lua_gettop(L);
    set_busy(trainer, 1);
    const weir_status status =
        weir_trainer_gradient(trainer->object, &r.step, &result, out->data, count, &error);
    set_busy(trainer, -1);
    if (status || r.target.failed) return failure(L, &r, &error);
    push_result(L, &result);
    lua_pushvalue(L, at);
    return 2;
}

static int answer(lua_State *L, weir_status status, const weir_error *error)
{
    if (status) return weir__failure(L, error);
    return lua_pushboolean(L, 1), 1;
}

static int snapshot(lua_State *L)
{
    weir_error error;
    return answer(L, weir_trainer_snapshot(weir__handle_idle(L, 1, weir__trainer_type)->object, &error),
                  &error);
}

static int restore(lua_State *L)
{
    weir_error error;
    return answer(L, weir_trainer_restore(weir__handle_idle(L, 1, weir__trainer_type)->object, &error),
                  &error);
}

/** save(path, loop): a checkpoint with the loop's own state, a table. */
static int save(lua_State *L)
{
    const weir__handle *const trainer = weir__handle_idle(L, 1, weir__trainer_type);
    const char *const path = weir__reach_write(L, 2);
    const char *const loop = lua_isnoneornil(L, 3) ? NULL : weir__json_push_text(L, 3, 0);
    weir_error error;
    return answer(L, weir_trainer_save(trainer->object, path, loop, &error), &error);
}

/** resume(path): the loop's state as it was saved; nil and a message. */
static int resume(lua_State *L)
{
    const weir__handle *const trainer = weir__handle_idle(L, 1, weir__trainer_type);
    char *json = NULL;
    weir_error error;
    if (weir_trainer_resume(trainer->object, weir__reach_read(L, 2), &json, &error))
        return weir__failure(L, &error);
    lua_pushstring(L, json ? json : "{}");
    weir_free(json);
    size_t length;
    const char *const text = lua_tolstring(L, -1, &length);
    if (weir__json_push_value(L, text, length) == 0) return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int to_string(lua_State *L)
{
    lua_pushstring(L, "weir trainer");
    return 1;
}

static const luaL_Reg methods[] = {{"step", step},       {"gradient", gradient}, {"snapshot", snapshot},
                                   {"restore", restore}, {"save", save},         {"resume", resume},
                                   {NULL, NULL}};

void weir__trainer_register(lua_State *L)
{
    weir__handle_register(L, weir__trainer_type, methods, to_string);
    lua_pushcfunction(L, create);
    lua_setfield(L, -2, "trainer");
}
