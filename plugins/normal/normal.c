/* normal - normal features, the usual base density. The diagonal covariance is here, the full one in full.c. */
#include "normal.h"

#include <stdlib.h>

static const char normal_doc[] =
    "log p(z) = sum over features of -log(2 pi)/2 - a - e^2/2,  e = (z - m) exp(-a).\n"
    "Standard normal (m = a = 0) unless `trainable`: then m is the parameter mean [features] and a the parameter\n"
    "log_scale [features], both starting at 0.\n"
    "With `covariance` = full the covariance is L L^T, L lower triangular with exp(a) on its diagonal and the parameter\n"
    "factor [features (features - 1) / 2] below it, row by row, starting at 0: log p(z) = -|e|^2/2 - sum of a -\n"
    "features log(2 pi)/2, L e = z - m. Only with `trainable`. Cost: O(D) a row, O(D^2) when full.\n"
    "Samples are z = m + e exp(a), or m + L e, with e standard normal, so gradients reach all parameters through them\n"
    "too.\n"
    "Refused: a layer before it whose values are known to be no numbers of the line, such as angles.\n"
    "Rows whose log-density is not finite (NaN, infinities, squares that overflow) are discarded.\n"
    "Source: elementary (Gauss 1809).";

static const weir_option normal_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "trainable",
     .default_json = "false",
     .summary = "learn a mean and a log-scale per feature"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "covariance",
     .default_json = "\"diagonal\"",
     .choices = "diagonal|full",
     .summary = "independent features, or learned correlations between all of them"},
};

/** What one feature's formulas need. */
typedef struct place {
    weir_real mean, log_scale, scale, per_scale;
} place;

/** exp(log_scale) of all features, or NULL in *scales when they are fixed at 1. */
static int take_scales(const normal *self, weir_frame *frame, weir_real **scales)
{
    *scales = NULL;
    if (self->mean < 0 || self->features == 0) return 1;
    *scales = weir_take(frame, self->features * (int64_t)sizeof **scales);
    if (!*scales) return 0;
    frame->math->exp(self->features, weir_tensor(frame, self->log_scale), *scales);
    return 1;
}

static place place_of(const normal *self, const weir_frame *frame, const weir_real *scales, int32_t f)
{
    if (!scales) return (place){0, 0, 1, 1};
    return (place){weir_tensor(frame, self->mean)[f], weir_tensor(frame, self->log_scale)[f], scales[f],
                   1 / scales[f]};
}

WEIR_CLONES static void add_squares(int32_t n, const weir_real *restrict lane, place at,
                                    double *restrict total)
{
    for (int32_t i = 0; i < n; i++) {
        const double e = (double)((lane[i] - at.mean) * at.per_scale);
        total[i] += e * e;
    }
}

WEIR_CLONES static void pull_squares(int32_t n, const weir_real *restrict lane, place at,
                                     const weir_real *restrict l_bar, weir_real *restrict to)
{
    for (int32_t i = 0; i < n; i++) to[i] = -l_bar[i] * ((lane[i] - at.mean) * at.per_scale) * at.per_scale;
}

static weir_status normal_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const normal *const self = module;
    if (self->factor >= 0) return WEIR_NAME(normal_full_log_density)(self, frame, z, log_p);
    weir_real *const restrict total = weir_take_lane(frame), *const out = log_p, *scales;
    /* In double: of many features the sum, which every log p goes through, would lose digits that the flow has not lost. */
    double *const restrict squares = weir_take(frame, frame->width * (int64_t)sizeof *squares);
    if (!total || !squares || !take_scales(self, frame, &scales)) return WEIR_ERROR;
    double constant = 0;
    for (int32_t i = 0; i < frame->width; i++) squares[i] = 0;
    for (int32_t f = 0; f < self->features; f++) {
        const place at = place_of(self, frame, scales, f);
        constant += HALF_LOG_2PI + (double)at.log_scale;
        add_squares(frame->width, weir_lane(z, f), at, squares);
    }
    for (int32_t i = 0; i < frame->width; i++) total[i] = (weir_real)(-0.5 * squares[i] - constant);
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_unless_finite(frame, total);
}

/** Adds the sums over rows of l_bar e / scale and l_bar (e^2 - 1), the derivatives by mean and log_scale. */
static void add_gradients(const normal *self, weir_frame *frame, int32_t f, place at, const weir_real *lane,
                          const weir_real *l_bar)
{
    weir_real *const mean = self->mean < 0 ? NULL : weir_gradient(frame, self->mean);
    weir_real *const log_scale = self->mean < 0 ? NULL : weir_gradient(frame, self->log_scale);
    weir_real by_mean = 0, by_scale = 0;
    if (!mean && !log_scale) return;
    for (int32_t r = 0; r < frame->rows; r++) {
        const weir_real e = (lane[r] - at.mean) / at.scale;
        by_mean += l_bar[r] * e / at.scale;
        by_scale += l_bar[r] * (e * e - 1);
    }
    if (mean) mean[f] += by_mean;
    if (log_scale) log_scale[f] += by_scale;
}

static weir_status normal_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                              const void *log_p_bar, const weir_tile *z_bar)
{
    const normal *const self = module;
    const weir_real *const restrict l_bar = log_p_bar;
    weir_real *scales;
    if (self->factor >= 0) return WEIR_NAME(normal_full_vjp)(self, frame, z, log_p_bar, z_bar);
    if (!take_scales(self, frame, &scales)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const place at = place_of(self, frame, scales, f);
        const weir_real *const lane = weir_lane(z, f);
        add_gradients(self, frame, f, at, lane, l_bar);
        if (z_bar) pull_squares(frame->width, lane, at, l_bar, weir_lane(z_bar, f));
    }
    return WEIR_OK;
}

static weir_status normal_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const normal *const self = module;
    weir_real *scales;
    if (self->factor >= 0) return WEIR_NAME(normal_full_sample)(self, frame, z);
    if (!take_scales(self, frame, &scales)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(z, f);
        frame->services->random_normal(frame, self->stream, (uint32_t)f, lane);
        if (!scales) continue;
        const place at = place_of(self, frame, scales, f);
        for (int32_t i = 0; i < frame->width; i++) lane[i] = at.mean + at.scale * lane[i];
    }
    return WEIR_OK;
}

/** dz/dm = 1 and dz/da = e exp(a) = z - m. */
static weir_status normal_sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *z_bar)
{
    const normal *const self = module;
    if (self->factor >= 0) return WEIR_NAME(normal_full_sample_vjp)(self, frame, z_bar);
    weir_real *const mean = self->mean < 0 ? NULL : weir_gradient(frame, self->mean);
    weir_real *const log_scale = self->mean < 0 ? NULL : weir_gradient(frame, self->log_scale);
    for (int32_t f = 0; f < self->features && mean; f++) mean[f] += weir_sum_lane(frame, weir_lane(z_bar, f));
    for (int32_t f = 0; f < self->features && log_scale; f++) {
        const weir_real *const lane = weir_lane(z, f), *const bar = weir_lane(z_bar, f);
        const weir_real m = weir_tensor(frame, self->mean)[f];
        weir_real sum = 0;
        for (int32_t r = 0; r < frame->rows; r++) sum += bar[r] * (lane[r] - m);
        log_scale[f] += sum;
    }
    return WEIR_OK;
}

static const weir_density_ops normal_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = normal_log_density,
    .vjp = normal_vjp,
    .sample = normal_sample,
    .sample_vjp = normal_sample_vjp,
};

static void declare(normal *self, weir_builder *build, int full)
{
    const int64_t side[1] = {self->features};
    const int64_t below[1] = {(int64_t)self->features * (self->features - 1) / 2};
    self->mean = build->parameter(build, "mean", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->log_scale = build->parameter(build, "log_scale", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    if (full) self->factor = build->parameter(build, "factor", 1, below, NULL, WEIR_TENSOR_NO_DECAY);
}

static weir_status normal_create(weir_builder *build, void **self)
{
    const int trained = build->boolean(build, "trainable");
    const int full = strcmp(build->string(build, "covariance"), "full") == 0;
    if (full && !trained)
        return weir_refuse(build,
                           "covariance = full needs trainable = true: a fixed one would be the identity");
    if (weir_require_line(build) != WEIR_OK) return WEIR_INVALID;
    normal *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (normal){
        .features = build->features, .stream = build->stream, .mean = -1, .log_scale = -1, .factor = -1};
    if (trained) declare(made, build, full);
    if (build->failed(build)) {
        free(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

/* ---- methods ------------------------------------------------------------------------------------ */

static weir_status normal_mean(const void *module, weir_frame *frame, weir_real *mean)
{
    const normal *const self = module;
    if (self->mean >= 0) /* what is not written is 0 */
        memcpy(mean, weir_tensor(frame, self->mean), (size_t)self->features * sizeof *mean);
    return WEIR_OK;
}

static weir_status normal_covariance(const void *module, weir_frame *frame, weir_real *covariance)
{
    const normal *const self = module;
    const int32_t n = self->features;
    if (self->factor >= 0) return WEIR_NAME(normal_full_covariance)(self, frame, covariance);
    for (int32_t f = 0; f < n; f++) {
        const double log_scale = self->mean >= 0 ? (double)weir_tensor(frame, self->log_scale)[f] : 0;
        covariance[(int64_t)f * n + f] = WEIR_C(exp(2 * log_scale));
    }
    return WEIR_OK;
}

static const weir_method normal_methods[] = {
    WEIR_METHOD("mean", "() -> real mean[in]", "the mean", normal_mean),
    WEIR_METHOD("covariance", "() -> real covariance[in][in]", "the covariance", normal_covariance),
};

static const weir_module normal_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "normal",
    .version = "1.1.0",
    .summary = "standard normal features, or with a learned mean and scale, or full covariance",
    .doc = normal_doc,
    WEIR_OPTIONS(normal_options),
    WEIR_METHODS(normal_methods),
    .create = normal_create,
    .destroy = free,
    .ops = &normal_ops,
};

WEIR_PLUGIN(&normal_module);
