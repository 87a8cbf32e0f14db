/* sinh_arcsinh - y = sinh(d asinh x - e), which changes skewness and tails. */
#include <weir/lanes.h>

#include <stdlib.h>

/* The log tail weight is bounded softly, a = c tanh(p / c) with c = `bound`, so that no conditioner output makes y overflow
 * for data of usual size. */
typedef struct sinh_arcsinh {
    weir_real bound;
} sinh_arcsinh;

static const char sinh_arcsinh_doc[] =
    "y = sinh(d asinh(x) - e), d = exp(a), a = c tanh(p / c), c = bound. Parameters per element: p (log tail weight before\n"
    "the bound), e (skewness); 0, 0 is the identity.\n"
    "The line to the line; d > 1 makes tails of y heavier than those of x, so that data with light tails become normal.\n"
    "With g = asinh x and w = d g - e: log|dy/dx| = a + log cosh w - log cosh g, all three without overflow.\n"
    "Inverse: x = sinh((asinh(y) + e) / d), same cost. Rows whose result overflows are discarded.\n"
    "Gradients of forward, with u = dy/dx: x_bar = y_bar u + l_bar (d tanh w - tanh g) / cosh g; with\n"
    "k = y_bar cosh w + l_bar tanh w: a_bar = k d g + l_bar, p_bar = (1 - (a / c)^2) a_bar, e_bar = -k.\n"
    "Inverse, by the implicit function theorem: y_bar = (x_bar - l_bar (d tanh w - tanh g) / cosh g) / u,\n"
    "and the parameters get forward's for (-y_bar, -l_bar).\n"
    "Cost: about six vectorised functions a value in either direction.\n"
    "Source: Jones and Pewsey 2009, \"Sinh-arcsinh distributions\", Biometrika 96(4), eq. 2.";

static const weir_option sinh_arcsinh_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "bound",
     .default_json = "2",
     .minimum = 0.01,
     .maximum = 10,
     .summary = "largest |log tail weight|, reached softly"},
};

/* One value in the coordinates in which the map is affine: g = asinh x, w = d g - e = asinh y. Lanes. */
typedef struct bend {
    weir_real *log_delta, *pull; /* a, and da/dp */
    weir_real *delta;            /* exp(a) */
    weir_real *g, *w;
    weir_real *log_cosh_g, *log_cosh_w;
} bend;

static int take(weir_frame *frame, bend *b)
{
    weir_real **const lanes[] = {&b->log_delta, &b->pull,       &b->delta,     &b->g,
                                 &b->w,         &b->log_cosh_g, &b->log_cosh_w};
    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)
        if (!(*lanes[i] = weir_take_lane(frame))) return 0;
    return 1;
}

/* asinh a = log1p(|a| + a^2 / (1 + sqrt(1 + a^2))) with a's sign; where a^2 overflows, log(2 |a|). */
static void asinh_lane(weir_frame *frame, int32_t n, const weir_real *a, weir_real *out)
{
    const weir_real large = WEIR_REAL == 32 ? WEIR_C(1e18) : WEIR_C(1e150);
    for (int32_t i = 0; i < n; i++) {
        const weir_real size = a[i] < 0 ? -a[i] : a[i], square = size * size;
        const weir_real usual = size + square / (1 + WEIR_C(sqrt((double)(1 + square))));
        out[i] = size < large ? usual : 2 * size - 1;
    }
    frame->math->log1p(n, out, out);
    for (int32_t i = 0; i < n; i++) out[i] = a[i] < 0 ? -out[i] : out[i];
}

/* sinh a = (t + t / (t + 1)) / 2 with t = e^|a| - 1, and a's sign. */
static void sinh_lane(weir_frame *frame, int32_t n, const weir_real *a, weir_real *out)
{
    for (int32_t i = 0; i < n; i++) out[i] = a[i] < 0 ? -a[i] : a[i];
    frame->math->expm1(n, out, out);
    for (int32_t i = 0; i < n; i++) {
        const weir_real size = (out[i] + out[i] / (out[i] + 1)) / 2;
        out[i] = a[i] < 0 ? -size : size;
    }
}

static void log_cosh_lane(weir_frame *frame, int32_t n, const weir_real *a, weir_real *out)
{
    for (int32_t i = 0; i < n; i++) out[i] = a[i] < 0 ? 2 * a[i] : -2 * a[i];
    frame->math->softplus(n, out, out);
    for (int32_t i = 0; i < n; i++) out[i] += (a[i] < 0 ? -a[i] : a[i]) - WEIR_C(0.69314718055994530942);
}

/* log|dy/dx| = a + log cosh w - log cosh g. */
static void finish(weir_frame *frame, int32_t n, const bend *b)
{
    log_cosh_lane(frame, n, b->g, b->log_cosh_g);
    log_cosh_lane(frame, n, b->w, b->log_cosh_w);
}

static void weigh(const sinh_arcsinh *self, weir_frame *frame, int32_t n, const weir_real *p, const bend *b)
{
    const weir_real c = self->bound;
    for (int32_t i = 0; i < n; i++) b->log_delta[i] = p[i] / c;
    frame->math->tanh(n, b->log_delta, b->log_delta);
    for (int32_t i = 0; i < n; i++) {
        b->pull[i] = 1 - b->log_delta[i] * b->log_delta[i];
        b->log_delta[i] *= c;
    }
    frame->math->exp(n, b->log_delta, b->delta);
}

static void from_x(const sinh_arcsinh *self, weir_frame *frame, int32_t n, const weir_real *x,
                   const weir_real *p, int64_t s, const bend *b)
{
    weigh(self, frame, n, p, b);
    asinh_lane(frame, n, x, b->g);
    for (int32_t i = 0; i < n; i++) b->w[i] = b->delta[i] * b->g[i] - p[s + i];
    finish(frame, n, b);
}

static void from_y(const sinh_arcsinh *self, weir_frame *frame, int32_t n, const weir_real *y,
                   const weir_real *p, int64_t s, const bend *b)
{
    weigh(self, frame, n, p, b);
    asinh_lane(frame, n, y, b->w);
    for (int32_t i = 0; i < n; i++) b->g[i] = (b->w[i] + p[s + i]) / b->delta[i];
    finish(frame, n, b);
}

/* Spends the log cosh lanes: slope = dy/dx goes to log_cosh_g's place, cosh w to log_cosh_w's, tanh to g's and w's; the
 * old g goes to `g`. */
static void to_slopes(weir_frame *frame, int32_t n, const bend *b, weir_real *g)
{
    for (int32_t i = 0; i < n; i++) b->log_cosh_g[i] = b->log_delta[i] + b->log_cosh_w[i] - b->log_cosh_g[i];
    frame->math->exp(n, b->log_cosh_g, b->log_cosh_g);
    frame->math->exp(n, b->log_cosh_w, b->log_cosh_w);
    memcpy(g, b->g, (size_t)n * sizeof *g);
    frame->math->tanh(n, b->g, b->g);
    frame->math->tanh(n, b->w, b->w);
}

static weir_status sinh_arcsinh_lane_forward(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *x, const weir_real *p, int64_t s, weir_real *y,
                                             weir_real *log_det)
{
    bend b;
    if (!take(frame, &b)) return WEIR_ERROR;
    from_x(self, frame, n, x, p, s, &b);
    sinh_lane(frame, n, b.w, y);
    for (int32_t i = 0; i < n; i++) log_det[i] += b.log_delta[i] + b.log_cosh_w[i] - b.log_cosh_g[i];
    return weir_discard_unless_finite(frame, y);
}

static weir_status sinh_arcsinh_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *x, const weir_real *p, int64_t s,
                                                 const weir_real *y, const weir_real *y_bar,
                                                 const weir_real *log_det_bar, weir_real *x_bar,
                                                 weir_real *p_bar)
{
    (void)y;
    bend b;
    weir_real *const g = weir_take_lane(frame), *const sech = weir_take_lane(frame);
    if (!g || !sech || !take(frame, &b)) return WEIR_ERROR;
    from_x(self, frame, n, x, p, s, &b);
    for (int32_t i = 0; i < n; i++) sech[i] = -b.log_cosh_g[i];
    frame->math->exp(n, sech, sech);
    to_slopes(frame, n, &b, g);
    for (int32_t i = 0; i < n; i++) {
        const weir_real k = y_bar[i] * b.log_cosh_w[i] + log_det_bar[i] * b.w[i];
        x_bar[i] = y_bar[i] * b.log_cosh_g[i] + log_det_bar[i] * (b.delta[i] * b.w[i] - b.g[i]) * sech[i];
        p_bar[i] = (k * b.delta[i] * g[i] + log_det_bar[i]) * b.pull[i];
        p_bar[s + i] = -k;
    }
    return WEIR_OK;
}

static weir_status sinh_arcsinh_lane_inverse(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *y, const weir_real *p, int64_t s, weir_real *x,
                                             weir_real *log_det)
{
    bend b;
    if (!take(frame, &b)) return WEIR_ERROR;
    from_y(self, frame, n, y, p, s, &b);
    sinh_lane(frame, n, b.g, x);
    for (int32_t i = 0; i < n; i++) log_det[i] += b.log_cosh_g[i] - b.log_cosh_w[i] - b.log_delta[i];
    return weir_discard_unless_finite(frame, x);
}

static weir_status sinh_arcsinh_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                                 const weir_real *y, const weir_real *p, int64_t s,
                                                 const weir_real *x, const weir_real *x_bar,
                                                 const weir_real *log_det_bar, weir_real *y_bar,
                                                 weir_real *p_bar)
{
    (void)x;
    bend b;
    weir_real *const g = weir_take_lane(frame), *const sech = weir_take_lane(frame);
    if (!g || !sech || !take(frame, &b)) return WEIR_ERROR;
    from_y(self, frame, n, y, p, s, &b);
    for (int32_t i = 0; i < n; i++) sech[i] = -b.log_cosh_g[i];
    frame->math->exp(n, sech, sech);
    to_slopes(frame, n, &b, g);
    for (int32_t i = 0; i < n; i++) {
        const weir_real curve = (b.delta[i] * b.w[i] - b.g[i]) * sech[i];
        const weir_real a = (x_bar[i] - log_det_bar[i] * curve) / b.log_cosh_g[i];
        const weir_real k = a * b.log_cosh_w[i] + log_det_bar[i] * b.w[i];
        y_bar[i] = a;
        p_bar[i] = -(k * b.delta[i] * g[i] + log_det_bar[i]) * b.pull[i];
        p_bar[s + i] = k;
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(sinh_arcsinh)

static weir_status sinh_arcsinh_create(weir_builder *build, void **self)
{
    static const double identity[2] = {0, 0};
    const double bound = build->number(build, "bound");
    if (build->params(build, 2, identity) != WEIR_OK) return WEIR_INVALID;
    sinh_arcsinh *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->bound = WEIR_C(bound);
    *self = made;
    return WEIR_OK;
}

static const weir_module sinh_arcsinh_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "sinh_arcsinh",
    .version = "1.0.0",
    .summary = "y = sinh(d asinh(x) - e): skewness and tail weight (Jones and Pewsey)",
    .doc = sinh_arcsinh_doc,
    WEIR_OPTIONS(sinh_arcsinh_options),
    .create = sinh_arcsinh_create,
    .destroy = free,
    .ops = &sinh_arcsinh_ops,
};

WEIR_PLUGIN(&sinh_arcsinh_module);
