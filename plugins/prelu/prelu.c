/* prelu - y = x above 0, a learned slope times x below. */
#include <weir/lanes.h>

static const char prelu_doc[] =
    "y = x for x >= 0 and exp(a) x for x < 0. Parameter per element: a (log-slope); 0 is the identity. The line to the line.\n"
    "log|dy/dx| = a below 0, else 0. Inverse: x = exp(-a) y below 0; exact, same cost.\n"
    "Gradients: below 0 a_bar = y_bar y + l_bar (forward) and -(x_bar x + l_bar) (inverse), else 0. At 0 the slope is 1.\n"
    "Cost: one vectorised function a value in either direction.\n"
    "Source: He et al. 2015, \"Delving deep into rectifiers\", arXiv:1502.01852; the slope by its logarithm, so that it stays positive.";

static weir_status prelu_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                      const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)s;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return WEIR_ERROR;

    frame->math->exp(n, p, slope);
    for (int32_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? slope[i] * x[i] : x[i];
        log_det[i] += x[i] < 0 ? p[i] : 0;
    }
    return weir_discard_unless_finite(frame, y);
}

static weir_status prelu_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                          const weir_real *p, int64_t s, const weir_real *y,
                                          const weir_real *y_bar, const weir_real *log_det_bar,
                                          weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)s;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return WEIR_ERROR;

    frame->math->exp(n, p, slope);
    for (int32_t i = 0; i < n; i++) {
        x_bar[i] = x[i] < 0 ? slope[i] * y_bar[i] : y_bar[i];
        p_bar[i] = x[i] < 0 ? y_bar[i] * y[i] + log_det_bar[i] : 0;
    }
    return WEIR_OK;
}

static weir_status prelu_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                      const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)s;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return WEIR_ERROR;

    frame->math->exp(n, p, slope);
    for (int32_t i = 0; i < n; i++) {
        x[i] = y[i] < 0 ? y[i] / slope[i] : y[i];
        log_det[i] -= y[i] < 0 ? p[i] : 0;
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status prelu_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                          const weir_real *p, int64_t s, const weir_real *x,
                                          const weir_real *x_bar, const weir_real *log_det_bar,
                                          weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)s;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return WEIR_ERROR;

    frame->math->exp(n, p, slope);
    for (int32_t i = 0; i < n; i++) {
        y_bar[i] = y[i] < 0 ? x_bar[i] / slope[i] : x_bar[i];
        p_bar[i] = y[i] < 0 ? -(x_bar[i] * x[i] + log_det_bar[i]) : 0;
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(prelu)

static weir_status prelu_create(weir_builder *build, void **self)
{
    static const double identity[1] = {0};
    *self = NULL;
    return build->params(build, 1, identity) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static const weir_module prelu_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "prelu",
    .version = "1.0.0",
    .summary = "y = x above 0, a learned positive slope times x below",
    .doc = prelu_doc,
    .create = prelu_create,
    .destroy = weir_destroy_nothing,
    .ops = &prelu_ops,
};

WEIR_PLUGIN(&prelu_module);
