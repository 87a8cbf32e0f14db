/* test_spaces.c - layers between constrained spaces and R^n: densities integrate to 1 over their space, log-dets are those of
 * the formulas in their documentation, and both hold at the border.
 *
 * SPDX-License-Identifier: MIT
 */
#include "spaces.h"

TestSuite(spaces);

#define CLOSE(is, wanted, tolerance)                                                                         \
    cr_assert(fabs((is) - (wanted)) <= (tolerance), "%.15g instead of %.15g", (double)(is), (double)(wanted))

static weir_model *shaken(weir_runtime *rt, const char *json)
{
    weir_model *const m = must_build(rt, json);
    shake(m, 0.3);
    return m;
}

/* ---- integrals ---- */

/* Densities here fall off faster than any power at the border, so that sums over a lattice converge as fast. */
Test(spaces, a_density_on_the_simplex_integrates_to_1)
{
    enum { N = 300 };
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = shaken(rt, SPACE(3, LAYER("stick_breaking") BENT));
    double *const x = malloc(3 * N * N * sizeof *x);
    int64_t rows = 0;
    for (int i = 1; i < N; i++)
        for (int j = 1; i + j < N; j++, rows++) {
            x[3 * rows] = (double)i / N;
            x[3 * rows + 1] = (double)j / N;
            x[3 * rows + 2] = (double)(N - i - j) / N;
        }
    CLOSE(mass_of(m, x, rows, NULL) / N / N, 1, 1e-4);
    free(x);
    weir_model_close(m);
    weir_close(rt);
}

/* In height and longitude, which together have the sphere's area. */
Test(spaces, a_density_on_the_sphere_integrates_to_1)
{
    enum { H = 600, P = 200 };
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = shaken(rt, SPACE(3, LAYER("sphere") BENT));
    double *const x = malloc(3 * H * P * sizeof *x);
    int64_t rows = 0;
    for (int i = 0; i < H; i++)
        for (int j = 0; j < P; j++, rows++) {
            const double height = 2 * (i + 0.5) / H - 1, angle = 6.283185307179586 * j / P;
            x[3 * rows] = sqrt(1 - height * height) * cos(angle);
            x[3 * rows + 1] = sqrt(1 - height * height) * sin(angle);
            x[3 * rows + 2] = height;
        }
    CLOSE(mass_of(m, x, rows, NULL) * 2 / H * 6.283185307179586 / P, 1, 1e-3);
    free(x);
    weir_model_close(m);
    weir_close(rt);
}

Test(spaces, a_density_of_increasing_pairs_integrates_to_1)
{
    enum { N = 80, G = 6000 };
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SPACE(2, LAYER("ordered")));
    double *const x = malloc(2 * N * G * sizeof *x);
    int64_t rows = 0;
    for (int i = 0; i < N; i++)
        for (int j = 1; j <= G; j++, rows++) {
            x[2 * rows] = 16.0 * (i + 0.5) / N - 8;
            x[2 * rows + 1] = x[2 * rows] + 120.0 * j / G;
        }
    CLOSE(mass_of(m, x, rows, NULL) * 16 / N * 120 / G, 1, 1e-4);
    free(x);
    weir_model_close(m);
    weir_close(rt);
}

/* Over all R with entries in (-1, 1): what is no correlation matrix is discarded, and there are some. */
Test(spaces, a_density_of_correlation_matrices_integrates_to_1)
{
    enum { N = 72 };
    weir_runtime *const rt = open_weir(1);
    weir_model *const two = shaken(rt, SPACE(1, WITH("correlation", "\"of\":\"matrix\"") BENT));
    weir_model *const three = shaken(rt, SPACE(3, WITH("correlation", "\"of\":\"matrix\"") BENT));
    double *const x = malloc(3 * N * N * N * sizeof *x);
    int64_t rows = 0, lost;
    for (int i = 0; i < N * N; i++) x[i] = 2 * (i + 0.5) / N / N - 1;
    CLOSE(mass_of(two, x, N * N, &lost) * 2 / N / N, 1, 1e-4);
    cr_assert_eq(lost, 0);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++, rows++) {
                x[3 * rows] = 2 * (i + 0.5) / N - 1;
                x[3 * rows + 1] = 2 * (j + 0.5) / N - 1;
                x[3 * rows + 2] = 2 * (k + 0.5) / N - 1;
            }
    CLOSE(mass_of(three, x, rows, &lost) * 8 / N / N / N, 1, 2e-3);
    const double share = 1 - (double)lost / (double)rows, known = 9.869604401089358 / 16;
    CLOSE(share, known, 0.01);
    free(x);
    weir_model_close(two);
    weir_model_close(three);
    weir_close(rt);
}

/* The integral of det(R)^(eta-1) over R, and of the density that it means for L, by Lewandowski et al. 2009, section 3.2. */
static double lkj_constant(int d, double eta)
{
    double log_c = 0;
    for (int k = 1; k < d; k++) {
        const double b = eta + (d - k - 1) / 2.0;
        log_c += (2 * eta - 2 + d - k) * (d - k) * log(2.0) + (d - k) * (2 * lgamma(b) - lgamma(2 * b));
    }
    return exp(log_c);
}

static void expect_lkj(weir_runtime *rt, int d, double eta)
{
    enum { N = 64 };
    const int pairs = d * (d - 1) / 2, points = d == 2 ? N : N * N * N;
    const double reach = 9, step = 2 * reach / N;
    weir_model *const factor =
        must_build(rt, d == 2 ? SPACE(3, LAYER("correlation")) : SPACE(6, LAYER("correlation")));
    weir_model *const matrix = must_build(rt, d == 2 ? SPACE(1, WITH("correlation", "\"of\":\"matrix\""))
                                                     : SPACE(3, WITH("correlation", "\"of\":\"matrix\"")));
    double *const z = malloc((size_t)(points * pairs) * sizeof *z), *const L = malloc((size_t)points * 6 *
                                                                                      sizeof *L);
    double *const R = malloc((size_t)(points * pairs) * sizeof *R), *const l = malloc(2 * (size_t)points *
                                                                                      sizeof *l);
    for (int i = 0; i < points; i++)
        for (int k = 0, rest = i; k < pairs; k++, rest /= N)
            z[i * pairs + k] = (rest % N + 0.5) * step - reach;
    const weir_matrix at = matrix_over(z, points, pairs), to_L = matrix_over(L, points, d * (d + 1) / 2),
                      to_R = matrix_over(R, points, pairs);
    MUST(weir_inverse(factor, &at, NULL, &to_L, l, &error));
    MUST(weir_inverse(matrix, &at, NULL, &to_R, l + points, &error));
    double of_L = 0, of_R = 0;
    for (int i = 0; i < points; i++) {
        const double *const own = L + i * d * (d + 1) / 2;
        double log_p = 0, log_det = 0;
        for (int k = 2; k <= d; k++) {
            const double root = log(own[k * (k + 1) / 2 - 1]);
            log_p += (d - k + 2 * eta - 2) * root;
            log_det += 2 * root;
        }
        of_L += exp(log_p + l[i]) * pow(step, pairs);
        of_R += exp((eta - 1) * log_det + l[points + i]) * pow(step, pairs);
    }
    CLOSE(of_L / lkj_constant(d, eta), 1, 1e-5);
    CLOSE(of_R / lkj_constant(d, eta), 1, 1e-5);
    free(z);
    free(L);
    free(R);
    free(l);
    weir_model_close(factor);
    weir_model_close(matrix);
}

Test(spaces, lkj_densities_have_their_known_mass)
{
    weir_runtime *const rt = open_weir(1);
    CLOSE(lkj_constant(2, 1), 2, 1e-12);
    CLOSE(lkj_constant(3, 1), 9.869604401089358 / 2, 1e-12);
    for (int d = 2; d <= 3; d++)
        for (double eta = 1; eta <= 3; eta += 1) expect_lkj(rt, d, eta);
    weir_close(rt);
}

/* ---- covariance matrices ---- */

/* Against L L^T written out, and its Jacobian by central differences. */
Test(spaces, the_log_det_of_psd_cholesky_is_that_of_its_proof)
{
    enum { D = 3, N = 6 };
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SPACE(6, LAYER("psd_cholesky")));
    const double z[N] = {0.3, -0.7, -0.4, 1.1, 0.5, 0.2};
    const double L[D][D] = {{exp(0.3)}, {-0.7, exp(-0.4)}, {1.1, 0.5, exp(0.2)}};
    double x[N], jacobian[N * N];
    const double l = inverse_one(m, z, x);
    for (int i = 0, at = 0; i < D; i++)
        for (int j = 0; j <= i; j++, at++) {
            double sum = 0;
            for (int k = 0; k <= j; k++) sum += L[i][k] * L[j][k];
            CLOSE(x[at], sum, 1e-14);
        }
    double formula = D * log(2.0);
    for (int k = 1; k <= D; k++) {
        const double diagonal = z[k * (k + 1) / 2 - 1];
        formula += diagonal + (D - k + 1) * diagonal;
    }
    CLOSE(l, formula, 1e-13);
    for (int j = 0; j < N; j++) {
        double up[N], down[N], moved[N];
        memcpy(moved, z, sizeof moved);
        moved[j] = z[j] + 1e-5;
        inverse_one(m, moved, up);
        moved[j] = z[j] - 1e-5;
        inverse_one(m, moved, down);
        for (int i = 0; i < N; i++) jacobian[i * N + j] = (up[i] - down[i]) / 2e-5;
    }
    CLOSE(log_abs_det(jacobian, N), formula, 1e-8);
    double back[N];
    CLOSE(forward_one(m, x, back), -formula, 1e-13);
    for (int i = 0; i < N; i++) CLOSE(back[i], z[i], 1e-13);
    weir_model_close(m);
    weir_close(rt);
}

Test(spaces, matrices_that_are_not_positive_definite_are_discarded)
{
    static const struct {
        double x[3];
        int good;
    } rows[] = {{{1, 0.5, 1}, 1},       {{1, 2, 1}, 0}, /* indefinite */
                {{-1, 0, 1}, 0},                        /* negative */
                {{1, 1, 1}, 0},                         /* singular */
                {{2, 1, 0.5}, 0},                       /* no more than rounding away from it */
                {{0, 0, 1}, 0},                         /* singular */
                {{4, 1.9999999, 1}, 1},                 /* nearly singular, and by far more than rounding */
                {{1e-300, 0, 1e300}, 1}};
    enum { N = sizeof rows / sizeof rows[0] };
    double x[3 * N], p[N];
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SPACE(3, LAYER("psd_cholesky")));
    for (int i = 0; i < N; i++) memcpy(x + 3 * i, rows[i].x, sizeof rows[i].x);
    const weir_matrix points = matrix_over(x, N, 3);
    weir_call call = seeded(1, NULL);
    MUST(weir_log_prob(m, &points, &call, p, &error));
    cr_assert_eq(call.discarded, 5);
    for (int i = 0; i < N; i++) cr_assert_eq(isfinite(p[i]) != 0, rows[i].good, "row %d: %g", i, p[i]);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- borders ---- */

#define CIRCLES                                                                                              \
    "{\"dtype\":\"f64\",\"features\":2,\"flow\":" LAYER("circle_shift") ",\"base\":" WITH(                   \
        "uniform", "\"lower\":-3.141592653589793,\"upper\":3.141592653589793") "}"

typedef struct border {
    const char *json;
    int features, latent;
    double x[6], log_det; /* NAN: discarded */
} border;

/* Points as near to the border as numbers go: a right log-det and the way back, or discarded. */
static const border borders[] = {
    {SPACE(3, LAYER("stick_breaking")), 3, 2, {1e-300, 1e-200, 1}, 500 * 2.302585092994046},
    {SPACE(3, LAYER("stick_breaking")), 3, 2, {1, 1e-300, 1e-200}, 500 * 2.302585092994046},
    {SPACE(3, LAYER("stick_breaking")),
     3,
     2,
     {0.5, 0.5, 1e-250},
     250 * 2.302585092994046 + 2 * 0.6931471805599453},
    {SPACE(3, LAYER("stick_breaking")), 3, 2, {0.5, 0.5, 0}, NAN},
    {SPACE(3, LAYER("stick_breaking")), 3, 2, {0.5, 0.6, -0.1}, NAN},
    {SPACE(3, LAYER("stick_breaking")), 3, 2, {0.5, 0.4, 0.2}, NAN},
    {SPACE(2, LAYER("stick_breaking")), 2, 1, {0.5, 0.50001}, 2 * 0.6931471805599453},
    {SPACE(2, LAYER("ordered")), 2, 2, {0, 1e-300}, 300 * 2.302585092994046},
    {SPACE(2, LAYER("ordered")), 2, 2, {-1e300, 1e300}, -300 * 2.302585092994046 - 0.6931471805599453},
    {SPACE(2, LAYER("ordered")), 2, 2, {1, 1}, NAN},
    {SPACE(2, LAYER("ordered")), 2, 2, {1, 0.5}, NAN},
    {SPACE(1, LAYER("bounded")), 1, 1, {1e-300}, 300 * 2.302585092994046},
    {SPACE(1, LAYER("bounded")), 1, 1, {0}, NAN},
    {SPACE(1, LAYER("bounded")), 1, 1, {1}, NAN},
    {SPACE(1, LAYER("positive")), 1, 1, {1e300}, -300 * 2.302585092994046},
    {SPACE(1, LAYER("positive")), 1, 1, {-1e-300}, NAN},
    {SPACE(1, WITH("positive", "\"map\":\"softplus\"")), 1, 1, {1e300}, 0},
    {SPACE(1, WITH("positive", "\"map\":\"softplus\"")), 1, 1, {1e-300}, 300 * 2.302585092994046},
    {SPACE(3, LAYER("sphere")), 3, 2, {1e-150, 0, 1}, -2 * (-300 * 2.302585092994046 - 0.6931471805599453)},
    {SPACE(3, LAYER("sphere")), 3, 2, {0, -1e-200, 1}, -2 * (-400 * 2.302585092994046 - 0.6931471805599453)},
    {SPACE(3, LAYER("sphere")), 3, 2, {0, 0, -1}, -2 * 0.6931471805599453},
    {SPACE(3, LAYER("sphere")), 3, 2, {0, 0, 1}, NAN},
    {SPACE(3, LAYER("sphere")), 3, 2, {0, 0, 0}, NAN},
    {SPACE(3, LAYER("sphere")), 3, 2, {0.6, 0.8, 0.5}, NAN},
    {SPACE(3, LAYER("correlation")), 3, 1, {1, 1, 1e-100}, 200 * 2.302585092994046},
    {SPACE(3, LAYER("correlation")), 3, 1, {1, 1e-300, 1}, 0},
    {SPACE(3, LAYER("correlation")), 3, 1, {1, 1, 0}, NAN},
    {SPACE(3, LAYER("correlation")), 3, 1, {-1, 0.6, 0.8}, NAN},
    {SPACE(3, LAYER("correlation")), 3, 1, {1, 0.6, -0.8}, NAN},
    {SPACE(3, LAYER("correlation")), 3, 1, {1, 0.6, 0.7}, NAN},
    {SPACE(1, WITH("correlation", "\"of\":\"matrix\"")), 1, 1, {1}, NAN},
    {SPACE(3, LAYER("psd_cholesky")),
     3,
     3,
     {1e-300, 0, 1e300},
     300 * 2.302585092994046 - 2 * 0.6931471805599453 - 150 * 2.302585092994046},
    {CIRCLES, 2, 2, {3.141592653589793, -3.141592653589793}, 0},
    {CIRCLES, 2, 2, {3.2, 0}, NAN},
};

static void expect_border(weir_runtime *rt, const border *b)
{
    weir_model *const m = must_build(rt, b->json);
    double z[8], x[8];
    const double l = forward_one(m, b->x, z);
    cr_assert_eq(isnan(l) != 0, isnan(b->log_det) != 0, "%s at (%g, %g, %g): %g instead of %g", b->json,
                 b->x[0], b->x[1], b->x[2], l, b->log_det);
    if (!isnan(l)) {
        cr_assert(fabs(l - b->log_det) <= 1e-4 + 1e-13 * fabs(l),
                  "%s at (%g, %g, %g): %.15g instead of %.15g", b->json, b->x[0], b->x[1], b->x[2], l,
                  b->log_det);
        const double back = inverse_one(m, z, x);
        CLOSE(back, -l, 1e-11 * (1 + fabs(l)));
        for (int i = 0; i < b->features; i++)
            if (!strstr(b->json, "circle"))
                cr_assert(fabs(x[i] - b->x[i]) <= 2e-5 * fabs(b->x[i]) + 1e-307, "%s: %g comes back as %g",
                          b->json, b->x[i], x[i]);
    }
    weir_model_close(m);
}

Test(spaces, borders)
{
    weir_runtime *const rt = open_weir(1);
    for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) expect_border(rt, &borders[i]);
    weir_close(rt);
}

/* Far out in R^n the inverse gives points of the closed space, and the right log-det. */
Test(spaces, far_out)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const simplex = must_build(rt, SPACE(3, LAYER("stick_breaking")));
    weir_model *const sphere = must_build(rt, SPACE(3, LAYER("sphere")));
    weir_model *const factor = must_build(rt, SPACE(3, LAYER("correlation")));
    double x[3];
    CLOSE(inverse_one(simplex, (double[]){2000, -3000}, x), -4000 - 3000 + 2 * log(2.0), 1e-9);
    cr_assert(x[0] == 1 && x[1] == 0 && x[2] == 0);
    CLOSE(inverse_one(sphere, (double[]){1e200, 1e200}, x), 2 * (log(2.0) - 400 * log(10.0) - log(2.0)),
          1e-9);
    cr_assert(x[2] == 1 && x[0] > 0 && x[0] < 1e-199);
    CLOSE(inverse_one(factor, (double[]){-500}, x), 2 * (log(2.0) - 500), 1e-9);
    cr_assert(x[0] == 1 && x[1] == -1 && x[2] > 0);
    weir_model_close(simplex);
    weir_model_close(sphere);
    weir_model_close(factor);
    weir_close(rt);
}

/* ---- refusals ---- */

static void expect_refused(weir_runtime *rt, const char *json, const char *wanted)
{
    weir_model *m = NULL;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %s", json);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    cr_assert_not(strpbrk(e.message, "\n\r\033"), "not one clean line: %s", e.message);
}

Test(spaces, sizes_that_do_not_fit_are_refused)
{
    weir_runtime *const rt = open_weir(1);
    expect_refused(rt, SPACE(4, LAYER("psd_cholesky")),
                   "4 features are none such; the nearest are 3 (d = 2) and 6 (d = 3)");
    expect_refused(rt, SPACE(5, LAYER("correlation")), "3 (d = 2) and 6 (d = 3)");
    expect_refused(rt, SPACE(1, LAYER("correlation")), "at least 3 features");
    expect_refused(rt, SPACE(1, LAYER("stick_breaking")), "at least 2 features");
    expect_refused(rt, SPACE(1, LAYER("sphere")), "at least 2 features");
    expect_refused(rt, SPACE(2, WITH("bounded", "\"lower\":[0,1],\"upper\":[1,1]")), "in feature 2");
    expect_refused(rt, SPACE(3, WITH("bounded", "\"lower\":[0,1]")), "lower has 2 numbers for 3 features");
    expect_refused(rt, SPACE(2, WITH("circle_shift", "\"lower\":1,\"upper\":1")), "must be less");
    weir_close(rt);
}
