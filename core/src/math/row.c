/* row.c - between lanes and a dense vector, for tiles of one row. */
#include "math/row.h"

#include "math/lanes.h"

#define ROW(real, suffix)                                                                                    \
    static void gather_##suffix(const weir_tile *tile, int32_t first, int32_t end, real *row)                \
    {                                                                                                        \
        const real *const data = tile->data;                                                                 \
        for (int32_t f = first; f < end; f++)                                                                \
            row[f - first] = data[(tile->lanes ? tile->lanes[f] : f) * tile->stride];                        \
    }                                                                                                        \
    static void spread_##suffix(const weir_tile *tile, int32_t first, int32_t end, const real *row)          \
    {                                                                                                        \
        for (int32_t f = first; f < end; f++) {                                                              \
            real *const lane = (real *)tile->data + (tile->lanes ? tile->lanes[f] : f) * tile->stride;       \
            for (int32_t r = 0; r < tile->width; r++) lane[r] = row[f - first];                              \
        }                                                                                                    \
    }
ROW(float, f32)
ROW(double, f64)

void weir__row_gather(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end, void *row)
{
    if (frame->precision == WEIR_F32) {
        gather_f32(tile, first, end, row);
    } else {
        gather_f64(tile, first, end, row);
    }
}

void weir__row_spread(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                      const void *row)
{
    if (frame->precision == WEIR_F32) {
        spread_f32(tile, first, end, row);
    } else {
        spread_f64(tile, first, end, row);
    }
}
