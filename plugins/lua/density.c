/* lua_density - a density whose formulas stand in a Lua file. */
#include "arguments.h"

static const char lua_density_doc[] =
    "log p(z), where the file says what p is:\n"
    "  local weir = ...\n"
    "  return {\n"
    "    kind = \"density\",\n"
    "    log_density = function(frame, z, log_p, theta) ... end,                     log_p[r] added to\n"
    "    vjp = function(frame, z, log_p_bar, z_bar, theta, theta_bar) ... end,       z_bar = log_p_bar d log p / dz, set\n"
    "    sample = function(frame, z, theta) ... end,                                 optional: z set\n"
    "    sample_vjp = function(frame, z, z_bar, theta, theta_bar) ... end,           optional: for samplers z = h(noise; theta)\n"
    "  }\n"
    "log_p is of all weir.features together. Outside the support it is -infinity, and the row counts; a row whose log_p is\n"
    "NaN is discarded. Noise: frame.services.random_normal(frame, weir.stream, draw, lane) or random_uniform, with a `draw`\n"
    "that the file counts for itself (the feature, say): the same draw gives the same numbers, in sample_vjp too.\n"
    "domain = { lower, upper } says where z must live. All else is as for lua_layer and lua_univariate.\n"
    "Cost: a call of some microseconds, and what the loops take. Errors: what the file raises, with its line.\n"
    "Source: elementary.";

static weir_status lua_density_log_density(const void *self, weir_frame *frame, const weir_tile *z,
                                           void *log_p) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i || !WEIR_NAME(lua_sum)(i, log_p) || !WEIR_NAME(lua_in)(i, 0, z, z->features)) return WEIR_ERROR;
    return WEIR_NAME(lua_run_map)(i, LUA_CALL_log_density, NULL, i->call.lane);
}

static weir_status lua_density_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                   const void *log_p_bar, const weir_tile *z_bar) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i || !WEIR_NAME(lua_bar)(i, log_p_bar) || !WEIR_NAME(lua_in)(i, 0, z, z->features) ||
        !WEIR_NAME(lua_out)(i, 1, z_bar, z->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run)(i, LUA_CALL_vjp);
}

static weir_status lua_density_sample(const void *self, weir_frame *frame, const weir_tile *z) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i || !WEIR_NAME(lua_out)(i, 0, z, z->features)) return WEIR_ERROR;
    return WEIR_NAME(lua_run_map)(i, LUA_CALL_sample, z, NULL);
}

static weir_status lua_density_sample_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *z_bar) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i || !WEIR_NAME(lua_in)(i, 0, z, z->features) || !WEIR_NAME(lua_in)(i, 1, z_bar, z->features))
        return WEIR_ERROR;
    return WEIR_NAME(lua_run)(i, LUA_CALL_sample_vjp);
}

static const weir_density_ops lua_density_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = lua_density_log_density,
    .vjp = lua_density_vjp,
    .sample = lua_density_sample,
    .sample_vjp = lua_density_sample_vjp,
};

static weir_status offer(lua_instance *made, weir_builder *build)
{
    weir_density_ops *const ops = &made->ops.density;
    *ops = lua_density_ops;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_sample)) ops->sample = NULL;
    if (!WEIR_NAME(lua_engine_has)(&made->engine, LUA_CALL_sample_vjp)) ops->sample_vjp = NULL;
    return build->calls(build, ops);
}

static weir_status lua_density_create(weir_builder *build, void **self)
{
    lua_instance *made = NULL;
    if (WEIR_NAME(lua_create)(build, "density", &made) != WEIR_OK) return WEIR_INVALID;
    if (lua_is_first(made) && offer(made, build) != WEIR_OK) {
        WEIR_NAME(lua_destroy)(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

const weir_module WEIR_NAME(lua_density_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_ALLOCATES,
    .concurrency = WEIR_PER_WORKER,
    .id = "lua_density",
    .version = "1.0.0",
    .summary = "a density written in Lua, over raw tiles",
    .doc = lua_density_doc,
    LUA_MODULE_OPTIONS,
    .create = lua_density_create,
    .destroy = WEIR_NAME(lua_destroy),
    .prepare = WEIR_NAME(lua_prepare),
    .prepare_vjp = WEIR_NAME(lua_prepare_vjp),
    .ops = &lua_density_ops,
};
