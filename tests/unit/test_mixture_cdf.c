/* test_mixture_cdf.c - mixture CDFs and the monotone network against their formulas in long double, which has exponents
 * enough for tails that double rounds to 0; densities by quadrature.
 *
 * SPDX-License-Identifier: MIT
 */
#include "univariate.h"
#include "valgrind.h"

TestSuite(mixture_cdf);

#define K          4
#define UNIT       "\"codomain\":\"unit\","
#define COMPONENTS "\"components\":4"
#define UNIFORM    "{\"type\":\"uniform\"}"

/* ---- by hand ---- */

typedef struct mix {
    long double below, above, density; /* F, 1 - F, f */
} mix;

static long double gaussian_above(long double z)
{
    return erfcl(z / sqrtl(2)) / 2;
}

static long double logistic_above(long double z)
{
    return 1 / (1 + expl(z));
}

static mix by_hand(const double *p, int normal, long double x)
{
    mix all = {0, 0, 0};
    long double sum = 0;
    for (int k = 0; k < K; k++) sum += expl((long double)p[k]);
    for (int k = 0; k < K; k++) {
        const long double w = expl((long double)p[k]) / sum;
        const long double scale = expl(7 * tanhl((long double)p[2 * K + k] / 7));
        const long double z = (x - (long double)p[K + k]) / scale;
        const long double up = normal ? gaussian_above(z) : logistic_above(z);
        const long double down = normal ? gaussian_above(-z) : logistic_above(-z);
        all.above += w * up;
        all.below += w * down;
        all.density += w / scale * (normal ? expl(-z * z / 2) / sqrtl(2 * acosl(-1)) : up * down);
    }
    return all;
}

static const double places[] = {-100, -40, -9.5, -3, -1, -0.2, 0, 0.1, 0.7, 2, 5, 12, 40, 100};
#define PLACES ((int)(sizeof places / sizeof *places))

static void expect_unit(const char *json, int normal)
{
    stage s = open_stage(json);
    uint64_t state = 11;
    double p[MOST_PARAMS], log_det;
    for (int draw = 0; draw < 5; draw++) {
        cr_assert_eq(stir(s, 1, &state, p), 3 * K);
        for (int i = 0; i < PLACES; i++) {
            const mix here = by_hand(p, normal, (long double)places[i]);
            const double y = run_one(s, 0, places[i], &log_det), F = (double)here.below;
            cr_assert(fabs(y - F) <= 1e-13 * F, "F(%g) = %.17g, not %.17g", places[i], y, F);
            NEAR(log_det, logl(here.density), 1e-13);
        }
    }
    close_stage(s);
}

Test(mixture_cdf, unit_is_the_cdf_and_its_log_det_the_density)
{
    SKIP_UNDER_VALGRIND("computes long double in 64 bits");
    expect_unit(UNIVARIATE("f64", "gaussian_mixture_cdf", UNIT COMPONENTS, UNIFORM), 1);
    expect_unit(UNIVARIATE("f64", "logistic_mixture_cdf", UNIT COMPONENTS, UNIFORM), 0);
}

/* On the line: seen from the smaller side, where y must say how small it is to the last digits of the logarithm. */
static void expect_line(const char *json, int normal)
{
    stage s = open_stage(json);
    uint64_t state = 12;
    double p[MOST_PARAMS], log_det;
    for (int draw = 0; draw < 5; draw++) {
        stir(s, 1, &state, p);
        for (int i = 0; i < PLACES; i++) {
            const mix here = by_hand(p, normal, (long double)places[i]);
            const long double y = (long double)run_one(s, 0, places[i], &log_det);
            if (normal) {
                NEAR(logl(gaussian_above(y)), logl(here.above), 1e-13);
                NEAR(logl(gaussian_above(-y)), logl(here.below), 1e-13);
                const double exact = (double)(logl(here.density) + y * y / 2 + logl(2 * acosl(-1)) / 2);
                cr_assert_float_eq(log_det, exact, 1e-13 * (1 + (double)(y * y)), "at %g", places[i]);
            } else {
                NEAR(y, logl(here.below) - logl(here.above), 1e-14);
                NEAR(log_det, logl(here.density) - logl(here.below) - logl(here.above), 1e-13);
            }
        }
    }
    close_stage(s);
}

Test(mixture_cdf, line_is_the_quantile_of_the_cdf_however_far_out)
{
    SKIP_UNDER_VALGRIND("computes long double in 64 bits");
    expect_line(UNIVARIATE("f64", "gaussian_mixture_cdf", COMPONENTS, NORMAL_BASE), 1);
    expect_line(UNIVARIATE("f64", "logistic_mixture_cdf", COMPONENTS, NORMAL_BASE), 0);
}

/* At 1e8 one component is left: slope and value are its own, where a difference of two log-densities would be noise. */
Test(mixture_cdf, the_widest_component_rules_the_far_tail)
{
    static const double p[3 * K] = {0, 1, -1, 0.5, -1, 0, 1, 2, 0.1, 0.8, -0.5, 0.2};
    const double widest = 7 * tanh(0.8 / 7);
    double log_det;
    stage g = open_stage(UNIVARIATE("f64", "gaussian_mixture_cdf", COMPONENTS, NORMAL_BASE));
    stage l = open_stage(UNIVARIATE("f64", "logistic_mixture_cdf", COMPONENTS, NORMAL_BASE));
    put(g, "1.params", p, 3 * K);
    put(l, "1.params", p, 3 * K);
    for (int side = -1; side <= 1; side += 2) {
        NEAR(run_one(g, 0, side * 1e8, &log_det), side * 1e8 * exp(-widest), 1e-8);
        NEAR(log_det, -widest, 1e-8);
        NEAR(run_one(l, 0, side * 1e8, &log_det), side * 1e8 * exp(-widest), 1e-7);
        NEAR(log_det, -widest, 1e-12);
    }
    close_stage(g);
    close_stage(l);
}

Test(mixture_cdf, one_component_is_affine_and_starts_as_the_identity)
{
    static const char *const models[] = {
        UNIVARIATE("f64", "gaussian_mixture_cdf", "\"components\":1", NORMAL_BASE),
        UNIVARIATE("f64", "logistic_mixture_cdf", "\"components\":1", NORMAL_BASE)};
    static const double p[3] = {0.3, 1.5, -0.4};
    for (int m = 0; m < 2; m++) {
        stage s = open_stage(models[m]);
        double log_det;
        for (int i = 0; i < PLACES; i++) NEAR(run_one(s, 0, places[i], &log_det), places[i], 1e-14);
        put(s, "1.params", p, 3);
        const double t = 7 * tanh(-0.4 / 7);
        for (int i = 0; i < PLACES; i++) {
            NEAR(run_one(s, 0, places[i], &log_det), (places[i] - 1.5) * exp(-t), 1e-14);
            NEAR(log_det, -t, 1e-12);
        }
        close_stage(s);
    }
}

/* ---- quadrature ---- */

/* Simpson's rule over exp(log-det) gives back the rise of y; with `whole`, the density has mass 1. */
static void expect_integral(const char *json, double from, double to, int whole)
{
    enum { STEPS = 4000 };
    static double x[STEPS + 1], y[STEPS + 1], log_det[STEPS + 1];
    stage s = open_stage(json);
    uint64_t state = 13;
    double p[MOST_PARAMS], sum = 0;
    stir(s, 0.7, &state, p);
    for (int i = 0; i <= STEPS; i++) x[i] = from + (to - from) * i / STEPS;
    cr_assert_eq(run_rows(s, 0, STEPS + 1, x, y, log_det), 0);
    for (int i = 0; i <= STEPS; i++) sum += exp(log_det[i]) * (i % STEPS == 0 ? 1 : i % 2 ? 4 : 2);
    sum *= (to - from) / STEPS / 3;
    NEAR(sum, y[STEPS] - y[0], 1e-9);
    if (whole) NEAR(sum, 1, 1e-9);
    close_stage(s);
}

Test(mixture_cdf, the_derivative_integrates_to_the_rise)
{
    expect_integral(UNIVARIATE("f64", "gaussian_mixture_cdf", UNIT COMPONENTS, UNIFORM), -30, 30, 1);
    expect_integral(UNIVARIATE("f64", "logistic_mixture_cdf", UNIT COMPONENTS, UNIFORM), -80, 80, 1);
    expect_integral(UNIVARIATE("f64", "gaussian_mixture_cdf", COMPONENTS ",\"affine\":true", NORMAL_BASE), -9,
                    6, 0);
    expect_integral(UNIVARIATE("f64", "logistic_mixture_cdf", COMPONENTS ",\"affine\":true", NORMAL_BASE), -9,
                    6, 0);
    expect_integral(UNIVARIATE("f64", "deep_sigmoidal", "\"hidden\":5", NORMAL_BASE), -9, 6, 0);
}

/* ---- the monotone network ---- */

static long double layer_by_hand(const double *p, int hidden, long double x)
{
    long double sum = 0, below = 0, above = 0;
    for (int k = 0; k < hidden; k++) sum += expl((long double)p[2 * hidden + k]);
    for (int k = 0; k < hidden; k++) {
        const long double shift = logl(expm1l(1 - 1e-3L));
        const long double a = 1e-3L + log1pl(expl((long double)p[k] + shift));
        const long double z = a * x + (long double)p[hidden + k];
        const long double w = expl((long double)p[2 * hidden + k]) / sum;
        above += w * logistic_above(z);
        below += w * logistic_above(-z);
    }
    return logl(below) - logl(above);
}

Test(mixture_cdf, deep_sigmoidal_is_logit_of_a_mean_of_sigmoids)
{
    enum { HIDDEN = 5, LAYERS = 3 };
    stage s = open_stage(UNIVARIATE("f64", "deep_sigmoidal", "\"hidden\":5,\"layers\":3", NORMAL_BASE));
    uint64_t state = 14;
    double p[MOST_PARAMS], log_det;
    for (int draw = 0; draw < 5; draw++) {
        cr_assert_eq(stir(s, 1, &state, p), 3 * HIDDEN * LAYERS);
        for (int i = 0; i < PLACES; i++) {
            long double x = (long double)places[i];
            for (int l = 0; l < LAYERS; l++) x = layer_by_hand(p + 3 * HIDDEN * l, HIDDEN, x);
            NEAR(run_one(s, 0, places[i], &log_det), x, 2e-14);
        }
    }
    close_stage(s);
}

/* ---- refusals ---- */

Test(mixture_cdf, unit_fits_a_uniform_base_and_no_affine)
{
    close_stage(open_stage(UNIVARIATE("f64", "gaussian_mixture_cdf", UNIT COMPONENTS, UNIFORM)));
    expect_no_build(UNIVARIATE("f64", "gaussian_mixture_cdf", COMPONENTS, UNIFORM), "gives the whole line");
    expect_no_build(UNIVARIATE("f64", "logistic_mixture_cdf", UNIT COMPONENTS ",\"affine\":true", UNIFORM),
                    "affine = true leaves (0, 1)");
}
