/* row.h - the rows of a narrow tile, side by side. */
#ifndef WEIR__ROW_H
#define WEIR__ROW_H

#include <weir/frame.h>

/** Rows up to this many fill at most half of the narrowest tile. */
#define WEIR__ROWS_FEW 4

/** The rows of features [first, end) of a tile, at most WEIR__ROWS_FEW: feature after feature, without the padding. */
void weir__rows_gather(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                       void *dense);
/** The opposite; the padding repeats the last row. */
void weir__rows_spread(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                       const void *dense);

#endif
