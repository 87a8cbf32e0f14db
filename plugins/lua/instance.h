/* instance.h - what all four kinds of module share: an instance, its script, its engine, and calls into it. */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "engine.h"

typedef struct lua_instance {
    weir_lua_call call; /* at one place: the engine points into it */
    weir_frame frame;   /* what Lua sees: the host's, made safe (arguments.h) */
    weir_frame *outer;  /* the host's, of the call that is running */
    weir_real *tensors[LUA_TENSORS_MOST], *gradients[LUA_TENSORS_MOST];
    lua_engine engine;
    lua_script *script; /* the first instance's */
    lua_script own;     /* of the first instance; empty in a worker's */
    union {
        weir_layer_ops layer;
        weir_univariate_ops univariate;
        weir_network_ops network;
        weir_density_ops density;
    } ops; /* what the script offers of its kind */
} lua_instance;

/** create for a module of `kind`: *made is loaded and declared; for the first of its model (made->script ==
 *  &made->own) the caller sets ops and hands them to build->calls. */
weir_status WEIR_NAME(lua_create)(weir_builder *build, const char *kind, lua_instance **made);
void WEIR_NAME(lua_destroy)(void *self) WEIR_NOEXCEPT;
weir_status WEIR_NAME(lua_prepare)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;
weir_status WEIR_NAME(lua_prepare_vjp)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;

WEIR_INLINE int lua_is_first(const lua_instance *made)
{
    return made->script == &made->own;
}

/** The instance of a call, up to date, with frame and tensors in place: with_gradients, too. NULL: return WEIR_ERROR. The
 *  caller hands over tiles and lane (arguments.h), then calls lua_run. */
lua_instance *WEIR_NAME(lua_begin)(const void *self, weir_frame *frame, int with_gradients);
/** Runs a function of the script. */
weir_status WEIR_NAME(lua_run)(lua_instance *instance, int function);
/** The same for a map or density, whose rows without a finite answer are discarded: `to` (may be NULL) and `lane`. */
weir_status WEIR_NAME(lua_run_map)(lua_instance *instance, int function, const weir_tile *to,
                                   const weir_real *lane);

/* ---- descriptors ------------------------------------------------------------------------------------------------ */

#define LUA_OPTION_COUNT 4
extern const weir_option WEIR_NAME(lua_options)[LUA_OPTION_COUNT];

#define LUA_MODULE_OPTIONS                                                                                   \
    .options = WEIR_NAME(lua_options), .option_count = LUA_OPTION_COUNT,                                     \
    .option_stride = (int32_t)sizeof(weir_option)

extern const weir_module WEIR_NAME(lua_univariate_module), WEIR_NAME(lua_layer_module),
    WEIR_NAME(lua_network_module), WEIR_NAME(lua_density_module);

#endif
