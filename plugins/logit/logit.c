/* logit - bounded features to the whole line. */
#include <weir/plugin.h>

#include <stdlib.h>

/* u = alpha + (x - lower) / range and its complement v = 1 - u = alpha + (upper - x) / range, each from its own end, so
 * that neither loses digits near 0; range = (upper - lower) / (1 - 2 alpha). */
typedef struct logit {
    int32_t features;
    uint32_t stream;
    weir_real lower, upper, alpha, range;
    double log_range;
} logit;

static const char logit_doc[] =
    "u = alpha + (1 - 2 alpha) (x - lower) / (upper - lower),   z = log(u / (1 - u)), feature by feature;\n"
    "log|det J| = sum of log(1 - 2 alpha) - log(upper - lower) - log u - log(1 - u).\n"
    "alpha keeps the ends of the interval away from infinity; the inverse (a sigmoid) can leave [lower, upper] by\n"
    "alpha (upper - lower) / (1 - 2 alpha) at most. Rows whose u is not inside (0, 1) are discarded, so values\n"
    "outside the interval pass only within that margin.\n"
    "Refused: lower >= upper; a layer before it whose values are known to leave [lower, upper].\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, section 4.1.";

static const weir_option logit_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "0",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "lower end of the data's interval"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "1",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "upper end of the data's interval"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "alpha",
     .default_json = "1e-6",
     .minimum = 0,
     .maximum = 0.49,
     .summary = "margin squeezed in at both ends, as a fraction; 0: none, then the ends are discarded"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

static void squeeze(const logit *self, int32_t n, const weir_real *restrict x, weir_real *restrict u,
                    weir_real *restrict v)
{
    const weir_real lower = self->lower, upper = self->upper, alpha = self->alpha, range = self->range;
    for (int32_t i = 0; i < n; i++) {
        u[i] = alpha + (x[i] - lower) / range;
        v[i] = alpha + (upper - x[i]) / range;
    }
}

/** Two lanes, contiguous; NULL when memory is exhausted. */
static weir_real *take_pair(weir_frame *frame)
{
    return weir_take(frame, 2 * (int64_t)frame->width * (int64_t)sizeof(weir_real));
}

static weir_status logit_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                 const weir_tile *z, void *log_det)
{
    const logit *const self = module;
    const int32_t n = frame->width;
    weir_real *const u = take_pair(frame), *const v = u ? u + n : NULL, *const total = log_det;
    weir_status status = WEIR_OK;
    if (!u) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const to = weir_lane(z, f);
        squeeze(self, n, weir_lane(x, f), u, v);
        frame->math->log(2 * (int64_t)n, u, u);
        for (int32_t i = 0; i < n; i++) to[i] = u[i] - v[i];
        for (int32_t i = 0; total && i < n; i++) total[i] -= WEIR_C(self->log_range) + u[i] + v[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    return status;
}

/** With m = -|z|, both x (counted from its nearer end) and the log-det come from terms that do not cancel:
 *  log u + log v = m - 2 softplus(m), and the smaller of u and v is sigmoid(m). */
static weir_status logit_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                 const weir_tile *x, void *log_det)
{
    const logit *const self = module;
    const int32_t n = frame->width;
    weir_real *const m = take_pair(frame), *const least = m ? m + n : NULL, *const total = log_det;
    weir_status status = WEIR_OK;
    if (!m) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(z, f);
        weir_real *const to = weir_lane(x, f);
        for (int32_t i = 0; i < n; i++) m[i] = from[i] < 0 ? from[i] : -from[i];
        frame->math->sigmoid(n, m, least);
        for (int32_t i = 0; i < n; i++) {
            const weir_real inward = (least[i] - self->alpha) * self->range;
            to[i] = from[i] < 0 ? self->lower + inward : self->upper - inward;
        }
        WEIR_TRY(status, weir_discard_unless_finite(frame, from));
        if (!total) continue;
        frame->math->softplus(n, m, least);
        for (int32_t i = 0; i < n; i++) total[i] += WEIR_C(self->log_range) + m[i] - 2 * least[i];
    }
    return status;
}

/** dz/dx = 1 / (range u v) and dl/dx = (u - v) / (range u v). */
static weir_status logit_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    const logit *const self = module;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const u = take_pair(frame), *const v = u ? u + frame->width : NULL;
    (void)z;
    if (!u) return WEIR_ERROR;
    for (int32_t f = 0; x_bar && f < self->features; f++) {
        const weir_real *const from = weir_lane(z_bar, f);
        weir_real *const to = weir_lane(x_bar, f);
        squeeze(self, frame->width, weir_lane(x, f), u, v);
        for (int32_t i = 0; i < frame->width; i++)
            to[i] = (from[i] + (l_bar ? l_bar[i] * (u[i] - v[i]) : 0)) / (self->range * u[i] * v[i]);
    }
    return WEIR_OK;
}

/** dx/dz = range u v and d log|dx/dz| / dz = v - u, with u = sigmoid(z), v = sigmoid(-z). */
static weir_status logit_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    const logit *const self = module;
    const int32_t n = frame->width;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const u = take_pair(frame), *const v = u ? u + n : NULL;
    (void)x;
    if (!u) return WEIR_ERROR;
    for (int32_t f = 0; z_bar && f < self->features; f++) {
        const weir_real *const from = weir_lane(x_bar, f), *const at = weir_lane(z, f);
        weir_real *const to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < n; i++) {
            u[i] = at[i];
            v[i] = -at[i];
        }
        frame->math->sigmoid(2 * (int64_t)n, u, u);
        for (int32_t i = 0; i < n; i++)
            to[i] = from[i] * self->range * u[i] * v[i] + (l_bar ? l_bar[i] * (v[i] - u[i]) : 0);
    }
    return WEIR_OK;
}

static weir_status logit_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                       const weir_tile *x)
{
    const logit *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(x, f);
        frame->services->random_uniform(frame, stream, (uint32_t)f, lane);
        for (int32_t i = 0; i < frame->width; i++)
            lane[i] = self->lower * (1 - lane[i]) + self->upper * lane[i];
    }
    return WEIR_OK;
}

static const weir_layer_ops logit_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = logit_forward,
    .inverse = logit_inverse,
    .forward_vjp = logit_forward_vjp,
    .inverse_vjp = logit_inverse_vjp,
    .sample_points = logit_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status state_domains(weir_builder *build, double lower, double upper)
{
    weir_domain domain = {.struct_size = (uint32_t)sizeof domain,
                          .kind = WEIR_DOMAIN_INTERVAL,
                          .count = build->features,
                          .lower = lower,
                          .upper = upper};
    if (build->require(build, &domain) != WEIR_OK) return WEIR_INVALID;
    domain.lower = -INFINITY;
    domain.upper = INFINITY;
    return build->produce(build, &domain) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status logit_create(weir_builder *build, void **self)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    const double alpha = build->number(build, "alpha");
    if (WEIR_C(lower) >= WEIR_C(upper))
        return weir_refuse(build, "lower = %g must be less than upper = %g", lower, upper);
    if (state_domains(build, lower, upper) != WEIR_OK) return WEIR_INVALID;
    logit *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->features = build->features;
    made->stream = build->stream;
    made->lower = WEIR_C(lower);
    made->upper = WEIR_C(upper);
    made->alpha = WEIR_C(alpha);
    made->range = WEIR_C((upper - lower) / (1 - 2 * alpha));
    made->log_range = log((upper - lower) / (1 - 2 * alpha));
    *self = made;
    return WEIR_OK;
}

static const weir_module logit_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "logit",
    .version = "1.0.0",
    .summary = "features in an interval to the whole line",
    .doc = logit_doc,
    WEIR_OPTIONS(logit_options),
    .create = logit_create,
    .destroy = free,
    .ops = &logit_ops,
};

WEIR_PLUGIN(&logit_module);
