/* @ID@ - independent Gumbel features: what the largest of many values is distributed like. */
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

/* w and exp(-w) of a feature. False when memory is exhausted. */
static int standard(const gumbel *self, weir_frame *frame, const weir_tile *z, int32_t f, weir_real **w,
                    weir_real **tail)
{
    const weir_real *const lane = weir_lane(z, f), m = weir_tensor(frame, self->location)[f];
    const weir_real shrink = WEIR_C(exp(-weir_tensor(frame, self->log_scale)[f]));
    *w = weir_take_lane(frame);
    *tail = weir_take_lane(frame);
    if (!*w || !*tail) return 0;
    for (int32_t i = 0; i < frame->width; i++) {
        (*w)[i] = (lane[i] - m) * shrink;
        (*tail)[i] = -(*w)[i];
    }
    frame->math->exp(frame->width, *tail, *tail);
    return 1;
}

static weir_status gumbel_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const gumbel *const self = module;
    weir_real *const total = weir_take_lane(frame), *const out = log_p, *w, *tail;
    if (!total) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real s = weir_tensor(frame, self->log_scale)[f];
        if (!standard(self, frame, z, f, &w, &tail)) return WEIR_ERROR;
        for (int32_t i = 0; i < frame->width; i++) total[i] -= w[i] + tail[i] + s;
    }
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_nan(frame, total);
}

/* d log p / dw = exp(-w) - 1. */
static weir_status gumbel_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                              const void *log_p_bar, const weir_tile *z_bar)
{
    const gumbel *const self = module;
    const weir_real *const bar = log_p_bar;
    weir_real *const by_location = weir_gradient(frame, self->location);
    weir_real *const by_log_scale = weir_gradient(frame, self->log_scale), *w, *tail;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real shrink = WEIR_C(exp(-weir_tensor(frame, self->log_scale)[f]));
        weir_real moved = 0, stretched = 0;
        if (!standard(self, frame, z, f, &w, &tail)) return WEIR_ERROR;
        for (int32_t r = 0; r < frame->rows; r++) {
            const weir_real by_w = bar[r] * (tail[r] - 1);
            moved -= by_w * shrink;
            stretched -= by_w * w[r] + bar[r];
        }
        if (by_location) by_location[f] += moved;
        if (by_log_scale) by_log_scale[f] += stretched;
        for (int32_t i = 0; z_bar && i < frame->width; i++)
            weir_lane(z_bar, f)[i] = bar[i] * (tail[i] - 1) * shrink;
    }
    return WEIR_OK;
}

/* Draw number f of this module's stream: the same row of the same run always draws the same. */
static weir_status gumbel_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const gumbel *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real m = weir_tensor(frame, self->location)[f];
        const weir_real scale = WEIR_C(exp(weir_tensor(frame, self->log_scale)[f]));
        weir_real *const lane = weir_lane(z, f);
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, lane);
        frame->math->log(frame->width, lane, lane);
        for (int32_t i = 0; i < frame->width; i++) lane[i] = -lane[i];
        frame->math->log(frame->width, lane, lane);
        for (int32_t i = 0; i < frame->width; i++) lane[i] = m - scale * lane[i];
    }
    return WEIR_OK;
}

/* dz/dm = 1 and dz/ds = z - m. */
static weir_status gumbel_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *z_bar)
{
    const gumbel *const self = module;
    weir_real *const by_location = weir_gradient(frame, self->location);
    weir_real *const by_log_scale = weir_gradient(frame, self->log_scale);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f), *const bar = weir_lane(z_bar, f);
        const weir_real m = weir_tensor(frame, self->location)[f];
        weir_real stretched = 0;
        for (int32_t r = 0; r < frame->rows; r++) stretched += bar[r] * (lane[r] - m);
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
