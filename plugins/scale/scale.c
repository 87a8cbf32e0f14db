/* scale - every feature times a learned number that is not 0. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct scale {
    int32_t features;
    weir_handle scale;      /* parameter [features] */
    weir_handle log_volume; /* derived [1] */
} scale;

static const char scale_doc[] =
    "z = a x feature by feature, log|det J| = sum of log|a|. Parameter: scale [D] = a, of either sign, which starts at 1 or\n"
    "at the option `start`. Inverse: x = z / a, same cost, O(D) a row; the sum of logarithms is taken once per update.\n"
    "Gradients, with l the sum of l_bar: a_bar = sum of z_bar x + l / a; in the inverse -(sum of x_bar x + l) / a.\n"
    "Rows that become NaN or infinite are discarded.\n"
    "Refused: a = 0 or not finite, at the start, in a file and in training (which a step may hit only by accident; the\n"
    "layer actnorm, which trains log a, cannot).\n"
    "Source: elementary; Dinh et al. 2015, \"NICE\", arXiv:1410.8516, section 3.3.";

static const weir_option scale_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "start",
     .default_json = "[1]",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "a at the start: one number for all features, or one for each; not 0"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

static void add_log_volume(const scale *self, const weir_frame *frame, weir_real sign, weir_real *log_det)
{
    const weir_real volume = sign * *weir_tensor(frame, self->log_volume);
    for (int32_t r = 0; log_det && r < frame->width; r++) log_det[r] += volume;
}

static weir_status scale_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                 const weir_tile *z, void *log_det)
{
    const scale *const self = module;
    const weir_real *const factors = weir_tensor(frame, self->scale);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const from = weir_lane(x, f), a = factors[f];
        weir_real *restrict const to = weir_lane(z, f);
        for (int32_t r = 0; r < frame->width; r++) to[r] = a * from[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_volume(self, frame, 1, log_det);
    return status;
}

static weir_status scale_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                 const weir_tile *x, void *log_det)
{
    const scale *const self = module;
    const weir_real *const factors = weir_tensor(frame, self->scale);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const from = weir_lane(z, f), a = factors[f];
        weir_real *restrict const to = weir_lane(x, f);
        for (int32_t r = 0; r < frame->width; r++) to[r] = from[r] / a;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_volume(self, frame, -1, log_det);
    return status;
}

static void add_volume_gradient(const scale *self, const weir_frame *frame, weir_real sign,
                                const weir_real *log_det_bar)
{
    weir_real *const volume_bar = weir_gradient(frame, self->log_volume);
    if (volume_bar && log_det_bar) *volume_bar += sign * weir_sum_lane(frame, log_det_bar);
}

/** Sum over the rows of a * b. */
static weir_real dot(const weir_frame *frame, const weir_real *a, const weir_real *b)
{
    weir_real sum = 0;
    for (int32_t r = 0; r < frame->rows; r++) sum += a[r] * b[r];
    return sum;
}

static weir_status scale_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    const scale *const self = module;
    const weir_real *const factors = weir_tensor(frame, self->scale);
    weir_real *const a_bar = weir_gradient(frame, self->scale);
    (void)z;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(z_bar, f);
        if (a_bar) a_bar[f] += dot(frame, from, weir_lane(x, f));
        for (int32_t r = 0; x_bar && r < frame->width; r++) weir_lane(x_bar, f)[r] = factors[f] * from[r];
    }
    add_volume_gradient(self, frame, 1, log_det_bar);
    return WEIR_OK;
}

static weir_status scale_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    const scale *const self = module;
    const weir_real *const factors = weir_tensor(frame, self->scale);
    weir_real *const a_bar = weir_gradient(frame, self->scale);
    (void)z;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(x_bar, f);
        if (a_bar) a_bar[f] -= dot(frame, from, weir_lane(x, f)) / factors[f];
        for (int32_t r = 0; z_bar && r < frame->width; r++) weir_lane(z_bar, f)[r] = from[r] / factors[f];
    }
    add_volume_gradient(self, frame, -1, log_det_bar);
    return WEIR_OK;
}

static const weir_layer_ops scale_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = scale_forward,
    .inverse = scale_inverse,
    .forward_vjp = scale_forward_vjp,
    .inverse_vjp = scale_inverse_vjp,
};

/* ---- preparation ------------------------------------------------------------------------------ */

static weir_status scale_prepare(const void *module, weir_frame *frame)
{
    const scale *const self = module;
    const weir_real *const factors = weir_tensor(frame, self->scale);
    double sum = 0;
    for (int32_t f = 0; f < self->features; f++) {
        if (factors[f] == 0 || factors[f] - factors[f] != 0)
            return weir_failf(frame, WEIR_INVALID, "scale of feature %d is %g: it must be finite and not 0",
                              (int)f + 1, (double)factors[f]);
        sum += log(fabs((double)factors[f]));
    }
    *weir_tensor(frame, self->log_volume) = WEIR_C(sum);
    return WEIR_OK;
}

static weir_status scale_prepare_vjp(const void *module, weir_frame *frame)
{
    const scale *const self = module;
    const weir_real *const volume_bar = weir_gradient(frame, self->log_volume);
    weir_real *const a_bar = weir_gradient(frame, self->scale);
    for (int32_t f = 0; a_bar && volume_bar && f < self->features; f++)
        a_bar[f] += *volume_bar / weir_tensor(frame, self->scale)[f];
    return WEIR_OK;
}

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status read_start(const scale *self, weir_builder *build, double *start)
{
    const int32_t count = build->numbers(build, "start", start, self->features);
    if (count != 1 && count != self->features)
        return weir_refuse(build, "start has %d numbers for %d features: give 1 or %d", (int)count,
                           (int)self->features, (int)self->features);
    for (int32_t f = 1; count == 1 && f < self->features; f++) start[f] = start[0];
    for (int32_t f = 0; f < self->features; f++)
        if (WEIR_C(start[f]) == 0)
            return weir_refuse(build, "start of feature %d is 0 (in this precision): a scale must not be 0",
                               (int)f + 1);
    return WEIR_OK;
}

static weir_status declare(scale *self, weir_builder *build, double *start)
{
    const int64_t side[1] = {self->features}, one[1] = {1};
    const weir_init init = {.struct_size = (uint32_t)sizeof init, .kind = WEIR_INIT_VALUES, .values = start};
    if (read_start(self, build, start) != WEIR_OK) return WEIR_INVALID;
    self->scale = build->parameter(build, "scale", 1, side, &init, WEIR_TENSOR_NO_DECAY);
    self->log_volume = build->derived(build, "log_volume", 1, one);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status scale_create(weir_builder *build, void **module)
{
    scale *const self = malloc(sizeof *self);
    double *const start = calloc((size_t)build->features + 1, sizeof *start);
    weir_status status = WEIR_INVALID;
    if (!self || !start) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->features = build->features;
    status = declare(self, build, start);
done:
    free(start);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_module scale_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "scale",
    .version = "1.0.0",
    .summary = "z = a x, a learned factor for every feature, never 0",
    .doc = scale_doc,
    WEIR_OPTIONS(scale_options),
    .create = scale_create,
    .destroy = free,
    .prepare = scale_prepare,
    .prepare_vjp = scale_prepare_vjp,
    .ops = &scale_ops,
};

WEIR_PLUGIN(&scale_module);
