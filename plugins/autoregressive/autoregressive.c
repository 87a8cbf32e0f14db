/* autoregressive - every feature is moved by parameters that the features before it decide (MAF). */
#include "order.h"

#include <stdlib.h>

typedef struct autoregressive {
    feature_order order;
    const weir_child *univariate, *network;
    int32_t per_feature; /* P */
} autoregressive;

static const char autoregressive_doc[] =
    "With the features taken in an order o:  z_o(d) = u(x_o(d); g_d(x_o(1), .., x_o(d-1), context)),\n"
    "u any univariate and g an autoregressive network of P outputs per feature. J is triangular in that order, so\n"
    "log|det J| is u's, summed over all features.\n"
    "forward is one pass of g and u. inverse decides one feature after the other; a network with incremental\n"
    "evaluation, such as made, makes the whole sweep cost about one pass, others are run once per feature. The VJP of\n"
    "the inverse goes the same way back. Where sampling must be the fast direction, wrap the layer in inverse (IAF).\n"
    "order: natural = 1 .. D; reverse = D .. 1; random = drawn at creation and saved as the integer buffer `order`\n"
    "(entries from 0); given = order_list, which names each feature once, counted from 1.\n"
    "Parameter p of the k-th feature in the order is output k P + p of g (k, p from 0). Starts at u's identity, or near\n"
    "it when the network starts near its output bias. D = 1 works: the parameters then depend on the context alone.\n"
    "Refused: a list that is not a permutation; a univariate without parameters (elementwise does that); a network\n"
    "that is not autoregressive.\n"
    "Cost: forward g and u once; inverse as much with incremental evaluation, else g D times.\n"
    "Source: Papamakarios et al. 2017, \"Masked autoregressive flow for density estimation\", arXiv:1705.07057; IAF:\n"
    "Kingma et al. 2016, arXiv:1606.04934.";

static const weir_option autoregressive_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "order",
     .default_json = "\"natural\"",
     .choices = "natural|reverse|random|given",
     .summary = "order in which features depend on one another"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "order_list",
     .default_json = "null",
     .minimum = 1,
     .maximum = INT32_MAX,
     .summary = "the order when it is given: each feature once, numbered from 1, first to last"},
};

static const weir_slot autoregressive_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_UNIVARIATE,
     .name = "univariate",
     .default_id = "affine",
     .summary = "maps each feature"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .default_id = "made",
     .summary = "gives the univariate's parameters of a feature from the features before it"},
};

/* What a pass leaves on the tape, above all that its children left there: addresses that the way back needs before it
 * pops what they point to. */
typedef struct trace {
    void *params; /* parameters of the univariate, a tile: the oldest record */
    void *state;  /* of the network's sweep; NULL after a whole pass */
} trace;

static weir_status note(weir_frame *frame, const weir_tile *params, void *state)
{
    if (!frame->tape) return WEIR_OK;
    trace *const record = frame->services->tape_push(frame, (int64_t)sizeof *record);
    if (!record) return WEIR_ERROR;
    *record = (trace){params->data, state};
    return WEIR_OK;
}

/* A copy: a child that runs again on the way back may push over what was popped. */
static int noted(weir_frame *frame, trace *record)
{
    const trace *const popped = frame->services->tape_pop(frame, (int64_t)sizeof *popped);
    if (popped) *record = *popped;
    return popped != NULL;
}

static int32_t params_of(const autoregressive *self)
{
    return self->order.features * self->per_feature;
}

static int order_two(const autoregressive *self, weir_frame *frame, const weir_tile *a, const weir_tile *b,
                     weir_tile *ordered_a, weir_tile *ordered_b)
{
    return WEIR_NAME(in_order)(&self->order, frame, a, ordered_a) &&
           WEIR_NAME(in_order)(&self->order, frame, b, ordered_b);
}

static void add_lane(const weir_frame *frame, const weir_real *from, weir_real *to)
{
    for (int32_t r = 0; r < frame->width; r++) to[r] += from[r];
}

/* ---- data to latent: whole passes --------------------------------------------------------------- */

static weir_status autoregressive_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, void *log_det)
{
    const autoregressive *const self = module;
    weir_status status = WEIR_OK;
    weir_tile in, out, params;
    if (!order_two(self, frame, x, z, &in, &out)) return WEIR_ERROR;
    if (!weir_keep_tile(frame, params_of(self), &params)) return WEIR_ERROR;
    WEIR_TRY(status, weir_network_forward(self->network, frame, &in, &params));
    WEIR_TRY(status, weir_univariate_forward(self->univariate, frame, &in, &params, &out, log_det));
    WEIR_TRY(status, note(frame, &params, NULL));
    return status;
}

static weir_status autoregressive_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                              const weir_tile *z, const weir_tile *z_bar,
                                              const void *log_det_bar, const weir_tile *x_bar)
{
    const autoregressive *const self = module;
    weir_status status = WEIR_OK;
    weir_tile in, out, out_bar, in_bar = {.features = 0}, params_bar, through = {.features = 0};
    trace record;
    if (!noted(frame, &record) || !order_two(self, frame, x, z, &in, &out)) return WEIR_ERROR;
    if (!WEIR_NAME(in_order)(&self->order, frame, z_bar, &out_bar)) return WEIR_ERROR;
    if (!weir_take_tile(frame, params_of(self), &params_bar)) return WEIR_ERROR;
    if (x_bar && !(WEIR_NAME(in_order)(&self->order, frame, x_bar, &in_bar) &&
                   weir_take_tile(frame, in.features, &through)))
        return WEIR_ERROR;
    weir_tile params = weir_tile_over(frame, record.params, params_of(self));
    WEIR_TRY(status, weir_univariate_forward_vjp(self->univariate, frame, &in, &params, &out, &out_bar,
                                                 log_det_bar, x_bar ? &in_bar : NULL, &params_bar));
    WEIR_TRY(status,
             weir_network_vjp(self->network, frame, &in, &params, &params_bar, x_bar ? &through : NULL));
    for (int32_t d = 0; d < through.features; d++)
        add_lane(frame, weir_lane(&through, d), weir_lane(&in_bar, d));
    return weir_pop_tile(frame, params_of(self), &params) ? status : WEIR_ERROR;
}

/* ---- latent to data: a sweep over the features -------------------------------------------------- */

static weir_status step(const autoregressive *self, weir_frame *frame, void *state, int32_t d,
                        const weir_tile *x, const weir_tile *params)
{
    WEIR_CALL_CHILD(frame, self->network->network->step(self->network->self, frame, state, d, x, params));
}

static weir_status step_vjp(const autoregressive *self, weir_frame *frame, const void *state, void *work,
                            int32_t d, const weir_tile *x, const weir_tile *params,
                            const weir_tile *params_bar, const weir_tile *x_bar)
{
    WEIR_CALL_CHILD(frame, self->network->network->step_vjp(self->network->self, frame, state, work, d, x,
                                                            params, params_bar, x_bar));
}

/* begin, like begin_vjp below, leaves memory in scratch that later steps use: nothing is released around them. */
static weir_status autoregressive_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, void *log_det)
{
    const autoregressive *const self = module;
    const int32_t p = self->per_feature;
    weir_status status = WEIR_OK;
    weir_tile in, out, params;
    void *state = NULL;
    if (!order_two(self, frame, z, x, &in, &out)) return WEIR_ERROR;
    if (!weir_keep_tile(frame, params_of(self), &params)) return WEIR_ERROR;
    WEIR_TRY(status, self->network->network->begin(self->network->self, frame, &out, &params, &state));
    for (int32_t d = 0; d < in.features; d++) {
        const weir_tile in_d = weir_slice(&in, d, 1), out_d = weir_slice(&out, d, 1);
        const weir_tile params_d = weir_slice(&params, d * p, p);
        WEIR_TRY(status, step(self, frame, state, d, &out, &params));
        WEIR_TRY(status, weir_univariate_inverse(self->univariate, frame, &in_d, &params_d, &out_d, log_det));
    }
    WEIR_TRY(status, note(frame, &params, state));
    return status;
}

/* x_d reaches the loss by itself and through the parameters of all later features. So its whole cotangent is known once
 * the steps of the later features are done; the univariate turns that into the cotangents of z_d and of its own
 * parameters, and step_vjp hands the latter on to feature d - 1. */
static weir_status sweep_back(const autoregressive *self, weir_frame *frame, const trace *record, void *work,
                              const weir_tile *z, const weir_tile *x, const weir_tile *x_bar,
                              const void *log_det_bar, const weir_tile *z_bar, const weir_tile *params,
                              const weir_tile *params_bar)
{
    const int32_t p = self->per_feature;
    weir_status status = WEIR_OK;
    weir_tile through, whole;
    if (!weir_take_tile(frame, x->features, &through) || !weir_take_tile(frame, 1, &whole)) return WEIR_ERROR;
    for (int32_t d = x->features - 1; d >= 0; d--) {
        const weir_tile z_d = weir_slice(z, d, 1), x_d = weir_slice(x, d, 1);
        const weir_tile z_bar_d = z_bar ? weir_slice(z_bar, d, 1) : z_d;
        const weir_tile params_d = weir_slice(params, d * p, p),
                        params_bar_d = weir_slice(params_bar, d * p, p);
        weir_copy_lane(frame, weir_lane(x_bar, d), weir_lane(&whole, 0));
        if (d < x->features - 1) add_lane(frame, weir_lane(&through, d), weir_lane(&whole, 0));
        WEIR_TRY(status, weir_univariate_inverse_vjp(self->univariate, frame, &z_d, &params_d, &x_d, &whole,
                                                     log_det_bar, z_bar ? &z_bar_d : NULL, &params_bar_d));
        WEIR_TRY(status, step_vjp(self, frame, record->state, work, d, x, params, params_bar, &through));
    }
    return status;
}

static weir_status autoregressive_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                              const weir_tile *x, const weir_tile *x_bar,
                                              const void *log_det_bar, const weir_tile *z_bar)
{
    const autoregressive *const self = module;
    const weir_network_ops *const network = self->network->network;
    weir_status status = WEIR_OK;
    weir_tile in, out, out_bar, in_bar = {.features = 0}, params_bar;
    void *work = NULL;
    trace record;
    if (!noted(frame, &record) || !order_two(self, frame, z, x, &in, &out)) return WEIR_ERROR;
    if (!WEIR_NAME(in_order)(&self->order, frame, x_bar, &out_bar)) return WEIR_ERROR;
    if (z_bar && !WEIR_NAME(in_order)(&self->order, frame, z_bar, &in_bar)) return WEIR_ERROR;
    if (!weir_take_tile(frame, params_of(self), &params_bar)) return WEIR_ERROR;
    weir_tile params = weir_tile_over(frame, record.params, params_of(self));
    WEIR_TRY(status, network->begin_vjp(self->network->self, frame, record.state, &out, &params, &work));
    WEIR_TRY(status, sweep_back(self, frame, &record, work, &in, &out, &out_bar, log_det_bar,
                                z_bar ? &in_bar : NULL, &params, &params_bar));
    WEIR_TRY(status,
             network->end_vjp(self->network->self, frame, record.state, work, &out, &params, &params_bar));
    return weir_pop_tile(frame, params_of(self), &params) ? status : WEIR_ERROR;
}

/* ---- preparation and creation --------------------------------------------------------------- */

static weir_status autoregressive_prepare(const void *module, weir_frame *frame)
{
    const autoregressive *const self = module;
    return WEIR_NAME(order_check)(&self->order, frame);
}

/* prepare derives nothing, it only checks: there is nothing to chain back. */
static weir_status autoregressive_prepare_vjp(const void *module, weir_frame *frame)
{
    (void)module;
    (void)frame;
    return WEIR_OK;
}

static void autoregressive_destroy(void *module)
{
    autoregressive *const self = module;
    WEIR_NAME(order_clear)(&self->order);
    free(self);
}

static weir_status make_network(autoregressive *self, weir_builder *build)
{
    const int32_t features = self->order.features, p = self->univariate->params;
    if (p == 0)
        return weir_refuse(build,
                           "the univariate has no parameters, so nothing can depend on other features: use "
                           "elementwise");
    if ((int64_t)features * p > INT32_MAX / 2)
        return weir_refuse(build, "%d features with %d parameters each are too many", features, p);
    self->per_feature = p;
    double *const bias = malloc((size_t)params_of(self) * sizeof *bias);
    if (!bias) return weir_refuse(build, "out of memory");
    for (int32_t i = 0; i < params_of(self); i++)
        bias[i] = self->univariate->identity ? self->univariate->identity[i % p] : 0;
    const weir_network_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                    .in = features,
                                    .out = params_of(self),
                                    .autoregressive = p,
                                    .output_bias = bias};
    self->network = build->child_network(build, "network", &spec);
    free(bias);
    if (!self->network) return WEIR_INVALID;
    if (!(self->network->traits & WEIR_TRAIT_AUTOREGRESSIVE))
        return weir_refuse(build, "the network is not autoregressive: use one that is, such as \"made\"");
    return WEIR_OK;
}

static weir_status state_domains(const autoregressive *self, weir_builder *build)
{
    for (int32_t f = 0; f < self->order.features; f++)
        if (weir_univariate_lane(build, self->univariate, f) != WEIR_OK) return WEIR_INVALID;
    return WEIR_OK;
}

static weir_status autoregressive_create(weir_builder *build, void **module)
{
    const uint32_t inherited = WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE |
                               WEIR_TRAIT_VOLUME_PRESERVING | WEIR_TRAIT_INVERSE_LOSSY;
    autoregressive *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    if (WEIR_NAME(order_read)(build, &self->order) != WEIR_OK) goto fail;
    self->univariate = build->child_univariate(build, "univariate");
    if (!self->univariate || state_domains(self, build) != WEIR_OK) goto fail;
    if (make_network(self, build) != WEIR_OK) goto fail;
    build->traits(build, WEIR_TRAIT_INVERSE_SEQUENTIAL | (self->univariate->traits & inherited));
    if (build->failed(build)) goto fail;
    *module = self;
    return WEIR_OK;
fail:
    autoregressive_destroy(self);
    return WEIR_INVALID;
}

static const weir_layer_ops autoregressive_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = autoregressive_forward,
    .inverse = autoregressive_inverse,
    .forward_vjp = autoregressive_forward_vjp,
    .inverse_vjp = autoregressive_inverse_vjp,
};

static const weir_module autoregressive_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "autoregressive",
    .version = "1.0.0",
    .summary = "each feature is moved by parameters that the features before it decide (MAF; inverted: IAF)",
    .doc = autoregressive_doc,
    WEIR_OPTIONS(autoregressive_options),
    WEIR_SLOTS(autoregressive_slots),
    .create = autoregressive_create,
    .destroy = autoregressive_destroy,
    .prepare = autoregressive_prepare,
    .prepare_vjp = autoregressive_prepare_vjp,
    .ops = &autoregressive_ops,
};

WEIR_PLUGIN(&autoregressive_module);
