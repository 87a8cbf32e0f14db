/* linear_forward.c - y = activation(W x + b), block by block: bias and activation follow in the registers of the product or,
 * where the activation needs a function, while a block's lanes are still in the first-level cache. */
#include "math/activation.h"
#include "math/gemm_finished.h"
#include "math/lanes.h"
#include "math/linear_call.h"
#include "math/row.h"

/* The inputs that outputs [first, end) see. */
static int32_t extent_of(const weir__linear *linear, int32_t first, int32_t end)
{
    if (!linear->extent) return linear->in;
    if (linear->sorted) return linear->extent[end - 1];
    int32_t most = 0;
    for (int32_t o = first; o < end; o++) {
        if (linear->extent[o] > most) most = linear->extent[o];
    }
    return most;
}

static int32_t block_of(const weir__linear *linear, int32_t output)
{
    int32_t low = 0, high = linear->blocks - 1;
    while (low < high) {
        const int32_t middle = (low + high + 1) / 2;
        if (linear->block_first[middle] <= output) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static weir__finish finish_of(const weir_frame *frame, const weir__linear *linear, int32_t first,
                              int32_t activation)
{
    const char *const bias = linear->bias < 0 ? NULL : frame->tensors[linear->bias];
    return (weir__finish){.bias = bias ? bias + first * weir__element_size(frame) : NULL,
                          .activation = activation};
}

static void multiply(weir_frame *frame, const weir__linear *linear, int32_t first, int32_t count,
                     int64_t width, const weir__lanes *x, const weir__lanes *y, uint32_t flags)
{
    const int64_t size = x->size, in = linear->in;
    const char *const weight = frame->tensors[linear->weight];
    const weir__finish finish = finish_of(frame, linear, first, linear->activation);
    weir__gemm_finish(frame->math, count, width, extent_of(linear, first, first + count),
                      weight + first * in * size, in, x->data, x->stride, flags & WEIR_LINEAR_ADD ? 1.0 : 0.0,
                      weir__lanes_at(y, first), y->stride, &finish);
}

/* A range smaller than a block is one product with its own extent: inputs that only its neighbours see may still be
 * unknown, as in incremental sampling. */
static void multiply_range(weir_frame *frame, const weir__linear *linear, int32_t first, int32_t end,
                           int64_t width, const weir__lanes *x, const weir__lanes *y, uint32_t flags)
{
    if (end - first <= WEIR__SMALL_RANGE) {
        multiply(frame, linear, first, end - first, width, x, y, flags);
        return;
    }
    for (int32_t b = block_of(linear, first); first < end; b++) {
        const int32_t next = linear->block_first[b + 1] < end ? linear->block_first[b + 1] : end;
        multiply(frame, linear, first, next - first, width, x, y, flags);
        first = next;
    }
}

/* A few samples, whose tile is mostly padding: their numbers are brought together, multiplied as so many columns, and
 * spread over the padding, which is to repeat a row anyway. */
static weir_status few_rows(weir_frame *frame, const weir__linear *linear, int32_t first, int32_t end,
                            const weir_tile *x, const weir_tile *y, uint32_t flags)
{
    const int64_t size = weir__element_size(frame), in = linear->in, rows = y->rows;
    const int32_t seen = extent_of(linear, first, end);
    const char *const weight = frame->tensors[linear->weight];
    /* Functions are faster over all outputs at once. */
    const int whole = weir__gemm_takes(linear->activation);
    char *const inputs = frame->services->scratch_take(frame, seen * rows * size);
    char *const outputs = frame->services->scratch_take(frame, (end - first) * rows * size);
    if ((!inputs && seen > 0) || !outputs) return WEIR_ERROR;
    weir__rows_gather(frame, x, 0, seen, inputs);
    if (flags & WEIR_LINEAR_ADD) weir__rows_gather(frame, y, first, end, outputs);
    for (int32_t b = block_of(linear, first), o = first; o < end; b++) {
        const int32_t next = linear->block_first[b + 1] < end ? linear->block_first[b + 1] : end;
        const weir__finish finish =
            finish_of(frame, linear, o, whole ? linear->activation : WEIR_ACTIVATION_NONE);
        weir__gemm_finish(frame->math, next - o, rows, extent_of(linear, o, next), weight + o * in * size, in,
                          inputs, rows, flags & WEIR_LINEAR_ADD ? 1.0 : 0.0,
                          outputs + (o - first) * rows * size, rows, &finish);
        o = next;
    }
    if (!whole) weir__activate(frame->math, linear->activation, 1, (end - first) * rows, NULL, outputs, 0);
    weir__rows_spread(frame, y, first, end, outputs);
    return WEIR_OK;
}

weir_status weir__linear_forward(weir_frame *frame, weir_handle handle, int32_t first, int32_t count,
                                 const weir_tile *x, const weir_tile *y, uint32_t flags)
{
    const weir__linear *const linear = weir__frame_linear(frame, handle);
    if (count < 0) count = linear->out - first;
    if (x->features != linear->in || y->features != linear->out)
        return weir__linear_refuse(frame, linear, "linear_forward", x->features, y->features);
    if (first < 0 || count < 0 || count > linear->out - first)
        return weir__linear_refuse_range(frame, "linear_forward", first, count, linear->out);
    if (count == 0 || y->width == 0) return WEIR_OK;

    weir__lanes in, out;
    const int64_t mark = frame->services->scratch_mark(frame);
    weir_status status = WEIR_ERROR;
    if (y->rows <= WEIR__ROWS_FEW) {
        status = few_rows(frame, linear, first, first + count, x, y, flags);
    } else if (weir__lanes_open(frame, x, 0, extent_of(linear, first, first + count), 1, &in) &&
               weir__lanes_open(frame, y, first, count, (flags & WEIR_LINEAR_ADD) != 0, &out)) {
        multiply_range(frame, linear, first, first + count, y->width, &in, &out, flags);
        weir__lanes_store(&out, first, count);
        status = WEIR_OK;
    }
    frame->services->scratch_release(frame, mark);
    return status;
}
