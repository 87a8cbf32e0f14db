/* row.c - between lanes and a dense vector, for tiles of one row. */
#include "math/row.h"

#include "math/lanes.h"

/* What widths are multiples of: a loop of known length is a few stores. */
#define UNIT 8

#define ROW(real, suffix)                                                                                    \
    static void gather_##suffix(const weir_tile *tile, int32_t first, int32_t end, real *row)                \
    {                                                                                                        \
        const real *const data = tile->data;                                                                 \
        for (int32_t f = first; f < end; f++)                                                                \
            row[f - first] = data[(tile->lanes ? tile->lanes[f] : f) * tile->stride];                        \
    }                                                                                                        \
    static void spread_##suffix(const weir_tile *tile, int32_t first, int32_t end, const real *restrict row) \
    {                                                                                                        \
        const int32_t *const lanes = tile->lanes;                                                            \
        const int32_t width = tile->width;                                                                   \
        const int64_t stride = tile->stride;                                                                 \
        for (int32_t f = first; f < end; f++) {                                                              \
            real *const restrict lane = (real *)tile->data + (lanes ? lanes[f] : f) * stride;                \
            const real value = row[f - first];                                                               \
            for (int32_t r = 0; r < width; r += UNIT) {                                                      \
                for (int32_t j = 0; j < UNIT; j++) lane[r + j] = value;                                      \
            }                                                                                                \
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
