/* shift - a learned number added to every feature. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct shift {
    int32_t features;
    weir_handle shift; /* parameter [features] */
} shift;

static const char shift_doc[] =
    "z = x + b, log|det J| = 0: volumes are kept. Parameter: shift [D] = b, which starts at 0 or at the option `start`.\n"
    "Inverse: x = z - b, same cost, O(D) a row. Gradients: b_bar is the sum of z_bar, in the inverse minus that of x_bar.\n"
    "Rows that become NaN or infinite are discarded.\n"
    "Source: elementary; the shift of Dinh et al. 2015, \"NICE\", arXiv:1410.8516, without a network.";

static const weir_option shift_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "start",
     .default_json = "[0]",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "b at the start: one number for all features, or one for each"},
};

static weir_status move(const shift *self, weir_frame *frame, weir_real sign, const weir_tile *from,
                        const weir_tile *to)
{
    const weir_real *const b = weir_tensor(frame, self->shift);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const in = weir_lane(from, f), by = sign * b[f];
        weir_real *restrict const out = weir_lane(to, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] = in[r] + by;
        WEIR_TRY(status, weir_discard_unless_finite(frame, out));
    }
    return status;
}

static weir_status pull(const shift *self, weir_frame *frame, weir_real sign, const weir_tile *out_bar,
                        const weir_tile *in_bar)
{
    weir_real *const b_bar = weir_gradient(frame, self->shift);
    for (int32_t f = 0; f < self->features; f++) {
        if (in_bar) weir_copy_lane(frame, weir_lane(out_bar, f), weir_lane(in_bar, f));
        if (b_bar) b_bar[f] += sign * weir_sum_lane(frame, weir_lane(out_bar, f));
    }
    return WEIR_OK;
}

static weir_status shift_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                                 void *log_det)
{
    (void)log_det;
    return move(self, frame, 1, x, z);
}

static weir_status shift_inverse(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                                 void *log_det)
{
    (void)log_det;
    return move(self, frame, -1, z, x);
}

static weir_status shift_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    (void)x, (void)z, (void)log_det_bar;
    return pull(self, frame, 1, z_bar, x_bar);
}

static weir_status shift_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    (void)z, (void)x, (void)log_det_bar;
    return pull(self, frame, -1, x_bar, z_bar);
}

static const weir_layer_ops shift_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = shift_forward,
    .inverse = shift_inverse,
    .forward_vjp = shift_forward_vjp,
    .inverse_vjp = shift_inverse_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status declare(shift *self, weir_builder *build, double *start)
{
    const int32_t count = build->numbers(build, "start", start, self->features);
    const int64_t side[1] = {self->features};
    const weir_init init = {.struct_size = (uint32_t)sizeof init, .kind = WEIR_INIT_VALUES, .values = start};
    if (count != 1 && count != self->features)
        return weir_refuse(build, "start has %d numbers for %d features: give 1 or %d", (int)count,
                           (int)self->features, (int)self->features);
    for (int32_t f = 1; count == 1 && f < self->features; f++) start[f] = start[0];
    self->shift = build->parameter(build, "shift", 1, side, &init, WEIR_TENSOR_NO_DECAY);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status shift_create(weir_builder *build, void **module)
{
    shift *const self = malloc(sizeof *self);
    double *const start = calloc((size_t)build->features + 1, sizeof *start);
    weir_status status = WEIR_INVALID;
    if (!self || !start) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->features = build->features;
    status = declare(self, build, start);
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
done:
    free(start);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_module shift_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "shift",
    .version = "1.0.0",
    .summary = "z = x + b, a learned shift of every feature",
    .doc = shift_doc,
    WEIR_OPTIONS(shift_options),
    .create = shift_create,
    .destroy = free,
    .ops = &shift_ops,
};

WEIR_PLUGIN(&shift_module);
