/* @ID@ - independent Gumbel features: what the largest of many values is distributed like. The
 * table and the memory of a call are here, the mathematics in kernel.F90, which says why. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct gumbel {
    int32_t features;
    uint32_t stream;                 /* key of this module's random numbers */
    weir_handle location, log_scale; /* parameters [features] */
} gumbel;

static const char gumbel_doc[] =
    "log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Parameters: location [features] = m,\n"
    "log_scale [features] = s; s starts at 0, m at what the option says.\n"
    "Samples: z = m - exp(s) log(-log u), u uniform on (0, 1); gradients reach the parameters through them too.\n"
    "Far to the left exp(-w) overflows: the density is 0 to rounding and its logarithm -infinity. NaN is discarded.\n"
    "Source: Gumbel 1935, \"Les valeurs extremes des distributions statistiques\".";

static const weir_option gumbel_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "location",
     .default_json = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where the mode of every feature starts"},
};

/* Arguments as kernel.F90 declares them: n and the numbers m and s by value, arrays of n, and sums. */
void WEIR_NAME(gumbel_standard)(int32_t n, weir_real m, weir_real s, const weir_real *z, weir_real *w,
                                weir_real *tail);
void WEIR_NAME(gumbel_add)(int32_t n, weir_real s, const weir_real *w, const weir_real *tail,
                           weir_real *total);
void WEIR_NAME(gumbel_pull)(int32_t n, weir_real s, const weir_real *bar, const weir_real *tail,
                            weir_real *z_bar);
void WEIR_NAME(gumbel_sums)(int32_t rows, weir_real s, const weir_real *bar, const weir_real *w,
                            const weir_real *tail, weir_real *moved, weir_real *stretched);
void WEIR_NAME(gumbel_draw)(int32_t n, weir_real m, weir_real s, weir_real *z);
void WEIR_NAME(gumbel_stretch)(int32_t rows, weir_real m, const weir_real *bar, const weir_real *z,
                               weir_real *stretched);

static weir_status gumbel_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const gumbel *const self = module;
    const weir_real *const m = weir_tensor(frame, self->location), *const s =
                                                                       weir_tensor(frame, self->log_scale);
    weir_real *const total = weir_take_lane(frame), *const w = weir_take_lane(frame);
    weir_real *const tail = weir_take_lane(frame), *const out = log_p;
    if (!total || !w || !tail) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t f = 0; f < self->features; f++) {
        WEIR_NAME(gumbel_standard)(frame->width, m[f], s[f], weir_lane(z, f), w, tail);
        WEIR_NAME(gumbel_add)(frame->width, s[f], w, tail, total);
    }
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_nan(frame, total);
}

static weir_status gumbel_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                              const void *log_p_bar, const weir_tile *z_bar)
{
    const gumbel *const self = module;
    const weir_real *const m = weir_tensor(frame, self->location), *const s =
                                                                       weir_tensor(frame, self->log_scale);
    weir_real *const by_location = weir_gradient(frame, self->location);
    weir_real *const by_log_scale = weir_gradient(frame, self->log_scale);
    weir_real *const w = weir_take_lane(frame), *const tail = weir_take_lane(frame), moved, stretched;
    if (!w || !tail) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        WEIR_NAME(gumbel_standard)(frame->width, m[f], s[f], weir_lane(z, f), w, tail);
        WEIR_NAME(gumbel_sums)(frame->rows, s[f], log_p_bar, w, tail, &moved, &stretched);
        if (by_location) by_location[f] += moved;
        if (by_log_scale) by_log_scale[f] += stretched;
        if (z_bar) WEIR_NAME(gumbel_pull)(frame->width, s[f], log_p_bar, tail, weir_lane(z_bar, f));
    }
    return WEIR_OK;
}

/* Draw number f of this module's stream: the same row of the same run always draws the same. */
static weir_status gumbel_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const gumbel *const self = module;
    const weir_real *const m = weir_tensor(frame, self->location), *const s =
                                                                       weir_tensor(frame, self->log_scale);
    for (int32_t f = 0; f < self->features; f++) {
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, weir_lane(z, f));
        WEIR_NAME(gumbel_draw)(frame->width, m[f], s[f], weir_lane(z, f));
    }
    return WEIR_OK;
}

/* dz/dm = 1 and dz/ds = z - m. */
static weir_status gumbel_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *z_bar)
{
    const gumbel *const self = module;
    const weir_real *const m = weir_tensor(frame, self->location);
    weir_real *const by_location = weir_gradient(frame, self->location);
    weir_real *const by_log_scale = weir_gradient(frame, self->log_scale), stretched;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const bar = weir_lane(z_bar, f);
        WEIR_NAME(gumbel_stretch)(frame->rows, m[f], bar, weir_lane(z, f), &stretched);
        if (by_location) by_location[f] += weir_sum_lane(frame, bar);
        if (by_log_scale) by_log_scale[f] += stretched;
    }
    return WEIR_OK;
}

static const weir_density_ops gumbel_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = gumbel_log_density,
    .vjp = gumbel_vjp,
    .sample = gumbel_sample,
    .sample_vjp = gumbel_sample_vjp,
};

static weir_status gumbel_create(weir_builder *build, void **module)
{
    const int64_t side[1] = {build->features};
    const weir_init start = {.struct_size = (uint32_t)sizeof start,
                             .kind = WEIR_INIT_CONSTANT,
                             .a = build->number(build, "location")};
    gumbel *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->stream = build->stream;
    self->location = build->parameter(build, "location", 1, side, &start, WEIR_TENSOR_NO_DECAY);
    self->log_scale = build->parameter(build, "log_scale", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module gumbel_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "independent Gumbel features with learned locations and scales",
    .doc = gumbel_doc,
    WEIR_OPTIONS(gumbel_options),
    .create = gumbel_create,
    .destroy = free,
    .ops = &gumbel_ops,
};

WEIR_PLUGIN(&gumbel_module);
