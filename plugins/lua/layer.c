/* lua_layer - a layer whose formulas stand in a Lua file. */
#include "arguments.h"

static const char lua_layer_doc[] =
    "z = f(x), where the file says what f is. The file returns a table of functions over tiles: x:lane(d) is the lane of\n"
    "feature d, from 0, a pointer of LuaJIT's FFI to frame.width numbers (x.data, x.stride and x.features are behind it).\n"
    "  local weir = ...\n"
    "  return {\n"
    "    kind = \"layer\",\n"
    "    parameters = { { \"shift\", { weir.features }, 0 } },\n"
    "    forward = function(frame, x, z, log_det, theta) ... end,        z set, log_det[r] added to\n"
    "    forward_vjp = function(frame, x, z, z_bar, log_det_bar, x_bar, theta, theta_bar) ... end,\n"
    "    inverse = function(frame, z, x, log_det, theta) ... end,        adds log|det dx/dz|; optional\n"
    "    inverse_vjp = function(frame, z, x, x_bar, log_det_bar, z_bar, theta, theta_bar) ... end,   optional\n"
    "  }\n"
    "log|det J| is what forward adds, row by row. x_bar and z_bar are set; theta_bar is added to, and by the rows that count\n"
    "only, r < frame.rows: weir.sum(frame, lane). What is left out the host supplies: the inverse by Newton's method with\n"
    "dense Jacobians (64 features at most), its VJP by the implicit function theorem. frame.context and frame.context_bar\n"
    "are tiles of the frame, or nil: weir.lane(frame.context, k). f keeps the number of features.\n"
    "All else is as for lua_univariate: what `weir` and `frame` offer, tensors, prepare, domains, how the file is found,\n"
    "digest and reload, Lua states, garbage.\n"
    "Cost: a call of some microseconds, and what the loops take. Errors: what the file raises, with its line.\n"
    "Source: elementary.";

static weir_status map(const void *self, weir_frame *frame, int function, const weir_tile *from,
                       const weir_tile *to, void *log_det)
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i || !WEIR_NAME(lua_sum)(i, log_det) || !WEIR_NAME(lua_in)(i, 0, from, from->features) ||
        !WEIR_NAME(lua_out)(i, 1, to, to->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run_map)(i, function, to, i->call.lane);
}

static weir_status vjp(const void *self, weir_frame *frame, int function, const weir_tile *from,
                       const weir_tile *to, const weir_tile *to_bar, const void *log_det_bar,
                       const weir_tile *from_bar)
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i || !WEIR_NAME(lua_bar)(i, log_det_bar) || !WEIR_NAME(lua_in)(i, 0, from, from->features) ||
        !WEIR_NAME(lua_in)(i, 1, to, to->features) || !WEIR_NAME(lua_in)(i, 2, to_bar, to->features) ||
        !WEIR_NAME(lua_out)(i, 3, from_bar, from->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run)(i, function);
}

static weir_status lua_layer_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, void *log_det) WEIR_NOEXCEPT
{
    return map(self, frame, LUA_CALL_forward, x, z, log_det);
}

static weir_status lua_layer_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, void *log_det) WEIR_NOEXCEPT
{
    return map(self, frame, LUA_CALL_inverse, z, x, log_det);
}

static weir_status lua_layer_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                         const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                         const weir_tile *x_bar) WEIR_NOEXCEPT
{
    return vjp(self, frame, LUA_CALL_forward_vjp, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status lua_layer_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                         const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                         const weir_tile *z_bar) WEIR_NOEXCEPT
{
    return vjp(self, frame, LUA_CALL_inverse_vjp, z, x, x_bar, log_det_bar, z_bar);
}

static const weir_layer_ops lua_layer_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = lua_layer_forward,
    .inverse = lua_layer_inverse,
    .forward_vjp = lua_layer_forward_vjp,
    .inverse_vjp = lua_layer_inverse_vjp,
};

static weir_status offer(lua_instance *made, weir_builder *build)
{
    weir_layer_ops *const ops = &made->ops.layer;
    *ops = lua_layer_ops;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_inverse)) ops->inverse = NULL;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_forward_vjp)) ops->forward_vjp = NULL;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_inverse_vjp)) ops->inverse_vjp = NULL;
    return build->calls(build, ops);
}

static weir_status lua_layer_create(weir_builder *build, void **self)
{
    lua_instance *made = NULL;
    if (WEIR_NAME(lua_create)(build, "layer", &made) != WEIR_OK) return WEIR_INVALID;
    if (lua_is_first(made) && offer(made, build) != WEIR_OK) {
        WEIR_NAME(lua_destroy)(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

const weir_module WEIR_NAME(lua_layer_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_ALLOCATES,
    .concurrency = WEIR_PER_WORKER,
    .id = "lua_layer",
    .version = "1.0.0",
    .summary = "a layer written in Lua, over raw tiles",
    .doc = lua_layer_doc,
    LUA_MODULE_OPTIONS,
    .create = lua_layer_create,
    .destroy = WEIR_NAME(lua_destroy),
    .prepare = WEIR_NAME(lua_prepare),
    .prepare_vjp = WEIR_NAME(lua_prepare_vjp),
    .ops = &lua_layer_ops,
};
