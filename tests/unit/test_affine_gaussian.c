/* test_affine_gaussian.c - affine_gaussian against the normal density in plain loops, and its fit against moments of the
 * data.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stage.h"

TestSuite(affine_gaussian);

#define N    4
#define HALF (N * (N - 1) / 2)
#define OPTIONS(dtype, options)                                                                              \
    "{\"dtype\":\"" dtype                                                                                    \
    "\",\"features\":4,\"seed\":5,\"flow\":{\"type\":\"affine_gaussian\",\"options\":{" options              \
    "}},\"base\":{\"type\":\"normal\"}}"
#define PLAIN OPTIONS("f64", "")

typedef double square[N][N];

/* Rows of some_data, moved far from 0 and mixed. */
static weir_matrix mixed(int64_t rows, double offset)
{
    weir_matrix x = some_data(rows, N, 7);
    double *const at = x.data;
    for (int64_t i = 0; i < rows; i++) {
        at[i * N + 3] += 2 * at[i * N] - at[i * N + 1];
        for (int j = 0; j < N; j++) at[i * N + j] += offset * (j + 1);
    }
    return x;
}

/* Two passes in long double. */
static void moments(const weir_matrix *x, double *mean, square covariance)
{
    const double *const at = x->data;
    long double sum[N] = {0}, products[N][N] = {{0}};
    for (int64_t i = 0; i < x->rows; i++)
        for (int j = 0; j < N; j++) sum[j] += at[i * N + j];
    for (int j = 0; j < N; j++) sum[j] /= x->rows;
    for (int64_t i = 0; i < x->rows; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++) products[j][k] += (at[i * N + j] - sum[j]) * (at[i * N + k] - sum[k]);
    for (int j = 0; j < N; j++) {
        mean[j] = (double)sum[j];
        for (int k = 0; k < N; k++) covariance[j][k] = (double)(products[j][k] / x->rows);
    }
}

/* log N(x; mean, covariance) by elimination of the covariance, no square root taken. */
static double log_normal(const double *x, const double *mean, square covariance)
{
    square a;
    double right[N], total = 0;
    memcpy(a, covariance, sizeof a);
    for (int i = 0; i < N; i++) right[i] = x[i] - mean[i];
    for (int k = 0; k < N; k++) {
        total += log(a[k][k]) + right[k] * right[k] / a[k][k];
        for (int i = k + 1; i < N; i++) {
            const double by = a[i][k] / a[k][k];
            for (int j = k; j < N; j++) a[i][j] -= by * a[k][j];
            right[i] -= by * right[k];
        }
    }
    return -(total + N * log(2 * acos(-1))) / 2;
}

/* A A^T and b as the model holds them. */
static void read_model(stage s, double *mean, square covariance)
{
    double packed[HALF], logs[N];
    square a = {{0}};
    get(s, "mean", mean, N);
    get(s, "lower", packed, HALF);
    get(s, "log_diagonal", logs, N);
    for (int i = 0, next = 0; i < N; i++) {
        a[i][i] = exp(logs[i]);
        for (int j = 0; j < i; j++) a[i][j] = packed[next++];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            covariance[i][j] = 0;
            for (int k = 0; k < N; k++) covariance[i][j] += a[i][k] * a[j][k];
        }
}

static void expect_density(stage s, const weir_matrix *x)
{
    double mean[N];
    square covariance;
    double *const log_p = malloc((size_t)x->rows * sizeof *log_p);
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    read_model(s, mean, covariance);
    MUST(weir_log_prob(s.m, x, &call, log_p, &error));
    for (int64_t i = 0; i < x->rows; i++) {
        const double wanted = log_normal((const double *)x->data + i * N, mean, covariance);
        cr_assert(fabs(log_p[i] - wanted) <= 1e-10 * (1 + fabs(wanted)), "row %lld: %.15g, not %.15g",
                  (long long)i, log_p[i], wanted);
    }
    free(log_p);
}

Test(affine_gaussian, is_the_normal_density)
{
    const stage s = open_stage(PLAIN);
    const weir_matrix x = mixed(100, 0);
    expect_density(s, &x); /* at the start: the standard normal */
    shake(s.m, 0.9);
    expect_density(s, &x);
    close_stage(s);
}

static void expect_moments(stage s, const weir_matrix *x, double tolerance)
{
    double mean[N], fitted_mean[N];
    square covariance, fitted;
    moments(x, mean, covariance);
    read_model(s, fitted_mean, fitted);
    for (int i = 0; i < N; i++) {
        cr_assert(fabs(fitted_mean[i] - mean[i]) <= tolerance * (1 + fabs(mean[i])),
                  "mean %d: %.15g, not %.15g", i, fitted_mean[i], mean[i]);
        for (int j = 0; j < N; j++)
            cr_assert(fabs(fitted[i][j] - covariance[i][j]) <=
                          tolerance * sqrt(covariance[i][i] * covariance[j][j]),
                      "covariance %d %d: %.15g, not %.15g", i, j, fitted[i][j], covariance[i][j]);
    }
}

/* 1000 rows are many tiles and chunks. The last one is far from 0: squares of 1e7 would leave 2 digits of the rest. */
Test(affine_gaussian, the_fit_is_the_sample_s_mean_and_covariance)
{
    static const double offsets[] = {0, -3, 1e7};
    for (int k = 0; k < 3; k++) {
        const stage s = open_stage(PLAIN);
        const weir_matrix x = mixed(1000, offsets[k]);
        MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
        expect_moments(s, &x, k < 2 ? 1e-12 : 1e-8);
        if (k < 2) expect_density(s, &x);
        close_stage(s);
    }
}

Test(affine_gaussian, the_fit_is_the_same_for_any_number_of_threads)
{
    const weir_matrix x = mixed(777, 2);
    uint64_t hashes[2];
    for (int k = 0; k < 2; k++) {
        stage s = {.rt = open_weir(1 + 2 * k)};
        s.m = must_build(s.rt, PLAIN);
        MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
        double *const all = parameters(s.m);
        hashes[k] = hash_of(all, weir_model_get(s.m, WEIR_MODEL_PARAMETERS));
        free(all);
        close_stage(s);
    }
    cr_assert_eq(hashes[0], hashes[1]);
}

/* Of all Gaussians the fitted one makes the data likeliest: training finds nothing to do. */
Test(affine_gaussian, the_gradient_at_the_fit_is_zero)
{
    const stage s = open_stage(PLAIN);
    const weir_matrix x = mixed(300, 1);
    MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
    weir_trainer *const t = must_train(s.m, NULL);
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    double g[2 * N + HALF];
    MUST(weir_trainer_gradient(t, &step, &r, g, 2 * N + HALF, &error));
    for (int i = 0; i < 2 * N + HALF; i++) cr_assert(fabs(g[i]) < 1e-11, "%d: %g", i, g[i]);
    weir_trainer_close(t);
    close_stage(s);
}

Test(affine_gaussian, rows_that_are_not_finite_are_left_out_of_the_fit)
{
    const stage s = open_stage(PLAIN);
    weir_matrix x = mixed(200, 0), clean = x;
    double *const at = x.data, *const kept = keep(malloc(200 * N * sizeof *kept));
    clean.rows = 0;
    clean.data = kept;
    for (int i = 0; i < 200; i++) {
        if (i % 9 == 4)
            at[i * N + i % N] = i % 2 ? NAN : INFINITY;
        else
            memcpy(kept + N * clean.rows++, at + i * N, N * sizeof *kept);
    }
    MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
    expect_moments(s, &clean, 1e-12);
    close_stage(s);
}

Test(affine_gaussian, single_precision_fits_in_double)
{
    const stage s = open_stage(OPTIONS("f32", ""));
    const weir_matrix x = mixed(500, 100);
    MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
    expect_moments(s, &x, 1e-4); /* the data are rounded at 100 of deviation 1 */
    close_stage(s);
}

/* Through the inverse, as in reverse KL, the layer learns what whitens its input: x = A z + b of these z. */
Test(affine_gaussian, the_inverse_whitens_too)
{
    const stage s = open_stage("{\"dtype\":\"f64\",\"features\":4,\"seed\":5,\"flow\":{\"type\":\"inverse\","
                               "\"children\":{\"layer\":{\"type\":\"affine_gaussian\"}}},\"base\":{\"type\":"
                               "\"normal\"}}");
    const weir_matrix x = mixed(300, 1), white = room(300, N);
    double mean[N];
    square covariance;
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
    MUST(weir_forward(s.m, &x, &call, &white, NULL, &error));
    moments(&white, mean, covariance);
    for (int i = 0; i < N; i++) {
        cr_assert_float_eq(mean[i], 0, 1e-12);
        for (int j = 0; j < N; j++) cr_assert_float_eq(covariance[i][j], i == j, 1e-12);
    }
    close_stage(s);
}

/* ---- what has no density ---- */

static void expect_no_fit(const char *json, const weir_matrix *x, const char *wanted)
{
    const stage s = open_stage(json);
    weir_error e = {0};
    cr_assert_eq(weir_model_initialize(s.m, x, NULL, 0, &e), WEIR_INVALID, "fitted: %s", wanted);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    cr_assert_null(strchr(e.message, '\n'));
    close_stage(s);
}

Test(affine_gaussian, a_singular_covariance_is_refused)
{
    weir_matrix few = mixed(N, 0), constant = mixed(90, 0), dependent = mixed(90, 0), huge = mixed(90, 0);
    double *const c = constant.data, *const d = dependent.data, *const h = huge.data;
    for (int i = 0; i < 90; i++) {
        c[i * N + 1] = 0.1;
        d[i * N + 2] = 0.3 * d[i * N] - 2 * d[i * N + 1] + 7;
        h[i * N + 3] *= 1e200;
    }
    expect_no_fit(PLAIN, &few,
                  "4 rows of finite values do not determine a Gaussian of 4 features: give at least 5");
    expect_no_fit(PLAIN, &constant, "feature 2 is constant");
    expect_no_fit(PLAIN, &dependent, "feature 3 is a linear combination of the features before it");
    expect_no_fit(OPTIONS("f32", ""), &dependent, "feature 3 is a linear combination");
    expect_no_fit(PLAIN, &huge, "the variance of feature 4 overflows");
}

/* jitter is noise of that deviation: it adds to the variances and to nothing else. */
Test(affine_gaussian, jitter_makes_few_rows_enough)
{
    const stage s = open_stage(OPTIONS("f64", "\"jitter\":0.5"));
    const weir_matrix x = mixed(3, 1);
    double mean[N], fitted_mean[N];
    square covariance, fitted;
    MUST(weir_model_initialize(s.m, &x, NULL, 0, &error));
    moments(&x, mean, covariance);
    read_model(s, fitted_mean, fitted);
    for (int i = 0; i < N; i++) {
        cr_assert_float_eq(fitted_mean[i], mean[i], 1e-13);
        for (int j = 0; j < N; j++)
            cr_assert_float_eq(fitted[i][j], covariance[i][j] + (i == j ? 0.25 : 0), 1e-12);
    }
    close_stage(s);
}
