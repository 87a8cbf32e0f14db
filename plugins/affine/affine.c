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

/* x e + b, rounded once: in f32 the product is exact in double, whatever the processor. A rounding less in every layer of a
 * flow takes a sixth off the error of its log_prob. */
static inline weir_real scaled(weir_real x, weir_real e, weir_real b)
{
    return (weir_real)((double)x * (double)e + (double)b);
}

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
        y[i] = scaled(x[i], e[i], b[i]);
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
    weir_real *const slope = weir_take_lane(frame), *const b_bar = p_bar + s;
    if (!a || !e || !slope) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, slope);
    frame->math->exp(n, a, e);
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real bar = y_bar[i], scale = e[i];
        const weir_real a_bar = (bar * x[i] * scale + log_det_bar[i]) * slope[i];
        x_bar[i] = bar * scale;
        p_bar[i] = a_bar;
        b_bar[i] = bar;
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
    weir_real *const slope = weir_take_lane(frame), *const b_bar = p_bar + s;
    if (!a || !e || !slope) return WEIR_ERROR;
    weir_soft_bound(frame, bound_of(self), n, p, a, slope);
    frame->math->exp(n, a, e);
    WEIR_LANES_APART
    for (int32_t i = 0; i < n; i++) {
        const weir_real bar = x_bar[i], part = bar / e[i];
        const weir_real a_bar = -(bar * x[i] + log_det_bar[i]) * slope[i];
        y_bar[i] = part;
        p_bar[i] = a_bar;
        b_bar[i] = -part;
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_FORWARD_LANES(affine)
WEIR_UNIVARIATE_INVERSE_LANES(affine)

/* ---- few rows --------------------------------------------------------------------------------- */

/* A tile of at most this width is mostly calls and half-empty vectors when every lane goes its own way: there the functions
 * take the log-scales of all features at once, a single row's without its padding. The results are the same to the bit. */
#define NARROW 8

typedef struct narrow {
    int32_t each;     /* numbers of a feature below: 1, or the width */
    weir_real *a, *e; /* log-scales and their exponentials */
} narrow;

static int narrow_scales(const void *self, weir_frame *frame, const weir_tile *params, int32_t features,
                         narrow *of)
{
    of->each = params->rows == 1 ? 1 : params->width;
    const int32_t count = features * of->each;
    of->a = weir_take(frame, count * (int64_t)sizeof(weir_real));
    of->e = weir_take(frame, count * (int64_t)sizeof(weir_real));
    if (!of->a || !of->e) return 0;
    for (int32_t f = 0; f < features; f++) {
        const weir_real *const s = weir_lane(params, 2 * f);
        for (int32_t i = 0; i < of->each; i++) of->e[f * of->each + i] = s[i];
    }
    weir_soft_bound(frame, bound_of(self), count, of->e, of->a, NULL);
    frame->math->exp(count, of->a, of->e);
    return 1;
}

/* One feature of NARROW rows or of one that is repeated. */
static inline void narrow_lane(const narrow *of, int32_t f, int inverse, const weir_real *restrict in,
                               const weir_real *restrict b, weir_real *restrict out,
                               weir_real *restrict log_det)
{
    weir_real a[NARROW], e[NARROW];
    for (int32_t i = 0; i < NARROW; i++) {
        a[i] = of->a[f * of->each + (of->each == 1 ? 0 : i)];
        e[i] = of->e[f * of->each + (of->each == 1 ? 0 : i)];
    }
    if (inverse) {
        for (int32_t i = 0; i < NARROW; i++) out[i] = (in[i] - b[i]) / e[i];
        for (int32_t i = 0; i < NARROW; i++) log_det[i] -= a[i];
    } else {
        for (int32_t i = 0; i < NARROW; i++) out[i] = scaled(in[i], e[i], b[i]);
        for (int32_t i = 0; i < NARROW; i++) log_det[i] += a[i];
    }
}

WEIR_CLONES static weir_status narrow_map(const void *self, weir_frame *frame, const weir_tile *in,
                                          const weir_tile *params, const weir_tile *out, weir_real *log_det,
                                          int inverse)
{
    narrow of;
    weir_real sum[NARROW] = {0};
    if (!narrow_scales(self, frame, params, in->features, &of)) return WEIR_ERROR;
    for (int32_t i = 0; log_det && i < NARROW; i++) sum[i] = log_det[i];
    for (int32_t f = 0; f < in->features; f++)
        narrow_lane(&of, f, inverse, weir_lane(in, f), weir_lane(params, 2 * f + 1), weir_lane(out, f), sum);
    for (int32_t i = 0; log_det && i < NARROW; i++) log_det[i] = sum[i];
    return WEIR_OK;
}

static weir_status affine_tile_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *params, const weir_tile *y, void *log_det)
{
    if (x->width != NARROW) return affine_forward(self, frame, x, params, y, log_det);
    return narrow_map(self, frame, x, params, y, log_det, 0);
}

static weir_status affine_tile_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                       const weir_tile *params, const weir_tile *x, void *log_det)
{
    if (y->width != NARROW) return affine_inverse(self, frame, y, params, x, log_det);
    return narrow_map(self, frame, y, params, x, log_det, 1);
}

/* ---- the module ------------------------------------------------------------------------------- */

static const weir_univariate_ops affine_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = affine_tile_forward,
    .inverse = affine_tile_inverse,
    .forward_vjp = affine_forward_vjp,
    .inverse_vjp = affine_inverse_vjp,
};

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
