/* test_formulas.c - the errata of sdk/FORMULAS.md about layers: each right formula is that of a dense numeric Jacobian or
 * of another computation, and each slip is seen not to be.
 *
 * SPDX-License-Identifier: MIT
 */
#include "formulas.h"

TestSuite(formulas);

/* ---- directions ---- */

#define FULL "{\"type\":\"linear\",\"options\":{\"parameterization\":\"full\",\"init\":\"random\"}}"

Test(formulas, change_of_variables_adds_the_log_det)
{
    const stage s = open_stage(
        ALONE(1, "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"rq_spline\"}}}"));
    double mass = 0, slip = 0;
    shake(s.m, 1.5);
    for (int i = 0; i < 24000; i++) {
        const double x = -12 + 1e-3 * i;
        double z;
        const double l = forward_one(s.m, &x, &z), base = exp(-z * z / 2) / sqrt(2 * M_PI);
        mass += 1e-3 * base * exp(l);
        slip += 1e-3 * base * exp(-l);
    }
    cr_assert(fabs(mass - 1) < 1e-4, "mass %g", mass);
    SLIP(slip, 1);
    close_stage(s);
}

/* A sample's own density takes off the log-det of the direction that drew it. */
Test(formulas, a_samples_density_takes_off_the_log_det_of_the_inverse)
{
    const stage s = open_stage(ALONE(2, FULL));
    const double z[] = {0.7, -1.1}, base = -log(2 * M_PI) - inner(z, z, 2) / 2;
    double x[2], p;
    shake(s.m, 0.5);
    const double l = inverse_one(s.m, z, x);
    const weir_matrix row = matrix_over(x, 1, 2);
    MUST(weir_log_prob(s.m, &row, NULL, &p, &error));
    RIGHT(base - l, p);
    SLIP(base + l, p);
    close_stage(s);
}

/* z_b = x_b exp(a) + b with a, b of x_a: so a is seen from two values of x_b. */
Test(formulas, coupling_log_det_has_the_sign_of_its_direction)
{
    const stage s = open_stage(ALONE(
        4, "{\"type\":\"coupling\",\"children\":{\"univariate\":{\"type\":\"affine\"},\"network\":" NETWORK(
               "mlp") "}}"));
    const double zero[] = {0.4, -0.9, 0, 0}, one[] = {0.4, -0.9, 1, 1}, x[] = {0.4, -0.9, 1.3, 0.2};
    double b[4], top[4], z[4], back[4], a = 0;
    shake(s.m, 0.8);
    forward_one(s.m, zero, b);
    forward_one(s.m, one, top);
    for (int i = 2; i < 4; i++) a += log(top[i] - b[i]);
    MODULE_IS(forward_one(s.m, x, z), dense_forward(s, x));
    RIGHT(a, dense_forward(s, x));
    SLIP(-a, dense_forward(s, x));
    MODULE_IS(inverse_one(s.m, z, back), dense_inverse(s, z));
    RIGHT(-a, dense_inverse(s, z));
    SLIP(a, dense_inverse(s, z));
    close_stage(s);
}

/* The sum of a_d(v), where z_d = x_d exp(a_d) + b_d and the network of feature d reads v_1 .. v_(d-1). */
static double log_scales(stage s, const double *v)
{
    double sum = 0, low[3], high[3], z0[3], z1[3];
    for (int d = 0; d < 3; d++) {
        memcpy(low, v, sizeof low);
        memcpy(high, v, sizeof high);
        low[d] = 0;
        high[d] = 1;
        forward_one(s.m, low, z0);
        forward_one(s.m, high, z1);
        sum += log(z1[d] - z0[d]);
    }
    return sum;
}

#define AUTOREGRESSIVE                                                                                       \
    "{\"type\":\"autoregressive\",\"children\":{\"univariate\":{\"type\":\"affine\"},\"network\":" NETWORK(  \
        "made") "}}"

/* MAF reads data in both directions: when it samples, the network gets what it has made so far, not what it is given. */
Test(formulas, maf_reads_data_in_both_directions_and_iaf_latents)
{
    const stage maf = open_stage(ALONE(3, AUTOREGRESSIVE)),
                iaf = open_stage(
                    ALONE(3, "{\"type\":\"inverse\",\"children\":{\"layer\":" AUTOREGRESSIVE "}}"));
    const double x[] = {0.8, -1.2, 0.5};
    double z[3], back[3], other[3];
    shake(maf.m, 0.8);
    shake(iaf.m, 0.8);
    MODULE_IS(forward_one(maf.m, x, z), dense_forward(maf, x));
    RIGHT(log_scales(maf, x), dense_forward(maf, x));
    MODULE_IS(inverse_one(maf.m, z, back), dense_inverse(maf, z));
    RIGHT(-log_scales(maf, x), dense_inverse(maf, z));
    SLIP(-log_scales(maf, z), dense_inverse(maf, z));
    SLIP(log_scales(maf, x), dense_inverse(maf, z));
    /* IAF has the same two formulas with the directions swapped: here z of the MAF is a point of data. */
    cr_assert(fabs(forward_one(iaf.m, z, other) + log_scales(maf, x)) < 1e-10);
    expect_right("the latent of IAF", other[2], x[2]);
    SLIP(forward_one(iaf.m, x, other), forward_one(maf.m, x, z));
    close_stage(iaf);
    close_stage(maf);
}

/* ---- linear maps ---- */

static void inverse_of_3(const double *w, double *v)
{
    double det = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            v[i * 3 + j] = w[a * 3 + c] * w[b * 3 + d] - w[a * 3 + d] * w[b * 3 + c];
        }
    for (int k = 0; k < 3; k++) det += w[k] * v[k * 3];
    for (int i = 0; i < 9; i++) v[i] /= det;
}

Test(formulas, linear_log_det_gradient_is_the_inverse_transposed)
{
    const stage s = open_stage(ALONE(3, FULL));
    const double x[3] = {0}, h = 1e-5;
    double w[9], v[9], z[3];
    shake(s.m, 0.4);
    get(s, "weight", w, 9);
    inverse_of_3(w, v);
    const int i = 0, j = 2;
    const double kept = w[i * 3 + j];
    w[i * 3 + j] = kept + h;
    put(s, "weight", w, 9);
    const double up = forward_one(s.m, x, z);
    w[i * 3 + j] = kept - h;
    put(s, "weight", w, 9);
    const double slope = (up - forward_one(s.m, x, z)) / (2 * h);
    RIGHT(v[j * 3 + i], slope);
    SLIP(v[i * 3 + j], slope);
    close_stage(s);
}

Test(formulas, a_reflection_divides_by_the_squared_length)
{
    const stage s =
        open_stage(ALONE(2, "{\"type\":\"linear\",\"options\":{\"parameterization\":\"householder\","
                            "\"reflections\":1,\"bias\":false}}"));
    const double v[] = {1.5, -2}, e[] = {1, 0}, squared = inner(v, v, 2);
    double z[2];
    put(s, "householder", v, 2);
    MODULE_IS(forward_one(s.m, e, z), 0);
    RIGHT(1 - 2 * v[0] * v[0] / squared, z[0]);
    SLIP(1 - 2 * v[0] * v[0] / sqrt(squared), z[0]);
    /* det (I - c v v^T) = 1 - c |v|^2 */
    RIGHT(log(fabs(1 - 2 / squared * squared)), dense_forward(s, e));
    SLIP(log(fabs(1 - 2 / sqrt(squared) * squared)), dense_forward(s, e));
    close_stage(s);
}

/* log|det A| of the covariance A A^T is half its log-det, once a diagonal entry and no half; and the constant has a D. */
Test(formulas, gaussian_density_by_a_cholesky_factor)
{
    const stage s = open_stage(ALONE(3, "{\"type\":\"affine_gaussian\"}"));
    const double lower[] = {0.5, -1, 0.3}, d[] = {0.7, -0.2, 0.4}, none[3] = {0};
    double a[9] = {exp(d[0]), 0, 0, 0.5, exp(d[1]), 0, -1, 0.3, exp(d[2])}, covariance[9], p, mean[3] = {0};
    put(s, "lower", lower, 3);
    put(s, "log_diagonal", d, 3);
    put(s, "mean", none, 3);
    for (int i = 0; i < 9; i++) covariance[i] = inner(a + i / 3 * 3, a + i % 3 * 3, 3);
    const double log_det = log_abs_det(covariance, 3), sum = sum_of(d, 3), c = log(2 * M_PI) / 2;
    const weir_matrix x = matrix_over(mean, 1, 3);
    MUST(weir_log_prob(s.m, &x, NULL, &p, &error));
    RIGHT(-3 * c - log_det / 2, p);
    RIGHT(-3 * c - sum, p);
    SLIP(-3 * c - sum / 2, p);
    SLIP(-3 * c - log_det, p);
    SLIP(-c - sum, p);
    close_stage(s);
}

/* ---- scales ---- */

/* One scale a channel multiplies all its pixels; one a feature is counted once. */
Test(formulas, actnorm_counts_every_feature)
{
    const stage s =
        open_stage("{\"dtype\":\"f64\",\"features\":8,\"image\":[2,2,2],\"seed\":5,\"flow\":{\"type\":"
                   "\"actnorm\"},\"base\":{\"type\":\"normal\"}}");
    const double channel[] = {0.3, -0.7}, x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    double each[8], z[8];
    for (int i = 0; i < 8; i++) each[i] = channel[i / 4];
    put(s, "log_scale", each, 8);
    MODULE_IS(forward_one(s.m, x, z), dense_forward(s, x));
    RIGHT(sum_of(each, 8), dense_forward(s, x));
    RIGHT(2 * 2 * sum_of(channel, 2), dense_forward(s, x));
    SLIP(sum_of(channel, 2), dense_forward(s, x));
    SLIP(2 * 2 * sum_of(each, 8), dense_forward(s, x));
    close_stage(s);
}

Test(formulas, batch_norm_log_det_is_half_the_log_of_the_variance)
{
    const stage s = open_stage(ALONE(2, "{\"type\":\"batch_norm\",\"options\":{\"eps\":0.5}}"));
    const double v[] = {3, 0.2}, gamma[] = {0.4, -0.1}, x[] = {1, 2};
    double z[2];
    put(s, "running_variance", v, 2);
    put(s, "log_gamma", gamma, 2);
    const double both = log(v[0] + 0.5) + log(v[1] + 0.5);
    MODULE_IS(forward_one(s.m, x, z), dense_forward(s, x));
    RIGHT(sum_of(gamma, 2) - both / 2, dense_forward(s, x));
    SLIP(sum_of(gamma, 2) - both, dense_forward(s, x));
    SLIP(sum_of(gamma, 2) - log(v[0] * v[1]) / 2, dense_forward(s, x));
    SLIP(-both / 2, dense_forward(s, x));
    close_stage(s);
}

/* A factor a before batch normalisation changes nothing: d/da (log a - log(a^2 v + eps) / 2) = 0. Without the log-det's part
 * in the gradient through the variance only that of log a is left. */
Test(formulas, batch_norm_gradient_has_the_log_det_s_part)
{
    const stage s =
        open_stage(ALONE(1, CHAIN("{\"type\":\"scale\"},{\"type\":\"batch_norm\",\"options\":{\"eps\":"
                                  "1e-10,\"affine\":false}}")));
    const weir_matrix x = some_data(50, 1, 3);
    weir_trainer *const t = must_train(s.m, NULL);
    const weir_step step = data_step(&x);
    weir_step_result r = no_result(), up = no_result(), down = no_result();
    double g, unused;
    put_one(s, "1.scale", 1.7 + 1e-4);
    MUST(weir_trainer_gradient(t, &step, &up, &unused, 1, &error));
    put_one(s, "1.scale", 1.7 - 1e-4);
    MUST(weir_trainer_gradient(t, &step, &down, &unused, 1, &error));
    put_one(s, "1.scale", 1.7);
    MUST(weir_trainer_gradient(t, &step, &r, &g, 1, &error));
    const double slope = (up.loss - down.loss) / 2e-4, without = -1 / 1.7;
    MODULE_IS(g, slope);
    RIGHT(0.0, slope);
    SLIP(without, slope);
    weir_trainer_close(t);
    close_stage(s);
}

/* ---- data ---- */

/* All rows of 2 features with 4 levels, under a uniform base: their probabilities add up to 1. */
Test(formulas, dequantize_counts_the_levels_once_a_feature)
{
    const stage s =
        open_stage("{\"dtype\":\"f64\",\"features\":2,\"flow\":{\"type\":\"dequantize\",\"options\":"
                   "{\"levels\":4}},\"base\":{\"type\":\"uniform\"}}");
    double x[32], z[2];
    for (int i = 0; i < 32; i++) x[i] = i % 2 ? i / 2 % 4 : i / 8; // NOLINT(bugprone-integer-division)
    const double l = forward_one(s.m, x, z), total = mass_of(s.m, x, 16, NULL), cells = 16;
    RIGHT(total, 1);
    RIGHT(-2 * log(4), l);
    SLIP(-log(4), l);
    SLIP(cells * exp(-log(4)), total);
    SLIP(cells * exp(0), total);
    /* A uniform density over 4 levels is 2 bits a feature. */
    RIGHT(-l / (2 * log(2)), 2);
    SLIP(-(l + 2 * log(4)) / (2 * log(2)), 2);
    close_stage(s);
}

Test(formulas, logit_log_det_has_the_margin_and_is_taken_behind_it)
{
    const stage s =
        open_stage(ALONE(1, "{\"type\":\"logit\",\"options\":{\"lower\":-1,\"upper\":5,\"alpha\":0.05}}"));
    const double x = 0.3, y = (x + 1) / 6, alpha = 0.05, u = alpha + (1 - 2 * alpha) * y;
    double z;
    const double truth = dense_forward(s, &x);
    MODULE_IS(forward_one(s.m, &x, &z), truth);
    RIGHT(log(1 - 2 * alpha) - log(6) - log(u) - log(1 - u), truth);
    SLIP(-log(6) - log(u) - log(1 - u), truth);
    SLIP(log(1 - 2 * alpha) - log(u) - log(1 - u), truth);
    SLIP(log(1 - 2 * alpha) - log(6) - log(y) - log(1 - y), truth);
    SLIP(log(1 - 2 * alpha) - log(6) - log(u) + log(1 - u), truth);
    SLIP(log(1 - 2 * alpha) - log(6) + log(u) + log(1 - u), truth);
    close_stage(s);
}

/* ---- series ---- */

#define N 4

static void times(const double *a, const double *b, double *c)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            c[i * N + j] = 0;
            for (int k = 0; k < N; k++) c[i * N + j] += a[i * N + k] * b[k * N + j];
        }
}

static double trace(const double *a)
{
    return a[0] + a[N + 1] + a[2 * (N + 1)] + a[3 * (N + 1)];
}

static double log_det_of_one_plus(const double *a)
{
    double sum[N * N];
    for (int i = 0; i < N * N; i++) sum[i] = a[i] + (i % (N + 1) == 0);
    return log_abs_det(sum, N);
}

/* A of norm well below 1, with a trace. */
static void some_matrix(double *a)
{
    uint64_t state = 4;
    for (int i = 0; i < N * N; i++) a[i] = 0.4 * dice(&state) - 0.15;
}

Test(formulas, trace_series_alternates_and_has_powers_of_the_matrix)
{
    double a[N * N], power[N * N], next[N * N], right = 0, plus = 0, of_trace = 0, no_k = 0, shifted = 0;
    some_matrix(a);
    memcpy(power, a, sizeof power);
    for (int k = 1; k <= 80; k++) {
        const double sign = k % 2 ? 1 : -1, t = trace(power);
        right += sign * t / k;
        plus += t / k;
        of_trace += sign * pow(trace(a), k) / k;
        no_k += sign * t;
        shifted -= sign * t / k;
        times(power, a, next);
        memcpy(power, next, sizeof power);
    }
    const double truth = log_det_of_one_plus(a);
    RIGHT(right, truth);
    SLIP(plus, truth);
    SLIP(of_trace, truth);
    SLIP(no_k, truth);
    SLIP(shifted, truth);
}

/* d tr(A^k) = k tr(A^(k-1) dA): the k cancels the 1/k, and what is left is the Neumann series of (I + A)^-T. */
Test(formulas, trace_series_gradient_is_a_neumann_series)
{
    double a[N * N], power[N * N] = {0}, next[N * N], right[N * N] = {0}, kept[N * N] = {0};
    some_matrix(a);
    for (int i = 0; i < N; i++) power[i * (N + 1)] = 1;
    for (int k = 0; k <= 80; k++) {
        for (int i = 0; i < N * N; i++) {
            const double term = (k % 2 ? -1 : 1) * power[i % N * N + i / N];
            right[i] += term;
            kept[i] += term / (k + 1);
        }
        times(power, a, next);
        memcpy(power, next, sizeof power);
    }
    double most = 0, transposed = 0;
    for (int i = 0; i < N * N; i++) {
        const double was = a[i], h = 1e-5;
        a[i] = was + h;
        const double up = log_det_of_one_plus(a);
        a[i] = was - h;
        const double slope = (up - log_det_of_one_plus(a)) / (2 * h);
        a[i] = was;
        RIGHT(right[i], slope);
        most = fmax(most, fabs(kept[i] - slope));
        transposed = fmax(transposed, fabs(right[i % N * N + i / N] - slope));
    }
    SLIP(most, 0);
    SLIP(transposed, 0);
}
