/* sigmoid - y = 1 / (1 + e^-x), the line to (0, 1). */
#include <weir/lanes.h>

static const char sigmoid_doc[] =
    "y = 1 / (1 + exp(-x)), no parameters. From the whole line to (0, 1).\n"
    "log|dy/dx| = -|x| - 2 softplus(-|x|), right however flat the map is.\n"
    "Inverse: x = log y - log1p(-y), log|dx/dy| = -log y - log1p(-y). Rows with y outside (0, 1) are discarded; large x is\n"
    "rounded to y = 1 (above 37 in f64, 17 in f32) and does not come back, while y near 0 keeps all its digits.\n"
    "Cost: two vectorised functions a value in either direction. The layer logit is the inverse with bounds and a margin.\n"
    "Source: elementary.";

static weir_status sigmoid_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                        const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const tail = weir_take_lane(frame);
    if (!tail) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) tail[i] = x[i] < 0 ? x[i] : -x[i];
    frame->math->softplus(n, tail, y);
    for (int32_t i = 0; i < n; i++) log_det[i] += tail[i] - 2 * y[i];
    frame->math->sigmoid(n, x, y);
    return weir_discard_unless_finite(frame, x);
}

/* dy/dx = t / (1 + t)^2 with t = e^-|x|, and d log|dy/dx| / dx = 1 - 2 y, which is (1 - t) / (1 + t) with the sign of -x. */
static weir_status sigmoid_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                            const weir_real *x, const weir_real *p, int64_t s,
                                            const weir_real *y, const weir_real *y_bar,
                                            const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)p, (void)s, (void)y, (void)p_bar;
    weir_real *const t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) t[i] = x[i] < 0 ? x[i] : -x[i];
    frame->math->exp(n, t, t);
    for (int32_t i = 0; i < n; i++) {
        const weir_real curve = (1 - t[i]) / (1 + t[i]);
        x_bar[i] = y_bar[i] * t[i] / ((1 + t[i]) * (1 + t[i])) + log_det_bar[i] * (x[i] < 0 ? curve : -curve);
    }
    return WEIR_OK;
}

static weir_status sigmoid_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                        const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const rest = weir_take_lane(frame);
    if (!rest) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) rest[i] = -y[i];
    frame->math->log1p(n, rest, rest);
    frame->math->log(n, y, x);
    for (int32_t i = 0; i < n; i++) {
        log_det[i] -= x[i] + rest[i];
        x[i] -= rest[i];
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status sigmoid_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                            const weir_real *y, const weir_real *p, int64_t s,
                                            const weir_real *x, const weir_real *x_bar,
                                            const weir_real *log_det_bar, weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)p, (void)s, (void)x, (void)p_bar;
    for (int32_t i = 0; i < n; i++)
        y_bar[i] = (x_bar[i] - log_det_bar[i] * (1 - 2 * y[i])) / (y[i] * (1 - y[i]));
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(sigmoid)

static weir_status sigmoid_create(weir_builder *build, void **self)
{
    *self = NULL;
    return weir_fixed_univariate(build, -INFINITY, INFINITY, 0, 1);
}

static const weir_module sigmoid_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "sigmoid",
    .version = "1.0.0",
    .summary = "y = 1 / (1 + e^-x), from the line to (0, 1)",
    .doc = sigmoid_doc,
    .create = sigmoid_create,
    .destroy = weir_destroy_nothing,
    .ops = &sigmoid_ops,
};

WEIR_PLUGIN(&sigmoid_module);
