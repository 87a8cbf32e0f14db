/* product - independent blocks of features, each with a density of its own. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct factor {
    const weir_child *density;
    int32_t first; /* of its features */
} factor;

typedef struct product {
    int32_t count;
    factor *factors;
} product;

static const char product_doc[] =
    "log p(z) = sum over factors of log p_k(z_k), where z_1, z_2, ... are consecutive blocks of `sizes` features: one\n"
    "feature each unless said otherwise. So a model may have unlike marginals, for example a beta and two normal ones.\n"
    "Every factor requires of its lanes what it requires alone. Sampling, and gradients through samples, need a factor's\n"
    "own: one that lacks them makes the call unsupported. Cost: the sum of the factors'.\n"
    "Refused: blocks that do not add up to the features.\n"
    "Source: elementary.";

static const weir_option product_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "sizes",
     .default_json = "[1]",
     .minimum = 1,
     .maximum = 1e9,
     .summary = "features of each factor: one number for all, or one for each"},
};

static const weir_slot product_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_DENSITY,
     .name = "factors",
     .summary = "a list of densities, first features first"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

static weir_status product_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const product *const self = module;
    weir_status status = WEIR_OK;
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const at = &self->factors[k];
        const weir_tile part = weir_slice(z, at->first, at->density->in);
        WEIR_TRY(status, weir_density_log_density(at->density, frame, &part, log_p));
    }
    return status;
}

/** The tape holds the factors' records in order: the last one comes off first. */
static weir_status product_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                               const void *log_p_bar, const weir_tile *z_bar)
{
    const product *const self = module;
    weir_status status = WEIR_OK;
    for (int32_t k = self->count - 1; k >= 0; k--) {
        const factor *const at = &self->factors[k];
        const weir_tile part = weir_slice(z, at->first, at->density->in);
        weir_tile part_bar = part;
        if (z_bar) part_bar = weir_slice(z_bar, at->first, at->density->in);
        WEIR_TRY(status, weir_density_vjp(at->density, frame, &part, log_p_bar, z_bar ? &part_bar : NULL));
    }
    return status;
}

static weir_status product_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const product *const self = module;
    weir_status status = WEIR_OK;
    for (int32_t k = 0; k < self->count; k++) {
        const factor *const at = &self->factors[k];
        const weir_tile part = weir_slice(z, at->first, at->density->in);
        if (!at->density->density->sample)
            return weir_failf(frame, WEIR_UNSUPPORTED, "factor %d has no sampler", (int)k + 1);
        WEIR_TRY(status, weir_density_sample(at->density, frame, &part));
    }
    return status;
}

static weir_status product_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *z_bar)
{
    const product *const self = module;
    weir_status status = WEIR_OK;
    for (int32_t k = self->count - 1; k >= 0; k--) {
        const factor *const at = &self->factors[k];
        const weir_tile part = weir_slice(z, at->first, at->density->in);
        const weir_tile part_bar = weir_slice(z_bar, at->first, at->density->in);
        if (!at->density->density->sample_vjp)
            return weir_failf(frame, WEIR_UNSUPPORTED, "factor %d has no gradient through its samples",
                              (int)k + 1);
        WEIR_TRY(status, weir_density_sample_vjp(at->density, frame, &part, &part_bar));
    }
    return status;
}

static const weir_density_ops product_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = product_log_density,
    .vjp = product_vjp,
    .sample = product_sample,
    .sample_vjp = product_sample_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

static void product_destroy(void *module)
{
    product *const self = module;
    free(self->factors);
    free(self);
}

static weir_status add_factor(product *self, weir_builder *build, int32_t first, int64_t size)
{
    if (size > build->features - first)
        return weir_refuse(build, "factor %d needs %lld features, %d of the input's %d are left: see sizes",
                           (int)self->count + 1, (long long)size, (int)(build->features - first),
                           (int)build->features);
    const weir_child *const child = build->child_density(build, "factors", (int32_t)size);
    if (!child || weir_child_lanes(build, child, first) != WEIR_OK) return WEIR_INVALID;
    self->factors[self->count++] = (factor){child, first};
    return WEIR_OK;
}

/** Takes children until there is none left; sizes[0] holds for all where it is the only one. */
static weir_status add_factors(product *self, weir_builder *build, const int64_t *sizes, int32_t given)
{
    int64_t first = 0;
    for (int32_t k = 0; k == 0 || build->has_child(build, "factors"); k++) {
        const int64_t size = sizes[given == 1 ? 0 : k];
        if (given != 1 && k >= given)
            return weir_refuse(build,
                               "sizes has %d numbers, and there are more factors: give 1, or one for each",
                               (int)given);
        if (add_factor(self, build, (int32_t)first, size) != WEIR_OK) return WEIR_INVALID;
        first += size;
    }
    if (given != 1 && given != self->count)
        return weir_refuse(build, "sizes has %d numbers for %d factors: give 1, or one for each", (int)given,
                           (int)self->count);
    if (first != build->features)
        return weir_refuse(build, "the %d factors take %lld features, the input has %d: see sizes",
                           (int)self->count, (long long)first, (int)build->features);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status product_create(weir_builder *build, void **out)
{
    const size_t most = (size_t)build->features + 1;
    const int32_t given = build->integers(build, "sizes", NULL, 0);
    product *const self = calloc(1, sizeof *self);
    int64_t *const sizes = calloc(most, sizeof *sizes);
    weir_status status = WEIR_INVALID;
    if (self) self->factors = calloc(most, sizeof *self->factors);
    if (!self || !self->factors || !sizes)
        weir_refuse(build, "out of memory");
    else if (given < 1 || given > build->features)
        weir_refuse(build, "sizes has %d numbers for %d features: give 1, or one for each factor", (int)given,
                    (int)build->features);
    else {
        build->integers(build, "sizes", sizes, given);
        status = add_factors(self, build, sizes, given);
    }
    free(sizes);
    if (status == WEIR_OK)
        *out = self;
    else if (self)
        product_destroy(self);
    return status;
}

static const weir_module product_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "product",
    .version = "1.0.0",
    .summary = "independent blocks of features, each with a density of its own",
    .doc = product_doc,
    WEIR_OPTIONS(product_options),
    WEIR_SLOTS(product_slots),
    .create = product_create,
    .destroy = product_destroy,
    .ops = &product_ops,
};

WEIR_PLUGIN(&product_module);
