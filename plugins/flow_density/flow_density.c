/* flow_density - a flow as a density: a layer over a base, wherever a density is asked for. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct flow_density {
    int32_t latent; /* features between the two */
    const weir_child *layer, *base;
} flow_density;

static const char flow_doc[] =
    "log p(z) = log p_base(f(z)) + log|det df/dz| for a layer f (a chain of many, as a rule) and a base density: a flow in\n"
    "the place of a density, for example as the base of another flow, as a factor of a product, or as a target.\n"
    "Samples are f^-1 of the base's, so gradients reach the parameters of both through them. Context goes to both.\n"
    "Cost: the layer's forward and the base for a density, the layer's inverse for a sample.\n"
    "Refused: a base whose domain the layer's values are known to leave. A layer that initialises from data (actnorm,\n"
    "standardize) cannot: data is shown to the layers of the model's own flow only. Sampling needs the layer's inverse.\n"
    "Source: Rezende and Mohamed 2015, \"Variational inference with normalizing flows\", arXiv:1505.05770.";

static const weir_slot flow_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_LAYER,
     .name = "layer",
     .summary = "from z towards the base"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_DENSITY,
     .name = "base",
     .default_id = "normal",
     .summary = "the density of what the layer gives"},
};

/* ---- calls: the tape gets the layer's and the base's records, then the tile between them ------------- */

static weir_status keep_between(weir_frame *frame, const weir_tile *y)
{
    weir_tile kept;
    if (!frame->tape) return WEIR_OK;
    if (!weir_keep_tile(frame, y->features, &kept)) return WEIR_ERROR;
    for (int32_t f = 0; f < y->features; f++) weir_copy_lane(frame, weir_lane(y, f), weir_lane(&kept, f));
    return WEIR_OK;
}

/** The tile between, in scratch: a layer that is recomputed on the way back pushes over what was popped. */
static int take_between(weir_frame *frame, int32_t features, weir_tile *y)
{
    weir_tile kept;
    if (!weir_pop_tile(frame, features, &kept) || !weir_take_tile(frame, features, y)) return 0;
    for (int32_t f = 0; f < features; f++) weir_copy_lane(frame, weir_lane(&kept, f), weir_lane(y, f));
    return 1;
}

static weir_status flow_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const flow_density *const self = module;
    weir_status status = WEIR_OK;
    weir_tile y;
    if (!weir_take_tile(frame, self->latent, &y)) return WEIR_ERROR;
    WEIR_TRY(status, weir_layer_forward(self->layer, frame, z, &y, log_p));
    WEIR_TRY(status, weir_density_log_density(self->base, frame, &y, log_p));
    WEIR_TRY(status, keep_between(frame, &y));
    return status;
}

static weir_status flow_vjp(const void *module, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                            const weir_tile *z_bar)
{
    const flow_density *const self = module;
    weir_status status = WEIR_OK;
    weir_tile y, y_bar;
    if (!self->layer->layer->forward_vjp)
        return weir_failf(frame, WEIR_UNSUPPORTED, "the layer has no gradient of its forward");
    if (!take_between(frame, self->latent, &y) || !weir_take_tile(frame, self->latent, &y_bar))
        return WEIR_ERROR;
    WEIR_TRY(status, weir_density_vjp(self->base, frame, &y, log_p_bar, &y_bar));
    WEIR_TRY(status, weir_layer_forward_vjp(self->layer, frame, z, &y, &y_bar, log_p_bar, z_bar));
    return status;
}

static weir_status flow_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const flow_density *const self = module;
    weir_status status = WEIR_OK;
    weir_tile y;
    if (!self->base->density->sample) return weir_failf(frame, WEIR_UNSUPPORTED, "the base has no sampler");
    if (!self->layer->layer->inverse || self->layer->traits & WEIR_TRAIT_NO_INVERSE)
        return weir_failf(frame, WEIR_UNSUPPORTED, "the layer has no inverse");
    if (!weir_take_tile(frame, self->latent, &y)) return WEIR_ERROR;
    WEIR_TRY(status, weir_density_sample(self->base, frame, &y));
    WEIR_TRY(status, weir_layer_inverse(self->layer, frame, &y, z, NULL));
    WEIR_TRY(status, keep_between(frame, &y));
    return status;
}

static weir_status flow_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *z_bar)
{
    const flow_density *const self = module;
    weir_status status = WEIR_OK;
    weir_tile y, y_bar;
    if (!self->layer->layer->inverse_vjp || !self->base->density->sample_vjp)
        return weir_failf(frame, WEIR_UNSUPPORTED, "the layer or the base has no gradient through samples");
    if (!take_between(frame, self->latent, &y) || !weir_take_tile(frame, self->latent, &y_bar))
        return WEIR_ERROR;
    WEIR_TRY(status, weir_layer_inverse_vjp(self->layer, frame, &y, z, z_bar, NULL, &y_bar));
    WEIR_TRY(status, weir_density_sample_vjp(self->base, frame, &y, &y_bar));
    return status;
}

static const weir_density_ops flow_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = flow_log_density,
    .vjp = flow_vjp,
    .sample = flow_sample,
    .sample_vjp = flow_sample_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

/** What the input is known to hold goes to the layer, and what the layer gives to the base. */
static weir_status feed_lane(weir_builder *build, weir_domain domain, int32_t lane)
{
    const int joint = domain.kind >= WEIR_DOMAIN_SIMPLEX;
    if (joint && domain.first != lane) return WEIR_OK;
    if (!joint) {
        domain.first = lane;
        domain.count = 1;
    }
    return build->feed(build, &domain);
}

static weir_status take_layer(flow_density *self, weir_builder *build)
{
    for (int32_t f = 0; f < build->features; f++) {
        weir_domain known = {.struct_size = (uint32_t)sizeof known};
        build->input_domain(build, f, &known);
        if (feed_lane(build, known, f) != WEIR_OK) return WEIR_INVALID;
    }
    self->layer = build->child_layer(build, "layer", build->features);
    if (!self->layer) return WEIR_INVALID;
    self->latent = self->layer->out;
    return weir_child_lanes(build, self->layer, 0);
}

static weir_status take_base(flow_density *self, weir_builder *build)
{
    for (int32_t f = 0; self->layer->codomain && f < self->latent; f++)
        if (feed_lane(build, self->layer->codomain[f], f) != WEIR_OK) return WEIR_INVALID;
    self->base = build->child_density(build, "base", self->latent);
    return self->base ? WEIR_OK : WEIR_INVALID;
}

static weir_status flow_create(weir_builder *build, void **out)
{
    flow_density *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    if (take_layer(self, build) != WEIR_OK || take_base(self, build) != WEIR_OK) {
        free(self);
        return WEIR_INVALID;
    }
    *out = self;
    return WEIR_OK;
}

static const weir_module flow_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "flow_density",
    .version = "1.0.0",
    .summary = "a flow as a density: a layer over a base density",
    .doc = flow_doc,
    WEIR_SLOTS(flow_slots),
    .create = flow_create,
    .destroy = free,
    .ops = &flow_ops,
};

WEIR_PLUGIN(&flow_module);
