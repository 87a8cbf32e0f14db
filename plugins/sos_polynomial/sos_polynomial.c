/* sos_polynomial - the integral of a sum of squares. */
#include <weir/lanes.h>
#include <weir/roots.h>

#include <stdlib.h>

#define SQUARES_MOST 32
#define DEGREE_MOST  12
#define NODES_MOST   (DEGREE_MOST + 1)
#define TILT         0.1

static const char sos_doc[] =
    "Sum-of-squares polynomial: y = c + integral from 0 to x of (min_slope + sum_k p_k(u)^2) du, p_k(u) = sum_l a_{k,l} u^l,\n"
    "k = 1 .. squares, l = 0 .. degree: every increasing polynomial of degree 2 degree + 1 whose slope is at least min_slope\n"
    "has this form, with two squares.\n"
    "Parameters per element, squares (degree + 1) + 1: a_{1,0}, a_{1,1}, ..., a_{2,0}, ..., c.\n"
    "dy/dx = min_slope + sum_k p_k(x)^2. The integral is x times Gauss-Legendre's mean over [0, x] with degree + 1 nodes, which\n"
    "is exact for it: a sum of non-negative terms, where the expanded polynomial would cancel. So y increases, rounding\n"
    "included, and there is no end of a domain; tails grow as |x|^(2 degree + 1), so standardize the data first.\n"
    "Start: p_k(u) = sqrt((1 - min_slope) / squares) (1 + 0.1 t_k u) with t_k spread evenly over [-1, 1] (0 for one square),\n"
    "which is y = x + O(0.0033 x^3): squares that are zero, or multiples of each other, would stay so in training.\n"
    "Inverse: a bracket grown from 0 until it holds the target, then a root to machine precision, together about 10\n"
    "evaluations; its VJP is the implicit function theorem's. Rows with NaN or an infinity, or whose powers overflow, are\n"
    "discarded. Cost: one vectorised function and 2 (degree + 1)^2 squares operations a value.\n"
    "Source: Jaini et al. 2019, \"Sum-of-squares polynomial flow\", arXiv:1905.02325, section 4; min_slope is added here: a sum\n"
    "of squares may have zeros.";

static const weir_option sos_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "squares",
     .default_json = "3",
     .minimum = 1,
     .maximum = SQUARES_MOST,
     .summary = "number of squared polynomials"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "degree",
     .default_json = "3",
     .minimum = 1,
     .maximum = DEGREE_MOST,
     .summary = "degree of each before it is squared; the map has degree 2 degree + 1"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "min_slope",
     .default_json = "1e-3",
     .minimum = 1e-6,
     .maximum = 0.5,
     .summary = "least slope anywhere"},
};

typedef struct sos {
    int32_t squares, degree;
    weir_real min_slope;
    weir_real node[NODES_MOST], weight[NODES_MOST]; /* Gauss-Legendre on [0, 1], degree + 1 of them */
} sos;

/** p(u) and, unless slope is NULL, p'(u), by Horner's rule; a is the first of degree + 1 parameters. */
static void polynomial(const sos *self, int32_t n, const weir_real *a, int64_t s, const weir_real *restrict u,
                       weir_real *restrict value, weir_real *restrict slope)
{
    memcpy(value, a + self->degree * s, (size_t)n * sizeof *value);
    if (slope) memset(slope, 0, (size_t)n * sizeof *slope);
    for (int32_t l = self->degree - 1; l >= 0; l--) {
        const weir_real *restrict const next = a + l * s;
        for (int32_t i = 0; slope && i < n; i++) slope[i] = slope[i] * u[i] + value[i];
        for (int32_t i = 0; i < n; i++) value[i] = value[i] * u[i] + next[i];
    }
}

/** sum = min_slope + sum_k p_k(u)^2 */
static void squares_at(const sos *self, int32_t n, const weir_real *p, int64_t s, const weir_real *u,
                       weir_real *restrict work, weir_real *restrict sum)
{
    for (int32_t i = 0; i < n; i++) sum[i] = self->min_slope;
    for (int32_t k = 0; k < self->squares; k++) {
        polynomial(self, n, p + (int64_t)k * (self->degree + 1) * s, s, u, work, NULL);
        for (int32_t i = 0; i < n; i++) sum[i] += work[i] * work[i];
    }
}

static const weir_real *constant_of(const sos *self, const weir_real *p, int64_t s)
{
    return p + (int64_t)self->squares * (self->degree + 1) * s;
}

/** y and dy/dx; `work` is three lanes. */
static void evaluate(const sos *self, int32_t n, const weir_real *restrict x, const weir_real *p, int64_t s,
                     weir_real *work, weir_real *restrict y, weir_real *restrict slope)
{
    const weir_real *restrict const c = constant_of(self, p, s);
    weir_real *restrict const u = work, *restrict const value = work + n, *restrict const mean = work + 2 * n;
    memset(mean, 0, (size_t)n * sizeof *mean);
    for (int32_t j = 0; j <= self->degree; j++) {
        for (int32_t i = 0; i < n; i++) u[i] = x[i] * self->node[j];
        squares_at(self, n, p, s, u, value, slope);
        for (int32_t i = 0; i < n; i++) mean[i] += self->weight[j] * slope[i];
    }
    squares_at(self, n, p, s, x, value, slope);
    for (int32_t i = 0; i < n; i++) y[i] = c[i] + x[i] * mean[i];
}

static weir_real *take_work(weir_frame *frame, int32_t n, int32_t lanes)
{
    return weir_take(frame, lanes * (int64_t)n * (int64_t)sizeof(weir_real));
}

static weir_status sos_lane_forward(const void *module, weir_frame *frame, int32_t n, const weir_real *x,
                                    const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    const sos *const self = module;
    weir_real *const work = take_work(frame, n, 3), *const slope = weir_take_lane(frame);
    if (!work || !slope) return WEIR_ERROR;
    evaluate(self, n, x, p, s, work, y, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    const weir_status bad = weir_discard_unless_finite(frame, y);
    const weir_status steep = weir_discard_unless_finite(frame, slope);
    return bad > steep ? bad : steep;
}

/** Adds 2 pull p_k(u) u^l to the cotangents of a_{k,l}, all k and l; `work` is two lanes. */
static void pull_at(const sos *self, int32_t n, const weir_real *p, int64_t s, const weir_real *restrict u,
                    const weir_real *restrict pull, weir_real *work, weir_real *p_bar)
{
    weir_real *restrict const value = work, *restrict const part = work + n;
    for (int32_t k = 0; k < self->squares; k++) {
        const int64_t first = (int64_t)k * (self->degree + 1) * s;
        polynomial(self, n, p + first, s, u, value, NULL);
        for (int32_t i = 0; i < n; i++) part[i] = 2 * pull[i] * value[i];
        for (int32_t l = 0; l <= self->degree; l++) {
            weir_real *restrict const to = p_bar + first + l * s;
            for (int32_t i = 0; i < n; i++) {
                to[i] += part[i];
                part[i] *= u[i];
            }
        }
    }
}

/** bend = sum_k p_k p_k', half of d(dy/dx)/dx; `work` is two lanes. */
static void bends(const sos *self, int32_t n, const weir_real *x, const weir_real *p, int64_t s,
                  weir_real *work, weir_real *restrict bend)
{
    weir_real *restrict const value = work, *restrict const slope = work + n;
    memset(bend, 0, (size_t)n * sizeof *bend);
    for (int32_t k = 0; k < self->squares; k++) {
        polynomial(self, n, p + (int64_t)k * (self->degree + 1) * s, s, x, value, slope);
        for (int32_t i = 0; i < n; i++) bend[i] += value[i] * slope[i];
    }
}

static weir_status sos_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n, const weir_real *x,
                                        const weir_real *p, int64_t s, const weir_real *y,
                                        const weir_real *y_bar, const weir_real *log_det_bar,
                                        weir_real *x_bar, weir_real *p_bar)
{
    const sos *const self = module;
    const int32_t count = self->squares * (self->degree + 1);
    weir_real *const work = take_work(frame, n, 3), *const slope = weir_take_lane(frame);
    weir_real *const u = weir_take_lane(frame), *const pull = weir_take_lane(frame);
    (void)y;
    if (!work || !slope || !u || !pull) return WEIR_ERROR;
    squares_at(self, n, p, s, x, work, slope);
    bends(self, n, x, p, s, work, u);
    for (int32_t i = 0; i < n; i++) {
        x_bar[i] = y_bar[i] * slope[i] + 2 * log_det_bar[i] * u[i] / slope[i];
        pull[i] = log_det_bar[i] / slope[i];
    }
    for (int32_t j = 0; j < count; j++) memset(p_bar + j * s, 0, (size_t)n * sizeof *p_bar);
    pull_at(self, n, p, s, x, pull, work, p_bar);
    for (int32_t j = 0; j <= self->degree; j++) {
        for (int32_t i = 0; i < n; i++) {
            u[i] = x[i] * self->node[j];
            pull[i] = y_bar[i] * x[i] * self->weight[j];
        }
        pull_at(self, n, p, s, u, pull, work, p_bar);
    }
    memcpy(p_bar + count * s, y_bar, (size_t)n * sizeof *y_bar);
    return WEIR_OK;
}

/* ---- inverse ------------------------------------------------------------------------------------------------------ */

typedef struct wanted {
    const sos *self;
    const weir_real *target, *p;
    int64_t s;
    weir_real *work;
} wanted;

static void miss(const void *context, weir_frame *frame, int32_t n, const weir_real *x, weir_real *value,
                 weir_real *slope)
{
    const wanted *const q = context;
    const weir_real *const c = constant_of(q->self, q->p, q->s);
    (void)frame;
    evaluate(q->self, n, x, q->p, q->s, q->work, value, slope);
    for (int32_t i = 0; i < n; i++) {
        const weir_real shift = c[i] < 0 ? -c[i] : c[i],
                        reach = q->target[i] < 0 ? -q->target[i] : q->target[i];
        value[i] = weir_roots_miss(value[i], q->target[i], 4 * (shift + reach));
    }
}

static weir_status sos_lane_inverse(const void *module, weir_frame *frame, int32_t n, const weir_real *y,
                                    const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    const sos *const self = module;
    weir_status status = WEIR_OK;
    weir_real *const work = take_work(frame, n, 3), *const low = weir_take_lane(frame);
    weir_real *const high = weir_take_lane(frame), *const slope = low;
    if (!work || !low || !high) return WEIR_ERROR;
    const wanted q = {self, y, p, s, work};
    memset(x, 0, (size_t)n * sizeof *x);
    WEIR_TRY(status, weir_grow_brackets(frame, n, miss, &q, low, high, x));
    WEIR_TRY(status, weir_find_roots(frame, n, miss, &q, low, high, x));
    squares_at(self, n, p, s, x, work, slope);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    const weir_status steep = weir_discard_unless_finite(frame, slope);
    return status > steep ? status : steep;
}

WEIR_UNIVARIATE_FORWARD_LANES(sos)

static weir_status sos_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                               const weir_tile *params, const weir_tile *x, void *log_det)
{
    return weir_map_lanes(sos_lane_inverse, self, frame, y, params, x, log_det);
}

static const weir_univariate_ops sos_ops = {
    .struct_size = (uint32_t)sizeof(weir_univariate_ops),
    .forward = sos_forward,
    .inverse = sos_inverse,
    .forward_vjp = sos_forward_vjp,
};

/* ---- creation ------------------------------------------------------------------------------------------------------- */

/** Legendre's P_count at t by its three-term recurrence, and its derivative. */
static double legendre(int32_t count, double t, double *slope)
{
    double before = 1, here = t;
    for (int32_t m = 2; m <= count; m++) {
        const double next = ((2 * m - 1) * t * here - (m - 1) * before) / m;
        before = here;
        here = next;
    }
    *slope = count * (before - t * here) / (1 - t * t);
    return here;
}

/** Nodes by Newton's method from Chebyshev's, which are close enough; count >= 2. */
static void set_nodes(sos *self)
{
    const int32_t count = self->degree + 1;
    for (int32_t j = 0; j < count; j++) {
        double t = -cos(3.14159265358979323846 * (j + 0.75) / (count + 0.5)), slope = 1;
        for (int step = 0; step < 20; step++) t -= legendre(count, t, &slope) / slope;
        legendre(count, t, &slope);
        self->node[j] = WEIR_C((1 + t) / 2);
        self->weight[j] = WEIR_C(1 / ((1 - t * t) * slope * slope));
    }
}

static weir_status sos_create(weir_builder *build, void **module)
{
    double identity[SQUARES_MOST * NODES_MOST + 1] = {0};
    const int32_t squares = (int32_t)build->integer(build, "squares");
    const int32_t degree = (int32_t)build->integer(build, "degree");
    const double least = build->number(build, "min_slope"), level = sqrt((1 - least) / squares);
    for (int32_t k = 0; k < squares; k++) {
        identity[k * (degree + 1)] = level;
        identity[k * (degree + 1) + 1] = squares > 1 ? level * TILT * (2.0 * k / (squares - 1) - 1) : 0;
    }
    if (build->params(build, squares * (degree + 1) + 1, identity) != WEIR_OK) return WEIR_INVALID;
    build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    sos *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = (sos){.squares = squares, .degree = degree, .min_slope = WEIR_C(least)};
    set_nodes(made);
    *module = made;
    return WEIR_OK;
}

static const weir_module sos_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "sos_polynomial",
    .version = "1.0.0",
    .summary = "increasing polynomial: the integral of a sum of squares",
    .doc = sos_doc,
    WEIR_OPTIONS(sos_options),
    .create = sos_create,
    .destroy = free,
    .ops = &sos_ops,
};

WEIR_PLUGIN(&sos_module);
