/* linear_vjp.c - gradients of linear objects. y_bar is the cotangent before the activation unless said otherwise. */
#include "math/activation.h"
#include "math/lane_sums.h"
#include "math/lanes.h"
#include "math/linear_call.h"

/* Inputs that are multiplied together: in vjp_input with the outputs that see the first of them, in vjp_weights likewise. */
#define INPUT_BLOCK  24
#define WEIGHT_BLOCK 32

weir_status weir__linear_vjp_activation(weir_frame *frame, weir_handle handle, int32_t first, int32_t count,
                                        const weir_tile *y, const weir_tile *y_bar)
{
    const weir__linear *const linear = weir__frame_linear(frame, handle);
    if (count < 0) count = linear->out - first;
    if (y->features != linear->out || y_bar->features != linear->out)
        return weir__linear_refuse(frame, linear, "linear_vjp_activation", linear->in,
                                   y->features != linear->out ? y->features : y_bar->features);
    if (first < 0 || count < 0 || count > linear->out - first)
        return weir__linear_refuse_range(frame, "linear_vjp_activation", first, count, linear->out);
    if (linear->activation == WEIR_ACTIVATION_NONE) return WEIR_OK;
    /* Lanes that lie side by side are one call; those of an index are looked up. */
    const int32_t each = y->lanes || y_bar->lanes ? 1 : count;
    for (int32_t o = first; o < first + count; o += each)
        weir__activation_vjp(frame->math, linear->activation, each, y->width, weir__lane_of(frame, y, o),
                             y->stride, weir__lane_of(frame, y_bar, o), y_bar->stride);
    return WEIR_OK;
}

/* ---- inputs --------------------------------------------------------------------------------- */

/* The next run [*from, *to) of outputs, from output *to on, that see input i. Returns 0 when there is none. */
static int next_run(const weir__linear *linear, int32_t i, int32_t *from, int32_t *to)
{
    int32_t o = *to;
    while (o < linear->out && linear->extent && linear->extent[o] <= i) o++;
    *from = o;
    if (o == linear->out) return 0;
    if (linear->sorted) {
        *to = linear->out;
        return 1;
    }
    while (o < linear->out && linear->extent[o] > i) o++;
    *to = o;
    return 1;
}

/* x_bar of inputs [first, end): a sum over the runs of outputs that see the first of them. */
static void pull_back(weir_frame *frame, const weir__linear *linear, int32_t first, int32_t end,
                      int64_t width, const weir__lanes *y_bar, const weir__lanes *x_bar, uint32_t flags)
{
    const char *const weight = frame->tensors[linear->weight];
    const int64_t in = linear->in, size = x_bar->size;
    double beta = flags & WEIR_LINEAR_ADD ? 1.0 : 0.0;
    int32_t from = 0, to = linear->first_seen ? linear->first_seen[first] : 0;
    while (next_run(linear, first, &from, &to)) {
        frame->math->gemm(end - first, width, to - from, 1.0, weight + (from * in + first) * size, 1, in,
                          weir__lanes_at(y_bar, from), y_bar->stride, 1, beta, weir__lanes_at(x_bar, first),
                          x_bar->stride, 1);
        beta = 1.0;
    }
    if (beta == 0.0)
        frame->math->gemm(end - first, width, 0, 1.0, NULL, 1, 1, NULL, 1, 1, 0.0,
                          weir__lanes_at(x_bar, first), x_bar->stride, 1);
}

/* Inputs from `first` on that the same outputs see, or few enough that the difference costs little. */
static int32_t input_block_end(const weir__linear *linear, int32_t first, int32_t end)
{
    if (!linear->first_seen) return end;
    int32_t next = end - first > INPUT_BLOCK ? first + INPUT_BLOCK : end;
    while (next < end && linear->first_seen[next] == linear->first_seen[first]) next++;
    return next;
}

weir_status weir__linear_vjp_input(weir_frame *frame, weir_handle handle, int32_t first, int32_t count,
                                   const weir_tile *y_bar, const weir_tile *x_bar, uint32_t flags)
{
    const weir__linear *const linear = weir__frame_linear(frame, handle);
    if (count < 0) count = linear->in - first;
    if (x_bar->features != linear->in || y_bar->features != linear->out)
        return weir__linear_refuse(frame, linear, "linear_vjp_input", x_bar->features, y_bar->features);
    if (first < 0 || count < 0 || count > linear->in - first)
        return weir__linear_refuse_range(frame, "linear_vjp_input", first, count, linear->in);
    if (count == 0 || x_bar->width == 0) return WEIR_OK;

    weir__lanes in, out;
    const int32_t seen = linear->first_seen ? linear->first_seen[first] : 0;
    const int64_t mark = frame->services->scratch_mark(frame);
    weir_status status = WEIR_ERROR;
    if (weir__lanes_open(frame, y_bar, seen, linear->out - seen, 1, &out) &&
        weir__lanes_open(frame, x_bar, first, count, (flags & WEIR_LINEAR_ADD) != 0, &in)) {
        for (int32_t i = first, next; i < first + count; i = next) {
            next = input_block_end(linear, i, first + count);
            pull_back(frame, linear, i, next, x_bar->width, &out, &in, flags);
        }
        weir__lanes_store(&in, first, count);
        status = WEIR_OK;
    }
    frame->services->scratch_release(frame, mark);
    return status;
}

/* ---- weights -------------------------------------------------------------------------------- */

/* Panels of inputs, each against the outputs that see its first: the products above a staircase are left out, and every
 * panel of x is turned around once. */
static void add_weights(weir_frame *frame, const weir__linear *linear, int64_t rows, const weir__lanes *x,
                        const weir__lanes *y_bar, char *gradient)
{
    const double beta = weir__frame_unwritten(frame, linear->weight) ? 0.0 : 1.0;
    const int64_t in = linear->in, size = x->size;
    const int32_t panel = linear->first_seen ? WEIGHT_BLOCK : linear->in;
    for (int32_t i = 0; i < linear->in; i += panel) {
        const int32_t count = linear->in - i < panel ? linear->in - i : panel;
        const int32_t o = linear->first_seen ? linear->first_seen[i] : 0;
        frame->math->gemm(linear->out - o, count, rows, 1.0, weir__lanes_at(y_bar, o), y_bar->stride, 1,
                          weir__lanes_at(x, i), 1, x->stride, beta, gradient + (o * in + i) * size, in, 1);
    }
}

static void *gradient_of(const weir_frame *frame, weir_handle tensor)
{
    return frame->gradients && tensor >= 0 ? frame->gradients[tensor] : NULL;
}

weir_status weir__linear_vjp_weights(weir_frame *frame, weir_handle handle, const weir_tile *x,
                                     const weir_tile *y_bar)
{
    const weir__linear *const linear = weir__frame_linear(frame, handle);
    if (x->features != linear->in || y_bar->features != linear->out)
        return weir__linear_refuse(frame, linear, "linear_vjp_weights", x->features, y_bar->features);
    char *const weight = gradient_of(frame, linear->weight);
    void *const bias = gradient_of(frame, linear->bias);
    if (linear->out == 0 || y_bar->rows == 0 || (!weight && !bias)) return WEIR_OK;

    weir__lanes in, out;
    const int64_t mark = frame->services->scratch_mark(frame), rows = y_bar->rows;
    weir_status status = WEIR_ERROR;
    if (weir__lanes_open(frame, y_bar, 0, linear->out, 1, &out) &&
        weir__lanes_open(frame, x, 0, weight ? linear->in : 0, 1, &in)) {
        if (weight) add_weights(frame, linear, rows, &in, &out, weight);
        if (bias) weir__lane_sums(frame->precision, linear->out, rows, out.data, out.stride, bias);
        status = WEIR_OK;
    }
    frame->services->scratch_release(frame, mark);
    return status;
}
