/* softplus - y = log(1 + e^x), the line to the positive numbers. */
#include <weir/lanes.h>

static const char softplus_doc[] =
    "y = log(1 + exp(x)), no parameters. From the whole line to (0, infinity); close to x for large x.\n"
    "log|dy/dx| = log sigmoid(x) = -softplus(-x).\n"
    "Inverse: with t = 1 - exp(-y) = sigmoid(x), x = y + log t and log|dx/dy| = -log t. Rows with y <= 0 are discarded.\n"
    "Cost: two vectorised functions a value in either direction.\n"
    "Source: Dugas et al. 2001, \"Incorporating second-order functional knowledge for better option pricing\".";

static weir_status softplus_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const tail = weir_take_lane(frame);
    if (!tail) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) tail[i] = -x[i];
    frame->math->softplus(n, tail, tail);
    for (int32_t i = 0; i < n; i++) log_det[i] -= tail[i];
    frame->math->softplus(n, x, y);
    return weir_discard_unless_finite(frame, x);
}

/* dy/dx = sigmoid(x), d log|dy/dx| / dx = sigmoid(-x). */
static weir_status softplus_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *x, const weir_real *p, int64_t s,
                                             const weir_real *y, const weir_real *y_bar,
                                             const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)p, (void)s, (void)y, (void)p_bar;
    weir_real *const up = weir_take_lane(frame);
    weir_real *const down = weir_take_lane(frame);
    if (!up || !down) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) down[i] = -x[i];
    frame->math->sigmoid(n, x, up);
    frame->math->sigmoid(n, down, down);
    for (int32_t i = 0; i < n; i++) x_bar[i] = y_bar[i] * up[i] + log_det_bar[i] * down[i];
    return WEIR_OK;
}

static weir_status softplus_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                         const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) t[i] = -y[i];
    frame->math->expm1(n, t, t);
    for (int32_t i = 0; i < n; i++) t[i] = -t[i];
    frame->math->log(n, t, t);
    for (int32_t i = 0; i < n; i++) {
        x[i] = y[i] + t[i];
        log_det[i] -= t[i];
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status softplus_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *y, const weir_real *p, int64_t s,
                                             const weir_real *x, const weir_real *x_bar,
                                             const weir_real *log_det_bar, weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)p, (void)s, (void)x, (void)p_bar;
    weir_real *const t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) t[i] = -y[i];
    frame->math->expm1(n, t, t);
    for (int32_t i = 0; i < n; i++) y_bar[i] = (x_bar[i] - log_det_bar[i] * (1 + t[i])) / -t[i];
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(softplus)

static weir_status softplus_create(weir_builder *build, void **self)
{
    *self = NULL;
    return weir_fixed_univariate(build, -INFINITY, INFINITY, 0, INFINITY);
}

static const weir_module softplus_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "softplus",
    .version = "1.0.0",
    .summary = "y = log(1 + e^x), from the line to the positive numbers",
    .doc = softplus_doc,
    .create = softplus_create,
    .destroy = weir_destroy_nothing,
    .ops = &softplus_ops,
};

WEIR_PLUGIN(&softplus_module);
