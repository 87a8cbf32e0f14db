/* triangle.c - blocks of rows: matrix products beside the diagonal, plain loops on it. */
#include "triangle.h"

#define BLOCK 32

static int32_t block_end(int32_t first, int32_t n)
{
    return n - first < BLOCK ? n : first + BLOCK;
}

static void product(const triangle *t, weir_frame *frame, int32_t first, int32_t end, int32_t from,
                    int32_t to, double alpha, double beta, const weir_tile *in, const weir_tile *out)
{
    if (from == to) return;
    frame->math->gemm(end - first, frame->width, to - from, alpha,
                      t->entries + first * t->row + from * t->column, t->row, t->column, weir_lane(in, from),
                      in->stride, 1, beta, weir_lane(out, first), out->stride, 1);
}

void WEIR_NAME(triangle_multiply)(triangle t, weir_frame *frame, const weir_tile *in, const weir_tile *out)
{
    for (int32_t first = 0; first < t.n; first += BLOCK) {
        const int32_t end = block_end(first, t.n);
        product(&t, frame, first, end, t.lower ? 0 : first, t.lower ? end : t.n, 1, 0, in, out);
    }
}

static void subtract(const weir_frame *frame, weir_real factor, const weir_real *from, weir_real *to)
{
    for (int32_t r = 0; r < frame->width; r++) to[r] -= factor * from[r];
}

static void divide(const weir_frame *frame, weir_real by, weir_real *lane)
{
    for (int32_t r = 0; r < frame->width; r++) lane[r] /= by;
}

/* Substitution inside one block, downwards for a lower triangle and upwards for an upper one. */
static void solve_block(const triangle *t, const weir_frame *frame, int32_t first, int32_t end,
                        const weir_tile *tile)
{
    const int32_t step = t->lower ? 1 : -1, start = t->lower ? first : end - 1;
    for (int32_t k = 0; k < end - first; k++) {
        const int32_t i = start + step * k;
        const weir_real *const row = t->entries + i * t->row;
        for (int32_t j = start; j != i; j += step)
            subtract(frame, row[j * t->column], weir_lane(tile, j), weir_lane(tile, i));
        divide(frame, row[i * t->column], weir_lane(tile, i));
    }
}

void WEIR_NAME(triangle_solve)(triangle t, weir_frame *frame, const weir_tile *tile)
{
    const int32_t blocks = (t.n + BLOCK - 1) / BLOCK;
    for (int32_t b = 0; b < blocks; b++) {
        const int32_t first = (t.lower ? b : blocks - 1 - b) * BLOCK, end = block_end(first, t.n);
        product(&t, frame, first, end, t.lower ? 0 : end, t.lower ? first : t.n, -1, 1, tile, tile);
        solve_block(&t, frame, first, end, tile);
    }
}

void WEIR_NAME(triangle_outer)(triangle t, weir_frame *frame, double sign, const weir_tile *left,
                               const weir_tile *right, weir_real *gradient)
{
    for (int32_t first = 0; first < t.n; first += BLOCK) {
        const int32_t end = block_end(first, t.n), from = t.lower ? 0 : first, to = t.lower ? end : t.n;
        frame->math->gemm(end - first, to - from, frame->rows, sign, weir_lane(left, first), left->stride, 1,
                          weir_lane(right, from), 1, right->stride, 1, gradient + (int64_t)first * t.n + from,
                          t.n, 1);
    }
}
