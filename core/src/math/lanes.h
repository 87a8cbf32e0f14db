/* lanes.h - any tile seen as lanes at one distance, which is what a matrix product can read. */
#ifndef WEIR__LANES_H
#define WEIR__LANES_H

#include <weir/frame.h>

/** Lane f of the tile is at data + f * stride * size bytes. */
typedef struct weir__lanes {
    char *data;
    int64_t stride;
    int64_t size;          /* bytes of an element */
    const weir_tile *tile; /* where copied lanes go back to; NULL: data lies in the tile itself */
} weir__lanes;

static inline int64_t weir__element_size(const weir_frame *frame)
{
    return frame->precision == WEIR_F32 ? (int64_t)sizeof(float) : (int64_t)sizeof(double);
}

static inline char *weir__lanes_at(const weir__lanes *lanes, int64_t f)
{
    return lanes->data + f * lanes->stride * lanes->size;
}

/** Lanes [first, first + count) of a tile; others must not be touched through the result. An index that is not an
 *  arithmetic sequence takes scratch: with `read` the lanes are copied there. Returns 0 when memory is exhausted. */
int weir__lanes_open(weir_frame *frame, const weir_tile *tile, int32_t first, int32_t count, int read,
                     weir__lanes *lanes);
/** Copies lanes [first, first + count) back to the tile they were opened from, when they are copies. */
void weir__lanes_store(const weir__lanes *lanes, int32_t first, int32_t count);
/** The place of one lane, index or not. */
void *weir__lane_of(const weir_frame *frame, const weir_tile *tile, int32_t f);

#endif
