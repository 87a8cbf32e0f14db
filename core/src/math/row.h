/* row.h - one row of a tile as a dense vector. */
#ifndef WEIR__ROW_H
#define WEIR__ROW_H

#include <weir/frame.h>

/** Row 0 of features [first, end) of a tile, side by side. */
void weir__row_gather(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end, void *row);
/** The opposite: every element of a lane, padding too, becomes that lane's number. */
void weir__row_spread(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                      const void *row);

#endif
