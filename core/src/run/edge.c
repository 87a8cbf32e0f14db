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

/* Blocks of four rows by four features are turned in registers: number by number, every one would be a store of its own.
 * from[i] is a run of four numbers, to[i] becomes one. One function for every pair of types. */
#define DEFINE_TURN(name, from_type, to_type)                                                                \
    typedef from_type name##_from                                                                            \
        __attribute__((vector_size(4 * sizeof(from_type)), aligned(sizeof(from_type)), may_alias));          \
    typedef to_type name##_to                                                                                \
        __attribute__((vector_size(4 * sizeof(to_type)), aligned(sizeof(to_type)), may_alias));              \
    static inline void name(const from_type *const *from, to_type *const *to)                                \
    {                                                                                                        \
        name##_to r[4];                                                                                      \
        for (int i = 0; i < 4; i++)                                                                          \
            r[i] = __builtin_convertvector(*(const name##_from *)(const void *)from[i], name##_to);          \
        const name##_to low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);                             \
        const name##_to low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);                             \
        const name##_to high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);                            \
        const name##_to high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);                            \
        *(name##_to *)(void *)to[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);                     \
        *(name##_to *)(void *)to[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);                     \
        *(name##_to *)(void *)to[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);                   \
        *(name##_to *)(void *)to[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);                   \
    }

/* A tile's width is a multiple of 8. */
#define DEFINE_GATHER(name, from_type, to_type)                                                              \
    DEFINE_TURN(name##_turn, from_type, to_type)                                                             \
    static void name(const weir_matrix *m, const int64_t *rows, int64_t first, int32_t count,                \
                     const weir_tile *tile)                                                                  \
    {                                                                                                        \
        const int64_t stride = tile->stride;                                                                 \
        for (int32_t r = 0; r < tile->width; r += 4) {                                                       \
            const from_type *from[4];                                                                        \
            to_type *to = (to_type *)tile->data + r;                                                         \
            int32_t f = 0;                                                                                   \
            for (int32_t i = 0; i < 4; i++)                                                                  \
                from[i] =                                                                                    \
                    (const from_type *)m->data + source_row(m, rows, first, count, r + i) * row_stride(m);   \
            for (; f + 4 <= tile->features; f += 4, to += 4 * stride) {                                      \
                const from_type *const run[4] = {from[0] + f, from[1] + f, from[2] + f, from[3] + f};        \
                to_type *const lane[4] = {to, to + stride, to + 2 * stride, to + 3 * stride};                \
                name##_turn(run, lane);                                                                      \
            }                                                                                                \
            for (; f < tile->features; f++, to += stride)                                                    \
                for (int32_t i = 0; i < 4; i++) to[i] = (to_type)from[i][f];                                 \
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

#define DEFINE_SCATTER(name, from_type, to_type)                                                             \
    DEFINE_TURN(name##_turn, from_type, to_type)                                                             \
    static void name(const weir_tile *tile, int32_t count, const weir_matrix *m, int64_t first)              \
    {                                                                                                        \
        const int64_t stride = tile->stride, row = row_stride(m);                                            \
        for (int32_t r = 0; r < count; r += 4) {                                                             \
            const from_type *from = (const from_type *)tile->data + r;                                       \
            to_type *const to = (to_type *)m->data + (first + r) * row;                                      \
            const int32_t rows = count - r < 4 ? count - r : 4;                                              \
            int32_t f = 0;                                                                                   \
            for (; rows == 4 && f + 4 <= tile->features; f += 4, from += 4 * stride) {                       \
                const from_type *const lane[4] = {from, from + stride, from + 2 * stride,                    \
                                                  from + 3 * stride};                                        \
                to_type *const run[4] = {to + f, to + row + f, to + 2 * row + f, to + 3 * row + f};          \
                name##_turn(lane, run);                                                                      \
            }                                                                                                \
            for (; f < tile->features; f++, from += stride)                                                  \
                for (int32_t i = 0; i < rows; i++) to[i * row + f] = (to_type)from[i];                       \
        }                                                                                                    \
    }

DEFINE_SCATTER(scatter_f32_f32, float, float)
DEFINE_SCATTER(scatter_f32_f64, float, double)
DEFINE_SCATTER(scatter_f64_f32, double, float)
DEFINE_SCATTER(scatter_f64_f64, double, double)

void weir__scatter_rows(const weir_frame *frame, const weir_tile *tile, int32_t count, const weir_matrix *m,
                        int64_t first)
{
    if (frame->precision == WEIR_F32)
        (m->dtype == WEIR_DTYPE_F32 ? scatter_f32_f32 : scatter_f32_f64)(tile, count, m, first);
    else
        (m->dtype == WEIR_DTYPE_F32 ? scatter_f64_f32 : scatter_f64_f64)(tile, count, m, first);
}

int weir__is_discarded(const weir_frame *frame, int32_t row)
{
    return (frame->discard[row >> 6] >> (row & 63) & 1) != 0;
}
