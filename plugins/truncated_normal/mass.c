/* mass.c - see mass.h.
 *
 * An interval around 0 is a sum of two error functions, neither of which cancels the other. One on a side of 0, seen from
 * its near end p, is phi(p) times the integral of exp(-p s - s^2/2) over its length: the difference of two Mills ratios,
 * or, where these would cancel, Gauss-Legendre quadrature of an integrand that hardly changes.
 */
#include "mass.h"

#define ROOT_HALF    0.70710678118654752440
#define ROOT_HALF_PI 1.25331413731550025121
#define HALF_LOG_2PI 0.91893853320467274178

/** (1 - Phi(x)) / phi(x), x >= 0. Beyond 10 by Laplace's continued fraction 1/(x + 1/(x + 2/(x + ...))). */
static double mills(double x)
{
    if (x < 10) return ROOT_HALF_PI * erfc(x * ROOT_HALF) * exp(x * x / 2);
    double tail = x;
    for (int k = 40; k >= 1; k--) tail = x + k / tail;
    return 1 / tail;
}

/** The integral of exp(-p s - s^2/2) over 0 < s < length, by eight points; for max(1, p + length) length below 1/2. */
static double short_integral(double p, double length)
{
    static const double at[4] = {0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959,
                                 0.96028985649753623168};
    static const double weight[4] = {0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054,
                                     0.10122853629037625915};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const double s = length * (1 - at[i]) / 2, t = length * (1 + at[i]) / 2;
        sum += weight[i] * (exp(-s * (p + s / 2)) + exp(-t * (p + t / 2)));
    }
    return sum * length / 2;
}

/** log of that integral for 0 <= p < q; q may be infinite. */
static double log_tail(double p, double q)
{
    const double length = q - p;
    if (isinf(q)) return log(mills(p));
    if (fmax(1, q) * length < 0.5) return log(short_integral(p, length));
    return log(mills(p) - mills(q) * exp(-length * (p + length / 2)));
}

mass WEIR_NAME(mass_of)(double from, double to)
{
    if (from > 0) return (mass){from, log_tail(from, to)};
    if (to < 0) return (mass){to, log_tail(-to, -from)};
    return (mass){0, log((erf(to * ROOT_HALF) - erf(from * ROOT_HALF)) / 2) + HALF_LOG_2PI};
}
