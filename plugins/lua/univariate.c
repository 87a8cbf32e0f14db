/* lua_univariate - a univariate whose formulas stand in a Lua file. */
#include "arguments.h"

static const char lua_univariate_doc[] =
    "y = u(x; p), where the file says what u is. The file returns a table of functions over whole lanes, in the manner of\n"
    "weir/lanes.h: pointers of LuaJIT's FFI (float * or double *, counted from 0) and n, the numbers in each.\n"
    "  local weir = ...\n"
    "  return {\n"
    "    kind = \"univariate\", params = 1, identity = { 0 },\n"
    "    forward = function(frame, n, x, p, s, y, log_det) ... end,         y[i] set, log_det[i] added to\n"
    "    forward_vjp = function(frame, n, x, p, s, y, y_bar, log_det_bar, x_bar, p_bar) ... end,  x_bar, p_bar set\n"
    "    inverse = function(frame, n, y, p, s, x, log_det) ... end,         adds log|dx/dy|; optional\n"
    "    inverse_vjp = function(frame, n, y, p, s, x, x_bar, log_det_bar, y_bar, p_bar) ... end,  optional\n"
    "  }\n"
    "Parameter k of the element in row i is p[k * s + i]; `identity` are the values that make u the identity. log|du/dx| is\n"
    "what forward adds. What is left out the host supplies: the inverse by a bracketed root, its VJP by the implicit\n"
    "function theorem. domain = { lower, upper } and codomain say where x and y live, if not on the whole line.\n"
    "`kind` may be left out; with it `weir check FILE.lua` knows what to check.\n"
    "No argument is ever nil, outputs hold zeros at first, and the only NaN there is is the usual one. Rows whose y or log-det is not finite are discarded; weir.discard(frame, row) does it too.\n"
    "Whole lanes go through the host's functions, frame.math.exp(n, x, y): exp expm1 log log1p tanh sigmoid softplus sin\n"
    "cos erf. weir.take(frame, lanes) is scratch, weir.keep(frame, lanes) and weir.kept(frame, lanes) the tape.\n"
    "Tensors for all elements: parameters = { { \"slope\", { 3 }, 0.1 }, ... } with init a number, a list, { \"normal\", mean,\n"
    "deviation } or { \"uniform\", low, high }; derived = { { \"bent\", { 3 } } }, which prepare(frame, theta) computes and\n"
    "prepare_vjp(frame, theta, theta_bar) chains back. Every function gets theta (theta.slope[0]) as one more argument,\n"
    "VJPs theta_bar after it, to add to. `weir` holds features, context, constants (the option), precision, stream, take,\n"
    "keep, kept, lane(tile, f), sum(frame, lane), discard, real and reals (ctypes).\n"
    "The file is found by its bare name in the plugin folders, never by a path; its SHA-256 is kept in the model, and a model\n"
    "loaded over another version of it is refused, unless allow_changed. With reload the file is read again between steps\n"
    "when it changes; a version that does not load leaves the old one running, with a warning.\n"
    "Each worker has a Lua state of its own. A file may require ffi, bit, jit, math, string and table, nothing else. It must not\n"
    "make FFI callbacks, nor call C that comes back into Lua. Garbage is collected between calls only (4 MB are left to lie),\n"
    "and a call that runs for ever cannot be interrupted: it is compiled code. Unlike modules in C, calls may allocate.\n"
    "Cost: a call of some microseconds, and loops that LuaJIT compiles, one element at a time where C takes four or eight.\n"
    "Errors: what the file raises, with its line. Source: elementary.";

/* The script writes cotangents of parameters at the stride at which it reads the parameters, which may be a copy's: where the
 * caller's differ, or are not wanted, into scratch of that stride, whose first lane lies at its end when lanes run
 * backwards. */
static int take_params_bar(lua_instance *i, const weir_tile *params, const weir_tile *params_bar)
{
    weir_frame *const frame = i->outer;
    const int64_t s = (int64_t)i->call.tile[1].stride, span = s < 0 ? -s : s;
    if (!params) return WEIR_NAME(lua_out)(i, 5, NULL, 0);
    if (params_bar && params_bar->stride == s) return WEIR_NAME(lua_out)(i, 5, params_bar, params->features);
    const int64_t bytes = params->features * span * (int64_t)sizeof(weir_real);
    weir_real *const memory = weir_take(frame, bytes);
    if (!memory) return 0;
    memset(memory, 0, (size_t)bytes);
    weir_real *const first = s < 0 ? memory + (params->features - 1) * span : memory;
    i->call.tile[5] = (weir_lua_tile){first, (double)s, params->features, 0};
    return 1;
}

static void give_params_bar(const lua_instance *i, const weir_tile *params_bar)
{
    const weir_lua_tile *const written = &i->call.tile[5];
    if (!params_bar || weir_lane(params_bar, 0) == written->data) return;
    for (int32_t f = 0; f < params_bar->features; f++)
        weir_copy_lane(i->outer, written->data + f * (int64_t)written->stride, weir_lane(params_bar, f));
}

static weir_status map(const void *self, weir_frame *frame, int function, const weir_tile *from,
                       const weir_tile *params, const weir_tile *to, void *log_det)
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i || !WEIR_NAME(lua_sum)(i, log_det) || !WEIR_NAME(lua_in)(i, 0, from, from->features) ||
        !WEIR_NAME(lua_in)(i, 1, params, params ? params->features : 0) ||
        !WEIR_NAME(lua_out)(i, 2, to, to->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run_map)(i, function, to, i->call.lane);
}

static weir_status vjp(const void *self, weir_frame *frame, int function, const weir_tile *from,
                       const weir_tile *params, const weir_tile *to, const weir_tile *to_bar,
                       const void *log_det_bar, const weir_tile *from_bar, const weir_tile *params_bar)
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i || !WEIR_NAME(lua_bar)(i, log_det_bar) || !WEIR_NAME(lua_in)(i, 0, from, from->features) ||
        !WEIR_NAME(lua_in)(i, 1, params, params ? params->features : 0) ||
        !WEIR_NAME(lua_in)(i, 2, to, to->features) || !WEIR_NAME(lua_in)(i, 3, to_bar, to->features) ||
        !WEIR_NAME(lua_out)(i, 4, from_bar, from->features) || !take_params_bar(i, params, params_bar))
        return WEIR_ERROR;
    const weir_status status = WEIR_NAME(lua_run)(i, function);
    if (status == WEIR_OK) give_params_bar(i, params_bar);
    return status;
}

static weir_status lua_univariate_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *params, const weir_tile *y,
                                          void *log_det) WEIR_NOEXCEPT
{
    return map(self, frame, LUA_CALL_forward, x, params, y, log_det);
}

static weir_status lua_univariate_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                          const weir_tile *params, const weir_tile *x,
                                          void *log_det) WEIR_NOEXCEPT
{
    return map(self, frame, LUA_CALL_inverse, y, params, x, log_det);
}

static weir_status lua_univariate_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                              const weir_tile *params, const weir_tile *y,
                                              const weir_tile *y_bar, const void *log_det_bar,
                                              const weir_tile *x_bar,
                                              const weir_tile *params_bar) WEIR_NOEXCEPT
{
    return vjp(self, frame, LUA_CALL_forward_vjp, x, params, y, y_bar, log_det_bar, x_bar, params_bar);
}

static weir_status lua_univariate_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *y,
                                              const weir_tile *params, const weir_tile *x,
                                              const weir_tile *x_bar, const void *log_det_bar,
                                              const weir_tile *y_bar,
                                              const weir_tile *params_bar) WEIR_NOEXCEPT
{
    return vjp(self, frame, LUA_CALL_inverse_vjp, y, params, x, x_bar, log_det_bar, y_bar, params_bar);
}

static const weir_univariate_ops lua_univariate_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = lua_univariate_forward,
    .inverse = lua_univariate_inverse,
    .forward_vjp = lua_univariate_forward_vjp,
    .inverse_vjp = lua_univariate_inverse_vjp,
};

static weir_status offer(lua_instance *made, weir_builder *build)
{
    weir_univariate_ops *const ops = &made->ops.univariate;
    *ops = lua_univariate_ops;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_inverse)) ops->inverse = NULL;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_forward_vjp)) ops->forward_vjp = NULL;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_inverse_vjp)) ops->inverse_vjp = NULL;
    const lua_spec *const spec = &made->script->spec;
    if (build->params(build, spec->params, spec->identity) != WEIR_OK) return WEIR_INVALID;
    return build->calls(build, ops);
}

static weir_status lua_univariate_create(weir_builder *build, void **self)
{
    lua_instance *made = NULL;
    if (WEIR_NAME(lua_create)(build, "univariate", &made) != WEIR_OK) return WEIR_INVALID;
    if (lua_is_first(made) && offer(made, build) != WEIR_OK) {
        WEIR_NAME(lua_destroy)(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

const weir_module WEIR_NAME(lua_univariate_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_ALLOCATES,
    .concurrency = WEIR_PER_WORKER,
    .id = "lua_univariate",
    .version = "1.0.0",
    .summary = "a univariate written in Lua, over raw lanes",
    .doc = lua_univariate_doc,
    LUA_MODULE_OPTIONS,
    .create = lua_univariate_create,
    .destroy = WEIR_NAME(lua_destroy),
    .prepare = WEIR_NAME(lua_prepare),
    .prepare_vjp = WEIR_NAME(lua_prepare_vjp),
    .ops = &lua_univariate_ops,
};
