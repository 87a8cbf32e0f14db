/* affine - y = x e^a + b, the transformer of RealNVP and MAF. */
#include <weir/bound.h>
#include <weir/lanes.h>

#include <stdlib.h>

/* The log-scale is bounded, so that no conditioner output, however wild early in training, can make e^a overflow. */
typedef struct affine {
    weir_real bound;
} affine;

static weir_real bound_of(const void *self)
{
    return ((const affine *)self)->bound;
}

static const char affine_doc[] =
    "y = x exp(a) + b with a = c tanh(s / c), c = bound (bound = 0: a = s).\n"
    "Parameters per element: s (log-scale before the bound), b (shift); 0, 0 is the identity.\n"
    "log|dy/dx| = a. Inverse: x = (y - b) exp(-a), exact.\n"
    "Cost: two vectorised functions a value in either direction, one where bound = 0; the log-det costs none.\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, eq. 7-8; the bound as in\n"
    "their tanh-scaled log-scale.";

static const weir_option affine_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "bound",
     .default_json = "3",
     .minimum = 0,
     .maximum = 80,
     .summary = "largest |log-scale|, reached softly; 0: unbounded"},
};

WEIR_CLONES static weir_status affine_lane_forward(const void *self, weir_frame *frame, int32_t n,
                                                   const weir_real *x, const weir_real *p, int64_t s,
                                                   weir_real *y, weir_real *log_det)
{
    const weir_real *const b = p + s;
    weir_real *const a = weir_take_lane(frame), *const e = weir_take_lane(frame);
    if (!a || !e) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, NULL);
    frame->math->exp(n, a, e);
    for (int32_t i = 0; i < n; i++) {
        y[i] = x[i] * e[i] + b[i];
        log_det[i] += a[i];
    }
    return WEIR_OK;
}

/* y_bar reaches x through e^a, b directly and s through both x e^a and the log-det. */
WEIR_CLONES static weir_status affine_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                                       const weir_real *x, const weir_real *p, int64_t s,
                                                       const weir_real *y, const weir_real *y_bar,
                                                       const weir_real *log_det_bar, weir_real *x_bar,
                                                       weir_real *p_bar)
{
    (void)y;
    weir_real *const a = weir_take_lane(frame), *const e = weir_take_lane(frame);
    weir_real *const slope = weir_take_lane(frame);
    if (!a || !e || !slope) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, slope);
    frame->math->exp(n, a, e);
    for (int32_t i = 0; i < n; i++) {
        x_bar[i] = y_bar[i] * e[i];
        p_bar[i] = (y_bar[i] * x[i] * e[i] + log_det_bar[i]) * slope[i];
        p_bar[s + i] = y_bar[i];
    }
    return WEIR_OK;
}

WEIR_CLONES static weir_status affine_lane_inverse(const void *self, weir_frame *frame, int32_t n,
                                                   const weir_real *y, const weir_real *p, int64_t s,
                                                   weir_real *x, weir_real *log_det)
{
    const weir_real *const b = p + s;
    weir_real *const a = weir_take_lane(frame), *const e = weir_take_lane(frame);
    if (!a || !e) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, NULL);
    frame->math->exp(n, a, e);
    for (int32_t i = 0; i < n; i++) {
        x[i] = (y[i] - b[i]) / e[i];
        log_det[i] -= a[i];
    }
    return WEIR_OK;
}

WEIR_CLONES static weir_status affine_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                                       const weir_real *y, const weir_real *p, int64_t s,
                                                       const weir_real *x, const weir_real *x_bar,
                                                       const weir_real *log_det_bar, weir_real *y_bar,
                                                       weir_real *p_bar)
{
    (void)y;
    weir_real *const a = weir_take_lane(frame), *const e = weir_take_lane(frame);
    weir_real *const slope = weir_take_lane(frame);
    if (!a || !e || !slope) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, slope);
    frame->math->exp(n, a, e);
    for (int32_t i = 0; i < n; i++) {
        y_bar[i] = x_bar[i] / e[i];
        p_bar[i] = -(x_bar[i] * x[i] + log_det_bar[i]) * slope[i];
        p_bar[s + i] = -y_bar[i];
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(affine)

static weir_status affine_create(weir_builder *build, void **self)
{
    static const double identity[2] = {0, 0};
    const double bound = build->number(build, "bound");
    if (build->params(build, 2, identity) != WEIR_OK) return WEIR_INVALID;
    affine *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->bound = WEIR_C(bound);
    *self = made;
    return WEIR_OK;
}

static const weir_module affine_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "affine",
    .version = "1.0.0",
    .summary = "y = x exp(a) + b with a softly bounded log-scale (RealNVP, MAF)",
    .doc = affine_doc,
    WEIR_OPTIONS(affine_options),
    .create = affine_create,
    .destroy = free,
    .ops = &affine_ops,
};

WEIR_PLUGIN(&affine_module);
