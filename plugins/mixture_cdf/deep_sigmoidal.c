/* deep_sigmoidal - the monotone network of neural autoregressive flows. */
#include "mixture_cdf.h"

#include "mixture.h"

#include <weir/lanes.h>

#include <stdlib.h>

#define LAYERS_MOST 8

static const char deep_sigmoidal_doc[] =
    "Deep sigmoidal flow: `layers` times  x -> logit(sum_k w_k sigmoid(a_k x + b_k)),  w = softmax(l), a = min_slope +\n"
    "softplus(v + c) > 0 with c such that v = 0 gives a = 1; k = 1 .. hidden. The line to the line.\n"
    "Parameters per element: 3 hidden layers; layer after layer v, b, l, `hidden` of each.\n"
    "One layer is logistic_mixture_cdf with a = 1 / scale, b = -mean / scale, and is computed as that one is: the logit comes\n"
    "from a log-sum-exp on the smaller side, so that the ends never round; a layer's tails are straight, with its least slope.\n"
    "dy/dx of a layer = (1 / (1 - T)) sum_k rho_k (1 - T_k) a_k, T_k the smaller side of unit k and rho_k its share of T;\n"
    "log|dy/dx| is the sum over layers. One layer already approximates any increasing map (the paper, section 4); more\n"
    "make sharper ones with fewer parameters. Layers meet in one number each: the paper's denser variant, whose layers pass\n"
    "on a vector, has hidden^2 parameters a layer.\n"
    "Start: a = 1, equal weights, b spread evenly over [-1, 1], since equal units have equal gradients and would never part;\n"
    "each layer of 8 units is then within 0.21 of the identity.\n"
    "Inverse: layer by layer a bracketed root to machine precision, about 5 evaluations; its VJP is the implicit function\n"
    "theorem's. Rows with NaN or an infinity are discarded. Cost: 7 vectorised functions a unit.\n"
    "Source: Huang et al. 2018, \"Neural autoregressive flows\", arXiv:1804.00779, section 3.1 (DSF).";

static const weir_option deep_sigmoidal_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "hidden",
     .default_json = "8",
     .minimum = 1,
     .maximum = COMPONENTS_MOST,
     .summary = "sigmoidal units of a layer"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "layers",
     .default_json = "2",
     .minimum = 1,
     .maximum = LAYERS_MOST,
     .summary = "sigmoidal layers, one after the other"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_slope",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least slope of a unit before its sigmoid"},
};

typedef struct deep_sigmoidal {
    int32_t hidden, layers;
    weir_real min_slope, shift;
} deep_sigmoidal;

/** The one layer that is at work, and where every layer's input is kept. */
typedef struct stack {
    mixture m;
    mixture_point at;
    weir_real *inputs; /* layers + 1 lanes */
} stack;

static int take(const deep_sigmoidal *self, weir_frame *frame, int32_t n, stack *t)
{
    t->m = (mixture){.family = &WEIR_NAME(logistic_family), .n = n, .count = self->hidden};
    t->inputs = weir_take(frame, (self->layers + 1) * (int64_t)n * (int64_t)sizeof *t->inputs);
    if (!t->inputs || !WEIR_NAME(mixture_take)(frame, &t->m, &t->at)) return 0;
    memset(t->m.centre, 0, (size_t)self->hidden * (size_t)n * sizeof *t->m.centre);
    return 1;
}

static const weir_real *params_of(const deep_sigmoidal *self, int32_t layer, const weir_real *p, int64_t s)
{
    return p + 3 * (int64_t)layer * self->hidden * s;
}

static void describe(const deep_sigmoidal *self, weir_frame *frame, const weir_real *p, int64_t s,
                     const stack *t)
{
    const int64_t count = self->hidden;
    const int32_t n = t->m.n;
    for (int64_t k = 0; k < count; k++) {
        for (int32_t i = 0; i < n; i++) t->m.slope[k * n + i] = p[k * s + i] + self->shift;
        memcpy(t->m.offset + k * n, p + (count + k) * s, (size_t)n * sizeof *p);
    }
    frame->math->softplus(count * n, t->m.slope, t->m.slope);
    for (int64_t j = 0; j < count * n; j++) t->m.slope[j] += self->min_slope;
    frame->math->log(count * n, t->m.slope, t->m.log_slope);
    WEIR_NAME(mixture_weigh)(&t->m, frame, p + 2 * count * s, s, &t->at);
}

static int evaluate(const deep_sigmoidal *self, weir_frame *frame, int32_t layer, const weir_real *p,
                    int64_t s, const stack *t)
{
    describe(self, frame, params_of(self, layer, p, s), s, t);
    return WEIR_NAME(mixture_evaluate)(&t->m, frame, t->inputs + (int64_t)layer * t->m.n, &t->at);
}

static weir_status deep_sigmoidal_lane_forward(const void *module, weir_frame *frame, int32_t n,
                                               const weir_real *x, const weir_real *p, int64_t s,
                                               weir_real *y, weir_real *log_det)
{
    const deep_sigmoidal *const self = module;
    stack t;
    weir_real *const slope = weir_take_lane(frame), *const sum = weir_take_lane(frame);
    if (!slope || !sum || !take(self, frame, n, &t)) return WEIR_ERROR;
    memcpy(t.inputs, x, (size_t)n * sizeof *x);
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t layer = 0; layer < self->layers; layer++) {
        if (!evaluate(self, frame, layer, p, s, &t)) return WEIR_ERROR;
        WEIR_NAME(mixture_value)(&t.m, frame, &t.at, t.inputs + (int64_t)(layer + 1) * n, slope);
        for (int32_t i = 0; i < n; i++) sum[i] += slope[i];
    }
    memcpy(y, t.inputs + (int64_t)self->layers * n, (size_t)n * sizeof *y);
    for (int32_t i = 0; i < n; i++) log_det[i] += sum[i];
    const weir_status bad = weir_discard_unless_finite(frame, y);
    const weir_status flat = weir_discard_unless_finite(frame, sum);
    return bad > flat ? bad : flat;
}

/** Cotangents of one layer's parameters; `bar` is that of its output on entry, that of its input on return. */
static void pull_layer(const deep_sigmoidal *self, weir_frame *frame, const weir_real *x, const weir_real *p,
                       int64_t s, const stack *t, const weir_real *l_bar, weir_real *work, weir_real *bar,
                       weir_real *p_bar)
{
    const int64_t count = self->hidden;
    const int32_t n = t->m.n;
    weir_real *const z_bar = work, *const slope_bar = work + count * n, *const steep = work + 2 * count * n;
    WEIR_NAME(mixture_pull)(&t->m, &t->at, bar, l_bar, z_bar, slope_bar, p_bar + 2 * count * s, s);
    for (int64_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) steep[k * n + i] = p[k * s + i] + self->shift;
    frame->math->sigmoid(count * n, steep, steep);
    memset(bar, 0, (size_t)n * sizeof *bar);
    for (int64_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) {
            const int64_t j = k * n + i;
            bar[i] += z_bar[j] * t->m.slope[j];
            p_bar[k * s + i] = (z_bar[j] * x[i] + slope_bar[j] / t->m.slope[j]) * steep[j];
            p_bar[(count + k) * s + i] = z_bar[j];
        }
}

static weir_status deep_sigmoidal_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                                   const weir_real *x, const weir_real *p, int64_t s,
                                                   const weir_real *y, const weir_real *y_bar,
                                                   const weir_real *log_det_bar, weir_real *x_bar,
                                                   weir_real *p_bar)
{
    const deep_sigmoidal *const self = module;
    stack t;
    weir_real *const work = weir_take(frame, 3 * (int64_t)self->hidden * n * (int64_t)sizeof *work);
    weir_real *const slope = weir_take_lane(frame);
    (void)y;
    if (!work || !slope || !take(self, frame, n, &t)) return WEIR_ERROR;
    memcpy(t.inputs, x, (size_t)n * sizeof *x);
    for (int32_t layer = 0; layer < self->layers - 1; layer++) {
        if (!evaluate(self, frame, layer, p, s, &t)) return WEIR_ERROR;
        WEIR_NAME(mixture_value)(&t.m, frame, &t.at, t.inputs + (int64_t)(layer + 1) * n, slope);
    }
    memcpy(x_bar, y_bar, (size_t)n * sizeof *x_bar);
    for (int32_t layer = self->layers - 1; layer >= 0; layer--) {
        if (!evaluate(self, frame, layer, p, s, &t)) return WEIR_ERROR;
        pull_layer(self, frame, t.inputs + (int64_t)layer * n, params_of(self, layer, p, s), s, &t,
                   log_det_bar, work, x_bar, p_bar + 3 * (int64_t)layer * self->hidden * s);
    }
    return WEIR_OK;
}

static weir_status deep_sigmoidal_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                               const weir_real *y, const weir_real *p, int64_t s,
                                               weir_real *x, weir_real *log_det)
{
    const deep_sigmoidal *const self = module;
    stack t;
    weir_status status = WEIR_OK;
    weir_real *const slope = weir_take_lane(frame), *const target = weir_take_lane(frame);
    if (!slope || !target || !take(self, frame, n, &t)) return WEIR_ERROR;
    memcpy(target, y, (size_t)n * sizeof *target);
    for (int32_t layer = self->layers - 1; layer >= 0; layer--) {
        describe(self, frame, params_of(self, layer, p, s), s, &t);
        WEIR_TRY(status, WEIR_NAME(mixture_solve)(&t.m, frame, target, &t.at, x));
        WEIR_NAME(mixture_value)(&t.m, frame, &t.at, target, slope);
        for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, slope));
        memcpy(target, x, (size_t)n * sizeof *target);
    }
    return status;
}

WEIR_UNIVARIATE_FORWARD_LANES(deep_sigmoidal)

static weir_status deep_sigmoidal_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                          const weir_tile *params, const weir_tile *x, void *log_det)
{
    return weir_map_lanes(deep_sigmoidal_lane_inverse, self, frame, y, params, x, log_det);
}

static const weir_univariate_ops deep_sigmoidal_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = deep_sigmoidal_forward,
    .inverse = deep_sigmoidal_inverse,
    .forward_vjp = deep_sigmoidal_forward_vjp,
};

static weir_status deep_sigmoidal_create(weir_builder *build, void **module)
{
    double identity[3 * COMPONENTS_MOST * LAYERS_MOST] = {0};
    const int32_t hidden = (int32_t)build->integer(build, "hidden");
    const int32_t layers = (int32_t)build->integer(build, "layers");
    const double least = build->number(build, "min_slope");
    for (int32_t layer = 0; layer < layers; layer++)
        for (int32_t k = 0; k < hidden; k++) identity[(3 * layer + 1) * hidden + k] = spread_start(k, hidden);
    if (build->params(build, 3 * hidden * layers, identity) != WEIR_OK) return WEIR_INVALID;
    build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    deep_sigmoidal *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (deep_sigmoidal){.hidden = hidden,
                             .layers = layers,
                             .min_slope = WEIR_C(least),
                             .shift = WEIR_C(log(expm1(1 - least)))};
    *module = made;
    return WEIR_OK;
}

const weir_module WEIR_NAME(deep_sigmoidal_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "deep_sigmoidal",
    .version = "1.0.0",
    .summary = "monotone network of sigmoidal layers between logits (neural autoregressive flows)",
    .doc = deep_sigmoidal_doc,
    WEIR_OPTIONS(deep_sigmoidal_options),
    .create = deep_sigmoidal_create,
    .destroy = free,
    .ops = &deep_sigmoidal_ops,
};
