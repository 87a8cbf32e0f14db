/* beta - independent beta features on the unit interval. */
#include "beta.h"

#include <weir/gamma.h>

#include <stdlib.h>

static const char beta_doc[] =
    "log p(z) = sum over features of (a - 1) log z + (b - 1) log(1 - z) - log B(a, b) for 0 < z < 1, else -infinity (the\n"
    "two ends too). a = b = 1 is uniform; a, b < 1 pile up at the ends, where the density is then unbounded.\n"
    "Tensors log_a [D] and log_b [D]: parameters if `trainable`, else fixed.\n"
    "Gradients: d log p / da = log z - psi(a) + psi(a + b), likewise for b; psi is digamma.\n"
    "Samples are quantiles of a uniform u: z solves I_z(a, b) = u, I the regularised incomplete beta function, by a\n"
    "bracketed Newton search in log(z / (1 - z)). So they move smoothly with a and b, and gradients reach both through\n"
    "them: dz/da = -(dI/da) / p(z), where I is differentiated term by term. A sample never is exactly 0 or 1.\n"
    "Cost: O(D) a row; a sample takes some ten evaluations of a continued fraction a feature (about 5 microseconds).\n"
    "Refused: a layer before it whose values are known to leave the unit interval. Rows with NaN are discarded.\n"
    "Sources: DLMF 8.17; Figurnov et al. 2018, \"Implicit reparameterization gradients\", arXiv:1805.08498.";

static const weir_option beta_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "a",
     .default_json = "[2]",
     .minimum = 1e-3,
     .maximum = 1e6,
     .summary = "power at 0: one number for all features, or one for each"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "b",
     .default_json = "[2]",
     .minimum = 1e-3,
     .maximum = 1e6,
     .summary = "power at 1: one number for all features, or one for each"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "trainable",
     .default_json = "false",
     .summary = "learn log a and log b per feature, from these values"},
};

/* ---- prepared once per update ----------------------------------------------------------------- */

static weir_status beta_prepare(const void *module, weir_frame *frame)
{
    const beta *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        double a, b;
        beta_powers(self, frame, f, &a, &b);
        if (!(a > 0 && b > 0 && a + b < INFINITY))
            return weir_failf(frame, WEIR_INVALID, "the powers of feature %d are %g and %g: must be positive",
                              (int)f + 1, a, b);
        weir_tensor(frame, self->constant)[f] = WEIR_C(-weir_log_beta(a, b));
    }
    return WEIR_OK;
}

static weir_status beta_prepare_vjp(const void *module, weir_frame *frame)
{
    const beta *const self = module;
    const weir_real *const bar = weir_gradient(frame, self->constant);
    weir_real *const log_a = weir_gradient(frame, self->log_a), *const log_b =
                                                                    weir_gradient(frame, self->log_b);
    for (int32_t f = 0; bar && f < self->features; f++) {
        double a, b;
        beta_powers(self, frame, f, &a, &b);
        const double joint = weir_digamma(a + b);
        if (log_a) log_a[f] += WEIR_C((double)bar[f] * a * (joint - weir_digamma(a)));
        if (log_b) log_b[f] += WEIR_C((double)bar[f] * b * (joint - weir_digamma(b)));
    }
    return WEIR_OK;
}

/* ---- the density ------------------------------------------------------------------------------ */

static int inside(weir_real z)
{
    return z > 0 && z < 1;
}

/** log z and log(1 - z); both 0 for a row outside, whose terms then vanish. */
static void logarithms(const weir_frame *frame, const weir_real *restrict z, weir_real *restrict low,
                       weir_real *restrict high)
{
    for (int32_t i = 0; i < frame->width; i++) {
        low[i] = inside(z[i]) ? z[i] : 1;
        high[i] = inside(z[i]) ? -z[i] : 0;
    }
    frame->math->log(frame->width, low, low);
    frame->math->log1p(frame->width, high, high);
}

static weir_status beta_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const beta *const self = module;
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame), *const out = log_p;
    weir_real *const total = weir_take_lane(frame);
    if (!low || !high || !total) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f), constant = weir_tensor(frame, self->constant)[f];
        double a, b;
        beta_powers(self, frame, f, &a, &b);
        logarithms(frame, lane, low, high);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real outside = isnan(lane[i]) ? lane[i] : (weir_real)-INFINITY;
            total[i] +=
                inside(lane[i]) ? WEIR_C(a - 1) * low[i] + WEIR_C(b - 1) * high[i] + constant : outside;
        }
    }
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_nan(frame, total);
}

static void add_gradients(const beta *self, weir_frame *frame, int32_t f, const weir_real *lane,
                          const weir_real *low, const weir_real *high, const weir_real *l_bar)
{
    weir_real *const log_a = weir_gradient(frame, self->log_a), *const log_b =
                                                                    weir_gradient(frame, self->log_b);
    weir_real *const constant = weir_gradient(frame, self->constant);
    weir_real by_a = 0, by_b = 0, count = 0;
    double a, b;
    beta_powers(self, frame, f, &a, &b);
    for (int32_t r = 0; r < frame->rows; r++) {
        if (!inside(lane[r])) continue;
        by_a += l_bar[r] * low[r];
        by_b += l_bar[r] * high[r];
        count += l_bar[r];
    }
    if (log_a) log_a[f] += by_a * WEIR_C(a);
    if (log_b) log_b[f] += by_b * WEIR_C(b);
    if (constant) constant[f] += count;
}

static weir_status beta_vjp(const void *module, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                            const weir_tile *z_bar)
{
    const beta *const self = module;
    const weir_real *const l_bar = log_p_bar;
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    if (!low || !high) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f);
        double a, b;
        beta_powers(self, frame, f, &a, &b);
        logarithms(frame, lane, low, high);
        add_gradients(self, frame, f, lane, low, high, l_bar);
        if (!z_bar) continue;
        weir_real *const to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real slope = WEIR_C(a - 1) / lane[i] - WEIR_C(b - 1) / (1 - lane[i]);
            to[i] = inside(lane[i]) ? l_bar[i] * slope : 0;
        }
    }
    return WEIR_OK;
}

static const weir_density_ops beta_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = beta_log_density,
    .vjp = beta_vjp,
    .sample = WEIR_NAME(beta_sample),
    .sample_vjp = WEIR_NAME(beta_sample_vjp),
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_handle declare_log(weir_builder *build, const char *option, const char *name, double *values)
{
    if (weir_numbers_per_feature(build, option, build->features, values) != WEIR_OK) return -1;
    for (int32_t f = 0; f < build->features; f++) values[f] = log(values[f]);
    return weir_feature_tensor(build, name, build->features, values, build->boolean(build, "trainable"));
}

static weir_status beta_create(weir_builder *build, void **out)
{
    const weir_domain unit = {.struct_size = (uint32_t)sizeof unit,
                              .kind = WEIR_DOMAIN_INTERVAL,
                              .count = build->features,
                              .lower = 0,
                              .upper = 1};
    const int64_t dims[1] = {build->features};
    if (build->require(build, &unit) != WEIR_OK) return WEIR_INVALID;
    beta *const self = malloc(sizeof *self);
    double *const values = calloc((size_t)build->features + 1, sizeof *values);
    if (!self || !values) {
        weir_refuse(build, "out of memory");
        goto fail;
    }
    *self = (beta){.features = build->features, .stream = build->stream};
    self->log_a = declare_log(build, "a", "log_a", values);
    self->log_b = declare_log(build, "b", "log_b", values);
    self->constant = build->derived(build, "constant", 1, dims);
    if (build->failed(build)) goto fail;
    free(values);
    *out = self;
    return WEIR_OK;
fail:
    free(values);
    free(self);
    return WEIR_INVALID;
}

static const weir_module beta_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "beta",
    .version = "1.0.0",
    .summary = "independent beta features on (0, 1), with fixed or learned powers",
    .doc = beta_doc,
    WEIR_OPTIONS(beta_options),
    .create = beta_create,
    .destroy = free,
    .prepare = beta_prepare,
    .prepare_vjp = beta_prepare_vjp,
    .ops = &beta_ops,
};

WEIR_PLUGIN(&beta_module);
