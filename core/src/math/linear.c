/* linear.c - what a linear object is: its block structure, found once when the model is built. */
#include "math/linear.h"

#include <stdlib.h>
#include <string.h>

/* A product of fewer outputs than LEAST wastes the kernel; one of more than MOST falls out of the first-level cache before
 * bias and activation come by. Between the two, outputs of different extent share a block while little of it is hidden. */
#define BLOCK_LEAST 12
#define BLOCK_MOST  48

/* Hidden entries that cost less than another call. */
#define WASTE_FREE 64

static int joins(int64_t size, int64_t visible, int64_t extent)
{
    const int64_t hidden = size * extent - visible;
    if (size > BLOCK_MOST) return 0;
    if (extent > 0 && visible == 0) return 0;
    return hidden <= WASTE_FREE || hidden * (size <= BLOCK_LEAST ? 3 : 16) <= size * extent;
}

/* One block from output `first` on: returns its end and writes its extent. */
static int32_t block_end(const weir__linear *linear, int32_t first, int32_t *extent)
{
    int64_t visible = 0;
    int32_t most = 0, o = first;
    for (; o < linear->out; o++) {
        const int32_t own = linear->extent ? linear->extent[o] : linear->in;
        const int32_t next = own > most || o == first ? own : most;
        /* Outputs without inputs stay among themselves: they take no product at all. */
        if (o > first && ((most == 0) != (own == 0) || !joins(o - first + 1, visible + own, next))) break;
        most = next;
        visible += own;
    }
    *extent = most;
    return o;
}

static void find_blocks(weir__linear *linear)
{
    linear->blocks = 0;
    linear->block_first[0] = 0;
    for (int32_t o = 0; o < linear->out; linear->blocks++) {
        o = block_end(linear, o, &linear->block_extent[linear->blocks]);
        linear->block_first[linear->blocks + 1] = o;
    }
}

static void find_first_seen(weir__linear *linear)
{
    int32_t reached = 0;
    for (int32_t o = 0; o < linear->out; o++) {
        for (; reached < linear->extent[o]; reached++) linear->first_seen[reached] = o;
        if (o > 0 && linear->extent[o] < linear->extent[o - 1]) linear->sorted = 0;
    }
    for (; reached <= linear->in; reached++) linear->first_seen[reached] = linear->out;
}

static weir_status check_spec(const weir_linear_spec *spec, weir_error *error)
{
    if (spec->in < 0 || spec->out < 0)
        return weir__fail(error, WEIR_INVALID, "linear object %s: in = %d and out = %d must not be negative",
                          spec->name, (int)spec->in, (int)spec->out);
    if (spec->activation < WEIR_ACTIVATION_NONE || spec->activation > WEIR_ACTIVATION_SOFTPLUS)
        return weir__fail(error, WEIR_INVALID,
                          "linear object %s: there is no activation %d; use WEIR_ACTIVATION_*", spec->name,
                          (int)spec->activation);
    for (int32_t o = 0; spec->extent && o < spec->out; o++) {
        if (spec->extent[o] < 0 || spec->extent[o] > spec->in)
            return weir__fail(error, WEIR_INVALID, "linear object %s: extent[%d] = %d must lie in 0 to %d",
                              spec->name, (int)o, (int)spec->extent[o], (int)spec->in);
    }
    return WEIR_OK;
}

static int32_t *integers(int64_t count)
{
    return calloc((size_t)count + 1, sizeof(int32_t));
}

weir_status weir__linear_init(weir__linear *linear, const weir_linear_spec *spec, weir_error *error)
{
    *linear = (weir__linear){.weight = -1, .bias = -1, .sorted = 1};
    const weir_status status = check_spec(spec, error);
    if (status != WEIR_OK) return status;
    linear->in = spec->in;
    linear->out = spec->out;
    linear->activation = spec->activation;
    linear->block_first = integers(spec->out);
    linear->block_extent = integers(spec->out);
    if (!linear->block_first || !linear->block_extent) goto fail;
    if (spec->extent) {
        linear->extent = integers(spec->out);
        linear->first_seen = integers(spec->in);
        if (!linear->extent || !linear->first_seen) goto fail;
        memcpy(linear->extent, spec->extent, (size_t)spec->out * sizeof(int32_t));
        find_first_seen(linear);
    }
    find_blocks(linear);
    return WEIR_OK;
fail:
    weir__linear_clear(linear);
    return weir__no_memory(error, "a linear object");
}

void weir__linear_clear(weir__linear *linear)
{
    free(linear->extent);
    free(linear->block_first);
    free(linear->block_extent);
    free(linear->first_seen);
    *linear = (weir__linear){.weight = -1, .bias = -1};
}

void weir__linear_mask(const weir__linear *linear, int32_t precision, void *weight)
{
    if (!linear->extent) return;
    const size_t size = precision == WEIR_F32 ? sizeof(float) : sizeof(double);
    for (int32_t o = 0; o < linear->out; o++) {
        const size_t visible = (size_t)linear->extent[o], in = (size_t)linear->in;
        memset((char *)weight + ((size_t)o * in + visible) * size, 0, (in - visible) * size);
    }
}
