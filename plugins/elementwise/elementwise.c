/* elementwise - a univariate for every feature, with learned parameters or with parameters from the context. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct elementwise {
    int32_t features;
    int32_t count;      /* parameters per feature */
    weir_handle params; /* [features, count]; -1 when a network gives them */
    const weir_child *univariate, *network;
} elementwise;

static const char elementwise_doc[] =
    "z_f = u(x_f; p_f) for every feature f, u any univariate; log|det J| is the sum of u's.\n"
    "Without a network p_f is learned: parameter params [features, P], P parameters per element, which starts at u's\n"
    "identity. With a network p = g(context), whose output f * P + p is parameter p of feature f; then the model must\n"
    "have a context. Both directions cost one call of u (and one of g), and the inverse is as exact as u's.\n"
    "The univariate's domain is required of every feature, and its codomain is what every feature then has.\n"
    "Refused: a network in a model without context, or for a univariate without parameters.\n"
    "Source: elementary.";

static const weir_slot elementwise_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_UNIVARIATE,
     .name = "univariate",
     .default_id = "affine",
     .summary = "maps each feature"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .optional = 1,
     .summary = "gives the univariate's parameters from the context; empty: they are learned as they are"},
};

typedef weir_status (*univariate_map)(const weir_child *, weir_frame *, const weir_tile *, const weir_tile *,
                                      const weir_tile *, weir_real *);
typedef weir_status (*univariate_vjp)(const weir_child *, weir_frame *, const weir_tile *, const weir_tile *,
                                      const weir_tile *, const weir_tile *, const weir_real *,
                                      const weir_tile *, const weir_tile *);

/* ---- learned parameters ------------------------------------------------------------------------- */

/* Feature by feature, so that the parameters of one feature only, spread over the rows, lie in memory at a time. */

static void spread(const elementwise *self, const weir_frame *frame, int32_t f, const weir_tile *params)
{
    const weir_real *const values = weir_tensor(frame, self->params) + (int64_t)f * self->count;
    for (int32_t p = 0; p < self->count; p++) {
        weir_real *const lane = weir_lane(params, p);
        for (int32_t i = 0; i < frame->width; i++) lane[i] = values[p];
    }
}

static weir_status run_learned(const elementwise *self, weir_frame *frame, const weir_tile *from,
                               const weir_tile *to, weir_real *log_det, univariate_map map)
{
    weir_status status = WEIR_OK;
    weir_tile params;
    if (!weir_take_tile(frame, self->count, &params)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_tile in = weir_slice(from, f, 1), out = weir_slice(to, f, 1);
        if (self->count) spread(self, frame, f, &params);
        WEIR_TRY(status, map(self->univariate, frame, &in, self->count ? &params : NULL, &out, log_det));
    }
    return status;
}

static void add_gradient(const elementwise *self, weir_frame *frame, int32_t f, const weir_tile *params_bar)
{
    weir_real *const gradient = weir_gradient(frame, self->params) + (int64_t)f * self->count;
    for (int32_t p = 0; p < self->count; p++) gradient[p] += weir_sum_lane(frame, weir_lane(params_bar, p));
}

/** Backwards through the features: each univariate call pops what its own forward pushed. */
static weir_status run_learned_vjp(const elementwise *self, weir_frame *frame, const weir_tile *from,
                                   const weir_tile *to, const weir_tile *to_bar, const weir_real *log_det_bar,
                                   const weir_tile *from_bar, univariate_vjp vjp)
{
    weir_status status = WEIR_OK;
    const int learn = self->count && weir_gradient(frame, self->params);
    weir_tile params, params_bar;
    if (!weir_take_tile(frame, self->count, &params)) return WEIR_ERROR;
    if (!weir_take_tile(frame, self->count, &params_bar)) return WEIR_ERROR;
    for (int32_t f = self->features - 1; f >= 0; f--) {
        const weir_tile in = weir_slice(from, f, 1), out = weir_slice(to, f, 1);
        const weir_tile out_bar = weir_slice(to_bar, f, 1);
        const weir_tile in_bar = from_bar ? weir_slice(from_bar, f, 1) : out_bar;
        if (self->count) spread(self, frame, f, &params);
        WEIR_TRY(status, vjp(self->univariate, frame, &in, self->count ? &params : NULL, &out, &out_bar,
                             log_det_bar, from_bar ? &in_bar : NULL, learn ? &params_bar : NULL));
        if (learn) add_gradient(self, frame, f, &params_bar);
    }
    return status;
}

/* ---- parameters from the context ------------------------------------------------------------------ */

static weir_status run_network(const elementwise *self, weir_frame *frame, const weir_tile *from,
                               const weir_tile *to, weir_real *log_det, univariate_map map)
{
    weir_status status = WEIR_OK;
    const weir_tile none = weir_tile_over(frame, NULL, 0);
    weir_tile params;
    if (!weir_keep_tile(frame, self->features * self->count, &params)) return WEIR_ERROR;
    WEIR_TRY(status, weir_network_forward(self->network, frame, &none, &params));
    WEIR_TRY(status, map(self->univariate, frame, from, &params, to, log_det));
    WEIR_TRY(status, weir_note_address(frame, params.data));
    return status;
}

static weir_status run_network_vjp(const elementwise *self, weir_frame *frame, const weir_tile *from,
                                   const weir_tile *to, const weir_tile *to_bar, const weir_real *log_det_bar,
                                   const weir_tile *from_bar, univariate_vjp vjp)
{
    weir_status status = WEIR_OK;
    const int32_t lanes = self->features * self->count;
    const weir_tile none = weir_tile_over(frame, NULL, 0);
    void *const kept = weir_noted_address(frame);
    weir_tile params_bar;
    if (!kept || !weir_take_tile(frame, lanes, &params_bar)) return WEIR_ERROR;
    weir_tile params = weir_tile_over(frame, kept, lanes);
    WEIR_TRY(status,
             vjp(self->univariate, frame, from, &params, to, to_bar, log_det_bar, from_bar, &params_bar));
    WEIR_TRY(status, weir_network_vjp(self->network, frame, &none, &params, &params_bar, NULL));
    return weir_pop_tile(frame, lanes, &params) ? status : WEIR_ERROR;
}

/* ---- the four calls --------------------------------------------------------------------------------- */

static weir_status elementwise_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, void *log_det)
{
    const elementwise *const self = module;
    return (self->network ? run_network : run_learned)(self, frame, x, z, log_det, weir_univariate_forward);
}

static weir_status elementwise_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, void *log_det)
{
    const elementwise *const self = module;
    return (self->network ? run_network : run_learned)(self, frame, z, x, log_det, weir_univariate_inverse);
}

static weir_status elementwise_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                           const weir_tile *z, const weir_tile *z_bar,
                                           const void *log_det_bar, const weir_tile *x_bar)
{
    const elementwise *const self = module;
    return (self->network ? run_network_vjp : run_learned_vjp)(self, frame, x, z, z_bar, log_det_bar, x_bar,
                                                               weir_univariate_forward_vjp);
}

static weir_status elementwise_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                           const weir_tile *x, const weir_tile *x_bar,
                                           const void *log_det_bar, const weir_tile *z_bar)
{
    const elementwise *const self = module;
    return (self->network ? run_network_vjp : run_learned_vjp)(self, frame, z, x, x_bar, log_det_bar, z_bar,
                                                               weir_univariate_inverse_vjp);
}

static const weir_layer_ops elementwise_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = elementwise_forward,
    .inverse = elementwise_inverse,
    .forward_vjp = elementwise_forward_vjp,
    .inverse_vjp = elementwise_inverse_vjp,
};

/* ---- creation --------------------------------------------------------------------------------------- */

static weir_status make_learned(elementwise *self, weir_builder *build, const double *start)
{
    const int64_t dims[2] = {self->features, self->count};
    const weir_init init = {.struct_size = (uint32_t)sizeof init, .kind = WEIR_INIT_VALUES, .values = start};
    if (self->count == 0) return WEIR_OK;
    self->params = build->parameter(build, "params", 2, dims, &init, WEIR_TENSOR_NO_DECAY);
    return self->params >= 0 ? WEIR_OK : WEIR_INVALID;
}

static weir_status make_network(elementwise *self, weir_builder *build, const double *start)
{
    const weir_network_spec spec = {
        .struct_size = (uint32_t)sizeof spec, .out = self->features * self->count, .output_bias = start};
    if (build->context == 0)
        return weir_refuse(build,
                           "a network here sees the context only, and the model has none: leave it out");
    if (self->count == 0)
        return weir_refuse(build, "the univariate has no parameters for a network to give: leave it out");
    self->network = build->child_network(build, "network", &spec);
    return self->network ? WEIR_OK : WEIR_INVALID;
}

static weir_status make_params(elementwise *self, weir_builder *build)
{
    const int64_t total = (int64_t)self->features * self->count;
    if (total > INT32_MAX / 2)
        return weir_refuse(build, "%d features with %d parameters each are too many", (int)self->features,
                           (int)self->count);
    double *const start = calloc((size_t)total + 1, sizeof *start);
    if (!start) return weir_refuse(build, "out of memory");
    for (int64_t i = 0; i < total && self->univariate->identity; i++)
        start[i] = self->univariate->identity[i % self->count];
    const weir_status status =
        (build->has_child(build, "network") ? make_network : make_learned)(self, build, start);
    free(start);
    return status;
}

static weir_status state_domains(const elementwise *self, weir_builder *build)
{
    for (int32_t f = 0; f < self->features; f++)
        if (weir_univariate_lane(build, self->univariate, f) != WEIR_OK) return WEIR_INVALID;
    return WEIR_OK;
}

static weir_status elementwise_create(weir_builder *build, void **module)
{
    const uint32_t inherited = WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE |
                               WEIR_TRAIT_VOLUME_PRESERVING | WEIR_TRAIT_INVERSE_LOSSY;
    elementwise *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->params = -1;
    self->univariate = build->child_univariate(build, "univariate");
    if (!self->univariate) goto fail;
    self->count = self->univariate->params;
    if (state_domains(self, build) != WEIR_OK) goto fail;
    if (make_params(self, build) != WEIR_OK) goto fail;
    build->traits(build, self->univariate->traits & inherited);
    if (build->failed(build)) goto fail;
    *module = self;
    return WEIR_OK;
fail:
    free(self);
    return WEIR_INVALID;
}

static weir_status elementwise_parameters(const void *module, weir_frame *frame, int64_t feature,
                                          weir_real *theta)
{
    const elementwise *const self = module;
    if (self->network)
        return weir_failf(frame, WEIR_INVALID,
                          "they are not learned as they are: a network gives them, row by row");
    if (feature < 1 || feature > self->features)
        return weir_failf(frame, WEIR_INVALID, "there is no feature %lld: they are 1 to %d",
                          (long long)feature, (int)self->features);
    if (self->count)
        memcpy(theta, weir_tensor(frame, self->params) + (feature - 1) * self->count,
               (size_t)self->count * sizeof *theta);
    return WEIR_OK;
}

static const weir_method elementwise_methods[] = {
    WEIR_METHOD("parameters", "(integer feature) -> real theta[univariate.params]",
                "the learned parameters of a feature, which is counted from 1", elementwise_parameters),
};

static const weir_module elementwise_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "elementwise",
    .version = "1.0.0",
    .summary = "a univariate for every feature, its parameters learned or given by the context",
    .doc = elementwise_doc,
    WEIR_SLOTS(elementwise_slots),
    WEIR_METHODS(elementwise_methods),
    .create = elementwise_create,
    .destroy = free,
    .ops = &elementwise_ops,
};

WEIR_PLUGIN(&elementwise_module);
