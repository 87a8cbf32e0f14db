/* adapter_layer.c - the calls of a layer, gathered and converted. */
#include "supply/adapter.h"
#include "supply/turn.h"

static weir_status layer_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                                 void *log_det)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const out = weir__pass_out(&p, z);
    void *const sum = weir__pass_sum(&p, log_det);
    return WEIR__THROUGH(&p, p.inner->layer->forward(p.self, p.frame, in, out, sum));
}

static weir_status layer_inverse(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                                 void *log_det)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, z), *const out = weir__pass_out(&p, x);
    void *const sum = weir__pass_sum(&p, log_det);
    return WEIR__THROUGH(&p, p.inner->layer->inverse(p.self, p.frame, in, out, sum));
}

typedef weir_status (*layer_vjp)(const void *, weir_frame *, const weir_tile *, const weir_tile *,
                                 const weir_tile *, const void *, const weir_tile *) WEIR_NOEXCEPT;

static weir_status through_vjp(weir__passage *p, layer_vjp call, const weir_tile *from, const weir_tile *to,
                               const weir_tile *to_bar, const void *log_det_bar, const weir_tile *from_bar)
{
    const weir_tile *const in = weir__pass_in(p, from), *const out = weir__pass_in(p, to);
    const weir_tile *const bar = weir__pass_in(p, to_bar);
    const void *const lane = weir__pass_lane(p, log_det_bar);
    const weir_tile *const in_bar = weir__pass_out(p, from_bar);
    return WEIR__THROUGH(p, call(p->self, p->frame, in, out, bar, lane, in_bar));
}

static weir_status layer_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    return through_vjp(&p, p.inner->layer->forward_vjp, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status layer_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    return through_vjp(&p, p.inner->layer->inverse_vjp, z, x, x_bar, log_det_bar, z_bar);
}

/* ---- statistics: partials are the module's own bytes, only tiles and frames change ------------------------------ */

/* Calls without a frame come from no worker in particular: they go to the first instance, in turn where it is not
 * reentrant. */
static int takes_turns(const weir__supplied *s)
{
    return s->serial || s->replica >= 0;
}

static int64_t layer_observe_size(const void *self)
{
    const weir__supplied *const s = self;
    if (takes_turns(s)) weir__turn_take();
    const int64_t bytes = s->inner.layer->observe_size(s->inner.self);
    if (takes_turns(s)) weir__turn_give();
    return bytes;
}

static weir_status layer_observe(const void *self, weir_frame *frame, int32_t inverse, const weir_tile *tile,
                                 void *partial)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, tile);
    return WEIR__THROUGH(&p, p.inner->layer->observe(p.self, p.frame, inverse, in, partial));
}

static weir_status layer_merge(const void *self, void *into, const void *from)
{
    const weir__supplied *const s = self;
    if (takes_turns(s)) weir__turn_take();
    const weir_status status = s->inner.layer->merge(s->inner.self, into, from);
    if (takes_turns(s)) weir__turn_give();
    return status;
}

static weir_status layer_observe_finish(const void *self, weir_frame *frame, int32_t inverse,
                                        const void *total)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    return WEIR__THROUGH(&p, p.inner->layer->observe_finish(p.self, p.frame, inverse, total));
}

static weir_status layer_observe_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     void *partial)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const out = weir__pass_in(&p, z);
    const weir_tile *const bar = weir__pass_in(&p, z_bar);
    const void *const lane = weir__pass_lane(&p, log_det_bar);
    return WEIR__THROUGH(&p, p.inner->layer->observe_vjp(p.self, p.frame, in, out, bar, lane, partial));
}

static weir_status layer_observe_vjp_finish(const void *self, weir_frame *frame, const void *total)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    return WEIR__THROUGH(&p, p.inner->layer->observe_vjp_finish(p.self, p.frame, total));
}

/* ---- dual passes, points for tests ------------------------------------------------------------------------------ */

static weir_status layer_dual(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                              const weir_tile *z, const weir_tile *z_dot)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const along = weir__pass_in(&p, x_dot);
    const weir_tile *const out = weir__pass_out(&p, z), *const out_along = weir__pass_out(&p, z_dot);
    return WEIR__THROUGH(&p, p.inner->layer->dual(p.self, p.frame, in, along, out, out_along));
}

static weir_status layer_dual_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                  const weir_tile *x_dot, const weir_tile *z, const weir_tile *z_dot,
                                  const weir_tile *z_bar, const weir_tile *z_dot_bar, const weir_tile *x_bar,
                                  const weir_tile *x_dot_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, x), *const along = weir__pass_in(&p, x_dot);
    const weir_tile *const out = weir__pass_in(&p, z), *const out_along = weir__pass_in(&p, z_dot);
    const weir_tile *const bar = weir__pass_in(&p, z_bar), *const bar_along = weir__pass_in(&p, z_dot_bar);
    const weir_tile *const in_bar = weir__pass_out(&p, x_bar), *const along_bar =
                                                                   weir__pass_out(&p, x_dot_bar);
    return WEIR__THROUGH(&p, p.inner->layer->dual_vjp(p.self, p.frame, in, along, out, out_along, bar,
                                                      bar_along, in_bar, along_bar));
}

static weir_status layer_sample_points(const void *self, weir_frame *frame, uint32_t stream,
                                       const weir_tile *x)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const out = weir__pass_out(&p, x);
    return WEIR__THROUGH(&p, p.inner->layer->sample_points(p.self, p.frame, stream, out));
}

void weir__adapt_layer(const weir_layer_ops *own, weir_layer_ops *ops)
{
    *ops = (weir_layer_ops){
        .struct_size = (uint32_t)sizeof *ops,
        .forward = layer_forward,
        .inverse = own->inverse ? layer_inverse : NULL,
        .forward_vjp = own->forward_vjp ? layer_forward_vjp : NULL,
        .inverse_vjp = own->inverse_vjp ? layer_inverse_vjp : NULL,
        .observe_size = own->observe_size ? layer_observe_size : NULL,
        .observe = own->observe ? layer_observe : NULL,
        .merge = own->merge ? layer_merge : NULL,
        .observe_finish = own->observe_finish ? layer_observe_finish : NULL,
        .observe_vjp = own->observe_vjp ? layer_observe_vjp : NULL,
        .observe_vjp_finish = own->observe_vjp_finish ? layer_observe_vjp_finish : NULL,
        .dual = own->dual ? layer_dual : NULL,
        .dual_vjp = own->dual_vjp ? layer_dual_vjp : NULL,
        .sample_points = own->sample_points ? layer_sample_points : NULL,
    };
}
