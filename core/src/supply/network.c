/* network.c - incremental calls for an autoregressive network that has none: a whole pass for each feature, each way.
 *
 * The sweep works on a copy of x in which undecided features are zero: what stands there must not be read, and a network
 * without masks inside would multiply it by zero and spread what is not a number. On the way back nothing may stay on the
 * tape between calls (the parent pops its own records in between), so each step runs forward again. */
#include "run/lanes.h"
#include "supply/adapter.h"

#include <string.h>

static const weir_child *inner_of(const void *self)
{
    return &((const weir__supplied *)self)->inner;
}

static int64_t tile_bytes(const weir_frame *frame, int32_t features)
{
    return features * frame->stride * weir__real_size(frame);
}

static weir_tile tile_over(const weir_frame *frame, void *data, int32_t features)
{
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = data,
                       .stride = frame->stride,
                       .rows = frame->rows,
                       .width = frame->width};
}

static void copy_lanes(const weir_frame *frame, const weir_tile *from, const weir_tile *to, int32_t first,
                       int32_t count)
{
    const weir_tile source = weir__part(frame, from, first, count),
                    target = weir__part(frame, to, first, count);
    weir__copy_tile(frame, &source, &target);
}

static void zero_lane(const weir_frame *frame, const weir_tile *tile, int32_t lane)
{
    memset(weir__lane(frame, tile, lane), 0, (size_t)frame->width * (size_t)weir__real_size(frame));
}

/* ---- the sweep: its state is the copy of x ------------------------------------------------------------------------ */

static weir_status sweep_begin(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                               void **state)
{
    const int64_t bytes = tile_bytes(frame, x->features);
    (void)self;
    (void)y;
    *state =
        frame->tape ? frame->services->tape_push(frame, bytes) : frame->services->scratch_take(frame, bytes);
    if (!*state) return WEIR_ERROR;
    memset(*state, 0, (size_t)bytes);
    return WEIR_OK;
}

static weir_status sweep_step(const void *self, weir_frame *frame, void *state, int32_t d, const weir_tile *x,
                              const weir_tile *y)
{
    const weir_child *const inner = inner_of(self);
    const int32_t each = y->features / x->features;
    const weir_tile decided = tile_over(frame, state, x->features), all = weir__run_tile(frame, y->features);
    weir_tape *const tape = frame->tape;
    if (!all.data) return WEIR_ERROR;
    if (d > 0) copy_lanes(frame, x, &decided, d - 1, 1);
    frame->tape = NULL;
    const weir_status status = inner->network->forward(inner->self, frame, &decided, &all);
    frame->tape = tape;
    if (status <= WEIR_DISCARD) copy_lanes(frame, &all, y, d * each, each);
    return status;
}

/* ---- the way back: its work is the cotangents of the outputs that have come so far -------------------------------- */

static weir_status sweep_begin_vjp(const void *self, weir_frame *frame, const void *state, const weir_tile *x,
                                   const weir_tile *y, void **work)
{
    const int64_t bytes = tile_bytes(frame, y->features);
    (void)self;
    (void)state;
    (void)x;
    *work = frame->services->scratch_take(frame, bytes);
    if (!*work) return WEIR_ERROR;
    memset(*work, 0, (size_t)bytes);
    return WEIR_OK;
}

static weir_status whole_vjp(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                             const weir_tile *y_bar, const weir_tile *x_bar)
{
    const weir_tile image = weir__run_tile(frame, y_bar->features);
    if (!image.data) return WEIR_ERROR;
    const weir_status status = inner->network->forward(inner->self, frame, x, &image);
    if (status > WEIR_DISCARD) return status;
    const weir_status last = inner->network->vjp(inner->self, frame, x, &image, y_bar, x_bar);
    return last > status ? last : status;
}

/* With the cotangents of features >= d and zero for the others, the pass gives lane d - 1 in full. */
static weir_status sweep_step_vjp(const void *self, weir_frame *frame, const void *state, void *work,
                                  int32_t d, const weir_tile *x, const weir_tile *y, const weir_tile *y_bar,
                                  const weir_tile *x_bar)
{
    const int32_t each = y->features / x->features;
    const weir_tile known = tile_over(frame, work, y->features), through = weir__run_tile(frame, x->features);
    weir__quiet quiet;
    (void)state;
    if (!through.data) return WEIR_ERROR;
    copy_lanes(frame, y_bar, &known, d * each, each);
    if (d == x->features - 1) zero_lane(frame, x_bar, d);
    if (d == 0) return WEIR_OK;
    weir__quiet_begin(frame, &quiet);
    const weir_status status = whole_vjp(inner_of(self), frame, x, &known, &through);
    weir__quiet_end(frame, &quiet);
    if (status <= WEIR_DISCARD) copy_lanes(frame, &through, x_bar, d - 1, 1);
    return status;
}

static weir_status sweep_end_vjp(const void *self, weir_frame *frame, const void *state, void *work,
                                 const weir_tile *x, const weir_tile *y, const weir_tile *y_bar)
{
    (void)state;
    (void)work;
    (void)y;
    const weir_status status = whole_vjp(inner_of(self), frame, x, y_bar, NULL);
    if (status > WEIR_DISCARD) return status;
    return frame->services->tape_pop(frame, tile_bytes(frame, x->features)) ? status : WEIR_ERROR;
}

uint32_t weir__fill_network(weir__supplied *s, weir_child *child)
{
    weir__adapt_network(s->inner.network, &s->network);
    s->network.begin = sweep_begin;
    s->network.step = sweep_step;
    s->network.begin_vjp = s->inner.network->vjp ? sweep_begin_vjp : NULL;
    s->network.step_vjp = s->inner.network->vjp ? sweep_step_vjp : NULL;
    s->network.end_vjp = s->inner.network->vjp ? sweep_end_vjp : NULL;
    child->network = &s->network;
    child->self = s;
    return WEIR__SUPPLIED_INCREMENTAL;
}
