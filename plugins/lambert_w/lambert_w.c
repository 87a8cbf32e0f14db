/* lambert_w - heavy tails made Gaussian. */
#include <weir/lanes.h>

static const char lambert_w_doc[] =
    "Forward takes heavy tails away: z = sign(x) sqrt(W(delta x^2) / delta), W the principal branch of Lambert's function;\n"
    "the inverse puts them on: x = z exp(delta z^2 / 2) (Tukey's h). delta = softplus(a) > 0 is the tail weight.\n"
    "Parameter per element: a; a -> -infinity is the identity, a = -5 (delta = 0.0067) where it starts. The line to the line.\n"
    "With v = delta z^2 = W(delta x^2): log|dz/dx| = -v / 2 - log1p(v). The inverse is explicit; forward solves t + e^t =\n"
    "log delta + 2 log|x| for t = log v by Newton's method (one-sided, quadratic; 8 steps), to machine precision.\n"
    "Gradients, with m = log|dx/dz|: m_z = delta z (3 + v) / (1 + v), m_delta = z^2 (3 + v) / (2 (1 + v)), x_delta = x z^2 / 2.\n"
    "Inverse: z_bar = x_bar dx/dz + l_bar m_z, delta_bar = x_bar x_delta + l_bar m_delta. Forward, by the implicit function\n"
    "theorem: x_bar = (z_bar - l_bar m_z) dz/dx, delta_bar = -(x_bar x_delta + l_bar m_delta).\n"
    "Rows whose x overflows are discarded. Cost: forward 11 vectorised functions a value, inverse 3.\n"
    "Source: Goerg 2015, \"The Lambert way to Gaussianize heavy-tailed data\", The Scientific World Journal, arXiv:1010.2265.";

#define STEPS 8

/* tail weight, and the sigmoid that leads back to its parameter */
static void tail_weight(weir_frame *frame, int32_t n, const weir_real *p, weir_real *delta)
{
    frame->math->softplus(n, p, delta);
}

/* v = W(delta x^2) for L = log delta + 2 log|x|, from t + e^t = L with t = log v. The function is convex with slopes of 1 and
 * more, and the start lies beyond the root, so Newton's method converges from one side, in at most 6 steps; a fixed number
 * of them keeps every row independent of the others. Below L = -80 v is nothing beside 1. */
static void solve(weir_frame *frame, int32_t n, const weir_real *L, weir_real *t, weir_real *e)
{
    for (int32_t i = 0; i < n; i++) t[i] = L[i] > 1 ? L[i] : WEIR_C(1);
    frame->math->log(n, t, t);
    for (int32_t i = 0; i < n; i++) t[i] = L[i] > 1 ? t[i] : L[i] > -80 ? L[i] : WEIR_C(-80);
    for (int32_t k = 0; k < STEPS; k++) {
        frame->math->exp(n, t, e);
        for (int32_t i = 0; i < n; i++) {
            const weir_real target = L[i] > -80 ? L[i] : WEIR_C(-80);
            t[i] -= (t[i] + e[i] - target) / (1 + e[i]);
        }
    }
    frame->math->exp(n, t, e);
}

/* z from v: |x| e^(-v/2), or sqrt(v / delta) where v is large and the first would lose v / 2 ulp. */
static void gaussianize(weir_frame *frame, int32_t n, const weir_real *x, const weir_real *log_delta,
                        const weir_real *t, const weir_real *v, weir_real *z)
{
    for (int32_t i = 0; i < n; i++) z[i] = v[i] < 1 ? -v[i] / 2 : (t[i] - log_delta[i]) / 2;
    frame->math->exp(n, z, z);
    for (int32_t i = 0; i < n; i++) {
        const weir_real sign = x[i] < 0 ? WEIR_C(-1) : WEIR_C(1);
        z[i] *= v[i] < 1 ? x[i] : sign;
    }
}

/* What both VJPs need at z: e^(v/2), the slope dx/dz and the derivatives of m = log dx/dz in z and in delta. */
typedef struct tail {
    weir_real *delta, *sigmoid, *stretch;
} tail;

static int take(weir_frame *frame, tail *t)
{
    t->delta = weir_take_lane(frame);
    t->sigmoid = weir_take_lane(frame);
    t->stretch = weir_take_lane(frame);
    return t->delta && t->sigmoid && t->stretch;
}

static void evaluate(weir_frame *frame, int32_t n, const weir_real *p, const weir_real *z, const tail *t)
{
    tail_weight(frame, n, p, t->delta);
    frame->math->sigmoid(n, p, t->sigmoid);
    for (int32_t i = 0; i < n; i++) t->stretch[i] = t->delta[i] * z[i] * z[i] / 2;
    frame->math->exp(n, t->stretch, t->stretch);
}

static weir_status lambert_w_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                          const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)s;
    weir_real *const delta = weir_take_lane(frame);
    weir_real *const logs = weir_take_lane(frame);
    weir_real *const t = weir_take_lane(frame);
    weir_real *const v = weir_take_lane(frame);
    if (!delta || !logs || !t || !v) return WEIR_ERROR;

    tail_weight(frame, n, p, delta);
    frame->math->log(n, delta, delta);
    for (int32_t i = 0; i < n; i++) logs[i] = x[i] < 0 ? -x[i] : x[i];
    frame->math->log(n, logs, logs);
    for (int32_t i = 0; i < n; i++) logs[i] = delta[i] + 2 * logs[i];
    solve(frame, n, logs, t, v);
    gaussianize(frame, n, x, delta, t, v, y);
    frame->math->log1p(n, v, t);
    for (int32_t i = 0; i < n; i++) log_det[i] -= v[i] / 2 + t[i];
    const weir_status bad = weir_discard_unless_finite(frame, x);
    const weir_status worse = weir_discard_unless_finite(frame, y);
    return bad > worse ? bad : worse;
}

static weir_status lambert_w_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s,
                                              const weir_real *y, const weir_real *y_bar,
                                              const weir_real *log_det_bar, weir_real *x_bar,
                                              weir_real *p_bar)
{
    (void)self, (void)s;
    tail t;
    if (!take(frame, &t)) return WEIR_ERROR;
    evaluate(frame, n, p, y, &t);
    for (int32_t i = 0; i < n; i++) {
        const weir_real z = y[i], v = t.delta[i] * z * z, share = (3 + v) / (1 + v);
        const weir_real a = (y_bar[i] - log_det_bar[i] * t.delta[i] * z * share) / (t.stretch[i] * (1 + v));
        x_bar[i] = a;
        p_bar[i] = -(a * x[i] + log_det_bar[i] * share) * (z * z / 2) * t.sigmoid[i];
    }
    return WEIR_OK;
}

static weir_status lambert_w_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                          const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)s;
    weir_real *const v = weir_take_lane(frame);
    weir_real *const logs = weir_take_lane(frame);
    if (!v || !logs) return WEIR_ERROR;

    tail_weight(frame, n, p, v);
    for (int32_t i = 0; i < n; i++) {
        v[i] *= y[i] * y[i];
        logs[i] = v[i] / 2;
    }
    frame->math->exp(n, logs, x);
    frame->math->log1p(n, v, logs);
    for (int32_t i = 0; i < n; i++) {
        x[i] *= y[i];
        log_det[i] += v[i] / 2 + logs[i];
    }
    return weir_discard_unless_finite(frame, x);
}

static weir_status lambert_w_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                              const weir_real *y, const weir_real *p, int64_t s,
                                              const weir_real *x, const weir_real *x_bar,
                                              const weir_real *log_det_bar, weir_real *y_bar,
                                              weir_real *p_bar)
{
    (void)self, (void)s;
    tail t;
    if (!take(frame, &t)) return WEIR_ERROR;
    evaluate(frame, n, p, y, &t);
    for (int32_t i = 0; i < n; i++) {
        const weir_real z = y[i], v = t.delta[i] * z * z, share = (3 + v) / (1 + v);
        y_bar[i] = x_bar[i] * t.stretch[i] * (1 + v) + log_det_bar[i] * t.delta[i] * z * share;
        p_bar[i] = (x_bar[i] * x[i] + log_det_bar[i] * share) * (z * z / 2) * t.sigmoid[i];
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(lambert_w)

static weir_status lambert_w_create(weir_builder *build, void **self)
{
    static const double identity[1] = {-5};
    *self = NULL;
    return build->params(build, 1, identity) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static void lambert_w_destroy(void *self)
{
    (void)self;
}

static const weir_module lambert_w_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "lambert_w",
    .version = "1.0.0",
    .summary = "heavy tails made Gaussian by the Lambert W function (Goerg)",
    .doc = lambert_w_doc,
    .create = lambert_w_create,
    .destroy = lambert_w_destroy,
    .ops = &lambert_w_ops,
};

WEIR_PLUGIN(&lambert_w_module);
