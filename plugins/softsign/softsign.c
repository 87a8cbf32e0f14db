/* softsign - y = x / (1 + |x|), the line to (-1, 1). */
#include <weir/lanes.h>

static const char softsign_doc[] =
    "y = x / (1 + |x|), no parameters. From the whole line to (-1, 1), with heavier tails than tanh.\n"
    "log|dy/dx| = -2 log1p(|x|). Inverse: x = y / (1 - |y|), log|dx/dy| = -2 log1p(-|y|). Rows with |y| >= 1 are discarded.\n"
    "The log-det has a kink at 0; there its derivative is taken as 0.\n"
    "Cost: one vectorised function a value in either direction.\n"
    "Source: Bergstra et al. 2009, \"Quadratic polynomials learn better image features\".";

static weir_status softsign_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const size = weir_take_lane(frame);
    if (!size) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) {
        size[i] = x[i] < 0 ? -x[i] : x[i];
        y[i] = x[i] / (1 + size[i]);
    }
    frame->math->log1p(n, size, size);
    for (int32_t i = 0; i < n; i++) log_det[i] -= 2 * size[i];
    return weir_discard_unless_finite(frame, x);
}

static weir_status softsign_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *x, const weir_real *p, int64_t s,
                                             const weir_real *y, const weir_real *y_bar,
                                             const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)p, (void)s, (void)y, (void)p_bar;
    for (int32_t i = 0; i < n; i++) {
        const weir_real reach = 1 + (x[i] < 0 ? -x[i] : x[i]), sign = (weir_real)((x[i] > 0) - (x[i] < 0));
        x_bar[i] = (y_bar[i] / reach - 2 * sign * log_det_bar[i]) / reach;
    }
    return WEIR_OK;
}

static weir_status softsign_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                         const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)p, (void)s;
    weir_real *const room = weir_take_lane(frame);
    if (!room) return WEIR_ERROR;

    for (int32_t i = 0; i < n; i++) {
        room[i] = y[i] < 0 ? y[i] : -y[i];
        x[i] = 1 + room[i] > 0 ? y[i] / (1 + room[i]) : WEIR_C(NAN);
    }
    frame->math->log1p(n, room, room);
    for (int32_t i = 0; i < n; i++) log_det[i] -= 2 * room[i];
    return weir_discard_unless_finite(frame, x);
}

static weir_status softsign_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *y, const weir_real *p, int64_t s,
                                             const weir_real *x, const weir_real *x_bar,
                                             const weir_real *log_det_bar, weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)p, (void)s, (void)x, (void)p_bar;
    for (int32_t i = 0; i < n; i++) {
        const weir_real room = 1 - (y[i] < 0 ? -y[i] : y[i]), sign = (weir_real)((y[i] > 0) - (y[i] < 0));
        y_bar[i] = (x_bar[i] / room + 2 * sign * log_det_bar[i]) / room;
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(softsign)

static weir_status softsign_create(weir_builder *build, void **self)
{
    *self = NULL;
    return weir_fixed_univariate(build, -INFINITY, INFINITY, -1, 1);
}

static const weir_module softsign_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "softsign",
    .version = "1.0.0",
    .summary = "y = x / (1 + |x|), from the line to (-1, 1)",
    .doc = softsign_doc,
    .create = softsign_create,
    .destroy = weir_destroy_nothing,
    .ops = &softsign_ops,
};

WEIR_PLUGIN(&softsign_module);
