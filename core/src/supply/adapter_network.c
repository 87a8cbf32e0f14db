/* adapter_network.c - the calls of a network, gathered and converted; a sweep keeps its tiles from begin to end_vjp. */
#include "run/lanes.h"
#include "supply/adapter.h"

#include <string.h>

static weir_status network_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *y)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const out = weir__pass_out(&p, y);
    return WEIR__THROUGH(&p, p.inner->network->forward(p.self, p.frame, in, out));
}

static weir_status network_vjp(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                               const weir_tile *y_bar, const weir_tile *x_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const out = weir__pass_in(&p, y);
    const weir_tile *const bar = weir__pass_in(&p, y_bar), *const in_bar = weir__pass_out(&p, x_bar);
    return WEIR__THROUGH(&p, p.inner->network->vjp(p.self, p.frame, in, out, bar, in_bar));
}

static weir_status network_dual(const void *self, weir_frame *frame, const weir_tile *x,
                                const weir_tile *x_dot, const weir_tile *y, const weir_tile *y_dot)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const along = weir__pass_in(&p, x_dot);
    const weir_tile *const out = weir__pass_out(&p, y), *const out_along = weir__pass_out(&p, y_dot);
    return WEIR__THROUGH(&p, p.inner->network->dual(p.self, p.frame, in, along, out, out_along));
}

static weir_status network_dual_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *x_dot, const weir_tile *y, const weir_tile *y_dot,
                                    const weir_tile *y_bar, const weir_tile *y_dot_bar,
                                    const weir_tile *x_bar, const weir_tile *x_dot_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const along = weir__pass_in(&p, x_dot);
    const weir_tile *const out = weir__pass_in(&p, y), *const out_along = weir__pass_in(&p, y_dot);
    const weir_tile *const bar = weir__pass_in(&p, y_bar), *const bar_along = weir__pass_in(&p, y_dot_bar);
    const weir_tile *const in_bar = weir__pass_out(&p, x_bar), *const along_bar =
                                                                   weir__pass_out(&p, x_dot_bar);
    return WEIR__THROUGH(&p, p.inner->network->dual_vjp(p.self, p.frame, in, along, out, out_along, bar,
                                                        bar_along, in_bar, along_bar));
}

/* ---- the sweep ---------------------------------------------------------------------------------------------------
 * Its tiles fill up while it goes on, so they cannot be converted once: the record made by begin holds tiles of the
 * module's own, and each step carries over what has been decided since. The way back starts from complete tiles and has
 * its own copies, in scratch: what is on the tape stays as the sweep left it. */

typedef struct sweep {
    void *inner;   /* the module's state */
    int32_t apart; /* 1: x and y below are the module's; 0: the caller's serve */
    weir_tile x, y;
} sweep;

typedef struct way_back {
    void *inner; /* the module's work */
    int32_t apart;
    weir_tile x, y, y_bar, x_bar;
} way_back;

static void *keep(weir__passage *p, int64_t bytes)
{
    const weir_services *const services = p->frame->services;
    void *const memory =
        p->frame->tape ? services->tape_push(p->frame, bytes) : services->scratch_take(p->frame, bytes);
    if (!memory) p->failed = 1;
    return memory;
}

static int64_t tile_bytes(const weir__passage *p, int32_t features)
{
    return features * p->frame->stride * weir__real_size(p->frame);
}

static weir_tile keep_tile(weir__passage *p, int32_t features)
{
    const int64_t bytes = tile_bytes(p, features);
    const weir_tile tile = {.struct_size = (uint32_t)sizeof tile,
                            .features = features,
                            .data = keep(p, bytes),
                            .stride = p->frame->stride,
                            .rows = p->frame->rows,
                            .width = p->frame->width};
    if (tile.data) memset(tile.data, 0, (size_t)bytes);
    return tile;
}

static weir_tile take_tile(weir__passage *p, int32_t features)
{
    const weir_tile tile = weir__run_tile(p->frame, features);
    if (tile.data)
        memset(tile.data, 0, (size_t)tile_bytes(p, features));
    else
        p->failed = 1;
    return tile;
}

static weir_status network_begin(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                                 void **state)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    sweep *const s = keep(&p, (int64_t)sizeof *s);
    if (s) {
        *s = (sweep){.apart = weir__must_pass(&p, x) || weir__must_pass(&p, y)};
        if (s->apart) s->x = keep_tile(&p, x->features);
        if (s->apart) s->y = keep_tile(&p, y->features);
        *state = s;
    }
    return WEIR__THROUGH(
        &p, p.inner->network->begin(p.self, p.frame, s->apart ? &s->x : x, s->apart ? &s->y : y, &s->inner));
}

static weir_status network_step(const void *self, weir_frame *frame, void *state, int32_t d,
                                const weir_tile *x, const weir_tile *y)
{
    sweep *const s = state;
    const int32_t each = y->features / x->features;
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    if (p.failed || !s->apart)
        return WEIR__THROUGH(&p, p.inner->network->step(p.self, p.frame, s->inner, d, x, y));
    if (d > 0) weir__carry_in(&p, x, &s->x, d - 1, 1);
    const weir_status status = p.inner->network->step(p.self, p.frame, s->inner, d, &s->x, &s->y);
    if (status <= WEIR_DISCARD) weir__carry_out(&p, &s->y, y, d * each, each);
    return weir__passage_close(&p, status);
}

static weir_status network_begin_vjp(const void *self, weir_frame *frame, const void *state,
                                     const weir_tile *x, const weir_tile *y, void **work)
{
    const sweep *const s = state;
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    way_back *const w = frame->services->scratch_take(frame, (int64_t)sizeof *w);
    if (!w) p.failed = 1;
    if (w) {
        *w = (way_back){.apart = s->apart};
        *work = w;
    }
    if (w && s->apart) {
        w->x = take_tile(&p, x->features);
        w->y = take_tile(&p, y->features);
        w->y_bar = take_tile(&p, y->features);
        w->x_bar = take_tile(&p, x->features);
    }
    if (!p.failed && s->apart) {
        weir__carry_in(&p, x, &w->x, 0, x->features);
        weir__carry_in(&p, y, &w->y, 0, y->features);
    }
    return WEIR__THROUGH(&p, p.inner->network->begin_vjp(p.self, p.frame, s->inner, s->apart ? &w->x : x,
                                                         s->apart ? &w->y : y, &w->inner));
}

static weir_status network_step_vjp(const void *self, weir_frame *frame, const void *state, void *work,
                                    int32_t d, const weir_tile *x, const weir_tile *y, const weir_tile *y_bar,
                                    const weir_tile *x_bar)
{
    const sweep *const s = state;
    way_back *const w = work;
    const int32_t each = y->features / x->features;
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_network_ops *const ops = p.inner->network;
    if (p.failed || !w->apart)
        return WEIR__THROUGH(&p, ops->step_vjp(p.self, p.frame, s->inner, w->inner, d, x, y, y_bar, x_bar));
    weir__carry_in(&p, y_bar, &w->y_bar, d * each, each);
    const weir_status status =
        ops->step_vjp(p.self, p.frame, s->inner, w->inner, d, &w->x, &w->y, &w->y_bar, &w->x_bar);
    if (status <= WEIR_DISCARD && d == x->features - 1) weir__carry_out(&p, &w->x_bar, x_bar, d, 1);
    if (status <= WEIR_DISCARD && d > 0) weir__carry_out(&p, &w->x_bar, x_bar, d - 1, 1);
    return weir__passage_close(&p, status);
}

/* The module's own records come off first, then those of begin, the newest first. */
static weir_status pop_sweep(const weir__passage *p, const sweep *s)
{
    const weir_services *const services = p->frame->services;
    if (s->apart && !services->tape_pop(p->frame, tile_bytes(p, s->y.features))) return WEIR_ERROR;
    if (s->apart && !services->tape_pop(p->frame, tile_bytes(p, s->x.features))) return WEIR_ERROR;
    return services->tape_pop(p->frame, (int64_t)sizeof *s) ? WEIR_OK : WEIR_ERROR;
}

static weir_status network_end_vjp(const void *self, weir_frame *frame, const void *state, void *work,
                                   const weir_tile *x, const weir_tile *y, const weir_tile *y_bar)
{
    const sweep *const s = state;
    way_back *const w = work;
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_network_ops *const ops = p.inner->network;
    if (w->apart) weir__carry_in(&p, y_bar, &w->y_bar, 0, y_bar->features);
    weir_status status = p.failed ? WEIR_ERROR
                                  : ops->end_vjp(p.self, p.frame, s->inner, w->inner, w->apart ? &w->x : x,
                                                 w->apart ? &w->y : y, w->apart ? &w->y_bar : y_bar);
    if (status <= WEIR_DISCARD && pop_sweep(&p, s)) status = WEIR_ERROR;
    return weir__passage_close(&p, status);
}

void weir__adapt_network(const weir_network_ops *own, weir_network_ops *ops)
{
    *ops = (weir_network_ops){
        .struct_size = (uint32_t)sizeof *ops,
        .forward = network_forward,
        .vjp = own->vjp ? network_vjp : NULL,
        .begin = own->begin ? network_begin : NULL,
        .step = own->begin ? network_step : NULL,
        .begin_vjp = own->begin ? network_begin_vjp : NULL,
        .step_vjp = own->begin ? network_step_vjp : NULL,
        .end_vjp = own->begin ? network_end_vjp : NULL,
        .dual = own->dual ? network_dual : NULL,
        .dual_vjp = own->dual_vjp ? network_dual_vjp : NULL,
    };
}
