/* circular_spline - rational-quadratic spline on the circle, and a turn.
 *
 * An angle is worked on as u = x - centre, wrapped into [-B, B] with B half the period. */
#include "rational.h"

#include "knots.h"
#include "splines.h"

#include <stdlib.h>

/** How far beyond an end, in units of half the period, an angle may lie: what single precision makes of pi. */
#define BEYOND 1e-6

typedef struct circular_spline {
    rational_spline spline;
    weir_real lower, upper, centre, period, per_period;
    int32_t turned; /* the number of the phase among the parameters; 0: there is none */
} circular_spline;

static const char circular_spline_doc[] =
    "Rational-quadratic spline (see rq_spline) of the circle onto itself, then a turn: y = S(x) + phase, modulo the period\n"
    "upper - lower. S keeps the point lower = upper, has the same slope on both of its sides, and so is a continuously\n"
    "differentiable map of the circle: densities are continuous there too. log dy/dx = log S'(x).\n"
    "Angles lie in [lower, upper], both ends the same point, when they come in and when they go out. Rows outside are\n"
    "discarded, not wrapped: degrees where radians are meant would go unseen. (An end missed by 1e-6 of half the period is\n"
    "taken for rounding.) Densities are per unit of angle and integrate to 1 over [lower, upper].\n"
    "Parameters per element: 3 bins + 1. `bins` widths and `bins` heights before the softmax, each bin then getting the\n"
    "period times (min + (1 - bins min) softmax); `bins` slopes, min_derivative + softplus(v + c), v = 0 giving slope 1, the\n"
    "first of them at the point lower = upper; and the phase, in units of the angle, without which that point would never\n"
    "move. phase = false leaves it out, for a layer between two others that turn. All zero is the identity.\n"
    "Takes and gives the circle lower to upper: put the base uniform on the same interval behind it, or another density of\n"
    "the circle. A network that is to see angles jumps where they do unless it gets them by cosine and sine: use periodic.\n"
    "The inverse costs as much as forward, 2 bins + 3 vectorised functions a value, and cannot fail. Rows with NaN or an infinity, in the input or in the parameters,\n"
    "are discarded.\n"
    "Source: Rezende et al. 2020, \"Normalizing Flows on Tori and Spheres\", arXiv:2002.02428, section 2.1 (circular splines).";

static const weir_option circular_spline_options[] = {
    BINS_OPTION(2),
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "-3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where the circle begins; -pi"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where it ends, the same point; the period is upper - lower"},
    SHARE_OPTION("min_width", "width", "the period"),
    SHARE_OPTION("min_height", "height", "the period"),
    SLOPE_OPTION("least slope at a knot"),
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "phase",
     .default_json = "true",
     .summary = "a learned turn after the spline"},
};

/* ---- angles ------------------------------------------------------------------------------------------ */

/** The nearest integer, without a branch or a call: adding and taking off 3/2 of the first number that has no fraction.
 *  Beyond half of that the answer is off, but so is the question. */
WEIR_INLINE weir_real nearest(weir_real t)
{
    const weir_real big = WEIR_REAL == 32 ? WEIR_C(0x1.8p23) : WEIR_C(0x1.8p52);
    return (t + big) - big;
}

/** u less whole periods, in [-B, B] up to rounding. */
WEIR_INLINE weir_real wrapped(const circular_spline *self, weir_real u)
{
    return u - self->period * nearest(u * self->per_period);
}

/** u of an angle; NaN where it lies outside. */
static void unfold(const circular_spline *self, int32_t n, const weir_real *restrict angle,
                   weir_real *restrict u)
{
    const weir_real furthest = self->spline.box.bound * WEIR_C(1 + BEYOND);
    for (int32_t i = 0; i < n; i++) {
        const weir_real from = angle[i] - self->centre, to = wrapped(self, from);
        u[i] = REAL_ABS(from) <= furthest ? to : WEIR_C(NAN);
    }
}

/** The angle of u, never outside [lower, upper]; angle may be u. */
static void fold(const circular_spline *self, int32_t n, const weir_real *u, weir_real *angle)
{
    const weir_real lower = self->lower, upper = self->upper;
    for (int32_t i = 0; i < n; i++) {
        const weir_real at = u[i] + self->centre, above = at < lower ? lower : at;
        angle[i] = above > upper ? upper : above;
    }
}

/** u turned by `sign` times the phase, itself wrapped first; NaN where the phase has no digits left for that. */
static void turn(const circular_spline *self, int32_t n, const weir_real *p, int64_t s, weir_real sign,
                 weir_real *restrict u)
{
    if (!self->turned) return;
    const weir_real *restrict const phase = p + self->turned * s;
    for (int32_t i = 0; i < n; i++) {
        const weir_real by = wrapped(self, phase[i]), to = wrapped(self, u[i] + sign * by);
        u[i] = REAL_ABS(by) <= self->period ? to : WEIR_C(NAN);
    }
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

static weir_status circular_spline_lane_forward(const void *module, weir_frame *frame, int32_t n,
                                                const weir_real *x, const weir_real *p, int64_t s,
                                                weir_real *y, weir_real *log_det)
{
    const circular_spline *const self = module;
    segment g;
    weir_real *const slope = weir_take_lane(frame), *const u = weir_take_lane(frame);
    weir_real *const v = weir_take_lane(frame);
    if (!slope || !u || !v) return WEIR_ERROR;
    unfold(self, n, x, u);
    if (!WEIR_NAME(rational_locate)(&self->spline, frame, n, u, 0, p, s, &g)) return WEIR_ERROR;
    WEIR_NAME(rational_values)(&self->spline, n, u, &g, v, slope);
    turn(self, n, p, s, 1, v);
    fold(self, n, v, y);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] += slope[i];
    for (int32_t i = 0; i < n; i++) slope[i] += v[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status circular_spline_lane_inverse(const void *module, weir_frame *frame, int32_t n,
                                                const weir_real *y, const weir_real *p, int64_t s,
                                                weir_real *x, weir_real *log_det)
{
    const circular_spline *const self = module;
    segment g;
    weir_real *const slope = weir_take_lane(frame), *const u = weir_take_lane(frame);
    weir_real *const v = weir_take_lane(frame);
    if (!slope || !u || !v) return WEIR_ERROR;
    unfold(self, n, y, v);
    turn(self, n, p, s, -1, v);
    if (!WEIR_NAME(rational_locate)(&self->spline, frame, n, v, 1, p, s, &g)) return WEIR_ERROR;
    WEIR_NAME(rational_roots)(&self->spline, n, v, &g, u, slope);
    fold(self, n, u, x);
    frame->math->log(n, slope, slope);
    for (int32_t i = 0; i < n; i++) log_det[i] -= slope[i];
    return weir_discard_unless_finite(frame, slope);
}

static weir_status circular_spline_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                                    const weir_real *x, const weir_real *p, int64_t s,
                                                    const weir_real *y, const weir_real *y_bar,
                                                    const weir_real *log_det_bar, weir_real *x_bar,
                                                    weir_real *p_bar)
{
    const circular_spline *const self = module;
    segment g;
    weir_real *const u = weir_take_lane(frame);
    (void)y;
    if (!u) return WEIR_ERROR;
    unfold(self, n, x, u);
    if (!WEIR_NAME(rational_locate)(&self->spline, frame, n, u, 0, p, s, &g)) return WEIR_ERROR;
    if (self->turned) memcpy(p_bar + self->turned * s, y_bar, (size_t)n * sizeof *y_bar);
    return WEIR_NAME(rational_pull)(&self->spline, frame, n, u, &g, y_bar, log_det_bar, x_bar, p_bar, s)
               ? WEIR_OK
               : WEIR_ERROR;
}

/* dx/dphase = -dx/dy. */
static weir_status circular_spline_lane_inverse_vjp(const void *module, weir_frame *frame, int32_t n,
                                                    const weir_real *y, const weir_real *p, int64_t s,
                                                    const weir_real *x, const weir_real *x_bar,
                                                    const weir_real *log_det_bar, weir_real *y_bar,
                                                    weir_real *p_bar)
{
    const circular_spline *const self = module;
    segment g;
    weir_real *const u = weir_take_lane(frame);
    (void)y;
    if (!u) return WEIR_ERROR;
    unfold(self, n, x, u);
    if (!WEIR_NAME(rational_locate)(&self->spline, frame, n, u, 0, p, s, &g)) return WEIR_ERROR;
    if (!WEIR_NAME(rational_pull_inverse)(&self->spline, frame, n, u, &g, x_bar, log_det_bar, y_bar, p_bar,
                                          s))
        return WEIR_ERROR;
    for (int32_t i = 0; self->turned && i < n; i++) p_bar[self->turned * s + i] = -y_bar[i];
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(circular_spline)

/* ---- creation ---------------------------------------------------------------------------------------------- */

static weir_status read_circle(weir_builder *build, circular_spline *self)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    const double period = upper - lower;
    const weir_domain circle = {.struct_size = (uint32_t)sizeof circle,
                                .kind = WEIR_DOMAIN_CIRCLE,
                                .count = 1,
                                .lower = lower,
                                .upper = upper};
    if (!(period > 1e-3 * (1e-3 + fabs(lower))))
        return weir_refuse(build,
                           "a circle from %g to %g: upper must be larger than lower, and not too near to it",
                           lower, upper);
    if (build->require(build, &circle) != WEIR_OK || build->produce(build, &circle) != WEIR_OK)
        return WEIR_INVALID;
    self->lower = WEIR_C(lower);
    self->upper = WEIR_C(upper);
    self->centre = WEIR_C((lower + upper) / 2);
    self->period = 2 * WEIR_C(period / 2);
    self->per_period = 1 / self->period;
    self->spline.box = (box){(int32_t)build->integer(build, "bins"), WEIR_C(period / 2)};
    self->spline.tail = WEIR_C(INFINITY);
    self->spline.periodic = 1;
    return WEIR_OK;
}

static weir_status circular_spline_create(weir_builder *build, void **self)
{
    static const double identity[3 * MOST_BINS + 1] = {0};
    circular_spline spline = {.turned = 0};
    if (read_circle(build, &spline) != WEIR_OK) return WEIR_INVALID;
    if (WEIR_NAME(rational_read)(build, &spline.spline) != WEIR_OK) return WEIR_INVALID;
    const int32_t own = 3 * spline.spline.box.bins;
    if (build->boolean(build, "phase")) spline.turned = own;
    if (build->params(build, own + (spline.turned > 0), identity) != WEIR_OK) return WEIR_INVALID;
    circular_spline *const made = malloc(sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    *made = spline;
    *self = made;
    return WEIR_OK;
}

/** Those of S, before the turn. */
static weir_status circular_knots(const void *module, weir_frame *frame, const weir_real *theta, weir_real *x,
                                  weir_real *y, weir_real *slope)
{
    const circular_spline *const self = module;
    const weir_status status = WEIR_NAME(rational_knots)(&self->spline, frame, theta, x, y, slope);
    if (status != WEIR_OK) return status;
    fold(self, self->spline.box.bins + 1, x, x);
    fold(self, self->spline.box.bins + 1, y, y);
    return WEIR_OK;
}

static const weir_method circular_spline_methods[] = {
    WEIR_METHOD("knots", KNOTS_SIGNATURE,
                "the knots of S, before the turn by the phase, and its slopes there", circular_knots),
};

const weir_module WEIR_NAME(circular_spline_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "circular_spline",
    .version = "1.0.0",
    .summary = "rational-quadratic spline on the circle, with a learned turn (flows on tori)",
    .doc = circular_spline_doc,
    WEIR_OPTIONS(circular_spline_options),
    WEIR_METHODS(circular_spline_methods),
    .create = circular_spline_create,
    .destroy = free,
    .ops = &circular_spline_ops,
};
