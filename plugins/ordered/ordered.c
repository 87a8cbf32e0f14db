/* ordered - increasing vectors to R^n. */
#include <weir/spaces.h>

#include <stdlib.h>

typedef struct ordered {
    int32_t features;
} ordered;

static const char ordered_doc[] =
    "Data: x_1 < x_2 < ... < x_n. Latent: all of R^n, as many features.\n"
    "  forward   z_1 = x_1,   z_k = log(x_k - x_(k-1))\n"
    "  inverse   x_1 = z_1,   x_k = x_(k-1) + exp(z_k).\n"
    "The Jacobian is triangular with dz_k/dx_k = 1 / (x_k - x_(k-1)), so log|det J| = -(z_2 + ... + z_n).\n"
    "No parameters, no options. Discarded: rows that do not increase strictly.\n"
    "Samples: a gap too small for the numbers beside it is rounded away, and two values are equal; the log-det stays right.\n"
    "Cost: O(n) a row, one vectorised function a feature.\n"
    "Source: Stan Reference Manual, \"Ordered vector\".";

static weir_status ordered_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, void *log_det)
{
    const ordered *const self = module;
    weir_real *const total = log_det;
    weir_status status = WEIR_OK;
    if (self->features) weir_copy_lane(frame, weir_lane(x, 0), weir_lane(z, 0));
    if (self->features) WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(z, 0)));
    for (int32_t k = 1; k < self->features; k++) {
        const weir_real *const above = weir_lane(x, k), *const below = weir_lane(x, k - 1);
        weir_real *const to = weir_lane(z, k);
        for (int32_t i = 0; i < frame->width; i++) to[i] = above[i] - below[i];
        frame->math->log(frame->width, to, to);
        for (int32_t i = 0; total && i < frame->width; i++) total[i] -= to[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    return status;
}

static weir_status ordered_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *x, void *log_det)
{
    const ordered *const self = module;
    weir_real *const total = log_det;
    weir_status status = WEIR_OK;
    if (self->features) weir_copy_lane(frame, weir_lane(z, 0), weir_lane(x, 0));
    if (self->features) WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(x, 0)));
    for (int32_t k = 1; k < self->features; k++) {
        const weir_real *const from = weir_lane(z, k), *const below = weir_lane(x, k - 1);
        weir_real *const to = weir_lane(x, k);
        frame->math->exp(frame->width, from, to);
        for (int32_t i = 0; i < frame->width; i++) to[i] += below[i];
        for (int32_t i = 0; total && i < frame->width; i++) total[i] += from[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, from));
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    return status;
}

/** With g_k = (z_bar_k - l_bar) / gap_k, the cotangent of gap k: x_bar_k = g_k - g_(k+1). */
static weir_status ordered_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                       const weir_tile *x_bar)
{
    const ordered *const self = module;
    const weir_real *const l_bar = log_det_bar;
    (void)z;
    if (!x_bar || !self->features) return WEIR_OK;
    weir_copy_lane(frame, weir_lane(z_bar, 0), weir_lane(x_bar, 0));
    for (int32_t k = 1; k < self->features; k++) {
        const weir_real *const above = weir_lane(x, k), *const below = weir_lane(x, k - 1);
        const weir_real *const bar = weir_lane(z_bar, k);
        weir_real *const to = weir_lane(x_bar, k), *const before = weir_lane(x_bar, k - 1);
        for (int32_t i = 0; i < frame->width; i++) {
            to[i] = (bar[i] - (l_bar ? l_bar[i] : 0)) / (above[i] - below[i]);
            before[i] -= to[i];
        }
    }
    return WEIR_OK;
}

/** x_k reaches every value from k on: z_bar_k = exp(z_k) (x_bar_k + ... + x_bar_n) + l_bar. */
static weir_status ordered_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                       const weir_tile *z_bar)
{
    const ordered *const self = module;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const after = weir_take_lane(frame);
    (void)x;
    if (!after) return WEIR_ERROR;
    weir_zero_lane(frame, after);
    for (int32_t k = self->features - 1; z_bar && k >= 0; k--) {
        const weir_real *const bar = weir_lane(x_bar, k);
        weir_real *const to = weir_lane(z_bar, k);
        for (int32_t i = 0; i < frame->width; i++) after[i] += bar[i];
        if (k > 0) frame->math->exp(frame->width, weir_lane(z, k), to);
        for (int32_t i = 0; i < frame->width; i++)
            to[i] = k > 0 ? to[i] * after[i] + (l_bar ? l_bar[i] : 0) : after[i];
    }
    return WEIR_OK;
}

static weir_status ordered_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                         const weir_tile *x)
{
    const ordered *const self = module;
    for (int32_t k = 0; k < self->features; k++) {
        weir_real *const lane = weir_lane(x, k);
        if (k == 0) {
            frame->services->random_normal(frame, stream, 0, lane);
            continue;
        }
        frame->services->random_uniform(frame, stream, (uint32_t)k, lane);
        for (int32_t i = 0; i < frame->width; i++)
            lane[i] = weir_lane(x, k - 1)[i] + 2 * lane[i] + WEIR_C(0.01);
    }
    return WEIR_OK;
}

static const weir_layer_ops ordered_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = ordered_forward,
    .inverse = ordered_inverse,
    .forward_vjp = ordered_forward_vjp,
    .inverse_vjp = ordered_inverse_vjp,
    .sample_points = ordered_sample_points,
};

static weir_status ordered_create(weir_builder *build, void **module)
{
    if (weir_require_block(build, WEIR_DOMAIN_ORDERED, WEIR_MEASURE_COORDINATES) != WEIR_OK)
        return WEIR_INVALID;
    if (weir_produce_line(build, build->features) != WEIR_OK) return WEIR_INVALID;
    ordered *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    *module = self;
    return WEIR_OK;
}

static const weir_module ordered_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "ordered",
    .version = "1.0.0",
    .summary = "increasing vectors to free ones",
    .doc = ordered_doc,
    .create = ordered_create,
    .destroy = free,
    .ops = &ordered_ops,
};

WEIR_PLUGIN(&ordered_module);
