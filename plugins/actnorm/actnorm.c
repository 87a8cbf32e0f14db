/* actnorm - a learned scale and shift per feature that starts by normalising the first data it sees. */
#include <weir/moments.h>

#include <stdlib.h>

typedef struct actnorm {
    int32_t features;
    weir_handle log_scale, shift; /* parameters [features] */
} actnorm;

static const char actnorm_doc[] =
    "z = x exp(s) + b, log|det J| = sum s. Parameters: s = log_scale [features], b = shift [features], at first 0.\n"
    "Before training they are set from data, once, so that every feature of the output has mean 0 and standard\n"
    "deviation 1 (denominator N); then they are trained. When training runs through the inverse (reverse KL), it is\n"
    "the inverse's output that is normalised. The host remembers and saves that this is done.\n"
    "A feature that is constant to rounding is only shifted. Values that are not finite are left out of the\n"
    "statistics; in use their rows are discarded.\n"
    "Cost: O(D) a row in either direction; exp(s) and the sum of s are taken once a tile.\n"
    "Source: Kingma and Dhariwal 2018, \"Glow\", arXiv:1807.03039, section 3.1; the merged sums as in Chan, Golub and\n"
    "LeVeque 1983, \"Algorithms for computing the sample variance\".";

/* ---- calls ------------------------------------------------------------------------------------ */

/** exp(sign * log_scale) of all features, in scratch; NULL when memory is exhausted. */
static weir_real *take_scales(const actnorm *self, weir_frame *frame, weir_real sign)
{
    const weir_real *const logs = weir_tensor(frame, self->log_scale);
    weir_real *const scales = weir_take(frame, self->features * (int64_t)sizeof *scales);
    if (!scales) return NULL;
    for (int32_t f = 0; f < self->features; f++) scales[f] = sign * logs[f];
    frame->math->exp(self->features, scales, scales);
    return scales;
}

/** Adds sign * sum s to every row. */
static void add_log_det(const actnorm *self, const weir_frame *frame, weir_real sign, weir_real *log_det)
{
    const weir_real *const logs = weir_tensor(frame, self->log_scale);
    double sum = 0;
    for (int32_t f = 0; f < self->features; f++) sum += (double)logs[f];
    for (int32_t i = 0; log_det && i < frame->width; i++) log_det[i] += sign * WEIR_C(sum);
}

static weir_status actnorm_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, void *log_det)
{
    const actnorm *const self = module;
    const weir_real *const scales = take_scales(self, frame, 1), *const shifts =
                                                                     weir_tensor(frame, self->shift);
    weir_status status = WEIR_OK;
    if (!scales) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(x, f), scale = scales[f], shift = shifts[f];
        weir_real *const restrict to = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] * scale + shift;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_det(self, frame, 1, log_det);
    return status;
}

static weir_status actnorm_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *x, void *log_det)
{
    const actnorm *const self = module;
    const weir_real *const scales = take_scales(self, frame, -1);
    const weir_real *const shifts = weir_tensor(frame, self->shift);
    weir_status status = WEIR_OK;
    if (!scales) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(z, f), scale = scales[f], shift = shifts[f];
        weir_real *const restrict to = weir_lane(x, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = (from[i] - shift) * scale;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_det(self, frame, -1, log_det);
    return status;
}

/** Sum over the rows of a * b. */
static weir_real dot(const weir_frame *frame, const weir_real *a, const weir_real *b)
{
    weir_real sum = 0;
    for (int32_t r = 0; r < frame->rows; r++) sum += a[r] * b[r];
    return sum;
}

/** Each direction's output is in_bar's scale times the input plus something, and its log-det +s or -s. */
static void scale_bar(const weir_frame *frame, const weir_tile *out_bar, const weir_real *scales,
                      const weir_tile *in_bar)
{
    for (int32_t f = 0; in_bar && f < in_bar->features; f++) {
        const weir_real *const restrict from = weir_lane(out_bar, f), scale = scales[f];
        weir_real *const restrict to = weir_lane(in_bar, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] * scale;
    }
}

static weir_status actnorm_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                       const weir_tile *x_bar)
{
    const actnorm *const self = module;
    const weir_real *const scales = take_scales(self, frame, 1);
    weir_real *const by_scale = weir_gradient(frame, self->log_scale);
    weir_real *const by_shift = weir_gradient(frame, self->shift);
    (void)z;
    if (!scales) return WEIR_ERROR;
    const weir_real l_sum = log_det_bar ? weir_sum_lane(frame, log_det_bar) : 0;
    scale_bar(frame, z_bar, scales, x_bar);
    for (int32_t f = 0; by_shift && f < self->features; f++)
        by_shift[f] += weir_sum_lane(frame, weir_lane(z_bar, f));
    for (int32_t f = 0; by_scale && f < self->features; f++)
        by_scale[f] += dot(frame, weir_lane(z_bar, f), weir_lane(x, f)) * scales[f] + l_sum;
    return WEIR_OK;
}

/** x = (z - b) exp(-s): dx/db = -exp(-s) and dx/ds = -x. */
static weir_status actnorm_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                       const weir_tile *z_bar)
{
    const actnorm *const self = module;
    const weir_real *const scales = take_scales(self, frame, -1);
    weir_real *const by_scale = weir_gradient(frame, self->log_scale);
    weir_real *const by_shift = weir_gradient(frame, self->shift);
    (void)z;
    if (!scales) return WEIR_ERROR;
    const weir_real l_sum = log_det_bar ? weir_sum_lane(frame, log_det_bar) : 0;
    scale_bar(frame, x_bar, scales, z_bar);
    for (int32_t f = 0; by_shift && f < self->features; f++)
        by_shift[f] -= weir_sum_lane(frame, weir_lane(x_bar, f)) * scales[f];
    for (int32_t f = 0; by_scale && f < self->features; f++)
        by_scale[f] -= dot(frame, weir_lane(x_bar, f), weir_lane(x, f)) + l_sum;
    return WEIR_OK;
}

/* ---- initialisation from data ----------------------------------------------------------------- */

static int64_t actnorm_observe_size(const void *self)
{
    return ((const actnorm *)self)->features * (int64_t)sizeof(weir_moments);
}

static weir_status actnorm_observe(const void *module, weir_frame *frame, int32_t inverse,
                                   const weir_tile *tile, void *partial)
{
    (void)module, (void)inverse;
    weir_moments_add(partial, frame, tile);
    return WEIR_OK;
}

static weir_status actnorm_merge(const void *self, void *into, const void *from)
{
    weir_moments_merge(into, from, ((const actnorm *)self)->features);
    return WEIR_OK;
}

/** The map that is used on this data gets slope 1 / sd and moves the mean to 0: forward's slope is exp(s) and its
 *  shift b; inverse's slope is exp(-s), and it moves b to 0. */
static weir_status actnorm_observe_finish(const void *module, weir_frame *frame, int32_t inverse,
                                          const void *total)
{
    const actnorm *const self = module;
    const weir_moments *const m = total;
    for (int32_t f = 0; f < self->features; f++) {
        const double sd = weir_moments_deviation(&m[f]);
        weir_tensor(frame, self->log_scale)[f] = WEIR_C(inverse ? log(sd) : -log(sd));
        weir_tensor(frame, self->shift)[f] = WEIR_C(inverse ? m[f].mean : -m[f].mean / sd);
    }
    return WEIR_OK;
}

static const weir_layer_ops actnorm_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = actnorm_forward,
    .inverse = actnorm_inverse,
    .forward_vjp = actnorm_forward_vjp,
    .inverse_vjp = actnorm_inverse_vjp,
    .observe_size = actnorm_observe_size,
    .observe = actnorm_observe,
    .merge = actnorm_merge,
    .observe_finish = actnorm_observe_finish,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status actnorm_create(weir_builder *build, void **self)
{
    const int64_t dims[1] = {build->features};
    actnorm *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->features = build->features;
    made->log_scale = build->parameter(build, "log_scale", 1, dims, NULL, WEIR_TENSOR_NO_DECAY);
    made->shift = build->parameter(build, "shift", 1, dims, NULL, WEIR_TENSOR_NO_DECAY);
    if (build->failed(build)) {
        free(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

static const weir_module actnorm_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK | WEIR_MODULE_OBSERVE_ONCE,
    .id = "actnorm",
    .version = "1.0.0",
    .summary = "a learned scale and shift per feature, started from data (Glow)",
    .doc = actnorm_doc,
    .create = actnorm_create,
    .destroy = free,
    .ops = &actnorm_ops,
};

WEIR_PLUGIN(&actnorm_module);
