/* leaky_relu - y = x above 0, slope times x below. */
#include <weir/lanes.h>

#include <stdlib.h>

typedef struct leaky_relu {
    weir_real slope, log_slope;
} leaky_relu;

static const char leaky_relu_doc[] =
    "y = x for x >= 0 and slope x for x < 0, slope > 0 fixed by an option; no parameters. The line to the line.\n"
    "log|dy/dx| = log slope below 0, else 0. Inverse: x = y / slope below 0; exact, same cost.\n"
    "At 0 the slope is taken as 1. A layer of these between linear layers gives a piecewise linear flow.\n"
    "Cost: a comparison and a product a value in either direction.\n"
    "Source: Maas et al. 2013, \"Rectifier nonlinearities improve neural network acoustic models\".";

static const weir_option leaky_relu_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "slope",
     .default_json = "0.01",
     .minimum = 1e-6,
     .maximum = 1e6,
     .summary = "slope below 0"},
};

static weir_status leaky_relu_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                           const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)p, (void)s;
    const leaky_relu *const own = self;
    for (int32_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? own->slope * x[i] : x[i];
        log_det[i] += x[i] < 0 ? own->log_slope : 0;
    }
    return weir_discard_unless_finite(frame, y);
}

static weir_status leaky_relu_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                               const weir_real *x, const weir_real *p, int64_t s,
                                               const weir_real *y, const weir_real *y_bar,
                                               const weir_real *log_det_bar, weir_real *x_bar,
                                               weir_real *p_bar)
{
    (void)frame, (void)p, (void)s, (void)y, (void)log_det_bar, (void)p_bar;
    const weir_real slope = ((const leaky_relu *)self)->slope;
    for (int32_t i = 0; i < n; i++) x_bar[i] = x[i] < 0 ? slope * y_bar[i] : y_bar[i];
    return WEIR_OK;
}

static weir_status leaky_relu_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                           const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)p, (void)s;
    const leaky_relu *const own = self;
    for (int32_t i = 0; i < n; i++) {
        x[i] = y[i] < 0 ? y[i] / own->slope : y[i];
        log_det[i] -= y[i] < 0 ? own->log_slope : 0;
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status leaky_relu_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                               const weir_real *y, const weir_real *p, int64_t s,
                                               const weir_real *x, const weir_real *x_bar,
                                               const weir_real *log_det_bar, weir_real *y_bar,
                                               weir_real *p_bar)
{
    (void)frame, (void)p, (void)s, (void)x, (void)log_det_bar, (void)p_bar;
    const weir_real slope = ((const leaky_relu *)self)->slope;
    for (int32_t i = 0; i < n; i++) y_bar[i] = y[i] < 0 ? x_bar[i] / slope : x_bar[i];
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(leaky_relu)

static weir_status leaky_relu_create(weir_builder *build, void **self)
{
    const double slope = build->number(build, "slope");
    if (build->params(build, 0, NULL) != WEIR_OK) return WEIR_INVALID;
    leaky_relu *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->slope = WEIR_C(slope);
    made->log_slope = WEIR_C(log(slope));
    *self = made;
    return WEIR_OK;
}

static const weir_module leaky_relu_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "leaky_relu",
    .version = "1.0.0",
    .summary = "y = x above 0, slope x below",
    .doc = leaky_relu_doc,
    WEIR_OPTIONS(leaky_relu_options),
    .create = leaky_relu_create,
    .destroy = free,
    .ops = &leaky_relu_ops,
};

WEIR_PLUGIN(&leaky_relu_module);
