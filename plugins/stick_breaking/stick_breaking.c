/* stick_breaking - a simplex of K parts to R^(K - 1). */
#include <weir/spaces.h>

#include <stdlib.h>

typedef struct stick_breaking {
    int32_t parts; /* K */
    weir_real tolerance;
    weir_real *centre; /* [K - 1] log(K - k): z = 0 is the middle of the simplex */
} stick_breaking;

static const char stick_breaking_doc[] =
    "Data: x_1 .. x_K > 0 with sum 1 (K features, K >= 2). Latent: z in R^(K-1), all of it. A stick of length 1 is broken\n"
    "K - 1 times; s_k = x_(k+1) + ... + x_K is what is left after k pieces:\n"
    "  forward   z_k = log(x_k / s_k) + log(K - k),   k = 1 .. K-1;   z = 0 is x = (1/K, ..., 1/K)\n"
    "  inverse   x_k = s_(k-1) sigmoid(z_k - log(K - k)),   x_K = s_(K-1).\n"
    "Measure: COORDINATES, densities with respect to x_1 .. x_(K-1); x_K is dependent. z_k depends on x_1 .. x_k alone\n"
    "(s_k = 1 - x_1 - ... - x_k), so the Jacobian is triangular with dz_k/dx_k = 1/x_k + 1/s_k = s_(k-1) / (x_k s_k); the\n"
    "s telescope, and\n"
    "  log|det J| = -(log x_1 + ... + log x_K).\n"
    "x_K is read, because 1 - x_1 - ... loses its digits; the gradient is that of the function of x_1 .. x_(K-1), and its\n"
    "entry for x_K is 0. Both directions work in logarithms: a part of 1e-300 keeps all digits in f64.\n"
    "Discarded: rows with a part <= 0, or whose sum misses 1 by more than `tolerance`; others are taken as x / sum.\n"
    "Samples: a part below the smallest number becomes 0, its log-det stays right.\n"
    "Cost: O(K) a row, two vectorised functions a part. Refused: fewer than 2 features.\n"
    "Source: Betancourt 2012, \"Cruising the simplex\", arXiv:1010.3436; Stan Reference Manual, \"Unit simplex\".";

static const weir_option stick_breaking_options[] = {WEIR_TOLERANCE_OPTION};

/* ---- calls ------------------------------------------------------------------------------------ */

/** From the last piece to the first, so that `left` is a sum of parts and never a difference. */
static weir_status stick_breaking_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, void *log_det)
{
    const stick_breaking *const self = module;
    const int32_t n = frame->width, last = self->parts - 1;
    weir_real *const left = weir_take_lane(frame), *const logs = weir_take(frame, 2 * frame->stride *
                                                                                      (int64_t)sizeof *logs);
    weir_real *const of_part = logs, *const of_left = logs ? logs + n : NULL, *const total = log_det;
    weir_status status = WEIR_OK;
    if (!left || !logs) return WEIR_ERROR;
    weir_copy_lane(frame, weir_lane(x, last), left);
    frame->math->log(n, left, of_part);
    for (int32_t i = 0; total && i < n; i++) total[i] -= of_part[i];
    for (int32_t k = last - 1; k >= 0; k--) {
        const weir_real *const part = weir_lane(x, k), centre = self->centre[k];
        weir_real *const to = weir_lane(z, k);
        memcpy(of_part, part, (size_t)n * sizeof *part);
        memcpy(of_left, left, (size_t)n * sizeof *part);
        frame->math->log(2 * (int64_t)n, logs, logs);
        for (int32_t i = 0; i < n; i++) to[i] = of_part[i] - of_left[i] + centre;
        for (int32_t i = 0; total && i < n; i++) total[i] -= of_part[i];
        for (int32_t i = 0; i < n; i++) left[i] += part[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    WEIR_TRY(status, weir_discard_unless_one(frame, left, self->tolerance));
    frame->math->log(n, left, of_left);
    for (int32_t i = 0; total && i < n; i++) total[i] += (weir_real)self->parts * of_left[i];
    return status;
}

/** down = log sigmoid(t) and up = log sigmoid(-t) for t = z - centre, in one block of two lanes. */
static void log_pieces(weir_frame *frame, const weir_real *z, weir_real centre, weir_real *block)
{
    const int32_t n = frame->width;
    for (int32_t i = 0; i < n; i++) {
        block[i] = centre - z[i];
        block[n + i] = z[i] - centre;
    }
    frame->math->softplus(2 * (int64_t)n, block, block);
    for (int32_t i = 0; i < 2 * n; i++) block[i] = -block[i];
}

/** log_left = log s_(k-1) runs along; log x_k is log_left + log sigmoid(t_k). */
static weir_status stick_breaking_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, void *log_det)
{
    const stick_breaking *const self = module;
    const int32_t n = frame->width, last = self->parts - 1;
    weir_real *const log_left = weir_take_lane(frame), *const sum = weir_take_lane(frame);
    weir_real *const block = weir_take(frame, 2 * frame->stride * (int64_t)sizeof *block), *const total =
                                                                                               log_det;
    weir_status status = WEIR_OK;
    if (!log_left || !sum || !block) return WEIR_ERROR;
    weir_zero_lane(frame, log_left);
    weir_zero_lane(frame, sum);
    for (int32_t k = 0; k < last; k++) {
        log_pieces(frame, weir_lane(z, k), self->centre[k], block);
        for (int32_t i = 0; i < n; i++) {
            block[i] += log_left[i];
            sum[i] += block[i];
            log_left[i] += block[n + i];
        }
        frame->math->exp(n, block, weir_lane(x, k));
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(z, k)));
    }
    frame->math->exp(n, log_left, weir_lane(x, last));
    for (int32_t i = 0; i < n; i++) sum[i] += log_left[i];
    for (int32_t i = 0; total && i < n; i++) total[i] += sum[i];
    WEIR_TRY(status, weir_discard_unless_finite(frame, sum));
    return status;
}

/** With a_k the derivative with respect to x_k of the formulas as they stand, x_bar_k = a_k - a_K, where
 *  a_k - a_K = z_bar_k / x_k + (sum over j >= k of z_bar_j / s_j) - l_bar / x_k + l_bar / x_K. */
static weir_status stick_breaking_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                              const weir_tile *z, const weir_tile *z_bar,
                                              const void *log_det_bar, const weir_tile *x_bar)
{
    const stick_breaking *const self = module;
    const int32_t n = frame->width, last = self->parts - 1;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const left = weir_take_lane(frame), *const through = weir_take_lane(frame);
    (void)z;
    if (!left || !through) return WEIR_ERROR;
    if (!x_bar) return WEIR_OK;
    const weir_real *const rest = weir_lane(x, last);
    weir_copy_lane(frame, rest, left);
    weir_zero_lane(frame, weir_lane(x_bar, last));
    for (int32_t i = 0; i < n; i++) through[i] = l_bar ? l_bar[i] / rest[i] : 0;
    for (int32_t k = last - 1; k >= 0; k--) {
        const weir_real *const part = weir_lane(x, k), *const bar = weir_lane(z_bar, k);
        weir_real *const to = weir_lane(x_bar, k);
        for (int32_t i = 0; i < n; i++) {
            through[i] += bar[i] / left[i];
            to[i] = (bar[i] - (l_bar ? l_bar[i] : 0)) / part[i] + through[i];
            left[i] += part[i];
        }
    }
    return WEIR_OK;
}

/** With g_k = x_bar_k x_k + l_bar, the cotangent of log x_k, and t = z - centre:
 *  z_bar_k = g_k sigmoid(-t_k) - sigmoid(t_k) (g_(k+1) + ... + g_K). */
static weir_status stick_breaking_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                              const weir_tile *x, const weir_tile *x_bar,
                                              const void *log_det_bar, const weir_tile *z_bar)
{
    const stick_breaking *const self = module;
    const int32_t n = frame->width, last = self->parts - 1;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const after = weir_take_lane(frame), *const block = weir_take(
                                                        frame, 2 * frame->stride * (int64_t)sizeof *block);
    if (!after || !block) return WEIR_ERROR;
    if (!z_bar) return WEIR_OK;
    const weir_real *const rest = weir_lane(x, last), *const rest_bar = weir_lane(x_bar, last);
    for (int32_t i = 0; i < n; i++) after[i] = rest_bar[i] * rest[i] + (l_bar ? l_bar[i] : 0);
    for (int32_t k = last - 1; k >= 0; k--) {
        const weir_real *const part = weir_lane(x, k), *const bar = weir_lane(x_bar, k),
                               *const at = weir_lane(z, k);
        weir_real *const to = weir_lane(z_bar, k);
        for (int32_t i = 0; i < n; i++) {
            block[i] = at[i] - self->centre[k];
            block[n + i] = self->centre[k] - at[i];
        }
        frame->math->sigmoid(2 * (int64_t)n, block, block);
        for (int32_t i = 0; i < n; i++) {
            const weir_real own = bar[i] * part[i] + (l_bar ? l_bar[i] : 0);
            to[i] = own * block[n + i] - block[i] * after[i];
            after[i] += own;
        }
    }
    return WEIR_OK;
}

/** Uniform on the simplex: exponential variates over their sum. */
static weir_status stick_breaking_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                                const weir_tile *x)
{
    const stick_breaking *const self = module;
    weir_real *const sum = weir_take_lane(frame);
    if (!sum) return WEIR_ERROR;
    weir_zero_lane(frame, sum);
    for (int32_t k = 0; k < self->parts; k++) {
        weir_real *const lane = weir_lane(x, k);
        frame->services->random_uniform(frame, stream, (uint32_t)k, lane);
        frame->math->log(frame->width, lane, lane);
        for (int32_t i = 0; i < frame->width; i++) {
            lane[i] = -lane[i];
            sum[i] += lane[i];
        }
    }
    for (int32_t k = 0; k < self->parts; k++)
        for (int32_t i = 0; i < frame->width; i++) weir_lane(x, k)[i] /= sum[i];
    return WEIR_OK;
}

static const weir_layer_ops stick_breaking_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = stick_breaking_forward,
    .inverse = stick_breaking_inverse,
    .forward_vjp = stick_breaking_forward_vjp,
    .inverse_vjp = stick_breaking_inverse_vjp,
    .sample_points = stick_breaking_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static void stick_breaking_destroy(void *module)
{
    stick_breaking *const self = module;
    if (self) free(self->centre);
    free(self);
}

static weir_status stick_breaking_create(weir_builder *build, void **module)
{
    const int32_t parts = build->features;
    if (parts < 2) return weir_refuse(build, "a simplex needs at least 2 features, not %d", (int)parts);
    if (weir_require_block(build, WEIR_DOMAIN_SIMPLEX, WEIR_MEASURE_COORDINATES) != WEIR_OK)
        return WEIR_INVALID;
    if (weir_produce_line(build, parts - 1) != WEIR_OK) return WEIR_INVALID;
    stick_breaking *const self = calloc(1, sizeof *self);
    if (self) self->centre = calloc((size_t)parts, sizeof *self->centre);
    if (!self || !self->centre) {
        stick_breaking_destroy(self);
        return weir_refuse(build, "out of memory");
    }
    self->parts = parts;
    self->tolerance = WEIR_C(build->number(build, "tolerance"));
    for (int32_t k = 0; k < parts - 1; k++) self->centre[k] = WEIR_C(log((double)(parts - 1 - k)));
    *module = self;
    return WEIR_OK;
}

static const weir_module stick_breaking_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "stick_breaking",
    .version = "1.0.0",
    .summary = "a simplex of K parts to K - 1 free numbers",
    .doc = stick_breaking_doc,
    WEIR_OPTIONS(stick_breaking_options),
    .create = stick_breaking_create,
    .destroy = stick_breaking_destroy,
    .ops = &stick_breaking_ops,
};

WEIR_PLUGIN(&stick_breaking_module);
