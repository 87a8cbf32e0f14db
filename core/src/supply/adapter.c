/* adapter.c - tiles gathered and converted on their way into a module: univariates, densities, and the choice by kind. */
#include "supply/adapter.h"

/* ---- univariate: its parameters come with the call, never from the context -------------------------------------- */

static weir_status univariate_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *params, const weir_tile *y, void *log_det)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 0);
    const weir_tile *const in = weir__pass_in(&p, x), *const with = weir__pass_in(&p, params);
    const weir_tile *const out = weir__pass_out(&p, y);
    void *const sum = weir__pass_sum(&p, log_det);
    return WEIR__THROUGH(&p, p.inner->univariate->forward(p.self, p.frame, in, with, out, sum));
}

static weir_status univariate_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                      const weir_tile *params, const weir_tile *x, void *log_det)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 0);
    const weir_tile *const in = weir__pass_in(&p, y), *const with = weir__pass_in(&p, params);
    const weir_tile *const out = weir__pass_out(&p, x);
    void *const sum = weir__pass_sum(&p, log_det);
    return WEIR__THROUGH(&p, p.inner->univariate->inverse(p.self, p.frame, in, with, out, sum));
}

typedef weir_status (*univariate_vjp)(const void *, weir_frame *, const weir_tile *, const weir_tile *,
                                      const weir_tile *, const weir_tile *, const void *, const weir_tile *,
                                      const weir_tile *) WEIR_NOEXCEPT;

static weir_status through_vjp(weir__passage *p, univariate_vjp call, const weir_tile *from,
                               const weir_tile *params, const weir_tile *to, const weir_tile *to_bar,
                               const void *log_det_bar, const weir_tile *from_bar,
                               const weir_tile *params_bar)
{
    const weir_tile *const in = weir__pass_in(p, from), *const with = weir__pass_in(p, params);
    const weir_tile *const out = weir__pass_in(p, to), *const bar = weir__pass_in(p, to_bar);
    const void *const lane = weir__pass_lane(p, log_det_bar);
    const weir_tile *const in_bar = weir__pass_out(p, from_bar), *const with_bar =
                                                                     weir__pass_out(p, params_bar);
    return WEIR__THROUGH(p, call(p->self, p->frame, in, with, out, bar, lane, in_bar, with_bar));
}

static weir_status univariate_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *params, const weir_tile *y, const weir_tile *y_bar,
                                          const void *log_det_bar, const weir_tile *x_bar,
                                          const weir_tile *params_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 0);
    return through_vjp(&p, p.inner->univariate->forward_vjp, x, params, y, y_bar, log_det_bar, x_bar,
                       params_bar);
}

static weir_status univariate_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *y,
                                          const weir_tile *params, const weir_tile *x, const weir_tile *x_bar,
                                          const void *log_det_bar, const weir_tile *y_bar,
                                          const weir_tile *params_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 0);
    return through_vjp(&p, p.inner->univariate->inverse_vjp, y, params, x, x_bar, log_det_bar, y_bar,
                       params_bar);
}

void weir__adapt_univariate(const weir_univariate_ops *own, weir_univariate_ops *ops)
{
    *ops = (weir_univariate_ops){
        .struct_size = (uint32_t)sizeof *ops,
        .forward = univariate_forward,
        .inverse = own->inverse ? univariate_inverse : NULL,
        .forward_vjp = own->forward_vjp ? univariate_forward_vjp : NULL,
        .inverse_vjp = own->inverse_vjp ? univariate_inverse_vjp : NULL,
    };
}

/* ---- density ---------------------------------------------------------------------------------------------------- */

static weir_status density_log_density(const void *self, weir_frame *frame, const weir_tile *z, void *log_p)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, z);
    void *const sum = weir__pass_sum(&p, log_p);
    return WEIR__THROUGH(&p, p.inner->density->log_density(p.self, p.frame, in, sum));
}

static weir_status density_vjp(const void *self, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                               const weir_tile *z_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const in = weir__pass_in(&p, z);
    const void *const bar = weir__pass_lane(&p, log_p_bar);
    const weir_tile *const in_bar = weir__pass_out(&p, z_bar);
    return WEIR__THROUGH(&p, p.inner->density->vjp(p.self, p.frame, in, bar, in_bar));
}

static weir_status density_sample(const void *self, weir_frame *frame, const weir_tile *z)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const out = weir__pass_out(&p, z);
    return WEIR__THROUGH(&p, p.inner->density->sample(p.self, p.frame, out));
}

static weir_status density_sample_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *z_bar)
{
    weir__passage p;
    weir__passage_open(&p, self, frame, 1);
    const weir_tile *const out = weir__pass_in(&p, z), *const bar = weir__pass_in(&p, z_bar);
    return WEIR__THROUGH(&p, p.inner->density->sample_vjp(p.self, p.frame, out, bar));
}

void weir__adapt_density(const weir_density_ops *own, weir_density_ops *ops)
{
    *ops = (weir_density_ops){
        .struct_size = (uint32_t)sizeof *ops,
        .log_density = density_log_density,
        .vjp = own->vjp ? density_vjp : NULL,
        .sample = own->sample ? density_sample : NULL,
        .sample_vjp = own->sample_vjp ? density_sample_vjp : NULL,
    };
}

/* ---- the choice ------------------------------------------------------------------------------------------------- */

void weir__adapt(weir__supplied *s, weir_child *child)
{
    if (child->layer) {
        weir__adapt_layer(s->inner.layer, &s->layer);
        child->layer = &s->layer;
    } else if (child->univariate) {
        weir__adapt_univariate(s->inner.univariate, &s->univariate);
        child->univariate = &s->univariate;
    } else if (child->network) {
        weir__adapt_network(s->inner.network, &s->network);
        child->network = &s->network;
    } else {
        weir__adapt_density(s->inner.density, &s->density);
        child->density = &s->density;
    }
    child->self = s;
}
