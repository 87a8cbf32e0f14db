/* dequantize - integers to (0, 1) by noise within each level. */
#include <weir/plugin.h>

#include <float.h>
#include <stdlib.h>

#if WEIR_REAL == 32
#define REAL_EPSILON FLT_EPSILON
#else
#define REAL_EPSILON DBL_EPSILON
#endif

typedef struct dequantize {
    int32_t features;
    uint32_t stream;
    weir_real levels, margin;
    double log_levels;
} dequantize;

static const char dequantize_doc[] =
    "z = (x + u) / levels with u uniform on (0, 1), feature by feature; x takes the integers 0 .. levels - 1.\n"
    "log|det J| = -features log(levels), so the model's log-density of z, moved to x + u, is on average at most the\n"
    "log-probability of x in units of one level.\n"
    "u depends on the seed, the row's own number, the feature and the epoch: fresh in every epoch of training, always\n"
    "the same when evaluating. It keeps 2 levels epsilon away from 0 and 1, so that rounding never moves a value to\n"
    "another level.\n"
    "inverse: floor(levels z), held in 0 .. levels - 1; u is lost, and the derivative of a step is 0.\n"
    "Rows with a value that is not an integer of the range are discarded. Refused: a layer before it whose values are\n"
    "known to be others.\n"
    "Cost: one draw and a few operations a value.\n"
    "Source: Theis et al. 2016, \"A note on the evaluation of generative models\", arXiv:1511.01844, section 3.1.";

static const weir_option dequantize_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "levels",
     .default_json = "256",
     .minimum = 2,
     .maximum = 65536,
     .summary = "number of integer levels of the data, which start at 0"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

static void add_log_det(const dequantize *self, const weir_frame *frame, weir_real sign, weir_real *log_det)
{
    const weir_real change = sign * WEIR_C(self->log_levels * self->features);
    for (int32_t i = 0; log_det && i < frame->width; i++) log_det[i] += change;
}

static weir_status dequantize_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, void *log_det)
{
    const dequantize *const self = module;
    const weir_real levels = self->levels, least = self->margin, most = 1 - self->margin;
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(x, f);
        weir_real *const to = weir_lane(z, f);
        frame->services->random_uniform(frame, self->stream, (uint32_t)f, to);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real u = to[i] < least ? least : to[i] > most ? most : to[i];
            const int valid = from[i] >= 0 && from[i] < levels && WEIR_C((int32_t)from[i]) == from[i];
            to[i] = valid ? (from[i] + u) / levels : (weir_real)NAN;
        }
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_det(self, frame, -1, log_det);
    return status;
}

static weir_status dequantize_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, void *log_det)
{
    const dequantize *const self = module;
    const weir_real levels = self->levels, highest = self->levels - 1;
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(z, f);
        weir_real *const to = weir_lane(x, f);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real level = from[i] * levels;
            const weir_real held = level > 0 ? level < highest ? level : highest : 0;
            to[i] = isfinite(from[i]) ? WEIR_C((int32_t)held) : from[i];
        }
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_det(self, frame, 1, log_det);
    return status;
}

static weir_status dequantize_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                          const weir_tile *x_bar)
{
    const dequantize *const self = module;
    (void)x, (void)z, (void)log_det_bar;
    for (int32_t f = 0; x_bar && f < self->features; f++) {
        const weir_real *const from = weir_lane(z_bar, f);
        weir_real *const to = weir_lane(x_bar, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] / self->levels;
    }
    return WEIR_OK;
}

static weir_status dequantize_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                          const weir_tile *z_bar)
{
    (void)module, (void)z, (void)x, (void)x_bar, (void)log_det_bar;
    for (int32_t f = 0; z_bar && f < z_bar->features; f++) weir_zero_lane(frame, weir_lane(z_bar, f));
    return WEIR_OK;
}

static weir_status dequantize_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                            const weir_tile *x)
{
    const dequantize *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(x, f);
        frame->services->random_uniform(frame, stream, (uint32_t)f, lane);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real level = lane[i] * self->levels;
            lane[i] = WEIR_C((int32_t)(level < self->levels ? level : self->levels - 1));
        }
    }
    return WEIR_OK;
}

static const weir_layer_ops dequantize_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = dequantize_forward,
    .inverse = dequantize_inverse,
    .forward_vjp = dequantize_forward_vjp,
    .inverse_vjp = dequantize_inverse_vjp,
    .sample_points = dequantize_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status state_domains(weir_builder *build, int64_t levels)
{
    const weir_domain integers = {.struct_size = (uint32_t)sizeof integers,
                                  .kind = WEIR_DOMAIN_INTEGER,
                                  .count = build->features,
                                  .upper = (double)(levels - 1)};
    const weir_domain unit = {.struct_size = (uint32_t)sizeof unit,
                              .kind = WEIR_DOMAIN_INTERVAL,
                              .count = build->features,
                              .upper = 1};
    if (build->require(build, &integers) != WEIR_OK) return WEIR_INVALID;
    return build->produce(build, &unit) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status dequantize_create(weir_builder *build, void **self)
{
    const int64_t levels = build->integer(build, "levels");
    if (state_domains(build, levels) != WEIR_OK) return WEIR_INVALID;
    dequantize *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->features = build->features;
    made->stream = build->stream;
    made->levels = WEIR_C(levels);
    made->margin = 2 * made->levels * REAL_EPSILON;
    made->log_levels = log((double)levels);
    build->traits(build, WEIR_TRAIT_INVERSE_LOSSY);
    *self = made;
    return WEIR_OK;
}

static const weir_module dequantize_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK | WEIR_MODULE_STOCHASTIC,
    .id = "dequantize",
    .version = "1.0.0",
    .summary = "integer levels to (0, 1) by uniform noise within each level",
    .doc = dequantize_doc,
    WEIR_OPTIONS(dequantize_options),
    .create = dequantize_create,
    .destroy = free,
    .ops = &dequantize_ops,
};

WEIR_PLUGIN(&dequantize_module);
