/* lanes.c - indexed tiles as evenly spaced lanes. */
#include "math/lanes.h"

#include <string.h>

/* Every second lane, or all in reverse, is an index in form only. Returns 1 and the step when lanes[first ..] is an
 * arithmetic sequence. */
static int evenly_spaced(const int32_t *lanes, int32_t first, int32_t count, int64_t *step)
{
    *step = count > 1 ? (int64_t)lanes[first + 1] - lanes[first] : 1;
    for (int32_t f = first + 2; f < first + count; f++) {
        if ((int64_t)lanes[f] - lanes[f - 1] != *step) return 0;
    }
    return *step != 0;
}

void *weir__lane_of(const weir_frame *frame, const weir_tile *tile, int32_t f)
{
    const int64_t lane = tile->lanes ? tile->lanes[f] : f;
    return (char *)tile->data + lane * tile->stride * weir__element_size(frame);
}

/* As run/frame.h advises: a whole number of cache lines, and one apart from a power of two. */
static int64_t copy_stride(int32_t width)
{
    return ((int64_t)width + 15) / 16 * 16 + 16;
}

int weir__lanes_open(weir_frame *frame, const weir_tile *tile, int32_t first, int32_t count, int read,
                     weir__lanes *lanes)
{
    const int64_t size = weir__element_size(frame);
    int64_t step = 1;
    *lanes = (weir__lanes){.data = tile->data, .stride = tile->stride, .size = size};
    if (!tile->lanes || count <= 0) return 1;
    if (evenly_spaced(tile->lanes, first, count, &step)) {
        lanes->stride = step * tile->stride;
        lanes->data = (char *)weir__lane_of(frame, tile, first) - first * lanes->stride * size;
        return 1;
    }
    lanes->stride = copy_stride(tile->width);
    lanes->tile = tile;
    char *const copy = frame->services->scratch_take(frame, count * lanes->stride * size);
    if (!copy) return 0;
    lanes->data = copy - first * lanes->stride * size;
    const size_t bytes = (size_t)tile->width * (size_t)size;
    for (int32_t f = first; read && f < first + count; f++)
        memcpy(weir__lanes_at(lanes, f), weir__lane_of(frame, tile, f), bytes);
    return 1;
}

void weir__lanes_store(const weir__lanes *lanes, int32_t first, int32_t count)
{
    const weir_tile *const tile = lanes->tile;
    if (!tile) return;
    for (int32_t f = first; f < first + count; f++) {
        char *const to = (char *)tile->data + tile->lanes[f] * tile->stride * lanes->size;
        memcpy(to, weir__lanes_at(lanes, f), (size_t)tile->width * (size_t)lanes->size);
    }
}
