/* tanh - y = tanh x, the line to (-1, 1). */
#include <weir/lanes.h>

static const char tanh_doc[] =
    "y = tanh x, no parameters. From the whole line to (-1, 1).\n"
    "log|dy/dx| = 2 (log 2 - |x| - softplus(-2 |x|)), right however flat the map is.\n"
    "Inverse: x = sign(y) log1p(2 |y| / (1 - |y|)) / 2, log|dx/dy| = -log((1 - |y|) (1 + |y|)). Rows with |y| >= 1 are\n"
    "discarded; large |x| is rounded to |y| = 1 (above 19 in f64, 9 in f32) and does not come back.\n"
    "Cost: two vectorised functions a value in either direction.\n"
    "Source: elementary.";

static weir_status tanh_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                     const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const tail = weir_take_lane(frame);
    if (!tail) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) tail[i] = x[i] < 0 ? 2 * x[i] : -2 * x[i];
    frame->math->softplus(n, tail, y);
    for (int32_t i = 0; i < n; i++) log_det[i] += WEIR_C(2 * 0.69314718055994530942) + tail[i] - 2 * y[i];
    frame->math->tanh(n, x, y);
    return weir_discard_unless_finite(frame, x);
}

/* dy/dx = 4 t / (1 + t)^2 with t = e^(-2 |x|), and d log|dy/dx| / dx = -2 y. */
static weir_status tanh_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, const weir_real *y,
                                         const weir_real *y_bar, const weir_real *log_det_bar,
                                         weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)p, (void)s, (void)p_bar;
    weir_real *const t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) t[i] = x[i] < 0 ? 2 * x[i] : -2 * x[i];
    frame->math->exp(n, t, t);
    for (int32_t i = 0; i < n; i++)
        x_bar[i] = 4 * y_bar[i] * t[i] / ((1 + t[i]) * (1 + t[i])) - 2 * log_det_bar[i] * y[i];
    return WEIR_OK;
}

static weir_status tanh_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                     const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const size = weir_take_lane(frame);
    weir_real *const volume = weir_take_lane(frame);
    if (!size || !volume) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) {
        const weir_real a = y[i] < 0 ? -y[i] : y[i];
        size[i] = 2 * a / (1 - a);
        volume[i] = (1 - a) * (1 + a);
    }
    frame->math->log1p(n, size, size);
    frame->math->log(n, volume, volume);
    for (int32_t i = 0; i < n; i++) {
        x[i] = (y[i] < 0 ? -size[i] : size[i]) / 2;
        log_det[i] -= volume[i];
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status tanh_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                         const weir_real *p, int64_t s, const weir_real *x,
                                         const weir_real *x_bar, const weir_real *log_det_bar,
                                         weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)p, (void)s, (void)x, (void)p_bar;
    for (int32_t i = 0; i < n; i++)
        y_bar[i] = (x_bar[i] + 2 * log_det_bar[i] * y[i]) / ((1 - y[i]) * (1 + y[i]));
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(tanh)

static weir_status tanh_create(weir_builder *build, void **self)
{
    *self = NULL;
    return weir_fixed_univariate(build, -INFINITY, INFINITY, -1, 1);
}

static const weir_module tanh_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "tanh",
    .version = "1.0.0",
    .summary = "y = tanh x, from the line to (-1, 1)",
    .doc = tanh_doc,
    .create = tanh_create,
    .destroy = weir_destroy_nothing,
    .ops = &tanh_ops,
};

WEIR_PLUGIN(&tanh_module);
