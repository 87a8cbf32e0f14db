/* test_edge.c - the caller's arrays to tiles and back: every type, every count of features and rows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "run/model.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(edge);

#define COLUMNS 11
#define STRIDE  13 /* from row to row of the caller's array */
#define ROWS    41
#define WIDTH   24
#define LANE    48

static int64_t numbers[ROWS * STRIDE]; /* room for the widest type */
static double tile_numbers[COLUMNS * LANE];

#define PUT(dtype, type)                                                                                     \
    case dtype:                                                                                              \
        ((type *)(void *)numbers)[at] = (type)value;                                                         \
        break;

static void put(int32_t dtype, int64_t at, int value)
{
    switch (dtype) {
        PUT(WEIR_DTYPE_F32, float)
        PUT(WEIR_DTYPE_F64, double)
        PUT(WEIR_DTYPE_U8, uint8_t)
        PUT(WEIR_DTYPE_I32, int32_t)
        PUT(WEIR_DTYPE_I64, int64_t)
        PUT(WEIR_DTYPE_I8, int8_t)
        PUT(WEIR_DTYPE_U16, uint16_t)
        PUT(WEIR_DTYPE_I16, int16_t)
        PUT(WEIR_DTYPE_U32, uint32_t)
        PUT(WEIR_DTYPE_BOOL, uint8_t)
    default:
        cr_assert_fail("type %d", (int)dtype);
    }
}

static int value_at(int32_t dtype, int64_t row, int64_t column)
{
    const int value = (int)((row * 31 + column * 7 + 3) % 128);
    return dtype == WEIR_DTYPE_BOOL ? value & 1 : value;
}

static weir_tile make_tile(weir_frame *frame, int32_t precision, int32_t features, int32_t rows)
{
    memset(frame, 0, sizeof *frame);
    frame->precision = precision;
    return (weir_tile){(uint32_t)sizeof(weir_tile), features, tile_numbers, LANE, NULL, rows, WIDTH};
}

static double in_tile(const weir_frame *frame, const weir_tile *tile, int32_t f, int32_t r)
{
    return weir__lane_value(frame, weir__lane(frame, tile, f), r);
}

/** Rows [first, first + count), or those that `rows` names from there on; the padding repeats the last. */
static void gather(int32_t dtype, int32_t precision, int32_t features, int32_t count, const int64_t *rows)
{
    const weir_matrix m = {.struct_size = (uint32_t)sizeof m,
                           .dtype = dtype,
                           .rows = ROWS,
                           .columns = features,
                           .row_stride = STRIDE,
                           .data = numbers};
    const int64_t first = 5;
    weir_frame frame;
    const weir_tile tile = make_tile(&frame, precision, features, count);
    for (int64_t i = 0; i < ROWS * STRIDE; i++) put(dtype, i, value_at(dtype, i / STRIDE, i % STRIDE));
    for (int32_t f = 0; f < COLUMNS; f++)
        for (int32_t r = 0; r < LANE; r++) weir__lane_set(&frame, weir__lane(&frame, &tile, f), r, -7);
    weir__gather_rows(&m, rows, first, count, &frame, &tile);
    for (int32_t f = 0; f < COLUMNS; f++)
        for (int32_t r = 0; r < LANE; r++) {
            const int64_t row = first + (r < count ? r : count - 1);
            const int inside = f < features && r < WIDTH;
            const double wanted = inside ? value_at(dtype, rows ? rows[row] : row, f) : -7;
            cr_assert_eq(in_tile(&frame, &tile, f, r), wanted, "type %d, %d features, %d rows: %d, %d",
                         (int)dtype, (int)features, (int)count, (int)f, (int)r);
        }
}

Test(edge, rows_of_any_type_become_columns_of_a_tile)
{
    int64_t shuffled[ROWS];
    for (int64_t i = 0; i < ROWS; i++) shuffled[i] = (i * 17 + 4) % ROWS;
    for (int32_t dtype = WEIR_DTYPE_F32; dtype <= WEIR_DTYPE_BOOL; dtype++)
        for (int32_t precision = WEIR_F32; precision <= WEIR_F64; precision += WEIR_F32)
            for (int32_t features = 1; features <= COLUMNS; features++)
                for (int32_t count = 17; count <= WIDTH; count++) {
                    gather(dtype, precision, features, count, NULL);
                    gather(dtype, precision, features, count, shuffled);
                }
}

static void scatter(int32_t dtype, int32_t precision, int32_t features, int32_t count)
{
    const weir_matrix m = {.struct_size = (uint32_t)sizeof m,
                           .dtype = dtype,
                           .rows = ROWS,
                           .columns = features,
                           .row_stride = STRIDE,
                           .data = numbers};
    const int64_t first = 5;
    weir_frame frame;
    const weir_tile tile = make_tile(&frame, precision, features, count);
    for (int64_t i = 0; i < ROWS * STRIDE; i++) put(dtype, i, -7);
    for (int32_t f = 0; f < features; f++)
        for (int32_t r = 0; r < WIDTH; r++)
            weir__lane_set(&frame, weir__lane(&frame, &tile, f), r, 0.25 + r * 100 + f);
    weir__scatter_rows(&frame, &tile, count, &m, first);
    for (int64_t row = 0; row < ROWS; row++)
        for (int64_t column = 0; column < STRIDE; column++) {
            const int64_t at = row * STRIDE + column;
            const int inside = row >= first && row < first + count && column < features;
            const double got = dtype == WEIR_DTYPE_F32 ? (double)((const float *)(const void *)numbers)[at]
                                                       : ((const double *)(const void *)numbers)[at];
            cr_assert_eq(got, inside ? 0.25 + (double)((row - first) * 100 + column) : -7,
                         "%d features, %d rows: %d, %d", (int)features, (int)count, (int)row, (int)column);
        }
}

Test(edge, columns_of_a_tile_become_rows_and_nothing_else_is_touched)
{
    for (int32_t dtype = WEIR_DTYPE_F32; dtype <= WEIR_DTYPE_F64; dtype++)
        for (int32_t precision = WEIR_F32; precision <= WEIR_F64; precision += WEIR_F32)
            for (int32_t features = 1; features <= COLUMNS; features++)
                for (int32_t count = 1; count <= WIDTH; count++) scatter(dtype, precision, features, count);
}
