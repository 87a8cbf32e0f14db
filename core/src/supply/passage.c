/* passage.c - see passage.h. */
#include "supply/passage.h"

#include "run/lanes.h"
#include "supply/turn.h"

#include <string.h>

/* ---- lanes between precisions --------------------------------------------------------------------------------- */

static void widen(int32_t n, const float *from, double *to)
{
    for (int32_t i = 0; i < n; i++) to[i] = (double)from[i];
}

static void narrow(int32_t n, const double *from, float *to)
{
    for (int32_t i = 0; i < n; i++) to[i] = (float)from[i];
}

static void move_lane(const weir_frame *source, const void *from, const weir_frame *target, void *to)
{
    if (source->precision == target->precision)
        memcpy(to, from, (size_t)source->width * (size_t)weir__real_size(source));
    else if (target->precision == WEIR_F64)
        widen(source->width, from, to);
    else
        narrow(source->width, from, to);
}

/* Only between precisions: accumulators of the same precision are handed over as they are. */
static void add_lane(const weir_frame *target, const void *from, void *to)
{
    const int32_t n = target->width;
    if (target->precision == WEIR_F64)
        for (int32_t i = 0; i < n; i++) ((double *)to)[i] += (double)((const float *)from)[i];
    else
        for (int32_t i = 0; i < n; i++)
            ((float *)to)[i] = (float)((double)((float *)to)[i] + ((const double *)from)[i]);
}

static void move_lanes(const weir_frame *source, const weir_tile *from, const weir_frame *target,
                       const weir_tile *to, int32_t first, int32_t count)
{
    for (int32_t f = first; f < first + count; f++)
        move_lane(source, weir__lane(source, from, f), target, weir__lane(target, to, f));
}

void weir__carry_in(const weir__passage *p, const weir_tile *from, const weir_tile *to, int32_t first,
                    int32_t count)
{
    move_lanes(p->outer, from, p->frame, to, first, count);
}

void weir__carry_out(const weir__passage *p, const weir_tile *from, const weir_tile *to, int32_t first,
                     int32_t count)
{
    move_lanes(p->frame, from, p->outer, to, first, count);
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static int converts(const weir__passage *p)
{
    return p->frame != p->outer;
}

static weir__passed *next(weir__passage *p)
{
    weir__passed *const item = &p->list[p->count++];
    *item = (weir__passed){.back = WEIR__BACK_NOT};
    return item;
}

static weir_tile room(weir__passage *p, int32_t features)
{
    const weir_tile tile = weir__run_tile(p->frame, features);
    if (!tile.data) p->failed = 1;
    return tile;
}

static void zero(const weir_frame *frame, const weir_tile *tile)
{
    for (int32_t f = 0; f < tile->features; f++)
        memset(weir__lane(frame, tile, f), 0, (size_t)frame->width * (size_t)weir__real_size(frame));
}

/* The context's cotangent stays in the frame between calls; a module adds to it like to any accumulator. */
static void pass_context(weir__passage *p)
{
    const weir_tile *const context = p->outer->context, *const bar = p->outer->context_bar;
    if (context) {
        p->context = room(p, context->features);
        if (p->failed) return;
        move_lanes(p->outer, context, p->frame, &p->context, 0, context->features);
        p->frame->context = &p->context;
    }
    if (bar) {
        weir__passed *const item = next(p);
        item->tile = bar;
        item->inside = p->context_bar = room(p, bar->features);
        if (p->failed) return;
        zero(p->frame, &p->context_bar);
        item->back = WEIR__BACK_ADD;
        p->frame->context_bar = &p->context_bar;
    }
}

/* The run holds a frame for each precision, but the caller's is the one that containers and other supplied calls have
 * set up: all that describes the call goes over. Gradient tables belong to a frame's precision and stay, unless the
 * caller wants none. */
static void borrow(weir__passage *p, int32_t with_context)
{
    weir__run *const run = p->outer->host;
    weir_frame *const from = p->outer, *const to = from == &run->frame ? &run->other : &run->frame;
    p->frame = to;
    p->saved = *to;
    to->mode = from->mode;
    to->worker = from->worker;
    to->rows = from->rows;
    to->width = from->width;
    to->stride = from->stride;
    if (!from->gradients) to->gradients = NULL;
    to->tape = from->tape;
    to->context = to->context_bar = NULL;
    to->row_ids = from->row_ids;
    to->seed = from->seed;
    to->step = from->step;
    to->discard = from->discard;
    to->report = from->report;
    if (with_context) pass_context(p);
}

void weir__passage_open(weir__passage *p, const void *self, weir_frame *frame, int32_t with_context)
{
    p->supplied = self;
    p->inner = &p->supplied->inner;
    p->self = p->supplied->replica < 0 ? p->inner->self
                                       : ((const weir__run *)frame->host)->replicas[p->supplied->replica];
    p->outer = p->frame = frame;
    p->count = p->failed = 0;
    if (p->supplied->serial) weir__turn_take();
    if (frame->precision != p->supplied->precision) borrow(p, with_context);
}

/* ---- arguments ------------------------------------------------------------------------------------------------ */

int weir__must_pass(const weir__passage *p, const weir_tile *tile)
{
    return converts(p) || (tile->lanes && !p->supplied->indexed);
}

const weir_tile *weir__pass_in(weir__passage *p, const weir_tile *tile)
{
    if (p->failed || !tile || !weir__must_pass(p, tile)) return tile;
    weir__passed *const item = next(p);
    item->inside = room(p, tile->features);
    if (p->failed) return NULL;
    move_lanes(p->outer, tile, p->frame, &item->inside, 0, tile->features);
    return &item->inside;
}

const weir_tile *weir__pass_out(weir__passage *p, const weir_tile *tile)
{
    if (p->failed || !tile || !weir__must_pass(p, tile)) return tile;
    weir__passed *const item = next(p);
    item->tile = tile;
    item->inside = room(p, tile->features);
    item->back = WEIR__BACK_COPY;
    return &item->inside;
}

const void *weir__pass_lane(weir__passage *p, const void *lane)
{
    if (p->failed || !lane || !converts(p)) return lane;
    const weir_tile inside = room(p, 1);
    if (p->failed) return NULL;
    move_lane(p->outer, lane, p->frame, inside.data);
    return inside.data;
}

void *weir__pass_sum(weir__passage *p, void *lane)
{
    if (p->failed || !lane || !converts(p)) return lane;
    weir__passed *const item = next(p);
    item->inside = room(p, 1);
    if (p->failed) return NULL;
    item->lane = lane;
    item->back = WEIR__BACK_ADD;
    zero(p->frame, &item->inside);
    return item->inside.data;
}

/* ---- closing -------------------------------------------------------------------------------------------------- */

static void give_back(const weir__passage *p, const weir__passed *item)
{
    if (item->back == WEIR__BACK_COPY) weir__carry_out(p, &item->inside, item->tile, 0, item->tile->features);
    if (item->back != WEIR__BACK_ADD) return;
    if (item->lane) add_lane(p->outer, item->inside.data, item->lane);
    for (int32_t f = 0; !item->lane && f < item->tile->features; f++)
        add_lane(p->outer, weir__lane(p->frame, &item->inside, f), weir__lane(p->outer, item->tile, f));
}

weir_status weir__passage_close(weir__passage *p, weir_status status)
{
    for (int32_t i = 0; i < p->count && status <= WEIR_DISCARD; i++) give_back(p, &p->list[i]);
    if (converts(p)) *p->frame = p->saved;
    if (p->supplied->serial) weir__turn_give();
    return status;
}
