/* row.c - between lanes and dense rows, for tiles of a few rows. */
#include "math/row.h"

#include "math/lanes.h"

/* What widths are multiples of: a loop of known length is a few stores. */
#define UNIT 8

#define ROWS(real, suffix)                                                                                   \
    static void gather_one_##suffix(const weir_tile *tile, int32_t first, int32_t end, real *dense)          \
    {                                                                                                        \
        const real *const data = tile->data;                                                                 \
        const int32_t *const lanes = tile->lanes;                                                            \
        const int64_t stride = tile->stride;                                                                 \
        for (int32_t f = first; f < end; f++) dense[f - first] = data[(lanes ? lanes[f] : f) * stride];      \
    }                                                                                                        \
    static void gather_##suffix(const weir_tile *tile, int32_t first, int32_t end, real *dense)              \
    {                                                                                                        \
        const int32_t *const lanes = tile->lanes;                                                            \
        for (int32_t f = first; f < end; f++) {                                                              \
            const real *const lane = (const real *)tile->data + (lanes ? lanes[f] : f) * tile->stride;       \
            for (int32_t r = 0; r < tile->rows; r++) *dense++ = lane[r];                                     \
        }                                                                                                    \
    }                                                                                                        \
    static inline void spread_value_##suffix(real value, int32_t width, real *lane)                          \
    {                                                                                                        \
        for (int32_t r = 0; r < width; r += UNIT) {                                                          \
            for (int32_t j = 0; j < UNIT; j++) lane[r + j] = value;                                          \
        }                                                                                                    \
    }                                                                                                        \
    static void spread_one_##suffix(const weir_tile *tile, int32_t first, int32_t end,                       \
                                    const real *restrict dense)                                              \
    {                                                                                                        \
        const int32_t *const lanes = tile->lanes;                                                            \
        const int64_t stride = tile->stride;                                                                 \
        real *lane = (real *)tile->data + first * stride;                                                    \
        if (!lanes && tile->width == UNIT) {                                                                 \
            for (int32_t f = first; f < end; f++, lane += stride)                                            \
                spread_value_##suffix(*dense++, UNIT, lane);                                                 \
            return;                                                                                          \
        }                                                                                                    \
        for (int32_t f = first; f < end; f++) {                                                              \
            lane = (real *)tile->data + (lanes ? lanes[f] : f) * stride;                                     \
            spread_value_##suffix(*dense++, tile->width, lane);                                              \
        }                                                                                                    \
    }                                                                                                        \
    static void spread_##suffix(const weir_tile *tile, int32_t first, int32_t end, const real *dense)        \
    {                                                                                                        \
        const int32_t *const lanes = tile->lanes;                                                            \
        for (int32_t f = first; f < end; f++, dense += tile->rows) {                                         \
            real *const lane = (real *)tile->data + (lanes ? lanes[f] : f) * tile->stride;                   \
            spread_value_##suffix(dense[tile->rows - 1], tile->width, lane);                                 \
            for (int32_t r = 0; r < tile->rows; r++) lane[r] = dense[r];                                     \
        }                                                                                                    \
    }
ROWS(float, f32)
ROWS(double, f64)

void weir__rows_gather(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                       void *dense)
{
    const int one = tile->rows == 1;
    if (frame->precision == WEIR_F32) {
        (one ? gather_one_f32 : gather_f32)(tile, first, end, dense);
    } else {
        (one ? gather_one_f64 : gather_f64)(tile, first, end, dense);
    }
}

void weir__rows_spread(const weir_frame *frame, const weir_tile *tile, int32_t first, int32_t end,
                       const void *dense)
{
    const int one = tile->rows == 1;
    if (frame->precision == WEIR_F32) {
        (one ? spread_one_f32 : spread_f32)(tile, first, end, dense);
    } else {
        (one ? spread_one_f64 : spread_f64)(tile, first, end, dense);
    }
}
