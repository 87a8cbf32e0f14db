/* mixture_cdf - the CDF of a mixture of normals or logistics as a univariate. */
#include "mixture_cdf.h"

#include "mixture.h"

#include <weir/bound.h>
#include <weir/lanes.h>

#include <stdlib.h>

#define MAP_DOC                                                                                                           \
    "K components with weights w = softmax(l), means m and scales s = exp(t), t = c tanh(v / c), c = bound (0: t = v).\n" \
    "Parameters per element, 3 K: l, m, v, K of each; with affine = true then the log-scale a before the same bound, and b.\n"

#define START_DOC                                                                                                                  \
    "Start: equal weights, scales 1, means spread evenly over [-1, 1]. With equal means (K = 1) it would be the identity on the\n" \
    "line, but equal components have equal gradients and would never part; with K = 8 |y - x| stays\n"                             \
    "below 1 (gaussian) or 0.21 (logistic), and below 0.32 or 0.14 for |x| < 2.\n"

#define REST_DOC                                                                                                                   \
    "With the tail T = 1 - F (mirrored where F < 1/2, so that T is the smaller), its shares rho_k = w_k T_k / T, hazards h_k =\n"  \
    "phi_k / T_k and R = T / phi(Y) (line) or T (unit): dy/dx = R sum_k rho_k h_k / s_k. T comes from a log-sum-exp of\n"          \
    "log T_k, so that neither end is ever rounded to 0 or 1; far out the map is that of the component which is left there.\n"      \
    "The slope is a log-sum-exp as well: where narrow components lie apart the map is flatter than y can show, so that many x\n"   \
    "have one y, of which the inverse gives one; log-det is right at all of them.\n"                                               \
    "In unit large x is rounded to y = 1 and does not come back, while its log-det is still right; y near 0 keeps all digits.\n"   \
    "Inverse: one bracketed root a row, on the line, to machine precision, about 6 evaluations; the bracket is the smallest and\n" \
    "the largest of the components' own quantiles. Its VJP is the implicit function theorem's. Rows with y outside (0, 1) in\n"    \
    "unit, with NaN or an infinity, and those whose tail has no finite logarithm in this precision are discarded.\n"

static const char gaussian_doc[] =
    "The CDF of a mixture of normals, F(x) = sum_k w_k Phi((x - m_k) / s_k); codomain \"unit\": y = F(x), for a uniform base;\n"
    "\"line\" (the default): y = Phi^-1(F(x)), the probit, so that one component is affine and tails stay tails of a normal.\n" MAP_DOC
        START_DOC REST_DOC
    "log Phi in the tail is by a Chebyshev series for Mills' ratio, good to the last digits at any distance: x^2 must not\n"
    "overflow. Cost: 5 vectorised functions and a polynomial of degree 24 a component, 3 more of these a value on the line.\n"
    "Source: Chen and Gopinath 2000, \"Gaussianization\", NIPS 13, where mixtures of normals make each coordinate normal.";

static const char logistic_doc[] =
    "The CDF of a mixture of logistics, F(x) = sum_k w_k sigmoid((x - m_k) / s_k); codomain \"unit\": y = F(x), for a uniform\n"
    "base; \"line\" (the default): y = logit F(x), whose tails are straight with slope 1 / s of the widest component. With\n"
    "affine = true then y exp(a) + b: the coupling function of Flow++.\n" MAP_DOC START_DOC REST_DOC
    "Cost: 5 vectorised functions a component.\n"
    "Source: Ho et al. 2019, \"Flow++\", arXiv:1902.00275, section 3.2.";

static const weir_option mixture_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "components",
     .default_json = "8",
     .minimum = 1,
     .maximum = COMPONENTS_MOST,
     .summary = "number of components, K"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "codomain",
     .default_json = "\"line\"",
     .choices = "line|unit",
     .summary =
         "line: the CDF followed by its family's quantile (logit, probit); unit: the CDF itself, in (0, 1)"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "affine",
     .default_json = "false",
     .summary = "a scale and a shift after it, with two more parameters; for codomain line"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "bound",
     .default_json = "7",
     .minimum = 0,
     .maximum = 80,
     .summary = "largest |log-scale| of a component, reached softly; 0: unbounded"},
};

typedef struct mixture_cdf {
    const family *family;
    int32_t components, unit, affine;
    weir_real bound;
} mixture_cdf;

/** The mixture that the parameters describe, and da/dv of its log-scales and of the affine's (one array more). */
typedef struct described {
    mixture m;
    mixture_point at;
    weir_real *bend;
    weir_real *log_scale, *scale; /* lanes, of the affine */
} described;

static int describe(const mixture_cdf *self, weir_frame *frame, int32_t n, const weir_real *p, int64_t s,
                    described *d)
{
    const int64_t count = self->components, lane = n;
    d->m = (mixture){.family = self->family, .n = n, .count = self->components, .unit = self->unit};
    d->bend = weir_take(frame, (count + 1) * lane * (int64_t)sizeof *d->bend);
    d->log_scale = weir_take_lane(frame);
    d->scale = weir_take_lane(frame);
    if (!d->bend || !d->log_scale || !d->scale || !WEIR_NAME(mixture_take)(frame, &d->m, &d->at)) return 0;
    WEIR_NAME(mixture_weigh)(&d->m, frame, p, s, &d->at);
    for (int64_t k = 0; k < count; k++) {
        memcpy(d->m.centre + k * n, p + (count + k) * s, (size_t)n * sizeof *p);
        weir_soft_bound(frame, self->bound, n, p + (2 * count + k) * s, d->m.slope + k * n, d->bend + k * n);
    }
    for (int64_t j = 0; j < count * lane; j++) d->m.log_slope[j] = -d->m.slope[j];
    frame->math->exp(count * lane, d->m.log_slope, d->m.slope);
    memset(d->m.offset, 0, (size_t)(count * lane) * sizeof *p);
    if (!self->affine) return 1;
    weir_soft_bound(frame, self->bound, n, p + 3 * count * s, d->log_scale, d->bend + count * n);
    frame->math->exp(n, d->log_scale, d->scale);
    return 1;
}

static weir_status mixture_cdf_lane_forward(const void *module, weir_frame *frame, int32_t n,
                                            const weir_real *x, const weir_real *p, int64_t s, weir_real *y,
                                            weir_real *log_det)
{
    const mixture_cdf *const self = module;
    const weir_real *const b = p + (3 * (int64_t)self->components + 1) * s;
    described d;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope || !describe(self, frame, n, p, s, &d)) return WEIR_ERROR;
    if (!WEIR_NAME(mixture_evaluate)(&d.m, frame, x, &d.at)) return WEIR_ERROR;
    WEIR_NAME(mixture_value)(&d.m, frame, &d.at, y, slope);
    for (int32_t i = 0; self->affine && i < n; i++) {
        y[i] = y[i] * d.scale[i] + b[i];
        slope[i] += d.log_scale[i];
    }
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    const weir_status bad = weir_discard_unless_finite(frame, y);
    const weir_status flat = weir_discard_unless_finite(frame, slope);
    return bad > flat ? bad : flat;
}

/* With z = (x - m) / s: x_bar = sum z_bar / s, m_bar = -z_bar / s, and t_bar = -z z_bar - (cotangent of -t at fixed z). */
static weir_status mixture_cdf_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                                const weir_real *x, const weir_real *p, int64_t s,
                                                const weir_real *y, const weir_real *y_bar,
                                                const weir_real *log_det_bar, weir_real *x_bar,
                                                weir_real *p_bar)
{
    const mixture_cdf *const self = module;
    const int64_t count = self->components, lane = n;
    described d;
    weir_real *const z_bar = weir_take(frame, 2 * count * lane * (int64_t)sizeof *z_bar);
    weir_real *const inner_bar = weir_take_lane(frame);
    (void)y;
    if (!z_bar || !inner_bar || !describe(self, frame, n, p, s, &d)) return WEIR_ERROR;
    if (!WEIR_NAME(mixture_evaluate)(&d.m, frame, x, &d.at)) return WEIR_ERROR;
    weir_real *const slope_bar = z_bar + count * lane;
    for (int32_t i = 0; i < n; i++) inner_bar[i] = self->affine ? y_bar[i] * d.scale[i] : y_bar[i];
    WEIR_NAME(mixture_pull)(&d.m, &d.at, inner_bar, log_det_bar, z_bar, slope_bar, p_bar, s);
    memset(x_bar, 0, (size_t)n * sizeof *x_bar);
    for (int64_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) {
            const int64_t j = k * lane + i;
            const weir_real pull = z_bar[j] * d.m.slope[j], z = d.at.side[i] * d.at.u[j];
            x_bar[i] += pull;
            p_bar[(count + k) * s + i] = -pull;
            p_bar[(2 * count + k) * s + i] = -(z * z_bar[j] + slope_bar[j]) * d.bend[j];
        }
    for (int32_t i = 0; self->affine && i < n; i++) {
        const weir_real inner = d.at.side[i] * d.at.at[i];
        p_bar[3 * count * s + i] = (inner_bar[i] * inner + log_det_bar[i]) * d.bend[count * lane + i];
        p_bar[(3 * count + 1) * s + i] = y_bar[i];
    }
    return WEIR_OK;
}

static weir_status mixture_cdf_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                            const weir_real *y, const weir_real *p, int64_t s, weir_real *x,
                                            weir_real *log_det)
{
    const mixture_cdf *const self = module;
    const weir_real *const b = p + (3 * (int64_t)self->components + 1) * s;
    described d;
    weir_real *const inner = weir_take_lane(frame), *const slope = weir_take_lane(frame);
    if (!inner || !slope || !describe(self, frame, n, p, s, &d)) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) inner[i] = self->affine ? (y[i] - b[i]) / d.scale[i] : y[i];
    const weir_status status = WEIR_NAME(mixture_solve)(&d.m, frame, inner, &d.at, x);
    if (status > WEIR_DISCARD) return status;
    WEIR_NAME(mixture_value)(&d.m, frame, &d.at, inner, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i] + (self->affine ? d.log_scale[i] : 0);
    const weir_status flat = weir_discard_unless_finite(frame, slope);
    return status > flat ? status : flat;
}

WEIR_UNIVARIATE_FORWARD_LANES(mixture_cdf)

static weir_status mixture_cdf_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                       const weir_tile *params, const weir_tile *x, void *log_det)
{
    return weir_map_lanes(mixture_cdf_lane_inverse, self, frame, y, params, x, log_det);
}

static const weir_univariate_ops mixture_cdf_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = mixture_cdf_forward,
    .inverse = mixture_cdf_inverse,
    .forward_vjp = mixture_cdf_forward_vjp,
};

/* ---- creation --------------------------------------------------------------------------------------------------- */

static weir_status state_domains(weir_builder *build, int unit)
{
    weir_domain domain = {.struct_size = (uint32_t)sizeof domain,
                          .kind = WEIR_DOMAIN_INTERVAL,
                          .count = 1,
                          .lower = -INFINITY,
                          .upper = INFINITY};
    if (!unit) return WEIR_OK;
    if (build->require(build, &domain) != WEIR_OK) return WEIR_INVALID;
    domain.lower = 0;
    domain.upper = 1;
    return build->produce(build, &domain) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status create(weir_builder *build, const family *of, void **module)
{
    double identity[3 * COMPONENTS_MOST + 2] = {0};
    const int32_t components = (int32_t)build->integer(build, "components");
    const int32_t unit = strcmp(build->string(build, "codomain"), "unit") == 0;
    const int32_t affine = build->boolean(build, "affine");
    if (unit && affine)
        return weir_refuse(build, "affine = true leaves (0, 1): use it with codomain = \"line\" only");
    for (int32_t k = 0; k < components; k++) identity[components + k] = spread_start(k, components);
    if (build->params(build, 3 * components + 2 * affine, identity) != WEIR_OK) return WEIR_INVALID;
    if (state_domains(build, unit) != WEIR_OK) return WEIR_INVALID;
    build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    mixture_cdf *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (mixture_cdf){.family = of,
                          .components = components,
                          .unit = unit,
                          .affine = affine,
                          .bound = WEIR_C(build->number(build, "bound"))};
    *module = made;
    return WEIR_OK;
}

static weir_status gaussian_create(weir_builder *build, void **module)
{
    return create(build, &WEIR_NAME(normal_family), module);
}

static weir_status logistic_create(weir_builder *build, void **module)
{
    return create(build, &WEIR_NAME(logistic_family), module);
}

const weir_module WEIR_NAME(gaussian_mixture_cdf_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "gaussian_mixture_cdf",
    .version = "1.0.0",
    .summary = "CDF of a mixture of normals, to (0, 1) or by the probit to the line",
    .doc = gaussian_doc,
    WEIR_OPTIONS(mixture_options),
    .create = gaussian_create,
    .destroy = free,
    .ops = &mixture_cdf_ops,
};

const weir_module WEIR_NAME(logistic_mixture_cdf_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "logistic_mixture_cdf",
    .version = "1.0.0",
    .summary = "CDF of a mixture of logistics, to (0, 1) or by the logit to the line (Flow++)",
    .doc = logistic_doc,
    WEIR_OPTIONS(mixture_options),
    .create = logistic_create,
    .destroy = free,
    .ops = &mixture_cdf_ops,
};

WEIR_PLUGIN(&WEIR_NAME(gaussian_mixture_cdf_module), &WEIR_NAME(logistic_mixture_cdf_module),
            &WEIR_NAME(deep_sigmoidal_module));
