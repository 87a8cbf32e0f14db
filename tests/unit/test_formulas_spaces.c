/* test_formulas_spaces.c - the errata of sdk/FORMULAS.md about constrained spaces; see test_formulas.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "formulas.h"

TestSuite(formulas_spaces);

/* vech of a 3 x 3 matrix: 11, 21, 22, 31, 32, 33; the diagonal is at 0, 2, 5. */
Test(formulas_spaces, psd_log_det_adds_its_second_sum)
{
    const stage s = open_stage(ALONE(6, "{\"type\":\"psd_cholesky\"}"));
    const double z[] = {0.3, -0.8, -0.4, 0.5, 1.1, 0.7}, k[] = {z[0], z[2], z[5]}, log2 = log(2);
    double x[6], back[6];
    const double exps = sum_of(k, 3), powers = 3 * k[0] + 2 * k[1] + k[2],
                 turned = k[0] + 2 * k[1] + 3 * k[2];
    const double truth = dense_inverse(s, z);
    MODULE_IS(inverse_one(s.m, z, x), truth);
    MODULE_IS(forward_one(s.m, x, back), -truth);
    RIGHT(exps + 3 * log2 + powers, truth);
    SLIP(exps + 3 * log2 - powers, truth);
    SLIP(exps + 3 * log2 * powers, truth);
    SLIP(exps + 3 * log2, truth);
    SLIP(exps + powers, truth);
    SLIP(exps + log2 + powers, truth);
    /* the Jacobian of L -> L L^T, without that of exp on the diagonal */
    SLIP(3 * log2 + powers, truth);
    /* the powers of the upper triangular U U^T */
    SLIP(exps + 3 * log2 + turned, truth);
    close_stage(s);
}

/* x_K is what the other parts leave. */
static void simplex_forward(const void *self, const double *x, double *z)
{
    const double full[] = {x[0], x[1], x[2], 1 - x[0] - x[1] - x[2]};
    go_forward(self, full, z);
}

Test(formulas_spaces, stick_breaking_log_det_counts_the_last_part)
{
    const stage s = open_stage(ALONE(4, "{\"type\":\"stick_breaking\"}"));
    const double x[] = {0.1, 0.35, 0.15, 0.4}, even[] = {0.25, 0.25, 0.25, 0.25};
    const double truth = dense(simplex_forward, &s, x, 3), three = -log(x[0]) - log(x[1]) - log(x[2]);
    double z[3];
    MODULE_IS(forward_one(s.m, x, z), truth);
    RIGHT(three - log(x[3]), truth);
    SLIP(three, truth);
    SLIP(-three + log(x[3]), truth);
    /* the offset log(K - k) puts the centre at 0 */
    forward_one(s.m, even, z);
    RIGHT(log(0.25 / 0.75) + log(3), z[0]);
    SLIP(log(0.25 / 0.75) - log(3), z[0]);
    close_stage(s);
}

/* Half the log-det of G^T G, the area that the inverse makes of a unit of latent volume. */
static double surface(const stage *s, const double *z, int n)
{
    double g[MOST * MOST], metric[MOST * MOST] = {0};
    jacobian(go_inverse, s, z, n - 1, n, g);
    for (int i = 0; i < n - 1; i++)
        for (int j = 0; j < n - 1; j++)
            for (int k = 0; k < n; k++) metric[i * (n - 1) + j] += g[k * (n - 1) + i] * g[k * (n - 1) + j];
    return log_abs_det(metric, n - 1) / 2;
}

static void first_three(const void *self, const double *z, double *x)
{
    double full[4];
    go_inverse(self, z, full);
    memcpy(x, full, 3 * sizeof *x);
}

Test(formulas_spaces, sphere_power_is_that_of_the_latent)
{
    const stage s = open_stage(ALONE(4, "{\"type\":\"sphere\"}"));
    const double z[] = {0.4, -0.7, 0.2}, each = log(2) - log(1 + inner(z, z, 3)), truth = surface(&s, z, 4);
    double x[4], back[3];
    MODULE_IS(inverse_one(s.m, z, x), truth);
    MODULE_IS(forward_one(s.m, x, back), -truth);
    RIGHT(3 * each, truth);
    SLIP(4 * each, truth);
    RIGHT(-3 * log(1 - x[3]), -truth);
    SLIP(dense(first_three, &s, z, 3), truth);
    close_stage(s);
}

static void below_the_diagonal(const void *self, const double *z, double *x)
{
    double full[6];
    go_inverse(self, z, full);
    x[0] = full[1];
    x[1] = full[3];
    x[2] = full[4];
}

/* i - j for the entries 21, 31, 32: 1, 2, 1. */
Test(formulas_spaces, correlation_powers_count_tanh)
{
    const stage factor = open_stage(ALONE(6, "{\"type\":\"correlation\"}")),
                matrix = open_stage(ALONE(3, "{\"type\":\"correlation\",\"options\":{\"of\":\"matrix\"}}"));
    const double z[] = {0.5, -0.9, 0.6};
    double sech[3], x[6], l[6];
    for (int i = 0; i < 3; i++) sech[i] = -log(cosh(z[i]));
    const double truth = dense(below_the_diagonal, &factor, z, 3);
    MODULE_IS(inverse_one(factor.m, z, l), truth);
    RIGHT(2 * sech[0] + 3 * sech[1] + 2 * sech[2], truth);
    SLIP(0 * sech[0] + 1 * sech[1] + 0 * sech[2], truth);
    SLIP(1 * sech[0] + 2 * sech[1] + 1 * sech[2], truth);
    const double whole = dense_inverse(matrix, z), rows = 2 * log(l[0]) + log(l[2]);
    MODULE_IS(inverse_one(matrix.m, z, x), whole);
    RIGHT(truth + rows, whole);
    SLIP(truth, whole);
    SLIP(truth - rows, whole);
    SLIP(truth + 3 * log(2) + rows + log(l[0] * l[2] * l[5]), whole);
    close_stage(matrix);
    close_stage(factor);
}

Test(formulas_spaces, ordered_log_det_leaves_out_the_first)
{
    const stage s = open_stage(ALONE(3, "{\"type\":\"ordered\"}"));
    const double z[] = {0.9, -0.6, 0.4}, truth = dense_inverse(s, z);
    double x[3];
    MODULE_IS(inverse_one(s.m, z, x), truth);
    RIGHT(z[1] + z[2], truth);
    SLIP(sum_of(z, 3), truth);
    SLIP(-z[1] - z[2], truth);
    close_stage(s);
}
