/* bernstein - monotone Bernstein polynomial with straight tails. */
#include "curve.h"

#include <weir/lanes.h>
#include <weir/roots.h>

#include <stdlib.h>

static const char bernstein_doc[] =
    "Increasing Bernstein polynomial of degree M on [-B, B], straight beyond with the slope of its end: continuously\n"
    "differentiable, the line to the line.\n"
    "y = sum_j theta_j B_{j,M}((x + B) / 2B), B = bound; theta_k - theta_{k-1} = (2B / M) (min_slope + softplus(v_k + c)) with c\n"
    "such that v = 0 gives slope 1, and (theta_0 + theta_M) / 2 = b.\n"
    "Parameters per element, M + 1: v_1 .. v_M, b. All zero is the identity, since Bernstein polynomials reproduce lines.\n"
    "dy/dx = sum_k (min_slope + softplus(v_k + c)) B_{k-1,M-1}: an average of the slopes, so at least min_slope everywhere,\n"
    "at most the largest of them. Every sum is of positive terms: no digit is lost at any degree.\n"
    "Inverse: straight in the tails; inside one root a row, bracketed by [-B, B], to machine precision. Its VJP is the\n"
    "implicit function theorem's. Rows with NaN or an infinity are discarded. Cost: forward M vectorised functions and about\n"
    "12 M operations a value, inverse about 6 times the latter.\n"
    "Source: Sick et al. 2020, \"Deep transformation models\", arXiv:2004.00464; Ramasinghe et al. 2021, \"Robust normalizing\n"
    "flows using Bernstein-type polynomials\", arXiv:2102.03509. Theirs live on a closed interval; the tails are added here.";

static const weir_option bernstein_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "degree",
     .default_json = "10",
     .minimum = DEGREE_LEAST,
     .maximum = DEGREE_MOST,
     .summary = "degree of the polynomial, M"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "bound",
     .default_json = "5",
     .minimum = 1e-3,
     .maximum = 1e6,
     .summary = "the polynomial lives on [-bound, bound], the tails are straight; 5 suits standardized data"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_slope",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least slope anywhere"},
};

static weir_status bernstein_lane_forward(const void *module, weir_frame *frame, int32_t n,
                                          const weir_real *x, const weir_real *p, int64_t s, weir_real *y,
                                          weir_real *log_det)
{
    const bernstein *const self = module;
    curve c;
    if (!WEIR_NAME(curve_make)(self, frame, n, p, s, &c)) return WEIR_ERROR;
    WEIR_NAME(curve_evaluate)(self, &c, x, p + self->degree * s);
    memcpy(y, c.y, (size_t)n * sizeof *y);
    for (int32_t i = 0; i < n; i++) c.rate[i] /= self->step;
    frame->math->log(n, c.rate, c.rate);
    for (int32_t i = 0; i < n; i++) log_det[i] += c.rate[i];
    const weir_status bad = weir_discard_unless_finite(frame, y);
    const weir_status flat = weir_discard_unless_finite(frame, c.rate);
    return bad > flat ? bad : flat;
}

/** d log (dy/dx) / dx, 0 in the tails. */
static void bends(const bernstein *self, const curve *c, weir_real *restrict bend)
{
    const int32_t n = c->n;
    const weir_real scale = (weir_real)(self->degree - 1) / (2 * self->bound);
    memset(bend, 0, (size_t)n * sizeof *bend);
    for (int32_t j = 0; j < self->degree - 1; j++) {
        const weir_real *restrict const here = c->delta + (int64_t)j * n, *restrict const next = here + n;
        const weir_real *restrict const lower = c->lower + (int64_t)j * n;
        for (int32_t i = 0; i < n; i++) bend[i] += (next[i] - here[i]) * lower[i];
    }
    for (int32_t i = 0; i < n; i++) {
        const weir_real inside = c->over[i] == 0;
        bend[i] *= inside * scale / c->rate[i];
    }
}

/* dy/d delta_k = I_k - 1/2 + over B_{k-1,M-1} / step, dL/d delta_k = B_{k-1,M-1} / rate; the last array comes first, since I_k
 * sums from there. */
static void pull_increments(const bernstein *self, const curve *c, const weir_real *restrict y_bar,
                            const weir_real *restrict l_bar, weir_real *restrict above,
                            weir_real *restrict p_bar, int64_t s)
{
    const int32_t n = c->n;
    memset(above, 0, (size_t)n * sizeof *above);
    for (int32_t k = self->degree - 1; k >= 0; k--) {
        const weir_real *restrict const own = c->basis + (int64_t)k * n;
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) {
            const weir_real sum = above[i] + c->r[i] * own[i] - WEIR_C(0.5);
            to[i] = y_bar[i] * (sum + c->over[i] * own[i] / self->step) + l_bar[i] * own[i] / c->rate[i];
            above[i] += own[i];
        }
    }
}

static weir_status bernstein_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                              const weir_real *x, const weir_real *p, int64_t s,
                                              const weir_real *y, const weir_real *y_bar,
                                              const weir_real *log_det_bar, weir_real *x_bar,
                                              weir_real *p_bar)
{
    const bernstein *const self = module;
    const int32_t degree = self->degree;
    curve c;
    weir_real *const work = weir_take_lane(frame), *const steep = weir_take_lane(frame);
    (void)y;
    if (!work || !steep || !WEIR_NAME(curve_make)(self, frame, n, p, s, &c)) return WEIR_ERROR;
    WEIR_NAME(curve_evaluate)(self, &c, x, p + degree * s);
    bends(self, &c, work);
    for (int32_t i = 0; i < n; i++) x_bar[i] = y_bar[i] * c.rate[i] / self->step + log_det_bar[i] * work[i];
    pull_increments(self, &c, y_bar, log_det_bar, work, p_bar, s);
    for (int32_t k = 0; k < degree; k++) {
        for (int32_t i = 0; i < n; i++) steep[i] = p[k * s + i] + self->shift;
        frame->math->sigmoid(n, steep, steep);
        for (int32_t i = 0; i < n; i++) p_bar[k * s + i] *= self->step * steep[i];
    }
    memcpy(p_bar + degree * s, y_bar, (size_t)n * sizeof *y_bar);
    return WEIR_OK;
}

/* ---- inverse ------------------------------------------------------------------------------------------------------ */

typedef struct wanted {
    const bernstein *self;
    const curve *c;
    const weir_real *target, *shift, *reach; /* reach: half the rise from -B to B */
} wanted;

static void miss(const void *context, weir_frame *frame, int32_t n, const weir_real *x, weir_real *value,
                 weir_real *slope)
{
    const wanted *const q = context;
    (void)frame;
    WEIR_NAME(curve_evaluate)(q->self, q->c, x, q->shift);
    for (int32_t i = 0; i < n; i++) {
        value[i] = weir_roots_miss(q->c->y[i], q->target[i], 4 * q->reach[i]);
        slope[i] = q->c->rate[i] / q->self->step;
    }
}

/** Confines the target to [y(-B), y(B)] and brackets its root; over = what straight tails add to x. */
static void bracket(const bernstein *self, const curve *c, const weir_real *restrict y,
                    const weir_real *restrict b, weir_real *restrict target, weir_real *restrict low,
                    weir_real *restrict high, weir_real *restrict x, weir_real *restrict over,
                    weir_real *restrict half)
{
    const int32_t n = c->n;
    const weir_real *restrict const first = c->delta, *restrict const last =
                                                          c->delta + (self->degree - 1) * n;
    memset(half, 0, (size_t)n * sizeof *half);
    for (int32_t k = 0; k < self->degree; k++)
        for (int32_t i = 0; i < n; i++) half[i] += c->delta[(int64_t)k * n + i] / 2;
    for (int32_t i = 0; i < n; i++) {
        const weir_real reach = half[i], from = y[i] - b[i], inside = curve_confined(from, reach);
        over[i] = (from - inside) * self->step / (from > 0 ? last[i] : first[i]);
        target[i] = b[i] + inside;
        x[i] = self->bound * (inside / reach);
        high[i] = from < -reach ? -self->bound : self->bound;
        low[i] = from > reach ? self->bound : -self->bound;
    }
}

static weir_status bernstein_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                          const weir_real *y, const weir_real *p, int64_t s, weir_real *x,
                                          weir_real *log_det)
{
    const bernstein *const self = module;
    const weir_real *const b = p + self->degree * s;
    curve c;
    weir_real *const target = weir_take_lane(frame), *const low = weir_take_lane(frame);
    weir_real *const high = weir_take_lane(frame), *const over = weir_take_lane(frame);
    weir_real *const half = weir_take_lane(frame);
    if (!target || !low || !high || !over || !half || !WEIR_NAME(curve_make)(self, frame, n, p, s, &c))
        return WEIR_ERROR;
    bracket(self, &c, y, b, target, low, high, x, over, half);
    const wanted q = {self, &c, target, b, half};
    const weir_status status = weir_find_roots(frame, n, miss, &q, low, high, x);
    if (status > WEIR_DISCARD) return status;
    WEIR_NAME(curve_evaluate)(self, &c, x, b);
    for (int32_t i = 0; i < n; i++) {
        x[i] += over[i];
        c.rate[i] /= self->step;
    }
    frame->math->log(n, c.rate, c.rate);
    for (int32_t i = 0; i < n; i++) log_det[i] -= c.rate[i];
    const weir_status far = weir_discard_unless_finite(frame, x);
    return status > far ? status : far;
}

WEIR_UNIVARIATE_FORWARD_LANES(bernstein)

static weir_status bernstein_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                     const weir_tile *params, const weir_tile *x, void *log_det)
{
    return weir_map_lanes(bernstein_lane_inverse, self, frame, y, params, x, log_det);
}

static const weir_univariate_ops bernstein_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = bernstein_forward,
    .inverse = bernstein_inverse,
    .forward_vjp = bernstein_forward_vjp,
};

/* ---- creation ------------------------------------------------------------------------------------------------------- */

static void set_binomials(bernstein *self)
{
    double value = 1;
    const int32_t of = self->degree - 2;
    for (int32_t j = 0; j <= of; j++) {
        self->binomials[j] = WEIR_C(value);
        value = value * (of - j) / (j + 1);
    }
}

static weir_status bernstein_create(weir_builder *build, void **module)
{
    static const double identity[DEGREE_MOST + 1] = {0};
    const int32_t degree = (int32_t)build->integer(build, "degree");
    const double bound = build->number(build, "bound"), least = build->number(build, "min_slope");
    if (build->params(build, degree + 1, identity) != WEIR_OK) return WEIR_INVALID;
    build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    bernstein *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (bernstein){.degree = degree,
                        .bound = WEIR_C(bound),
                        .step = WEIR_C(2 * bound / degree),
                        .min_slope = WEIR_C(least),
                        .shift = WEIR_C(log(expm1(1 - least)))};
    set_binomials(made);
    *module = made;
    return WEIR_OK;
}

static const weir_module bernstein_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "bernstein",
    .version = "1.0.0",
    .summary = "monotone Bernstein polynomial with straight tails",
    .doc = bernstein_doc,
    WEIR_OPTIONS(bernstein_options),
    .create = bernstein_create,
    .destroy = free,
    .ops = &bernstein_ops,
};

WEIR_PLUGIN(&bernstein_module);
