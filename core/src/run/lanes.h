/* lanes.h - tiles of either precision, as the host handles them. */
#ifndef WEIR__LANES_H
#define WEIR__LANES_H

#include <weir/frame.h>

/** A tile over `data` (or over scratch: NULL on no memory) for the frame's rows; element size by its precision. */
weir_tile weir__run_tile(weir_frame *frame, int32_t features);
int64_t weir__real_size(const weir_frame *frame);
/** Lane f of a tile of either precision. */
void *weir__lane(const weir_frame *frame, const weir_tile *tile, int32_t f);
/** Features [first, first + count) of a tile. */
weir_tile weir__part(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t count);
void weir__copy_tile(const weir_frame *frame, const weir_tile *from, const weir_tile *to);

/** One number of a lane. */
double weir__lane_value(const weir_frame *frame, const void *lane, int32_t row);
void weir__lane_set(const weir_frame *frame, void *lane, int32_t row, double value);

#endif
