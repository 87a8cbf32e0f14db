/* batch_norm - an invertible batch normalisation: every feature to mean 0 and variance 1 over the batch. */
#include "batch_norm.h"

#include <stdlib.h>

static const char batch_norm_doc[] =
    "x^ = (x - m) s with s = 1 / sqrt(v + eps), z = gamma x^ + beta, log|det J| = sum (log gamma - log(v + eps) / 2),\n"
    "the sum over the features. m and v [features] are a mean and a variance (denominator N):\n"
    "  in a training step   those of the batch's N rows,\n"
    "  everywhere else      running averages, the buffers running_mean and running_variance, at first 0 and 1. Data-\n"
    "                       dependent initialisation sets them to those of its data; every step taken moves them by\n"
    "                       running += momentum (batch's - running).\n"
    "Parameters, with affine: log_gamma [features] (gamma = exp(log_gamma)) and beta [features], at first 0.\n"
    "forward is the direction that normalises: data -> latent. inverse always uses the running averages. So does\n"
    "training through the inverse (reverse KL), which takes them as constants and leaves them as they are.\n"
    "\n"
    "Gradient in a step. Every row of the batch depends on every other through m and v, and all their log-dets on v.\n"
    "Let g_r = gamma z_bar_r, l_bar_r the cotangent of row r's log-det, and sums run over the N rows. With dm/dx_r = 1/N,\n"
    "dv/dx_r = 2 (x_r - m) / N, ds/dv = -s^3 / 2, dl/dv = -s^2 / 2:\n"
    "  m_bar = -s sum g            (v does not move with m: sum (x - m) = 0)\n"
    "  v_bar = -s^2 / 2 (sum g x^ + sum l_bar)\n"
    "  x_bar_r = s g_r + m_bar / N + v_bar 2 (x_r - m) / N = s (g_r - P - x^_r Q),\n"
    "  P = sum g / N,  Q = (sum g x^ + sum l_bar) / N,\n"
    "  beta_bar = sum z_bar,  log_gamma_bar = sum g x^ + sum l_bar.\n"
    "In Q the log-det's part is easily forgotten: with it gone, the variance is not held up by the density.\n"
    "With the running averages P = Q = 0.\n"
    "\n"
    "A batch of one row has v = 0: z = beta, the log-det is that of 1 / sqrt(eps), no gradient reaches x, and the running\n"
    "variance stays as it is. Rows count alike in the statistics, whatever their weight in the loss; discarded rows do\n"
    "not count. Rows whose result is not finite are discarded; all are when v is too large for the precision.\n"
    "Batch-coupled: to be trained it stands in the flow's own chain (or in chain and repeat inside it).\n"
    "Cost: a few operations per number; training runs the layers before it forward once more.\n"
    "Source: Ioffe and Szegedy 2015, \"Batch normalization\", arXiv:1502.03167; as a layer of a flow Dinh, Sohl-Dickstein\n"
    "and Bengio 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, section 3.7, and Papamakarios, Pavlakou and\n"
    "Murray 2017, \"Masked autoregressive flow\", arXiv:1705.07057, appendix B (with gamma and beta).";

/* ---- calls ------------------------------------------------------------------------------------ */

/** A log-det that is not finite would make a row's density 0 or infinite: then there is no answer for any. */
static weir_status add_log_det(const batch_norm *self, weir_frame *frame, weir_real sign, weir_real *log_det)
{
    const weir_real value = *weir_tensor(frame, self->log_det);
    if (value - value != 0) {
        for (int32_t r = 0; r < frame->rows; r++) weir_discard(frame, r);
        return frame->rows ? WEIR_DISCARD : WEIR_OK;
    }
    for (int32_t i = 0; log_det && i < frame->width; i++) log_det[i] += sign * value;
    return WEIR_OK;
}

static weir_status batch_norm_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, void *log_det)
{
    const batch_norm *const self = module;
    const weir_real *const centres = weir_tensor(frame, self->centre);
    const weir_real *const slopes = weir_tensor(frame, self->slope);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(x, f), centre = centres[f], slope = slopes[f];
        const weir_real beta = beta_of(self, frame, f);
        weir_real *const restrict to = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = (from[i] - centre) * slope + beta;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    WEIR_TRY(status, add_log_det(self, frame, 1, log_det));
    return status;
}

static weir_status batch_norm_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, void *log_det)
{
    const batch_norm *const self = module;
    const weir_real *const centres = weir_tensor(frame, self->centre);
    const weir_real *const slopes = weir_tensor(frame, self->slope);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(z, f), centre = centres[f], slope = slopes[f];
        const weir_real beta = beta_of(self, frame, f);
        weir_real *const restrict to = weir_lane(x, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = (from[i] - beta) / slope + centre;
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    WEIR_TRY(status, add_log_det(self, frame, -1, log_det));
    return status;
}

/** x_bar = s (gamma z_bar - P - x^ Q), over the rows: padding has no cotangent, and gets none through P and Q. */
static void pull_back(const batch_norm *self, const weir_frame *frame, const weir_tile *x,
                      const weir_tile *z_bar, const weir_tile *x_bar)
{
    const weir_real *const centres = weir_tensor(frame, self->centre);
    const weir_real *const steepnesses = weir_tensor(frame, self->steepness);
    const weir_real *const slopes = weir_tensor(frame, self->slope);
    const weir_real *const pulls = weir_tensor(frame, self->pull);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict at = weir_lane(x, f), *const restrict from = weir_lane(z_bar, f);
        const weir_real s = steepnesses[f], centre = centres[f], slope = slopes[f];
        const weir_real p = s * pulls[f], q = s * pulls[self->features + f];
        weir_real *const restrict to = weir_lane(x_bar, f);
        for (int32_t i = 0; i < frame->rows; i++) to[i] = slope * from[i] - p - (at[i] - centre) * s * q;
        for (int32_t i = frame->rows; i < frame->width; i++) to[i] = 0;
    }
}

static weir_status batch_norm_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                          const weir_tile *x_bar)
{
    const batch_norm *const self = module;
    weir_real *const by_gamma = self->log_gamma < 0 ? NULL : weir_gradient(frame, self->log_gamma);
    weir_real *const by_beta = self->beta < 0 ? NULL : weir_gradient(frame, self->beta);
    const double l_sum = sum_of(frame, log_det_bar);
    (void)z;
    if (x_bar) pull_back(self, frame, x, z_bar, x_bar);
    for (int32_t f = 0; by_beta && f < self->features; f++)
        by_beta[f] += WEIR_C(sum_of(frame, weir_lane(z_bar, f)));
    for (int32_t f = 0; by_gamma && f < self->features; f++)
        by_gamma[f] += WEIR_C((double)gamma_of(self, frame, f) * along(self, frame, x, z_bar, f) + l_sum);
    return WEIR_OK;
}

/** x = m + (z - beta) / (gamma s), the statistics constant: dx/dbeta = -1 / (gamma s) and dx/dlog_gamma = -(x - m). */
static weir_status batch_norm_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                          const weir_tile *z_bar)
{
    const batch_norm *const self = module;
    const weir_real *const slopes = weir_tensor(frame, self->slope);
    weir_real *const by_gamma = self->log_gamma < 0 ? NULL : weir_gradient(frame, self->log_gamma);
    weir_real *const by_beta = self->beta < 0 ? NULL : weir_gradient(frame, self->beta);
    const double l_sum = sum_of(frame, log_det_bar);
    (void)z;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const restrict from = weir_lane(x_bar, f), slope = slopes[f];
        weir_real *const restrict to = z_bar ? weir_lane(z_bar, f) : NULL;
        for (int32_t i = 0; to && i < frame->width; i++) to[i] = from[i] / slope;
        if (by_beta) by_beta[f] -= WEIR_C(sum_of(frame, from) / (double)slope);
        if (by_gamma)
            by_gamma[f] -= WEIR_C(
                along(self, frame, x, x_bar, f) / (double)weir_tensor(frame, self->steepness)[f] + l_sum);
    }
    return WEIR_OK;
}

static const weir_layer_ops batch_norm_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = batch_norm_forward,
    .inverse = batch_norm_inverse,
    .forward_vjp = batch_norm_forward_vjp,
    .inverse_vjp = batch_norm_inverse_vjp,
    .observe_size = WEIR_NAME(batch_norm_observe_size),
    .observe = WEIR_NAME(batch_norm_observe),
    .merge = WEIR_NAME(batch_norm_merge),
    .observe_finish = WEIR_NAME(batch_norm_observe_finish),
    .observe_vjp = WEIR_NAME(batch_norm_observe_vjp),
    .observe_vjp_finish = WEIR_NAME(batch_norm_observe_vjp_finish),
};

/* ---- creation --------------------------------------------------------------------------------- */

static void declare_derived(weir_builder *build, batch_norm *made)
{
    const int64_t dims[2] = {2, build->features};
    made->centre = build->derived(build, "centre", 1, dims + 1);
    made->steepness = build->derived(build, "steepness", 1, dims + 1);
    made->slope = build->derived(build, "slope", 1, dims + 1);
    made->log_det = build->derived(build, "log_det", 0, NULL);
    made->pull = build->derived(build, "pull", 2, dims);
}

static weir_status batch_norm_create(weir_builder *build, void **self)
{
    const int64_t dims[1] = {build->features};
    const weir_init ones = {.struct_size = (uint32_t)sizeof ones, .kind = WEIR_INIT_CONSTANT, .a = 1};
    batch_norm *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (batch_norm){.features = build->features, .log_gamma = -1, .beta = -1};
    made->eps = build->number(build, "eps");
    made->momentum = build->number(build, "momentum");
    if (build->boolean(build, "affine")) {
        made->log_gamma = build->parameter(build, "log_gamma", 1, dims, NULL, WEIR_TENSOR_NO_DECAY);
        made->beta = build->parameter(build, "beta", 1, dims, NULL, WEIR_TENSOR_NO_DECAY);
    }
    made->running_mean = build->buffer(build, "running_mean", 1, dims, NULL);
    made->running_variance = build->buffer(build, "running_variance", 1, dims, &ones);
    declare_derived(build, made);
    if (build->failed(build)) {
        free(made);
        return WEIR_INVALID;
    }
    *self = made;
    return WEIR_OK;
}

static const weir_option batch_norm_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "eps",
     .default_json = "1e-5",
     .minimum = 1e-12,
     .maximum = 1,
     .summary = "added to the variance, so that a constant feature is divided by something"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "momentum",
     .default_json = "0.1",
     .minimum = 0,
     .maximum = 1,
     .summary = "how far a step moves the running averages towards its batch's; 1 forgets the past"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "affine",
     .default_json = "true",
     .summary = "a learned scale and shift per feature afterwards"},
};

static const weir_module batch_norm_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK | WEIR_MODULE_OBSERVE_ONCE | WEIR_MODULE_OBSERVE_STEP,
    .id = "batch_norm",
    .version = "1.0.0",
    .summary = "every feature to mean 0 and variance 1 over the batch, running averages in evaluation",
    .doc = batch_norm_doc,
    WEIR_OPTIONS(batch_norm_options),
    .create = batch_norm_create,
    .destroy = free,
    .prepare = WEIR_NAME(batch_norm_prepare),
    .prepare_vjp = WEIR_NAME(batch_norm_prepare_vjp),
    .ops = &batch_norm_ops,
};

WEIR_PLUGIN(&batch_norm_module);
