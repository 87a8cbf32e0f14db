/* linear_call.h - what the calls of linear objects share: the object behind a handle, and refusals. */
#ifndef WEIR__LINEAR_CALL_H
#define WEIR__LINEAR_CALL_H

#include "math/linear.h"
#include "run/frame.h"

/** Ranges up to this many outputs or inputs are one product. */
#define WEIR__SMALL_RANGE 12

/** Notes that the tiles of a call do not fit the object; returns WEIR_INVALID. */
weir_status weir__linear_refuse(weir_frame *frame, const weir__linear *linear, const char *call, int32_t in,
                                int32_t out);
weir_status weir__linear_refuse_range(weir_frame *frame, const char *call, int32_t first, int32_t count,
                                      int32_t features);

#endif
