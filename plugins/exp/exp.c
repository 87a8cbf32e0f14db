/* exp - y = e^x, the line to the positive numbers. */
#include <weir/lanes.h>

static const char exp_doc[] =
    "y = exp(x), no parameters. From the whole line to (0, infinity).\n"
    "log|dy/dx| = x. Inverse: x = log y, log|dx/dy| = -log y. Rows with y <= 0, or whose y overflows, are discarded.\n"
    "Cost: one vectorised function a value in either direction. Its inverse (container `inverse`) maps positive data, as a\n"
    "log-normal model wants it, to the line.\n"
    "Source: elementary.";

static weir_status exp_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                    const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    frame->math->exp(n, x, y);
    for (int32_t i = 0; i < n; i++) log_det[i] += x[i];
    const weir_status bad = weir_discard_unless_finite(frame, x);
    const weir_status worse = weir_discard_unless_finite(frame, y);
    return bad > worse ? bad : worse;
}

static weir_status exp_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                        const weir_real *p, int64_t s, const weir_real *y,
                                        const weir_real *y_bar, const weir_real *log_det_bar,
                                        weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)x, (void)p, (void)s, (void)p_bar;
    for (int32_t i = 0; i < n; i++) x_bar[i] = y_bar[i] * y[i] + log_det_bar[i];
    return WEIR_OK;
}

static weir_status exp_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                    const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    frame->math->log(n, y, x);
    for (int32_t i = 0; i < n; i++) log_det[i] -= x[i];
    return weir_discard_unless_finite(frame, x);
}

static weir_status exp_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                        const weir_real *p, int64_t s, const weir_real *x,
                                        const weir_real *x_bar, const weir_real *log_det_bar,
                                        weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)x, (void)p, (void)s, (void)p_bar;
    for (int32_t i = 0; i < n; i++) y_bar[i] = (x_bar[i] - log_det_bar[i]) / y[i];
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(exp)

static weir_status exp_create(weir_builder *build, void **self)
{
    *self = NULL;
    return weir_fixed_univariate(build, -INFINITY, INFINITY, 0, INFINITY);
}

static const weir_module exp_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "exp",
    .version = "1.0.0",
    .summary = "y = e^x, from the line to the positive numbers",
    .doc = exp_doc,
    .create = exp_create,
    .destroy = weir_destroy_nothing,
    .ops = &exp_ops,
};

WEIR_PLUGIN(&exp_module);
