/* product_matrix.c - the matrix of a product, entry by entry: its columns are what it makes of the unit vectors. */
#include "product.h"

/* Columns at a time, as the rows of a tile. */
#define BLOCK 64

/* Columns [first, first + BLOCK) of W. */
static weir_status multiply_block(const product *self, weir_frame *frame, int32_t first, weir_real *w)
{
    const int32_t n = self->features;
    weir_tile from, to;
    if (!weir_take_tile(frame, n, &from) || !weir_take_tile(frame, n, &to)) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) {
        weir_zero_lane(frame, weir_lane(&from, i));
        if (i >= first && i < first + BLOCK) weir_lane(&from, i)[i - first] = 1;
    }
    for (int32_t k = self->count - 1; k >= 0; k--) {
        const factor *const f = &self->factors[k];
        const weir_status status = f->ops->multiply(f, frame, 0, &from, &to);
        const weir_tile next = from;
        if (status != WEIR_OK) return status;
        from = to;
        to = next;
    }
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = first; j < n && j < first + BLOCK; j++)
            w[(int64_t)i * n + j] = weir_lane(&from, i)[j - first];
    return WEIR_OK;
}

weir_status WEIR_NAME(product_matrix)(const void *module, weir_frame *frame, weir_real *w)
{
    const product *const self = module;
    weir_frame inner = *frame;
    inner.struct_size = (uint32_t)sizeof inner;
    inner.rows = inner.width = BLOCK;
    inner.stride = BLOCK + 16;
    for (int32_t first = 0; first < self->features; first += BLOCK) {
        const int64_t mark = frame->services->scratch_mark(frame);
        const weir_status status = multiply_block(self, &inner, first, w);
        frame->services->scratch_release(frame, mark);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}
