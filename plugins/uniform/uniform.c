/* uniform - independent uniform features, each on an interval: a box. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct uniform {
    int32_t features;
    uint32_t stream;
    weir_real *lower, *upper; /* [features] */
    double log_volume;        /* of the box */
} uniform;

static const char uniform_doc[] =
    "log p(z) = -sum over features of log(upper - lower) where every feature lies in its [lower, upper], else -infinity.\n"
    "One interval for all features, or one for each by the lists lowers and uppers, which then count instead.\n"
    "Its gradient is zero. Put a layer before it that ends in the interval, or rows outside have no density.\n"
    "Refused: lower >= upper; a layer before it whose values are known to leave the interval. Rows with NaN are\n"
    "discarded. Cost: O(D) a row.\n"
    "Source: elementary.";

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
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "lowers",
     .default_json = "null",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "lower ends, one for each feature, instead of lower"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "uppers",
     .default_json = "null",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "upper ends, one for each feature, instead of upper"},
};

/** 0 where all features are inside, -infinity where one is outside, NaN where one is NaN. */
static void indicate(const uniform *self, const weir_frame *frame, const weir_tile *z, weir_real *where)
{
    weir_zero_lane(frame, where);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) {
            if (isnan(lane[i])) where[i] = lane[i];
            if (lane[i] < self->lower[f] || lane[i] > self->upper[f]) where[i] -= (weir_real)INFINITY;
        }
    }
}

static weir_status uniform_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const uniform *const self = module;
    weir_real *const where = weir_take_lane(frame), *const out = log_p;
    if (!where) return WEIR_ERROR;
    indicate(self, frame, z, where);
    for (int32_t i = 0; i < frame->width; i++) out[i] += where[i] - WEIR_C(self->log_volume);
    return weir_discard_nan(frame, where);
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
            lane[i] = self->lower[f] * (1 - lane[i]) + self->upper[f] * lane[i];
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

static void uniform_destroy(void *module)
{
    uniform *const self = module;
    free(self->lower);
    free(self);
}

/** The ends from the list where it is given, else all from the one number. */
static weir_status read_ends(weir_builder *build, const char *one, const char *list, double *ends)
{
    for (int32_t f = 0; f < build->features; f++) ends[f] = build->number(build, one);
    return build->given(build, list) ? weir_numbers_per_feature(build, list, build->features, ends) : WEIR_OK;
}

static weir_status take_interval(uniform *self, weir_builder *build, int32_t f, double lower, double upper)
{
    const weir_domain interval = {.struct_size = (uint32_t)sizeof interval,
                                  .kind = WEIR_DOMAIN_INTERVAL,
                                  .first = f,
                                  .count = 1,
                                  .lower = lower,
                                  .upper = upper};
    self->lower[f] = WEIR_C(lower);
    self->upper[f] = WEIR_C(upper);
    self->log_volume += log(upper - lower);
    if (self->lower[f] >= self->upper[f])
        return weir_refuse(build, "lower = %g must be less than upper = %g (feature %d)", lower, upper,
                           (int)f + 1);
    return build->require(build, &interval) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status uniform_create(weir_builder *build, void **out)
{
    const size_t count = (size_t)build->features + 1;
    uniform *const self = calloc(1, sizeof *self);
    double *const ends = calloc(2 * count, sizeof *ends);
    weir_status status = WEIR_INVALID;
    if (self) self->lower = calloc(2 * count, sizeof *self->lower);
    if (!self || !self->lower || !ends) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->upper = self->lower + count;
    self->features = build->features;
    self->stream = build->stream;
    status = read_ends(build, "lower", "lowers", ends);
    if (status == WEIR_OK) status = read_ends(build, "upper", "uppers", ends + count);
    for (int32_t f = 0; f < self->features && status == WEIR_OK; f++)
        status = take_interval(self, build, f, ends[f], ends[count + (size_t)f]);
done:
    free(ends);
    if (status == WEIR_OK)
        *out = self;
    else if (self)
        uniform_destroy(self);
    return status;
}

static const weir_module uniform_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "uniform",
    .version = "1.1.0",
    .summary = "independent uniform features on [lower, upper], or each on an interval of its own",
    .doc = uniform_doc,
    WEIR_OPTIONS(uniform_options),
    .create = uniform_create,
    .destroy = uniform_destroy,
    .ops = &uniform_ops,
};

WEIR_PLUGIN(&uniform_module);
