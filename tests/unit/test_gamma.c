/* test_gamma.c - weir/gamma.h against values that are known in closed form, and derivatives against differences.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/gamma.h>

#include <criterion/criterion.h>

TestSuite(gamma);

#define PI    3.14159265358979323846
#define EULER 0.57721566490153286061

static void near(double got, double wanted, double tolerance, const char *what)
{
    cr_assert(fabs(got - wanted) <= tolerance * fmax(1, fabs(wanted)), "%s: %.17g instead of %.17g", what,
              got, wanted);
}

/* (n - 1)! and, at halves, (2n)! sqrt(pi) / (4^n n!). */
Test(gamma, at_integers_and_halves)
{
    double factorial = 1, half = sqrt(PI);
    for (int n = 1; n <= 40; n++) {
        near(weir_log_gamma(n), log(factorial), 4e-15, "log Gamma(n)");
        near(weir_log_gamma(n - 0.5), log(half), 4e-15, "log Gamma(n - 1/2)");
        factorial *= n;
        half *= n - 0.5;
    }
}

Test(gamma, reflected)
{
    static const double points[] = {1e-300, 1e-8, 0.01, 0.1, 0.25, 0.4, 0.49};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double x = points[i];
        near(weir_log_gamma(x) + weir_log_gamma(1 - x), log(PI / sin(PI * x)), 4e-15,
             "Gamma(x) Gamma(1 - x)");
        if (x < 1e-7) continue;
        near(weir_digamma(1 - x) - weir_digamma(x), PI / tan(PI * x), 4e-15, "psi(1 - x) - psi(x)");
    }
}

/* log Gamma(x + 1/2) - log Gamma(x) tends to log(x)/2 - 1/(8x): of two numbers near 1e9 no digit would be left. */
Test(gamma, steps_do_not_cancel)
{
    static const double points[] = {1e5, 1e6, 1e8, 1e12};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double x = points[i];
        near(weir_log_gamma_step(x, 0.5), log(x) / 2 - 1 / (8 * x), 1e-15, "step of a half");
        near(weir_log_gamma_step(x, 1), log(x), 1e-15, "step of one");
        near(weir_log_beta(x, 2), -log(x) - log(x + 1), 1e-15, "log B(x, 2)");
    }
    near(weir_log_gamma_step(0.3, 2), log(0.3 * 1.3), 1e-15, "step of two");
    near(weir_log_beta(0.5, 0.5), log(PI), 4e-15, "log B(1/2, 1/2)");
    near(weir_log_beta(3, 4), -log(60), 4e-15, "log B(3, 4)");
}

Test(gamma, digamma)
{
    double harmonic = 0;
    for (int n = 1; n <= 30; n++) {
        near(weir_digamma(n), harmonic - EULER, 4e-15, "psi(n)");
        harmonic += 1.0 / n;
    }
    near(weir_digamma(0.5), -EULER - 2 * log(2.0), 4e-15, "psi(1/2)");
    near(weir_digamma(0.25), -EULER - PI / 2 - 3 * log(2.0), 4e-15, "psi(1/4)");
    near(weir_digamma(1e10), log(1e10) - 0.5e-10, 1e-15, "psi(1e10)");
}

/* ---- the incomplete beta function ---- */

static weir_beta_tail tail_of(double a, double b, double t)
{
    const weir_beta_shape shape = weir_beta_shape_of(a, b);
    return weir_beta_tail_at(&shape, t, 1);
}

static double lower_tail(double a, double b, double t)
{
    const weir_beta_tail tail = tail_of(a, b, t);
    return tail.upper ? -expm1(tail.log_tail) : exp(tail.log_tail);
}

/* The tail that was computed, whichever it is, against its own closed form: no digit is lost in either. */
static void expect_tail(double a, double b, double t, double log_lower, double log_upper)
{
    const weir_beta_tail tail = tail_of(a, b, t);
    near(tail.log_tail, tail.upper ? log_upper : log_lower, 1e-14, "a tail of the beta density");
}

Test(gamma, incomplete_beta_in_closed_form)
{
    for (double t = -60; t <= 60; t += 0.37) {
        const double x = 1 / (1 + exp(-t)), y = 1 / (1 + exp(t));
        const double log_x = -log1p(exp(-t)), log_y = -log1p(exp(t));
        expect_tail(1, 1, t, log_x, log_y);
        expect_tail(7, 1, t, 7 * log_x, log(-expm1(7 * log_x)));
        expect_tail(1, 0.2, t, log(-expm1(0.2 * log_y)), 0.2 * log_y);
        expect_tail(0.5, 0.5, t, log(2 / PI * asin(sqrt(x))), log(2 / PI * asin(sqrt(y))));
        expect_tail(2, 3, t, log(x * x * (6 - 8 * x + 3 * x * x)), log(y * y * y * (1 + 3 * x)));
    }
}

Test(gamma, incomplete_beta_is_symmetric)
{
    static const double powers[][2] = {{0.01, 0.3}, {5, 5}, {3e3, 2e3}, {1e5, 0.5}, {40, 1e6}};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        for (double t = -3; t <= 3; t += 0.61) {
            const double a = powers[i][0], b = powers[i][1], at = log(a / b) + t / sqrt(1 + fmin(a, b));
            near(lower_tail(a, b, at) + lower_tail(b, a, -at), 1, 1e-12, "I_x(a, b) + I_(1 - x)(b, a)");
        }
}

Test(gamma, derivatives_of_the_incomplete_beta)
{
    static const double powers[][2] = {{0.1, 0.3}, {1, 1}, {3.3, 0.7}, {20, 50}};
    const double h = 1e-4;
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        for (double t = -9; t <= 9; t += 0.83) {
            const double a = powers[i][0], b = powers[i][1];
            const weir_beta_tail at = tail_of(a, b, t);
            const weir_beta_tail up_a = tail_of(a + h, b, t), down_a = tail_of(a - h, b, t);
            const weir_beta_tail up_b = tail_of(a, b + h, t), down_b = tail_of(a, b - h, t);
            if (up_a.upper == down_a.upper)
                near(at.by_a, (up_a.log_tail - down_a.log_tail) / (2 * h), 2e-5, "d log tail / da");
            if (up_b.upper == down_b.upper)
                near(at.by_b, (up_b.log_tail - down_b.log_tail) / (2 * h), 2e-5, "d log tail / db");
            const double lower = lower_tail(a, b, t + h) - lower_tail(a, b, t - h);
            near(exp(at.log_density), lower / (2 * h), 1e-6, "the density of t");
        }
}
