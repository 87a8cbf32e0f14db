/* power - y = x^c for positive x. */
#include <weir/lanes.h>

#include <stdlib.h>

typedef struct power {
    weir_real exponent, log_size; /* log_size is log |exponent| */
} power;

static const char power_doc[] =
    "y = x^c, c != 0 fixed by an option; no parameters. From (0, infinity) to (0, infinity); decreasing for c < 0.\n"
    "log|dy/dx| = log|c| + (c - 1) log x. Inverse: x = y^(1/c), log|dx/dy| = -log|c| - (c - 1) log(y) / c.\n"
    "Rows with x <= 0 (or y <= 0), or whose result overflows, are discarded. A layer before it whose values are known to\n"
    "leave the positive numbers is refused.\n"
    "Cost: two vectorised functions a value in either direction; computed as exp(c log x), so |c log x| ulp may be lost.\n"
    "Refused: c = 0.\n"
    "Source: Tukey 1957, \"On the comparative anatomy of transformations\".";

static const weir_option power_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "exponent",
     .default_json = "2",
     .minimum = -1000,
     .maximum = 1000,
     .summary = "c in x^c; not 0"},
};

static weir_status power_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                      const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)p, (void)s;
    const power *const own = self;
    weir_real *const logs = weir_take_lane(frame);
    if (!logs) return WEIR_ERROR;

    frame->math->log(n, x, logs);
    for (int32_t i = 0; i < n; i++) {
        y[i] = own->exponent * logs[i];
        log_det[i] += own->log_size + (own->exponent - 1) * logs[i];
    }
    frame->math->exp(n, y, y);
    const weir_status bad = weir_discard_unless_finite(frame, logs);
    const weir_status worse = weir_discard_unless_finite(frame, y);
    return bad > worse ? bad : worse;
}

static weir_status power_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                          const weir_real *p, int64_t s, const weir_real *y,
                                          const weir_real *y_bar, const weir_real *log_det_bar,
                                          weir_real *x_bar, weir_real *p_bar)
{
    (void)frame, (void)p, (void)s, (void)p_bar;
    const weir_real c = ((const power *)self)->exponent;
    for (int32_t i = 0; i < n; i++) x_bar[i] = (c * y_bar[i] * y[i] + (c - 1) * log_det_bar[i]) / x[i];
    return WEIR_OK;
}

static weir_status power_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                      const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)p, (void)s;
    const power *const own = self;
    weir_real *const logs = weir_take_lane(frame);
    if (!logs) return WEIR_ERROR;

    frame->math->log(n, y, logs);
    for (int32_t i = 0; i < n; i++) {
        logs[i] /= own->exponent;
        log_det[i] -= own->log_size + (own->exponent - 1) * logs[i];
    }
    frame->math->exp(n, logs, x);
    const weir_status bad = weir_discard_unless_finite(frame, logs);
    const weir_status worse = weir_discard_unless_finite(frame, x);
    return bad > worse ? bad : worse;
}

static weir_status power_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                          const weir_real *p, int64_t s, const weir_real *x,
                                          const weir_real *x_bar, const weir_real *log_det_bar,
                                          weir_real *y_bar, weir_real *p_bar)
{
    (void)frame, (void)p, (void)s, (void)p_bar;
    const weir_real c = ((const power *)self)->exponent;
    for (int32_t i = 0; i < n; i++) y_bar[i] = (x_bar[i] * x[i] - (c - 1) * log_det_bar[i]) / (c * y[i]);
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(power)

static weir_status power_create(weir_builder *build, void **self)
{
    const double exponent = build->number(build, "exponent");
    if (WEIR_C(exponent) == 0) return weir_refuse(build, "exponent = 0 maps everything to 1: choose another");
    if (weir_fixed_univariate(build, 0, INFINITY, 0, INFINITY) != WEIR_OK) return WEIR_INVALID;
    power *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->exponent = WEIR_C(exponent);
    made->log_size = WEIR_C(log(fabs(exponent)));
    *self = made;
    return WEIR_OK;
}

static const weir_module power_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "power",
    .version = "1.0.0",
    .summary = "y = x^c, from the positive numbers to themselves",
    .doc = power_doc,
    WEIR_OPTIONS(power_options),
    .create = power_create,
    .destroy = free,
    .ops = &power_ops,
};

WEIR_PLUGIN(&power_module);
