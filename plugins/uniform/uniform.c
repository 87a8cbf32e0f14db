/* uniform - independent uniform features on one interval. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct uniform {
    int32_t features;
    uint32_t stream;
    weir_real lower, upper;
    double log_volume; /* of the box */
} uniform;

static const char uniform_doc[] =
    "log p(z) = -features log(upper - lower) where every feature lies in [lower, upper], else -infinity.\n"
    "Its gradient is zero. Put a layer before it that ends in the interval, or rows outside have no density.\n"
    "Refused: lower >= upper; a layer before it whose values are known to leave the interval. Rows with NaN are\n"
    "discarded.";

static const weir_option uniform_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "0",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "lower end of the interval, the same for all features"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "1",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "upper end of the interval"},
};

/** 0 where all features are inside, -infinity where one is outside, NaN where one is NaN. */
static void indicate(const uniform *self, const weir_frame *frame, const weir_tile *z, weir_real *where)
{
    weir_zero_lane(frame, where);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) {
            if (isnan(lane[i])) where[i] = lane[i];
            if (lane[i] < self->lower || lane[i] > self->upper) where[i] -= (weir_real)INFINITY;
        }
    }
}

static weir_status uniform_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const uniform *const self = module;
    weir_real *const where = weir_take_lane(frame), *const out = log_p;
    weir_status status = WEIR_OK;
    if (!where) return WEIR_ERROR;
    indicate(self, frame, z, where);
    for (int32_t i = 0; i < frame->width; i++) out[i] += where[i] - WEIR_C(self->log_volume);
    for (int32_t r = 0; r < frame->rows; r++) {
        if (!isnan(where[r])) continue;
        weir_discard(frame, r);
        status = WEIR_DISCARD;
    }
    return status;
}

static weir_status uniform_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                               const void *log_p_bar, const weir_tile *z_bar)
{
    (void)module, (void)z, (void)log_p_bar;
    for (int32_t f = 0; z_bar && f < z_bar->features; f++) weir_zero_lane(frame, weir_lane(z_bar, f));
    return WEIR_OK;
}

static weir_status uniform_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const uniform *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(z, f);
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, lane);
        for (int32_t i = 0; i < frame->width; i++)
            lane[i] = self->lower * (1 - lane[i]) + self->upper * lane[i];
    }
    return WEIR_OK;
}

/** There is nothing to learn. */
static weir_status uniform_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *z_bar)
{
    (void)module, (void)frame, (void)z, (void)z_bar;
    return WEIR_OK;
}

static const weir_density_ops uniform_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = uniform_log_density,
    .vjp = uniform_vjp,
    .sample = uniform_sample,
    .sample_vjp = uniform_sample_vjp,
};

static weir_status uniform_create(weir_builder *build, void **self)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    const weir_domain box = {.struct_size = (uint32_t)sizeof box,
                             .kind = WEIR_DOMAIN_INTERVAL,
                             .count = build->features,
                             .lower = lower,
                             .upper = upper};
    if (WEIR_C(lower) >= WEIR_C(upper))
        return weir_refuse(build, "lower = %g must be less than upper = %g", lower, upper);
    if (build->require(build, &box) != WEIR_OK) return WEIR_INVALID;
    uniform *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (uniform){.features = build->features,
                      .stream = build->stream,
                      .lower = WEIR_C(lower),
                      .upper = WEIR_C(upper),
                      .log_volume = build->features * log(upper - lower)};
    *self = made;
    return WEIR_OK;
}

static const weir_module uniform_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "uniform",
    .version = "1.0.0",
    .summary = "independent uniform features on [lower, upper]",
    .doc = uniform_doc,
    WEIR_OPTIONS(uniform_options),
    .create = uniform_create,
    .destroy = free,
    .ops = &uniform_ops,
};

WEIR_PLUGIN(&uniform_module);
