/* linear_call.c - refusals of linear objects, in words. */
#include "math/linear_call.h"

#include <stdio.h>

weir_status weir__linear_refuse(weir_frame *frame, const weir__linear *linear, const char *call, int32_t in,
                                int32_t out)
{
    char text[160];
    snprintf(text, sizeof text,
             "%s: tiles of %d inputs and %d outputs do not fit a linear object of %d and %d", call, (int)in,
             (int)out, (int)linear->in, (int)linear->out);
    frame->services->fail(frame, text);
    return WEIR_INVALID;
}

weir_status weir__linear_refuse_range(weir_frame *frame, const char *call, int32_t first, int32_t count,
                                      int32_t features)
{
    char text[160];
    snprintf(text, sizeof text, "%s: the range of %d features from %d on does not lie in 0 to %d", call,
             (int)count, (int)first, (int)features);
    frame->services->fail(frame, text);
    return WEIR_INVALID;
}
