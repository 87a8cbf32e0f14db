/* arguments.h - what a call hands to Lua, made safe.
 *
 * LuaJIT keeps its values in the space of NaNs, and takes a number that it reads from memory as it is: a NaN with the right
 * bits, out of a data file or a vector function, would become a pointer of the bad kind. So Lua never sees any NaN but the
 * usual one, nor memory that nobody has written. Where an argument was left out it finds zeros, and may write.
 *
 * All return 0 when memory is exhausted. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "instance.h"

/** Sets the instance's frame from the host's: the same but for mathematics and context. */
int WEIR_NAME(lua_frame)(lua_instance *instance, weir_frame *frame);
/** A tile to read. NULL: zeros. */
int WEIR_NAME(lua_in)(lua_instance *instance, int index, const weir_tile *tile, int32_t features);
/** A tile to overwrite: zeros at first. NULL: what is written is thrown away. */
int WEIR_NAME(lua_out)(lua_instance *instance, int index, const weir_tile *tile, int32_t features);
/** The lane to add to. NULL: what is added is thrown away. */
int WEIR_NAME(lua_sum)(lua_instance *instance, void *lane);
/** The lane to read. NULL: zeros. */
int WEIR_NAME(lua_bar)(lua_instance *instance, const void *lane);

/** 1 when values[0 .. count) hold a NaN. */
int WEIR_NAME(lua_any_nan)(const weir_real *values, int64_t count);

#endif
