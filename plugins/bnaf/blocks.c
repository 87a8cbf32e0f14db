/* blocks.c - see blocks.h. */
#include "blocks.h"

/* Features are multiplied together until a product has this many rows: fewer waste the kernel, more multiply zeros. */
#define ROWS_OF_A_PRODUCT 32

static int32_t group_end(const bnaf *self, int32_t first, int32_t per)
{
    const int32_t count = per >= ROWS_OF_A_PRODUCT ? 1 : ROWS_OF_A_PRODUCT / per;
    return count < self->features - first ? first + count : self->features;
}

static int64_t columns_of(const bnaf *self, const block_map *map)
{
    return (int64_t)self->features * map->in;
}

/* Row 0 of feature d, of W or of its gradient. */
static weir_real *rows_of(const bnaf *self, const block_map *map, weir_real *matrix, int32_t d)
{
    return matrix + (int64_t)d * map->out * columns_of(self, map);
}

static weir_real *lanes_of(const weir_tile *tile, int32_t d, int32_t per)
{
    return (weir_real *)tile->data + (int64_t)d * per * tile->stride;
}

weir_status WEIR_NAME(blocks_start)(const block_map *map, weir_frame *frame, const weir_tile *out)
{
    const weir_real *const bias = weir_tensor(frame, map->bias);
    weir_status status = WEIR_OK;
    if (map->context >= 0)
        WEIR_TRY(status, frame->services->linear_forward(frame, map->context, 0, -1, frame->context, out, 0));
    for (int32_t o = 0; o < out->features; o++) {
        weir_real *const lane = weir_lane(out, o);
        if (map->context < 0) weir_zero_lane(frame, lane);
        for (int32_t r = 0; r < frame->width; r++) lane[r] += bias[o];
    }
    return status;
}

void WEIR_NAME(blocks_add)(const bnaf *self, const block_map *map, const weir_frame *frame,
                           const weir_tile *in, const weir_tile *out)
{
    weir_real *const matrix = weir_tensor(frame, map->matrix);
    const int64_t columns = columns_of(self, map);
    for (int32_t d = 0, end; d < self->features; d = end) {
        end = group_end(self, d, map->out);
        frame->math->gemm((int64_t)(end - d) * map->out, frame->width, (int64_t)end * map->in, 1,
                          rows_of(self, map, matrix, d), columns, 1, in->data, in->stride, 1, 1,
                          lanes_of(out, d, map->out), out->stride, 1);
    }
}

void WEIR_NAME(blocks_pull)(const bnaf *self, const block_map *map, const weir_frame *frame,
                            const weir_tile *out_bar, const weir_tile *in_bar)
{
    weir_real *const matrix = weir_tensor(frame, map->matrix);
    const int64_t columns = columns_of(self, map);
    for (int32_t d = 0, end; d < self->features; d = end) {
        end = group_end(self, d, map->in);
        frame->math->gemm(
            (int64_t)(end - d) * map->in, frame->width, (int64_t)(self->features - d) * map->out, 1,
            rows_of(self, map, matrix, d) + (int64_t)d * map->in, 1, columns, lanes_of(out_bar, d, map->out),
            out_bar->stride, 1, 0, lanes_of(in_bar, d, map->in), in_bar->stride, 1);
    }
}

/* Entries above the diagonal blocks get rubbish: prepare_vjp does not read them. */
static void matrix_gradient(const bnaf *self, const block_map *map, const weir_frame *frame,
                            const weir_tile *in, const weir_tile *out_bar)
{
    weir_real *const gradient = weir_gradient(frame, map->matrix);
    const int64_t columns = columns_of(self, map);
    for (int32_t d = 0, end; gradient && d < self->features; d = end) {
        end = group_end(self, d, map->out);
        frame->math->gemm((int64_t)(end - d) * map->out, (int64_t)end * map->in, frame->rows, 1,
                          lanes_of(out_bar, d, map->out), out_bar->stride, 1, in->data, 1, in->stride, 1,
                          rows_of(self, map, gradient, d), columns, 1);
    }
}

weir_status WEIR_NAME(blocks_gradients)(const bnaf *self, const block_map *map, weir_frame *frame,
                                        const weir_tile *in, const weir_tile *out_bar)
{
    const weir_services *const host = frame->services;
    weir_real *const bias = weir_gradient(frame, map->bias);
    weir_status status = WEIR_OK;
    matrix_gradient(self, map, frame, in, out_bar);
    for (int32_t o = 0; bias && o < out_bar->features; o++)
        bias[o] += weir_sum_lane(frame, weir_lane(out_bar, o));
    if (map->context < 0) return status;
    WEIR_TRY(status, host->linear_vjp_weights(frame, map->context, frame->context, out_bar));
    if (frame->context_bar)
        WEIR_TRY(status, host->linear_vjp_input(frame, map->context, 0, -1, out_bar, frame->context_bar,
                                                WEIR_LINEAR_ADD));
    return status;
}

/* ---- one feature --------------------------------------------------------------------------------------------- */

void WEIR_NAME(blocks_add_before)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *in, const weir_tile *out_d)
{
    frame->math->gemm(map->out, frame->width, (int64_t)d * map->in, 1,
                      rows_of(self, map, weir_tensor(frame, map->matrix), d), columns_of(self, map), 1,
                      in->data, in->stride, 1, 1, out_d->data, out_d->stride, 1);
}

void WEIR_NAME(blocks_pull_after)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *out_bar, const weir_tile *in_bar_d)
{
    const int32_t rest = self->features - d - 1;
    if (rest == 0) {
        for (int32_t k = 0; k < map->in; k++) weir_zero_lane(frame, weir_lane(in_bar_d, k));
        return;
    }
    frame->math->gemm(map->in, frame->width, (int64_t)rest * map->out, 1,
                      rows_of(self, map, weir_tensor(frame, map->matrix), d + 1) + (int64_t)d * map->in, 1,
                      columns_of(self, map), lanes_of(out_bar, d + 1, map->out), out_bar->stride, 1, 0,
                      in_bar_d->data, in_bar_d->stride, 1);
}

const weir_real *WEIR_NAME(diagonal_of)(const bnaf *self, const block_map *map, const weir_frame *frame,
                                        int32_t d)
{
    return rows_of(self, map, weir_tensor(frame, map->matrix), d) + (int64_t)d * map->in;
}

void WEIR_NAME(diagonal_add)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                             const weir_tile *in_d, double keep, const weir_tile *out_d)
{
    frame->math->gemm(map->out, frame->width, map->in, 1, WEIR_NAME(diagonal_of)(self, map, frame, d),
                      columns_of(self, map), 1, in_d->data, in_d->stride, 1, keep, out_d->data, out_d->stride,
                      1);
}

void WEIR_NAME(diagonal_pull)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                              const weir_tile *out_bar_d, double keep, const weir_tile *in_bar_d)
{
    frame->math->gemm(map->in, frame->width, map->out, 1, WEIR_NAME(diagonal_of)(self, map, frame, d), 1,
                      columns_of(self, map), out_bar_d->data, out_bar_d->stride, 1, keep, in_bar_d->data,
                      in_bar_d->stride, 1);
}

void WEIR_NAME(diagonal_gradient)(const bnaf *self, const block_map *map, const weir_frame *frame, int32_t d,
                                  const weir_tile *in_d, const weir_tile *out_bar_d)
{
    weir_real *const gradient = weir_gradient(frame, map->matrix);
    if (!gradient) return;
    frame->math->gemm(map->out, map->in, frame->rows, 1, out_bar_d->data, out_bar_d->stride, 1, in_d->data, 1,
                      in_d->stride, 1, rows_of(self, map, gradient, d) + (int64_t)d * map->in,
                      columns_of(self, map), 1);
}
