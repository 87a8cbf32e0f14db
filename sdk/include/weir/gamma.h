/* weir/gamma.h - the gamma function's family in double precision: its logarithm, that of beta's, digamma, and the
 * regularised incomplete beta function with its derivatives.
 *
 * SPDX-License-Identifier: MIT
 *
 * Large arguments use Stirling's series, small ones are shifted up first by Gamma(x + 1) = x Gamma(x). Errors are a few
 * units of rounding of max(1, |result|). Every function is pure; none knows the precision of a plugin.
 * Source of the formulas: NIST Digital Library of Mathematical Functions, 5.5, 5.11, 8.17.
 */
#ifndef WEIR_GAMMA_H
#define WEIR_GAMMA_H

#include <math.h>

#if defined(__GNUC__)
#define WEIR_GAMMA_INLINE static inline __attribute__((unused))
#else
#define WEIR_GAMMA_INLINE static inline
#endif

/** Stirling's series serves from here on to the last digit. */
#define WEIR_GAMMA_LARGE 10.0

/** log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2 for x >= WEIR_GAMMA_LARGE. */
WEIR_GAMMA_INLINE double weir_stirling_rest(double x)
{
    const double r = 1 / x, s = r * r;
    return r * (1.0 / 12 -
                s * (1.0 / 360 -
                     s * (1.0 / 1260 -
                          s * (1.0 / 1680 - s * (1.0 / 1188 - s * (691.0 / 360360 - s * (1.0 / 156)))))));
}

/** log Gamma(x), x > 0. */
WEIR_GAMMA_INLINE double weir_log_gamma(double x)
{
    const double half_log_2pi = 0.91893853320467274178;
    double product = 1;
    while (x < WEIR_GAMMA_LARGE) {
        product *= x;
        x += 1;
    }
    return (x - 0.5) * log(x) - x + half_log_2pi + weir_stirling_rest(x) - log(product);
}

/** log Gamma(x + h) - log Gamma(x), x > 0, h >= 0, without the cancellation of the two when x is large. */
WEIR_GAMMA_INLINE double weir_log_gamma_step(double x, double h)
{
    double product = 1;
    while (x < WEIR_GAMMA_LARGE) {
        product *= x / (x + h);
        x += 1;
    }
    return h * log(x) + (x + h - 0.5) * log1p(h / x) - h + weir_stirling_rest(x + h) - weir_stirling_rest(x) +
           log(product);
}

/** log B(a, b), a, b > 0. */
WEIR_GAMMA_INLINE double weir_log_beta(double a, double b)
{
    const double small = a < b ? a : b, large = a < b ? b : a;
    return weir_log_gamma(small) - weir_log_gamma_step(large, small);
}

/** Digamma, the derivative of log Gamma, x > 0. */
WEIR_GAMMA_INLINE double weir_digamma(double x)
{
    double shift = 0;
    while (x < WEIR_GAMMA_LARGE) {
        shift += 1 / x;
        x += 1;
    }
    const double s = 1 / (x * x);
    const double series =
        s * (1.0 / 12 - s * (1.0 / 120 -
                             s * (1.0 / 252 -
                                  s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760 - s * (1.0 / 12)))))));
    return log(x) - 0.5 / x - series - shift;
}

/* ---- the regularised incomplete beta function ---------------------------------------------------- */

/** What belongs to the powers alone, computed once for many points. */
typedef struct weir_beta_shape {
    double a, b;
    double log_beta;             /**< log B(a, b) */
    double digamma_a, digamma_b; /**< psi(a) - psi(a + b) and psi(b) - psi(a + b) */
} weir_beta_shape;

WEIR_GAMMA_INLINE weir_beta_shape weir_beta_shape_of(double a, double b)
{
    const double joint = weir_digamma(a + b);
    weir_beta_shape shape;
    shape.a = a;
    shape.b = b;
    shape.log_beta = weir_log_beta(a, b);
    shape.digamma_a = weir_digamma(a) - joint;
    shape.digamma_b = weir_digamma(b) - joint;
    return shape;
}

/** One tail of a Beta(a, b) at x, by its logarithm: no tail is too small to be told. */
typedef struct weir_beta_tail {
    int upper;          /**< 0: log_tail = log I_x(a, b); 1: log(1 - I_x(a, b)) */
    double log_tail;    /**< of the tail that the continued fraction is quick for */
    double by_a, by_b;  /**< derivatives of log_tail with respect to a and b; 0 when not wanted */
    double log_density; /**< log of x^a (1 - x)^b / B(a, b), the density of log(x / (1 - x)) */
} weir_beta_tail;

/** Value and derivatives with respect to a and b. */
typedef struct weir_beta_dual {
    double v, a, b;
} weir_beta_dual;

/** The k-th coefficient, k >= 1, of 1 + d_1/(1 + d_2/(1 + ...)), DLMF 8.17.22. */
WEIR_GAMMA_INLINE weir_beta_dual weir_beta_coefficient(int k, double a, double b, double x)
{
    const int half = k / 2;
    const double m = half, p = a + 2 * m;
    weir_beta_dual d;
    if (k % 2 == 0) {
        const double unit = m * x / ((p - 1) * p);
        d.v = unit * (b - m);
        d.a = -d.v * (1 / (p - 1) + 1 / p);
        d.b = unit;
    } else {
        d.v = -(a + m) * (a + b + m) * x / (p * (p + 1));
        d.a = d.v * (1 / (a + m) + 1 / (a + b + m) - 1 / p - 1 / (p + 1));
        d.b = d.v / (a + b + m);
    }
    return d;
}

/** log of the continued fraction's value, and its derivatives if they are wanted, by Lentz's recurrences; for x below
 *  (a + 1)/(a + b + 2). */
WEIR_GAMMA_INLINE weir_beta_dual weir_beta_fraction(double a, double b, double x, int slopes)
{
    weir_beta_dual sum = {1, 0, 0}, up = {1, 0, 0}, down = {0, 0, 0};
    for (int k = 1; k < 20000; k++) {
        const weir_beta_dual d = weir_beta_coefficient(k, a, b, x);
        const double below = 1 + d.v * down.v, inverse = 1 / (fabs(below) > 1e-300 ? below : 1e-300);
        const double ratio = d.v / up.v, above = fabs(1 + ratio) > 1e-300 ? 1 + ratio : 1e-300;
        double by_a = 0, by_b = 0;
        if (slopes) {
            down.a = -inverse * inverse * (d.a * down.v + d.v * down.a);
            down.b = -inverse * inverse * (d.b * down.v + d.v * down.b);
            up.a = (d.a - ratio * up.a) / up.v;
            up.b = (d.b - ratio * up.b) / up.v;
            by_a = up.a / above + down.a / inverse;
            by_b = up.b / above + down.b / inverse;
        }
        down.v = inverse;
        up.v = above;
        sum.v *= above * inverse;
        sum.a += by_a;
        sum.b += by_b;
        if (fabs(above * inverse - 1) < 2e-16 && fabs(by_a) <= 1e-16 * (1 + fabs(sum.a)) &&
            fabs(by_b) <= 1e-16 * (1 + fabs(sum.b)))
            break;
    }
    sum.v = log(sum.v);
    return sum;
}

/** The tail at x = 1 / (1 + e^-t), t finite; slopes != 0: with its derivatives. */
WEIR_GAMMA_INLINE weir_beta_tail weir_beta_tail_at(const weir_beta_shape *shape, double t, int slopes)
{
    const double a = shape->a, b = shape->b, small = log1p(exp(-fabs(t)));
    const double log_x = t < 0 ? t - small : -small, log_y = t < 0 ? -small : -t - small;
    weir_beta_tail tail = {0, 0, 0, 0, 0};
    tail.log_density = a * log_x + b * log_y - shape->log_beta;
    tail.upper = exp(log_x) > (a + 1) / (a + b + 2);
    const double power = tail.upper ? b : a, other = tail.upper ? a : b;
    const weir_beta_dual fraction = weir_beta_fraction(power, other, exp(tail.upper ? log_y : log_x), slopes);
    tail.log_tail = tail.log_density - log(power) - fraction.v;
    if (!slopes) return tail;
    tail.by_a = log_x - shape->digamma_a - (tail.upper ? fraction.b : 1 / a + fraction.a);
    tail.by_b = log_y - shape->digamma_b - (tail.upper ? 1 / b + fraction.a : fraction.b);
    return tail;
}

#endif
