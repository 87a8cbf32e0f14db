/* @ID@ - the line with one slope on the left and another on the right, joined smoothly: a bend. The table is here, the
 * mathematics in kernel.F90, which says why. */
#include <weir/lanes.h>

static const char bend_doc[] =
    "y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s): the slope is 1 - t far to the left and 1 + t far to the right.\n"
    "Parameters per element: s, b; 0, 0 is the identity. log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).\n"
    "Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).\n"
    "Rows whose answer overflows are discarded.";

/* Arguments as kernel.F90 declares them: n by value, everything else an array of n. */
void WEIR_NAME(bend_forward_lane)(int32_t n, const weir_real *x, const weir_real *s, const weir_real *b,
                                  weir_real *y, weir_real *slope);
void WEIR_NAME(bend_inverse_lane)(int32_t n, const weir_real *y, const weir_real *s, const weir_real *b,
                                  weir_real *x, weir_real *slope);
void WEIR_NAME(bend_forward_vjp_lane)(int32_t n, const weir_real *x, const weir_real *s,
                                      const weir_real *y_bar, const weir_real *log_det_bar, weir_real *x_bar,
                                      weir_real *s_bar, weir_real *b_bar);

static weir_status bend_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                     const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self;
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return WEIR_ERROR;
    WEIR_NAME(bend_forward_lane)(n, x, p, p + s, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    return weir_discard_unless_finite(frame, y);
}

static weir_status bend_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, const weir_real *y,
                                         const weir_real *y_bar, const weir_real *log_det_bar,
                                         weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)y;
    WEIR_NAME(bend_forward_vjp_lane)(n, x, p, y_bar, log_det_bar, x_bar, p_bar, p_bar + s);
    return WEIR_OK;
}

WEIR_UNIVARIATE_FORWARD_LANES(bend)

static weir_status bend_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                const weir_tile *params, const weir_tile *x, void *log_det)
{
    weir_real *const sum = (weir_real *)log_det, *const slope = weir_take_lane(frame);
    weir_status status = WEIR_OK;
    (void)self;
    if (!slope) return WEIR_ERROR;
    for (int32_t f = 0; f < y->features; f++) {
        WEIR_NAME(bend_inverse_lane)
        (y->width, weir_lane(y, f), weir_lane(params, 2 * f), weir_lane(params, 2 * f + 1), weir_lane(x, f),
         slope);
        frame->math->log(y->width, slope, slope);
        for (int32_t i = 0; sum && i < y->width; i++) sum[i] -= slope[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(x, f)));
    }
    return status;
}

/* The VJP of the inverse is left out: the host derives it from the one above. */
static const weir_univariate_ops bend_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = bend_forward,
    .inverse = bend_inverse,
    .forward_vjp = bend_forward_vjp,
};

static weir_status bend_create(weir_builder *build, void **self)
{
    static const double identity[2] = {0, 0};
    *self = NULL;
    return build->params(build, 2, identity);
}

static const weir_module bend_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "two slopes, joined smoothly",
    .doc = bend_doc,
    .create = bend_create,
    .destroy = weir_destroy_nothing,
    .ops = &bend_ops,
};

WEIR_PLUGIN(&bend_module);
