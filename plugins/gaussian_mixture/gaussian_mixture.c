/* gaussian_mixture - a weighted sum of diagonal normal densities, all trained. */
#include <weir/plugin.h>

#include <stdlib.h>

#define HALF_LOG_2PI 0.91893853320467274178

typedef struct mixture {
    int32_t features, components;
    uint32_t stream;
    weir_handle logit;           /* parameter [K] */
    weir_handle mean, log_scale; /* parameters [K, D] */
    weir_handle constant;        /* derived [K]: log w - sum of log_scale - D log(2 pi)/2 */
    weir_handle inverse_scale;   /* derived [K, D] */
} mixture;

static const char mixture_doc[] =
    "log p(z) = log sum over k of w_k N(z; m_k, diag(s_k^2)), as a log-sum-exp over the K components.\n"
    "Parameters: logit [K], w = softmax(logit), starting equal; mean [K, D] = m, starting normal with standard deviation\n"
    "`spread` (equal means would stay equal); log_scale [K, D] = log s, starting at 0.\n"
    "Gradients: with r_k the share of component k in p(z) and e = (z - m_k)/s_k, d log p / dz = -sum of r_k e / s_k,\n"
    "d log p / d m_k = r_k e / s_k, d log p / d log s_k = r_k (e^2 - 1), d log p / d logit_k = r_k - w_k. Cost: O(K D) a row.\n"
    "A sample picks a component by one uniform, then draws from it. It jumps where the pick changes, so no gradient\n"
    "reaches the parameters through samples: training by reverse KL wants them frozen.\n"
    "Rows whose log-density is not finite (NaN, infinities, squares that overflow) are discarded.\n"
    "Source: Pearson 1894; Bishop 2006, \"Pattern recognition and machine learning\", 2.3.9.";

static const weir_option mixture_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "components",
     .default_json = "5",
     .minimum = 1,
     .maximum = 4096,
     .summary = "K, number of normal densities"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "spread",
     .default_json = "1",
     .minimum = 0,
     .maximum = 1e30,
     .summary = "standard deviation of the means at the start, in units of z"},
};

/* ---- prepared once per update ----------------------------------------------------------------- */

static double log_sum_exp(const weir_real *values, int32_t n)
{
    double most = -INFINITY, sum = 0;
    for (int32_t k = 0; k < n; k++) most = fmax(most, (double)values[k]);
    for (int32_t k = 0; k < n; k++) sum += exp((double)values[k] - most);
    return most + log(sum);
}

static weir_status mixture_prepare(const void *module, weir_frame *frame)
{
    const mixture *const self = module;
    const int64_t count = (int64_t)self->components * self->features;
    const weir_real *const logit = weir_tensor(frame, self->logit);
    const weir_real *const log_scale = weir_tensor(frame, self->log_scale);
    weir_real *const inverse = weir_tensor(frame, self->inverse_scale);
    const double total = log_sum_exp(logit, self->components);
    for (int64_t i = 0; i < count; i++) inverse[i] = -log_scale[i];
    frame->math->exp(count, inverse, inverse);
    for (int32_t k = 0; k < self->components; k++) {
        double constant = (double)logit[k] - total - self->features * HALF_LOG_2PI;
        for (int32_t f = 0; f < self->features; f++)
            constant -= (double)log_scale[(int64_t)k * self->features + f];
        weir_tensor(frame, self->constant)[k] = WEIR_C(constant);
    }
    return WEIR_OK;
}

static weir_status mixture_prepare_vjp(const void *module, weir_frame *frame)
{
    const mixture *const self = module;
    const weir_real *const bar = weir_gradient(frame, self->constant);
    const weir_real *const logit = weir_tensor(frame, self->logit);
    weir_real *const logit_bar = weir_gradient(frame, self->logit);
    weir_real *const scale_bar = weir_gradient(frame, self->log_scale);
    const double total = log_sum_exp(logit, self->components);
    double all = 0;
    for (int32_t k = 0; bar && k < self->components; k++) all += (double)bar[k];
    for (int32_t k = 0; bar && k < self->components; k++) {
        if (logit_bar) logit_bar[k] += WEIR_C((double)bar[k] - exp((double)logit[k] - total) * all);
        for (int32_t f = 0; scale_bar && f < self->features; f++)
            scale_bar[(int64_t)k * self->features + f] -= bar[k];
    }
    return WEIR_OK;
}

/* ---- the density ------------------------------------------------------------------------------ */

/** joint[k] = log of component k's weighted density. */
static void joint_densities(const mixture *self, weir_frame *frame, const weir_tile *z,
                            const weir_tile *joint)
{
    for (int32_t k = 0; k < self->components; k++) {
        const int64_t at = (int64_t)k * self->features;
        const weir_real *const mean = weir_tensor(frame, self->mean) + at;
        const weir_real *const inverse = weir_tensor(frame, self->inverse_scale) + at;
        const weir_real constant = weir_tensor(frame, self->constant)[k];
        weir_real *const restrict to = weir_lane(joint, k);
        weir_zero_lane(frame, to);
        for (int32_t f = 0; f < self->features; f++) {
            const weir_real *const restrict lane = weir_lane(z, f), m = mean[f], s = inverse[f];
            for (int32_t i = 0; i < frame->width; i++) {
                const weir_real e = (lane[i] - m) * s;
                to[i] += e * e;
            }
        }
        for (int32_t i = 0; i < frame->width; i++) to[i] = constant - to[i] / 2;
    }
}

/** total = log of the sum of the exponentials of the lanes. */
static void sum_densities(weir_frame *frame, const weir_tile *joint, int32_t components, weir_real *most,
                          weir_real *term, weir_real *total)
{
    weir_copy_lane(frame, weir_lane(joint, 0), most);
    weir_zero_lane(frame, total);
    for (int32_t k = 1; k < components; k++) {
        const weir_real *const lane = weir_lane(joint, k);
        for (int32_t i = 0; i < frame->width; i++) most[i] = lane[i] > most[i] ? lane[i] : most[i];
    }
    for (int32_t k = 0; k < components; k++) {
        const weir_real *const lane = weir_lane(joint, k);
        for (int32_t i = 0; i < frame->width; i++) term[i] = lane[i] - most[i];
        frame->math->exp(frame->width, term, term);
        for (int32_t i = 0; i < frame->width; i++) total[i] += term[i];
    }
    frame->math->log(frame->width, total, total);
    for (int32_t i = 0; i < frame->width; i++) total[i] += most[i];
}

/** The tape keeps the joint densities and, in a last lane, their sum. */
static weir_status mixture_log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const mixture *const self = module;
    weir_real *const most = weir_take_lane(frame), *const term = weir_take_lane(frame), *const out = log_p;
    weir_tile kept;
    if (!most || !term || !weir_keep_tile(frame, self->components + 1, &kept)) return WEIR_ERROR;
    weir_real *const total = weir_lane(&kept, self->components);
    joint_densities(self, frame, z, &kept);
    sum_densities(frame, &kept, self->components, most, term, total);
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_unless_finite(frame, total);
}

/** share = log_p_bar times component k's share in the density, and its sum into the constant's gradient. */
static void weigh(const mixture *self, weir_frame *frame, const weir_tile *kept, int32_t k,
                  const weir_real *l_bar, weir_real *share)
{
    const weir_real *const lane = weir_lane(kept, k), *const total = weir_lane(kept, self->components);
    weir_real *const constant = weir_gradient(frame, self->constant);
    for (int32_t i = 0; i < frame->width; i++) share[i] = lane[i] - total[i];
    frame->math->exp(frame->width, share, share);
    for (int32_t i = 0; i < frame->width; i++) share[i] *= l_bar[i];
    if (constant) constant[k] += weir_sum_lane(frame, share);
}

/** One component's and feature's part. Where the share is 0, e may be so large that their product is not. */
static void add_part(const mixture *self, weir_frame *frame, int64_t at, const weir_real *restrict lane,
                     const weir_real *restrict share, weir_real *restrict to)
{
    const weir_real m = weir_tensor(frame, self->mean)[at], s = weir_tensor(frame, self->inverse_scale)[at];
    weir_real *const mean = weir_gradient(frame, self->mean);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    weir_real by_mean = 0, by_scale = 0;
    for (int32_t i = 0; to && i < frame->width; i++)
        to[i] -= share[i] != 0 ? share[i] * ((lane[i] - m) * s) * s : 0;
    for (int32_t r = 0; (mean || log_scale) && r < frame->rows; r++) {
        const weir_real e = (lane[r] - m) * s, pull = share[r] != 0 ? share[r] * e : 0;
        by_mean += pull * s;
        by_scale += pull != 0 ? pull * e : 0;
    }
    if (mean) mean[at] += by_mean;
    if (log_scale) log_scale[at] += by_scale;
}

static weir_status mixture_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                               const void *log_p_bar, const weir_tile *z_bar)
{
    const mixture *const self = module;
    weir_real *const share = weir_take_lane(frame);
    weir_tile kept;
    if (!share || !weir_pop_tile(frame, self->components + 1, &kept)) return WEIR_ERROR;
    for (int32_t f = 0; z_bar && f < self->features; f++) weir_zero_lane(frame, weir_lane(z_bar, f));
    for (int32_t k = 0; k < self->components; k++) {
        weigh(self, frame, &kept, k, log_p_bar, share);
        for (int32_t f = 0; f < self->features; f++)
            add_part(self, frame, (int64_t)k * self->features + f, weir_lane(z, f), share,
                     z_bar ? weir_lane(z_bar, f) : NULL);
    }
    return WEIR_OK;
}

/* ---- the sampler: draw 0 picks the component, draws 1 .. D are normal ------------------------------ */

static int32_t pick(const double *cumulated, int32_t components, double u)
{
    int32_t low = 0, high = components - 1;
    while (low < high) {
        const int32_t middle = (low + high) / 2;
        if (u < cumulated[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static weir_status mixture_sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const mixture *const self = module;
    const weir_real *const logit = weir_tensor(frame, self->logit);
    double *const cumulated = weir_take(frame, self->components * (int64_t)sizeof *cumulated);
    weir_real *const u = weir_take_lane(frame);
    int32_t *const picked = weir_take(frame, frame->width * (int64_t)sizeof *picked);
    if (!cumulated || !u || !picked) return WEIR_ERROR;
    const double total = log_sum_exp(logit, self->components);
    for (int32_t k = 0; k < self->components; k++)
        cumulated[k] = (k ? cumulated[k - 1] : 0) + exp((double)logit[k] - total);
    frame->services->random_uniform(frame, self->stream, 0, u);
    for (int32_t i = 0; i < frame->width; i++) picked[i] = pick(cumulated, self->components, (double)u[i]);
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(z, f);
        frame->services->random_normal(frame, self->stream, (uint32_t)f + 1, lane);
        for (int32_t i = 0; i < frame->width; i++) {
            const int64_t at = (int64_t)picked[i] * self->features + f;
            lane[i] =
                weir_tensor(frame, self->mean)[at] + lane[i] / weir_tensor(frame, self->inverse_scale)[at];
        }
    }
    return WEIR_OK;
}

static const weir_density_ops mixture_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = mixture_log_density,
    .vjp = mixture_vjp,
    .sample = mixture_sample,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status mixture_create(weir_builder *build, void **out)
{
    const int32_t components = (int32_t)build->integer(build, "components");
    const int64_t one[1] = {components}, both[2] = {components, build->features};
    const weir_init spread = {.struct_size = (uint32_t)sizeof spread,
                              .kind = WEIR_INIT_NORMAL,
                              .a = 0,
                              .b = build->number(build, "spread")};
    if (weir_require_line(build) != WEIR_OK) return WEIR_INVALID;
    mixture *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    *self = (mixture){.features = build->features, .components = components, .stream = build->stream};
    self->logit = build->parameter(build, "logit", 1, one, NULL, WEIR_TENSOR_NO_DECAY);
    self->mean = build->parameter(build, "mean", 2, both, &spread, WEIR_TENSOR_NO_DECAY);
    self->log_scale = build->parameter(build, "log_scale", 2, both, NULL, WEIR_TENSOR_NO_DECAY);
    self->constant = build->derived(build, "constant", 1, one);
    self->inverse_scale = build->derived(build, "inverse_scale", 2, both);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *out = self;
    return WEIR_OK;
}

/* ---- methods ---------------------------------------------------------------------------------- */

static weir_status mixture_components(const void *module, weir_frame *frame, weir_real *weight,
                                      weir_real *mean, weir_real *scale)
{
    const mixture *const self = module;
    const int64_t count = (int64_t)self->components * self->features;
    const weir_real *const logit = weir_tensor(frame, self->logit);
    const double total = log_sum_exp(logit, self->components);
    for (int32_t k = 0; k < self->components; k++) weight[k] = WEIR_C(exp((double)logit[k] - total));
    memcpy(mean, weir_tensor(frame, self->mean), (size_t)count * sizeof *mean);
    frame->math->exp(count, weir_tensor(frame, self->log_scale), scale);
    return WEIR_OK;
}

static const weir_method mixture_methods[] = {
    WEIR_METHOD("components",
                "() -> real weight[components], real mean[components][in], real scale[components][in]",
                "w, m and s of every component", mixture_components),
};

static const weir_module mixture_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "gaussian_mixture",
    .version = "1.0.0",
    .summary = "a learned mixture of diagonal normal densities",
    .doc = mixture_doc,
    WEIR_OPTIONS(mixture_options),
    WEIR_METHODS(mixture_methods),
    .create = mixture_create,
    .destroy = free,
    .prepare = mixture_prepare,
    .prepare_vjp = mixture_prepare_vjp,
    .ops = &mixture_ops,
};

WEIR_PLUGIN(&mixture_module);
