/* lua_network - a network whose formulas stand in a Lua file. */
#include "arguments.h"

static const char lua_network_doc[] =
    "y = g(x, context), where the file says what g is:\n"
    "  local weir = ...\n"
    "  return {\n"
    "    kind = \"network\",\n"
    "    parameters = { { \"weight\", { weir.outputs, weir.features }, 0 }, { \"bias\", { weir.outputs }, weir.output_bias } },\n"
    "    forward = function(frame, x, y, theta) ... end,\n"
    "    vjp = function(frame, x, y, y_bar, x_bar, theta, theta_bar) ... end,     x_bar set, theta_bar added to\n"
    "  }\n"
    "weir.features inputs, weir.outputs outputs; weir.output_bias is the list of values that the outputs must start at, nil\n"
    "when the parent asks for none. y:lane(k) is the lane of output k. theta.weight is dense, row by row: a matrix product\n"
    "over whole tiles is frame.math.gemm. Not for autoregressive parents, and without log-det: a network is no bijection.\n"
    "All else is as for lua_layer and lua_univariate.\n"
    "Cost: a call of some microseconds, and what the loops take. Errors: what the file raises, with its line.\n"
    "Source: elementary.";

static weir_status lua_network_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *y) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i || !WEIR_NAME(lua_in)(i, 0, x, x->features) || !WEIR_NAME(lua_out)(i, 1, y, y->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run)(i, LUA_CALL_forward);
}

static weir_status lua_network_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *y, const weir_tile *y_bar,
                                   const weir_tile *x_bar) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i || !WEIR_NAME(lua_in)(i, 0, x, x->features) || !WEIR_NAME(lua_in)(i, 1, y, y->features) ||
        !WEIR_NAME(lua_in)(i, 2, y_bar, y->features) || !WEIR_NAME(lua_out)(i, 3, x_bar, x->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run)(i, LUA_CALL_vjp);
}

static const weir_network_ops lua_network_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = lua_network_forward,
    .vjp = lua_network_vjp,
};

static weir_status lua_network_create(weir_builder *build, void **self)
{
    lua_instance *made = NULL;
    if (WEIR_NAME(lua_create)(build, "network", &made) != WEIR_OK) return WEIR_INVALID;
    *self = made;
    return WEIR_OK;
}

const weir_module WEIR_NAME(lua_network_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_ALLOCATES,
    .concurrency = WEIR_PER_WORKER,
    .id = "lua_network",
    .version = "1.0.0",
    .summary = "a network written in Lua, over raw tiles",
    .doc = lua_network_doc,
    LUA_MODULE_OPTIONS,
    .create = lua_network_create,
    .destroy = WEIR_NAME(lua_destroy),
    .prepare = WEIR_NAME(lua_prepare),
    .prepare_vjp = WEIR_NAME(lua_prepare_vjp),
    .ops = &lua_network_ops,
};
