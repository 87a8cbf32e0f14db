/* test_formulas_univariates.c - the errata of sdk/FORMULAS.md about univariates; see test_formulas.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "formulas.h"
#include "univariate.h"

TestSuite(formulas_univariates);

#define OF(type, options) UNIVARIATE("f64", type, options, NORMAL_BASE)
#define BOUND             5.0

/* `count` bins of [-BOUND, BOUND] from parameters before the softmax; where[0] .. where[count] are their ends. */
static void knots(const double *p, int count, double *where)
{
    double total = 0;
    for (int k = 0; k < count; k++) total += exp(p[k]);
    where[0] = -BOUND;
    for (int k = 0; k < count; k++)
        where[k + 1] = where[k] + 2 * BOUND * (1e-3 + (1 - count * 1e-3) * exp(p[k]) / total);
}

static int bin_of(const double *where, double x)
{
    int k = 0;
    while (where[k + 1] <= x) k++;
    return k;
}

static double inner_slope(double v)
{
    return 1e-3 + softplus(v + log(expm1(1 - 1e-3)));
}

Test(formulas_univariates, rq_spline_derivative_has_the_square_of_the_slope)
{
    const stage s = open_stage(OF("rq_spline", ""));
    double p[MOST_PARAMS], z, wx[9], wy[9];
    uint64_t state = 3;
    cr_assert_eq(stir(s, 1.5, &state, p), 23);
    knots(p, 8, wx);
    knots(p + 8, 8, wy);
    for (int i = 0; i < 5; i++) {
        const double x = -3.7 + 1.9 * i;
        const int k = bin_of(wx, x);
        const double w = wx[k + 1] - wx[k], h = wy[k + 1] - wy[k], sl = h / w, xi = (x - wx[k]) / w;
        const double a = k ? inner_slope(p[16 + k - 1]) : 1, b = k < 7 ? inner_slope(p[16 + k]) : 1;
        const double top = b * xi * xi + 2 * sl * xi * (1 - xi) + a * (1 - xi) * (1 - xi);
        const double swapped = a * xi * xi + 2 * sl * xi * (1 - xi) + b * (1 - xi) * (1 - xi);
        const double below = sl + (a + b - 2 * sl) * xi * (1 - xi), truth = dense_forward(s, &x);
        MODULE_IS(forward_one(s.m, &x, &z), truth);
        RIGHT(log(sl * sl * top / (below * below)), truth);
        SLIP(log(sl * top / (below * below)), truth);
        SLIP(log(sl * sl * top / below), truth);
        SLIP(log(sl * sl * swapped / (below * below)), truth);
        RIGHT(wy[k] + h * (sl * xi * xi + a * xi * (1 - xi)) / below, z);
        SLIP(wy[k] + h * (sl * xi * xi + b * xi * (1 - xi)) / below, z);
    }
    close_stage(s);
}

/* A histogram's mass is not its density: it has to be divided by the width of a bin. */
Test(formulas_univariates, linear_spline_slope_is_mass_over_width)
{
    const stage s = open_stage(OF("linear_spline", ""));
    double p[MOST_PARAMS], z, wy[9];
    const double x = 1.9, w = 2 * BOUND / 8;
    uint64_t state = 3;
    cr_assert_eq(stir(s, 1.5, &state, p), 8);
    knots(p, 8, wy);
    const int k = (int)((x + BOUND) / w);
    const double h = wy[k + 1] - wy[k], truth = dense_forward(s, &x);
    MODULE_IS(forward_one(s.m, &x, &z), truth);
    RIGHT(log(h / w), truth);
    SLIP(log(h / (2 * BOUND)), truth);
    SLIP(log(h), truth);
    close_stage(s);
}

#define K 3

Test(formulas_univariates, mixture_cdf_log_det_has_the_logit_s_terms)
{
    const stage s = open_stage(OF("logistic_mixture_cdf", "\"components\":3,\"affine\":true"));
    double p[MOST_PARAMS], z, total = 0, cdf = 0, pdf = 0, raw = 0;
    uint64_t state = 3;
    const double x = 1.4;
    cr_assert_eq(stir(s, 1, &state, p), 3 * K + 2);
    for (int k = 0; k < K; k++) total += exp(p[k]);
    for (int k = 0; k < K; k++) {
        const double share = exp(p[k]) / total, scale = exp(7 * tanh(p[2 * K + k] / 7)),
                     e = (x - p[K + k]) / scale;
        cdf += share * sigmoid(e);
        raw += share * sigmoid(e) * sigmoid(-e);
        pdf += share * sigmoid(e) * sigmoid(-e) / scale;
    }
    const double a = 7 * tanh(p[3 * K] / 7), truth = dense_forward(s, &x);
    MODULE_IS(forward_one(s.m, &x, &z), truth);
    RIGHT(log(cdf / (1 - cdf)) * exp(a) + p[3 * K + 1], z);
    RIGHT(log(pdf) - log(cdf) - log(1 - cdf) + a, truth);
    SLIP(log(pdf) + a, truth);
    SLIP(log(pdf) + log(cdf) + log(1 - cdf) + a, truth);
    SLIP(log(pdf) - log(cdf) + log(1 - cdf) + a, truth);
    SLIP(log(raw) - log(cdf) - log(1 - cdf) + a, truth);
    SLIP(log(pdf) - log(cdf) - log(1 - cdf), truth);
    close_stage(s);
}

#undef K

static double choose(int n, int k)
{
    double c = 1;
    for (int i = 1; i <= k; i++) c *= (double)(n - k + i) / i;
    return c;
}

/* The derivative of a Bernstein polynomial of degree M in t = (x + B) / 2B has M from the basis and 1 / 2B from t. */
Test(formulas_univariates, bernstein_derivative_has_its_degree_and_its_width)
{
    const stage s = open_stage(OF("bernstein", "\"degree\":6,\"bound\":3,\"min_slope\":0.05"));
    double p[MOST_PARAMS], z, theta[7] = {0}, sum = 0;
    const double x = 0.8, t = (x + 3) / 6;
    uint64_t state = 3;
    cr_assert_eq(stir(s, 1, &state, p), 7);
    for (int k = 1; k <= 6; k++)
        theta[k] = theta[k - 1] + 1 * (0.05 + softplus(p[k - 1] + log(expm1(1 - 0.05))));
    for (int k = 1; k <= 6; k++)
        sum += (theta[k] - theta[k - 1]) * choose(5, k - 1) * pow(t, k - 1) * pow(1 - t, 6 - k);
    const double truth = dense_forward(s, &x);
    MODULE_IS(forward_one(s.m, &x, &z), truth);
    RIGHT(log(6.0 / 6 * sum), truth);
    SLIP(log(6 * sum), truth);
    SLIP(log(sum / 6), truth);
    close_stage(s);
}

/* log(1 - tanh^2) has lost all digits at 19; a small number added under the logarithm stops it at a wrong one. */
Test(formulas_univariates, tanh_log_det_is_not_taken_of_a_difference)
{
    const stage s = open_stage(OF("tanh", ""));
    const double x = 15, y = tanh(x), truth = (double)(-2 * logl(coshl(15.0L)));
    double z;
    MODULE_IS(forward_one(s.m, &x, &z), truth);
    RIGHT(2 * (log(2) - x - softplus(-2 * x)), truth);
    SLIP(log(1 - y * y + 1e-6), truth);
    const double near = 0.3, here = -2 * log(cosh(near));
    RIGHT(2 * (log(2) - near - softplus(-2 * near)), here);
    SLIP(2 * (log(2) - near + softplus(-2 * near)), here);
    const double far = 30, flat = tanh(far), there = (double)(-2 * logl(coshl(30.0L)));
    RIGHT(2 * (log(2) - far - softplus(-2 * far)), there);
    SLIP(log(1 - flat * flat), there);
    close_stage(s);
}
