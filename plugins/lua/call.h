/* call.h - what one call hands to Lua: read by C, and by LuaJIT from this very text (the build runs it through the
 * preprocessor with WEIR_LUA_CDEF, together with the ABI's structs that it needs). */
#ifndef CALL_H
#define CALL_H

#ifdef WEIR_LUA_CDEF
#include <weir/frame.h> /* weir_real is typedef'ed by the bridge, before this text */
#else
#include <weir/plugin.h>
#endif

/** A tile as Lua sees it: lane f starts at data + f * stride. Never indexed; the stride is a double, which is Lua's number. */
typedef struct weir_lua_tile {
    weir_real *data;
    double stride;
    int32_t features;
    int32_t reserved;
} weir_lua_tile;

/** Memory of an instance, at one place for its whole life, so that Lua keeps pointers into it. */
typedef struct weir_lua_call {
    weir_frame *frame;
    weir_lua_tile tile[6]; /* in the order of the call's arguments */
    weir_real *lane;       /* log-det, log-density or the cotangent of one */
    weir_real **tensors;   /* one for each tensor that the script declares */
    weir_real **gradients; /* likewise, in calls that have gradients */
    int32_t each;          /* univariate: parameters per element */
    int32_t reserved;
} weir_lua_call;

#endif
