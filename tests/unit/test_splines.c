/* test_splines.c - the splines against the formulas of their sources, written another way, and at extreme parameters; what
 * holds on a circle: no seam in densities, total mass 1, angles in and angles out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

TestSuite(splines);

#define PI   3.141592653589793
#define BINS 5
#define MOST (3 * BINS + 1)

#define U(type, options) "{\"type\":\"" type "\",\"options\":{" options "}}"
#define EACH(univariate) "{\"type\":\"elementwise\",\"children\":{\"univariate\":" univariate "}}"
#define NORMAL           "{\"type\":\"normal\"}"
#define ANGLES           "{\"type\":\"uniform\",\"options\":{\"lower\":-3.141592653589793,\"upper\":3.141592653589793}}"
#define FLOW(dtype, features, layers, base)                                                                  \
    "{\"dtype\":\"" dtype "\",\"features\":" #features                                                       \
    ",\"seed\":3,\"flow\":" CHAIN(layers) ",\"base\":" base "}"
#define SPLINE(dtype, type) FLOW(dtype, 1, EACH(U(type, "\"bins\":5,\"bound\":2")), NORMAL)

static const double bound = 2, least = 1e-3;

typedef struct stage {
    weir_runtime *rt;
    weir_model *m;
} stage;

static stage open_stage(const char *json)
{
    stage s = {.rt = open_weir(1)};
    s.m = must_build(s.rt, json);
    return s;
}

static void close_stage(stage s)
{
    weir_model_close(s.m);
    weir_close(s.rt);
}

/* Random parameters within +-size of the only elementwise layer. Returns how many there are. */
static int draw(stage s, double size, uint64_t *state, double *p)
{
    const int64_t t = weir_tensor_find(s.m, "flow.1.params");
    weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
    MUST(weir_tensor_at(s.m, t, &info, &error));
    cr_assert_leq(info.count, MOST);
    for (int64_t i = 0; i < info.count; i++) p[i] = (double)(float)(size * (2 * dice(state) - 1));
    MUST(weir_tensor_write(s.m, t, p, info.count, &error));
    return (int)info.count;
}

/* Rows of one feature through the model. */
static void pass(stage s, int inverse, int64_t rows, double *from, double *to, double *log_det)
{
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, rows, 1, 0, from};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, rows, 1, 0, to};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST((inverse ? weir_inverse : weir_forward)(s.m, &in, &call, &out, log_det, &error));
    cr_assert_eq(call.discarded, 0, "discarded %d rows", (int)call.discarded);
}

static double log_density(const weir_model *m, int32_t features, const double *x)
{
    double p = NAN, copy[2];
    memcpy(copy, x, (size_t)features * sizeof *x);
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, 1, features, 0, copy};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_log_prob(m, &in, &call, &p, &error));
    return p;
}

/* ---- the sources' formulas ---- */

/* Where the bins' softmax with a least share puts the knots of [-B, B]. */
static void knots_by_hand(const double *p, double B, double *knots)
{
    double sum = 0;
    knots[0] = -B;
    for (int k = 0; k < BINS; k++) sum += exp(p[k]);
    for (int k = 0; k < BINS; k++)
        knots[k + 1] = knots[k] + 2 * B * (least + (1 - BINS * least) * exp(p[k]) / sum);
}

static int bin_by_hand(const double *knots, double x)
{
    int k = 0;
    while (k < BINS - 1 && x >= knots[k + 1]) k++;
    return k;
}

/* Mueller et al. 2019, section 4.1. */
static double linear_by_hand(const double *p, double x, double *slope)
{
    double Y[BINS + 1];
    const double w = 2 * bound / BINS;
    knots_by_hand(p, bound, Y);
    const int k = (int)fmin(floor((x + bound) / w), BINS - 1);
    *slope = (Y[k + 1] - Y[k]) / w;
    return Y[k] + *slope * (x - (k * w - bound));
}

/* Mueller et al. 2019, section 4.2: a density that is linear between vertices, and its integral; the outer vertices are
 * such that after the normalisation they are 1. */
static double quadratic_by_hand(const double *p, double x, double *slope)
{
    double X[BINS + 1], v[BINS + 1], area = 0, rest = 1, y = -bound;
    knots_by_hand(p, bound, X);
    v[0] = v[BINS] = 0;
    for (int j = 1; j < BINS; j++) v[j] = exp(p[BINS + j - 1]);
    for (int k = 0; k < BINS; k++) area += (X[k + 1] - X[k]) / (2 * bound) * (v[k] + v[k + 1]) / 2;
    rest -= (X[1] - X[0] + X[BINS] - X[BINS - 1]) / (4 * bound);
    const double outer = area / rest; /* then the area is `outer` too */
    v[0] = v[BINS] = outer;
    for (int j = 0; j <= BINS; j++) v[j] = j % BINS ? least + (1 - least) * v[j] / outer : 1;
    const int k = bin_by_hand(X, x);
    for (int j = 0; j < k; j++) y += (X[j + 1] - X[j]) * (v[j] + v[j + 1]) / 2;
    *slope = v[k] + (v[k + 1] - v[k]) * (x - X[k]) / (X[k + 1] - X[k]);
    return y + (x - X[k]) * (v[k] + *slope) / 2;
}

/* Durkan et al. 2019 with Steffen 1990: the cubic Hermite interpolant, by its four basis functions. */
static double cubic_by_hand(const double *p, double x, double *slope)
{
    double X[BINS + 1], Y[BINS + 1], s[BINS], d[BINS + 1];
    knots_by_hand(p, bound, X);
    knots_by_hand(p + BINS, bound, Y);
    for (int k = 0; k < BINS; k++) s[k] = (Y[k + 1] - Y[k]) / (X[k + 1] - X[k]);
    for (int j = 1; j < BINS; j++) {
        const double w0 = X[j] - X[j - 1], w1 = X[j + 1] - X[j];
        d[j] = fmin((s[j - 1] * w1 + s[j] * w0) / (w0 + w1), 2 * fmin(s[j - 1], s[j]));
    }
    const double c = log((1 - least) / (2 - least));
    d[0] = s[0] * (least + (3 - 2 * least) / (1 + exp(-p[2 * BINS] - c)));
    d[BINS] = s[BINS - 1] * (least + (3 - 2 * least) / (1 + exp(-p[2 * BINS + 1] - c)));
    const int k = bin_by_hand(X, x);
    const double w = X[k + 1] - X[k], t = (x - X[k]) / w, u = 1 - t;
    *slope = 6 * t * u * s[k] + d[k] * u * (1 - 3 * t) + d[k + 1] * t * (3 * t - 2);
    return Y[k] * u * u * (1 + 2 * t) + Y[k + 1] * t * t * (3 - 2 * t) +
           w * t * u * (d[k] * u - d[k + 1] * t);
}

/* Rezende et al. 2020, section 2.1: Durkan et al.'s equations 4 and 5 with equal slopes at the two ends; then the turn. */
static double circular_by_hand(const double *p, double x, double *slope)
{
    double X[BINS + 1], Y[BINS + 1], d[BINS + 1];
    knots_by_hand(p, PI, X);
    knots_by_hand(p + BINS, PI, Y);
    for (int j = 0; j <= BINS; j++) d[j] = least + log1p(exp(p[2 * BINS + j % BINS] + log(expm1(1 - least))));
    const int k = bin_by_hand(X, x);
    const double s = (Y[k + 1] - Y[k]) / (X[k + 1] - X[k]), t = (x - X[k]) / (X[k + 1] - X[k]), u = 1 - t;
    const double below = s + (d[k + 1] + d[k] - 2 * s) * t * u;
    *slope = s * s * (d[k + 1] * t * t + 2 * s * t * u + d[k] * u * u) / (below * below);
    return remainder(Y[k] + (Y[k + 1] - Y[k]) * (s * t * t + d[k] * t * u) / below + p[3 * BINS], 2 * PI);
}

typedef double (*formula)(const double *p, double x, double *slope);

/* Both directions, at points all over [-B, B]. */
static void compare(const char *json, formula by_hand, double B)
{
    enum { ROWS = 64 };
    const stage s = open_stage(json);
    double p[MOST], x[ROWS], y[ROWS], back[ROWS], l[ROWS], l_back[ROWS];
    uint64_t state = 11;
    for (int trial = 0; trial < 20; trial++) {
        draw(s, 1.5, &state, p);
        for (int i = 0; i < ROWS; i++) x[i] = B * (2 * dice(&state) - 1);
        pass(s, 0, ROWS, x, y, l);
        pass(s, 1, ROWS, y, back, l_back);
        for (int i = 0; i < ROWS; i++) {
            double slope;
            const double wanted = by_hand(p, x[i], &slope);
            cr_assert_float_eq(y[i], wanted, 1e-12, "%g goes to %.17g, not %.17g", x[i], y[i], wanted);
            cr_assert_float_eq(l[i], log(slope), 1e-10, "at %g: %.17g, not %.17g", x[i], l[i], log(slope));
            cr_assert_float_eq(back[i], x[i], 1e-12 * (1 + 1 / slope));
            cr_assert_float_eq(l_back[i], -l[i], 1e-9);
        }
    }
    close_stage(s);
}

Test(splines, linear_is_mueller_s)
{
    compare(SPLINE("f64", "linear_spline"), linear_by_hand, bound);
}

Test(splines, quadratic_is_mueller_s_with_tied_ends)
{
    compare(SPLINE("f64", "quadratic_spline"), quadratic_by_hand, bound);
}

Test(splines, cubic_is_steffen_s)
{
    compare(SPLINE("f64", "cubic_spline"), cubic_by_hand, bound);
}

Test(splines, circular_is_rezende_s)
{
    compare(FLOW("f64", 1, EACH(U("circular_spline", "\"bins\":5")), ANGLES), circular_by_hand, PI);
}

/* ---- extreme parameters ---- */

/* Rows increase, none is lost, and what comes back is near in y, where rounding shows it: x may be lost on a flat. */
static void stress(const char *json, double eps)
{
    enum { ROWS = 200 };
    const stage s = open_stage(json);
    double p[MOST], x[ROWS], y[ROWS], back[ROWS], again[ROWS], l[ROWS];
    uint64_t state = 5;
    for (int trial = 0; trial < 40; trial++) {
        draw(s, trial % 2 ? 12 : 100, &state, p);
        for (int i = 0; i < ROWS; i++) x[i] = (double)(float)(-2.2 + 4.4 * i / (ROWS - 1));
        pass(s, 0, ROWS, x, y, l);
        for (int i = 1; i < ROWS; i++)
            cr_assert(y[i] >= y[i - 1], "%.9g, %.9g go to %.9g, %.9g", x[i - 1], x[i], y[i - 1], y[i]);
        for (int i = 0; i < ROWS; i++) cr_assert(isfinite(l[i]));
        pass(s, 1, ROWS, x, back, l);
        pass(s, 0, ROWS, back, again, l);
        for (int i = 0; i < ROWS; i++) {
            const double rounding = eps * (4 + exp(l[i]));
            cr_assert(fabs(again[i] - x[i]) <= 64 * rounding, "%.9g, not %.9g", again[i], x[i]);
        }
    }
    close_stage(s);
}

Test(splines, linear_at_extreme_parameters)
{
    stress(SPLINE("f64", "linear_spline"), 2.2e-16);
    stress(SPLINE("f32", "linear_spline"), 1.2e-7);
}

Test(splines, quadratic_at_extreme_parameters)
{
    stress(SPLINE("f64", "quadratic_spline"), 2.2e-16);
    stress(SPLINE("f32", "quadratic_spline"), 1.2e-7);
}

Test(splines, cubic_at_extreme_parameters)
{
    stress(SPLINE("f64", "cubic_spline"), 2.2e-16);
    stress(SPLINE("f32", "cubic_spline"), 1.2e-7);
}

/* ---- what is promised at +-bound ---- */

static double step_at_bound(const char *type_json, double side)
{
    const stage s = open_stage(type_json);
    double p[MOST], x[2] = {side * (bound - 1e-12), side * (bound + 1e-12)}, y[2], l[2];
    uint64_t state = 8;
    draw(s, 1.5, &state, p);
    pass(s, 0, 2, x, y, l);
    close_stage(s);
    for (int i = 0; i < 2; i++) cr_assert_float_eq(y[i], side * bound, 1e-10);
    return fabs(l[0] - l[1]);
}

Test(splines, the_tails_follow_on)
{
    for (int side = -1; side <= 1; side += 2) {
        cr_assert_lt(step_at_bound(SPLINE("f64", "quadratic_spline"), side), 1e-9);
        cr_assert_gt(step_at_bound(SPLINE("f64", "linear_spline"), side), 1e-3);
        cr_assert_gt(step_at_bound(SPLINE("f64", "cubic_spline"), side), 1e-3);
    }
}

/* ---- total mass ---- */

static double mass(const weir_model *m, int64_t count, double lower, double upper)
{
    const double h = (upper - lower) / (double)count;
    weir_matrix x = room(count, 1), p = room(count, 1);
    double sum = 0;
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    for (int64_t i = 0; i < count; i++) ((double *)x.data)[i] = lower + h * ((double)i + 0.5);
    MUST(weir_log_prob(m, &x, &call, p.data, &error));
    for (int64_t i = 0; i < count; i++) sum += h * exp(((double *)p.data)[i]);
    return sum;
}

static void expect_mass(const char *json, double lower, double upper)
{
    const stage s = open_stage(json);
    shake(s.m, 1.5);
    cr_assert_float_eq(mass(s.m, 40000, lower, upper), 1, 1e-4);
    close_stage(s);
}

Test(splines, densities_integrate_to_1)
{
    expect_mass(SPLINE("f64", "linear_spline"), -8, 8);
    expect_mass(SPLINE("f64", "quadratic_spline"), -8, 8);
    expect_mass(SPLINE("f64", "cubic_spline"), -8, 8);
    expect_mass(FLOW("f64", 1, EACH(U("circular_spline", "")) "," EACH(U("circular_spline", "")), ANGLES),
                -PI, PI);
    expect_mass(FLOW("f32", 1, EACH(U("circular_spline", "")), ANGLES), -PI, PI);
}

/* ---- on the circle ---- */

#define CIRCULAR U("circular_spline", "\"bins\":5")
#define PERIODIC(inner)                                                                                      \
    "{\"type\":\"periodic\",\"options\":{\"harmonics\":2},\"children\":{\"network\":" inner "}}"
#define TORUS_MAF(network)                                                                                   \
    FLOW("f64", 2,                                                                                           \
         "{\"type\":\"autoregressive\",\"children\":{\"univariate\":" CIRCULAR ",\"network\":" network "}}", \
         ANGLES)
#define TORUS_COUPLING(network)                                                                              \
    FLOW("f64", 2,                                                                                           \
         "{\"type\":\"coupling\",\"children\":{\"univariate\":" CIRCULAR ",\"network\":" network             \
         "}},{\"type\":\"permutation\",\"options\":{\"kind\":\"reverse\"}},"                                 \
         "{\"type\":\"coupling\",\"children\":{\"univariate\":" CIRCULAR ",\"network\":" network "}}",       \
         ANGLES)

/* The largest step of log p where angle `f` goes from one end to the other. */
static double seam(const weir_model *m, int32_t features, int32_t f)
{
    double worst = 0;
    for (int i = 0; i < 16; i++) {
        double left[2] = {-3 + 0.4 * i, -3 + 0.4 * i}, right[2];
        memcpy(right, left, sizeof right);
        left[f] = PI - 1e-10;
        right[f] = -PI + 1e-10;
        worst = fmax(worst, fabs(log_density(m, features, left) - log_density(m, features, right)));
    }
    return worst;
}

Test(splines, a_density_on_the_circle_has_no_seam)
{
    const stage s = open_stage(FLOW("f64", 1, EACH(CIRCULAR) "," EACH(CIRCULAR), ANGLES));
    const double here = 0.3, there = 2;
    shake(s.m, 1.5);
    cr_assert_gt(fabs(log_density(s.m, 1, &here) - log_density(s.m, 1, &there)), 0.1, "is it flat?");
    cr_assert_lt(seam(s.m, 1, 0), 1e-8);
    close_stage(s);
}

static void expect_seam(const char *json, double at_least, double at_most)
{
    const stage s = open_stage(json);
    shake(s.m, 1);
    const double worst = fmax(seam(s.m, 2, 0), seam(s.m, 2, 1));
    cr_assert(worst >= at_least && worst <= at_most, "a step of %g", worst);
    close_stage(s);
}

/* A network that sees raw angles does have one: `periodic` is there for that. */
Test(splines, a_density_on_the_torus_has_no_seam)
{
    expect_seam(TORUS_MAF(PERIODIC(MADE)), 0, 1e-7);
    expect_seam(TORUS_COUPLING(PERIODIC(MLP)), 0, 1e-7);
    expect_seam(TORUS_MAF(MADE), 0.01, INFINITY);
    expect_seam(TORUS_COUPLING(MLP), 0.01, INFINITY);
}

/* Mass and mean cosine of angle 1 by quadrature over the torus, beside those of samples. */
static void compare_samples(const char *json)
{
    enum { SIDE = 128, DRAWS = 20000 };
    const stage s = open_stage(json);
    const double h = 2 * PI / SIDE;
    weir_matrix grid = room(SIDE * SIDE, 2), p = room(SIDE * SIDE, 1), drawn = room(DRAWS, 2);
    double *const x = grid.data, *const z = drawn.data, total = 0, mean[2] = {0}, sampled[2] = {0};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    shake(s.m, 0.5);
    for (int64_t i = 0; i < SIDE * SIDE; i++) {
        x[2 * i] = -PI + h * ((double)(i / SIDE) + 0.5);
        x[2 * i + 1] = -PI + h * ((double)(i % SIDE) + 0.5);
    }
    MUST(weir_log_prob(s.m, &grid, &call, p.data, &error));
    for (int64_t i = 0; i < SIDE * SIDE; i++) {
        const double cell = h * h * exp(((double *)p.data)[i]);
        total += cell;
        mean[0] += cell * cos(x[2 * i] + 0.5);
        mean[1] += cell * cos(x[2 * i + 1] - x[2 * i]);
    }
    weir_call random = seeded(17, NULL);
    MUST(weir_sample(s.m, &random, &drawn, NULL, &error));
    for (int64_t i = 0; i < DRAWS; i++) {
        cr_assert(fabs(z[2 * i]) <= PI && fabs(z[2 * i + 1]) <= PI);
        sampled[0] += cos(z[2 * i] + 0.5) / DRAWS;
        sampled[1] += cos(z[2 * i + 1] - z[2 * i]) / DRAWS;
    }
    cr_assert_float_eq(total, 1, 1e-3, "%g", total);
    for (int k = 0; k < 2; k++)
        cr_assert_float_eq(sampled[k], mean[k], 0.025, "%g, not %g", sampled[k], mean[k]);
    close_stage(s);
}

Test(splines, samples_on_the_torus_follow_the_density)
{
    compare_samples(TORUS_MAF(PERIODIC(MADE)));
    compare_samples(TORUS_COUPLING(PERIODIC(MLP)));
}

/* Without the turn the point lower = upper stays where it is. */
Test(splines, the_phase_moves_the_fixed_point)
{
    const stage with = open_stage(FLOW("f64", 1, EACH(CIRCULAR), ANGLES));
    const stage without =
        open_stage(FLOW("f64", 1, EACH(U("circular_spline", "\"bins\":5,\"phase\":false")), ANGLES));
    double x[2] = {-PI, PI}, y[2], l[2], p[MOST];
    uint64_t state = 3;
    cr_assert_eq(draw(without, 1, &state, p), 3 * BINS);
    cr_assert_eq(draw(with, 1, &state, p), 3 * BINS + 1);
    pass(without, 0, 2, x, y, l);
    cr_assert_float_eq(y[0], -PI, 1e-15);
    cr_assert_float_eq(y[1], PI, 1e-15);
    pass(with, 0, 2, x, y, l);
    for (int i = 0; i < 2; i++) cr_assert_float_eq(y[i], remainder(PI + p[3 * BINS], 2 * PI), 1e-14);
    cr_assert_float_eq(l[0], l[1], 1e-13);
    close_stage(with);
    close_stage(without);
}

Test(splines, angles_outside_are_discarded)
{
    const stage s = open_stage(FLOW("f64", 1, EACH(CIRCULAR), ANGLES));
    double x[] = {-4, -PI, 0, (double)(float)PI, 3.15, 180}, p[6];
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, 6, 1, 0, x};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_log_prob(s.m, &in, &call, p, &error));
    cr_assert_eq(call.discarded, 3);
    for (int i = 1; i < 4; i++) cr_assert_float_eq(p[i], -log(2 * PI), 1e-12, "%g", p[i]);
    close_stage(s);
}

/* ---- who fits to whom ---- */

static void expect_refused(const char *json, const char *wanted)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *m = NULL;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %s", json);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    weir_close(rt);
}

#define UNIFORM(lower, upper) "{\"type\":\"uniform\",\"options\":{\"lower\":" lower ",\"upper\":" upper "}}"
#define HOURS                 U("circular_spline", "\"lower\":0,\"upper\":24")

Test(splines, a_circle_and_its_neighbours)
{
    close_stage(open_stage(FLOW("f64", 1, EACH(HOURS) "," EACH(HOURS), UNIFORM("0", "24"))));
    close_stage(open_stage(FLOW("f64", 1, EACH(U("sigmoid", "")) "," EACH(HOURS), UNIFORM("0", "24"))));
    expect_refused(FLOW("f64", 1, EACH(HOURS), UNIFORM("0", "25")),
                   "needs lane 1 in the interval 0 to 25, but flow.1 (elementwise) gives the circle 0 to 24");
    expect_refused(
        FLOW("f64", 1, EACH(CIRCULAR), UNIFORM("-3.14159", "3.14159")),
        "3.14159, but flow.1 (elementwise) gives the circle -3.141592653589793 to 3.141592653589793");
    expect_refused(FLOW("f64", 1, EACH(HOURS), NORMAL),
                   "needs lane 1 in the whole line, but flow.1 (elementwise)");
    expect_refused(FLOW("f64", 1, EACH(HOURS) "," EACH(CIRCULAR), ANGLES), "gives the circle 0 to 24");
    expect_refused(FLOW("f64", 1, "{\"type\":\"standardize\"}," EACH(HOURS), UNIFORM("0", "24")),
                   "needs lane 1 in the circle 0 to 24, but flow.1 (standardize) gives the whole line");
    expect_refused(FLOW("f64", 1, EACH(U("circular_spline", "\"lower\":2,\"upper\":1")), ANGLES),
                   "upper must be larger than lower");
}

Test(splines, options_that_cannot_be)
{
    expect_refused(FLOW("f64", 1, EACH(U("linear_spline", "\"bins\":20,\"min_height\":0.05")), NORMAL),
                   "min_height = 0.05 is too large for 20 bins; choose it below 0.05");
    expect_refused(FLOW("f64", 1, EACH(U("quadratic_spline", "\"bins\":2")), NORMAL), "bins");
    expect_refused(TORUS_MAF(PERIODIC(MLP)), "made");
    expect_refused(TORUS_COUPLING("{\"type\":\"periodic\",\"options\":{\"angles\":[2]}}"),
                   "angles names input 2, but there are 1");
    expect_refused(
        TORUS_MAF("{\"type\":\"periodic\",\"options\":{\"angles\":[1,1]},\"children\":{\"network\":" MADE
                  "}}"),
        "angles names input 1 twice");
}
