/* lanes.c - see lanes.h. */
#include "run/lanes.h"

#include <string.h>

int64_t weir__real_size(const weir_frame *frame)
{
    return frame->precision == WEIR_F32 ? 4 : 8;
}

weir_tile weir__run_tile(weir_frame *frame, int32_t features)
{
    return (weir_tile){
        .struct_size = (uint32_t)sizeof(weir_tile),
        .features = features,
        .data = frame->services->scratch_take(frame, features * frame->stride * weir__real_size(frame)),
        .stride = frame->stride,
        .rows = frame->rows,
        .width = frame->width,
    };
}

void *weir__lane(const weir_frame *frame, const weir_tile *tile, int32_t f)
{
    const int64_t lane = tile->lanes ? tile->lanes[f] : f;
    return (char *)tile->data + lane * tile->stride * weir__real_size(frame);
}

weir_tile weir__part(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t count)
{
    weir_tile part = *tile;
    part.features = count;
    if (tile->lanes)
        part.lanes = tile->lanes + first;
    else if (count > 0)
        part.data = weir__lane(frame, tile, first);
    return part;
}

void weir__copy_tile(const weir_frame *frame, const weir_tile *from, const weir_tile *to)
{
    const size_t bytes = (size_t)frame->width * (size_t)weir__real_size(frame);
    for (int32_t f = 0; f < from->features; f++)
        memcpy(weir__lane(frame, to, f), weir__lane(frame, from, f), bytes);
}

double weir__lane_value(const weir_frame *frame, const void *lane, int32_t row)
{
    return frame->precision == WEIR_F32 ? (double)((const float *)lane)[row] : ((const double *)lane)[row];
}

void weir__lane_set(const weir_frame *frame, void *lane, int32_t row, double value)
{
    if (frame->precision == WEIR_F32)
        ((float *)lane)[row] = (float)value;
    else
        ((double *)lane)[row] = value;
}
