/* standardize - features moved and scaled to mean 0 and standard deviation 1, as measured on the data. */
#include <weir/moments.h>

#include <stdlib.h>

typedef struct standardize {
    int32_t features;
    weir_handle mean, scale; /* buffers [features] */
} standardize;

static const char standardize_doc[] =
    "z = (x - mean) / scale, log|det J| = -sum log scale. mean and scale [features] are buffers, not trained: they\n"
    "are measured once on the training data (before: 0 and 1) and saved with the model.\n"
    "scale is the standard deviation (denominator N). A feature that is constant to rounding gets scale 1. Values\n"
    "that are not finite are left out of the statistics; in use their rows are discarded.\n"
    "Cost: O(D) a row in either direction; the logarithms are taken once a tile.\n"
    "Source: elementary; the merged sums as in Chan, Golub and LeVeque 1983, \"Algorithms for computing the sample variance\".";

/* ---- calls ------------------------------------------------------------------------------------ */

/** Adds sign * sum log scale to every row. */
static weir_status add_log_det(const standardize *self, weir_frame *frame, weir_real sign, weir_real *log_det)
{
    double sum = 0;
    if (!log_det || self->features == 0) return WEIR_OK;
    weir_real *const logs = weir_take(frame, self->features * (int64_t)sizeof *logs);
    if (!logs) return WEIR_ERROR;
    frame->math->log(self->features, weir_tensor(frame, self->scale), logs);
    for (int32_t f = 0; f < self->features; f++) sum += (double)logs[f];
    for (int32_t i = 0; i < frame->width; i++) log_det[i] += sign * WEIR_C(sum);
    return WEIR_OK;
}

static weir_status standardize_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, void *log_det)
{
    const standardize *const self = module;
    const weir_real *const means = weir_tensor(frame, self->mean);
    const weir_real *const scales = weir_tensor(frame, self->scale);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(x, f), mean = means[f], scale = scales[f];
        weir_real *const restrict to = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = (from[i] - mean) / scale;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    WEIR_TRY(status, add_log_det(self, frame, -1, log_det));
    return status;
}

static weir_status standardize_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, void *log_det)
{
    const standardize *const self = module;
    const weir_real *const means = weir_tensor(frame, self->mean);
    const weir_real *const scales = weir_tensor(frame, self->scale);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(z, f), mean = means[f], scale = scales[f];
        weir_real *const restrict to = weir_lane(x, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = mean + from[i] * scale;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    WEIR_TRY(status, add_log_det(self, frame, 1, log_det));
    return status;
}

static weir_status standardize_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                           const weir_tile *z, const weir_tile *z_bar,
                                           const void *log_det_bar, const weir_tile *x_bar)
{
    const standardize *const self = module;
    (void)x, (void)z, (void)log_det_bar;
    for (int32_t f = 0; x_bar && f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(z_bar, f);
        const weir_real scale = weir_tensor(frame, self->scale)[f];
        weir_real *const restrict to = weir_lane(x_bar, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] / scale;
    }
    return WEIR_OK;
}

static weir_status standardize_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                           const weir_tile *x, const weir_tile *x_bar,
                                           const void *log_det_bar, const weir_tile *z_bar)
{
    const standardize *const self = module;
    (void)z, (void)x, (void)log_det_bar;
    for (int32_t f = 0; z_bar && f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(x_bar, f);
        const weir_real scale = weir_tensor(frame, self->scale)[f];
        weir_real *const restrict to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] * scale;
    }
    return WEIR_OK;
}

/* ---- statistics ------------------------------------------------------------------------------- */

static int64_t standardize_observe_size(const void *self)
{
    return ((const standardize *)self)->features * (int64_t)sizeof(weir_moments);
}

static weir_status standardize_observe(const void *module, weir_frame *frame, int32_t inverse,
                                       const weir_tile *tile, void *partial)
{
    (void)module, (void)inverse;
    weir_moments_add(partial, frame, tile);
    return WEIR_OK;
}

static weir_status standardize_merge(const void *self, void *into, const void *from)
{
    weir_moments_merge(into, from, ((const standardize *)self)->features);
    return WEIR_OK;
}

/** Of inverse, the input z is to become x with mean 0 and deviation 1, as forward's output would: x = mean + z scale
 *  gives scale = 1 / sd and mean = -m / sd. */
static weir_status standardize_observe_finish(const void *module, weir_frame *frame, int32_t inverse,
                                              const void *total)
{
    const standardize *const self = module;
    const weir_moments *const m = total;
    for (int32_t f = 0; f < self->features; f++) {
        const double sd = weir_moments_deviation(&m[f]);
        weir_tensor(frame, self->mean)[f] = WEIR_C(inverse ? -m[f].mean / sd : m[f].mean);
        weir_tensor(frame, self->scale)[f] = WEIR_C(inverse ? 1 / sd : sd);
    }
    return WEIR_OK;
}

static const weir_layer_ops standardize_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = standardize_forward,
    .inverse = standardize_inverse,
    .forward_vjp = standardize_forward_vjp,
    .inverse_vjp = standardize_inverse_vjp,
    .observe_size = standardize_observe_size,
    .observe = standardize_observe,
    .merge = standardize_merge,
    .observe_finish = standardize_observe_finish,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status standardize_create(weir_builder *build, void **self)
{
    const int64_t dims[1] = {build->features};
    const weir_init ones = {.struct_size = (uint32_t)sizeof ones, .kind = WEIR_INIT_CONSTANT, .a = 1};
    standardize *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->features = build->features;
    made->mean = build->buffer(build, "mean", 1, dims, NULL);
    made->scale = build->buffer(build, "scale", 1, dims, &ones);
    if (build->failed(build)) {
        free(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

static const weir_module standardize_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK | WEIR_MODULE_OBSERVE_ONCE,
    .id = "standardize",
    .version = "1.0.0",
    .summary = "features to mean 0 and standard deviation 1, measured on the training data",
    .doc = standardize_doc,
    .create = standardize_create,
    .destroy = free,
    .ops = &standardize_ops,
};

WEIR_PLUGIN(&standardize_module);
