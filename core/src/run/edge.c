/* edge.c - the caller's row-major arrays to tiles and back. */
#include "run/model.h"

#include <string.h>

weir_status weir__matrix_check(const weir_matrix *m, int64_t columns, int writable, const char *what,
                               weir_error *error)
{
    if (!m || (m->rows > 0 && columns > 0 && !m->data))
        return weir__fail(error, WEIR_INVALID, "%s: no data given", what);
    if (m->dtype < WEIR_DTYPE_F32 || m->dtype > WEIR_DTYPE_BOOL)
        return weir__fail(error, WEIR_INVALID, "%s: dtype %d is not known", what, (int)m->dtype);
    if (writable && m->dtype != WEIR_DTYPE_F32 && m->dtype != WEIR_DTYPE_F64)
        return weir__fail(error, WEIR_INVALID, "%s: results are written as f32 or f64 only", what);
    if (m->rows < 0 || (m->row_stride && m->row_stride < m->columns))
        return weir__fail(error, WEIR_INVALID, "%s: %lld rows with a row stride of %lld make no sense", what,
                          (long long)m->rows, (long long)m->row_stride);
    if (m->columns != columns)
        return weir__fail(error, WEIR_INVALID, "%s: %lld columns, the model has %lld", what,
                          (long long)m->columns, (long long)columns);
    return WEIR_OK;
}

static int64_t row_stride(const weir_matrix *m)
{
    return m->row_stride ? m->row_stride : m->columns;
}

static int64_t source_row(const weir_matrix *m, const int64_t *rows, int64_t first, int32_t count, int32_t r)
{
    if (m->rows == 1) return 0;
    const int32_t at = r < count ? r : count - 1;
    return rows ? rows[first + at] : first + at;
}

/* Row by row: a source row is read once, contiguously, and its numbers go to one column of the tile, which stays in
 * cache (64 rows). One function for every pair of types. */
#define DEFINE_GATHER(name, from_type, to_type)                                                              \
    static void name(const weir_matrix *m, const int64_t *rows, int64_t first, int32_t count,                \
                     const weir_tile *tile)                                                                  \
    {                                                                                                        \
        for (int32_t r = 0; r < tile->width; r++) {                                                          \
            const from_type *const from =                                                                    \
                (const from_type *)m->data + source_row(m, rows, first, count, r) * row_stride(m);           \
            to_type *to = (to_type *)tile->data + r;                                                         \
            for (int32_t f = 0; f < tile->features; f++, to += tile->stride) *to = (to_type)from[f];         \
        }                                                                                                    \
    }

typedef void (*gather)(const weir_matrix *, const int64_t *, int64_t, int32_t, const weir_tile *);

#define SOURCES(X)                                                                                           \
    X(WEIR_DTYPE_F32, f32, float)                                                                            \
    X(WEIR_DTYPE_F64, f64, double)                                                                           \
    X(WEIR_DTYPE_U8, u8, uint8_t)                                                                            \
    X(WEIR_DTYPE_I32, i32, int32_t)                                                                          \
    X(WEIR_DTYPE_I64, i64, int64_t)                                                                          \
    X(WEIR_DTYPE_I8, i8, int8_t)                                                                             \
    X(WEIR_DTYPE_U16, u16, uint16_t)                                                                         \
    X(WEIR_DTYPE_I16, i16, int16_t)                                                                          \
    X(WEIR_DTYPE_U32, u32, uint32_t)                                                                         \
    X(WEIR_DTYPE_BOOL, bool8, uint8_t)

#define BOTH(dtype, name, type)                                                                              \
    DEFINE_GATHER(gather_##name##_f32, type, float)                                                          \
    DEFINE_GATHER(gather_##name##_f64, type, double)
SOURCES(BOTH)

#define ENTRY(dtype, name, type) [dtype] = {gather_##name##_f32, gather_##name##_f64},
static const gather gathers[][2] = {SOURCES(ENTRY)};

void weir__gather_rows(const weir_matrix *m, const int64_t *rows, int64_t first, int32_t count,
                       const weir_frame *frame, const weir_tile *tile)
{
    gathers[m->dtype][frame->precision == WEIR_F64](m, rows, first, count, tile);
}

void weir__scatter_rows(const weir_frame *frame, const weir_tile *tile, int32_t count, const weir_matrix *m,
                        int64_t first)
{
    for (int32_t r = 0; r < count; r++)
        for (int32_t f = 0; f < tile->features; f++) {
            const double value = weir__lane_value(frame, weir__lane(frame, tile, f), r);
            const int64_t at = (first + r) * row_stride(m) + f;
            if (m->dtype == WEIR_DTYPE_F32)
                ((float *)m->data)[at] = (float)value;
            else
                ((double *)m->data)[at] = value;
        }
}

int weir__is_discarded(const weir_frame *frame, int32_t row)
{
    return (frame->discard[row >> 6] >> (row & 63) & 1) != 0;
}
