/* test_polynomials.c - Bernstein and sum-of-squares polynomials against their definitions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "univariate.h"

TestSuite(polynomials);

#define MIN_SLOPE 1e-3L

static const double places[] = {-1e5, -17, -3.5, -2.000001, -1.7, -0.4, 0, 0.3, 1.2, 1.999, 2.5, 40, 1e6};
#define PLACES ((int)(sizeof places / sizeof *places))

/* ---- Bernstein ---- */

#define DEGREE 7
#define BOUND  2.0L

/* Sum of theta_j C(M, j) r^j (1 - r)^(M - j) and its derivative in x, straight beyond the bound. */
static long double bernstein_by_hand(const double *p, long double x, long double *slope)
{
    long double theta[DEGREE + 1] = {0}, y = 0, total = 0, choose = 1;
    const long double shift = logl(expm1l(1 - MIN_SLOPE));
    for (int k = 0; k < DEGREE; k++) {
        const long double steep = MIN_SLOPE + log1pl(expl((long double)p[k] + shift));
        theta[k + 1] = theta[k] + 2 * BOUND / DEGREE * steep;
    }
    total = theta[DEGREE];
    for (int j = 0; j <= DEGREE; j++) theta[j] += (long double)p[DEGREE] - total / 2;
    const long double within = fminl(fmaxl(x, -BOUND), BOUND), r = (within + BOUND) / (2 * BOUND);
    *slope = 0;
    for (int j = 0; j <= DEGREE; j++) {
        y += theta[j] * choose * powl(r, j) * powl(1 - r, DEGREE - j);
        if (j < DEGREE)
            *slope += (theta[j + 1] - theta[j]) / (2 * BOUND) * choose * (DEGREE - j) * powl(r, j) *
                      powl(1 - r, DEGREE - 1 - j);
        choose = choose * (DEGREE - j) / (j + 1);
    }
    return y + *slope * (x - within);
}

Test(polynomials, bernstein_is_its_definition)
{
    stage s = open_stage(UNIVARIATE("f64", "bernstein", "\"degree\":7,\"bound\":2", NORMAL_BASE));
    uint64_t state = 21;
    double p[MOST_PARAMS], log_det;
    for (int draw = 0; draw < 5; draw++) {
        cr_assert_eq(stir(s, 1.5, &state, p), DEGREE + 1);
        for (int i = 0; i < PLACES; i++) {
            long double slope;
            const long double y = bernstein_by_hand(p, (long double)places[i], &slope);
            NEAR(run_one(s, 0, places[i], &log_det), y, 1e-14);
            NEAR(log_det, logl(slope), 1e-13);
        }
    }
    close_stage(s);
}

Test(polynomials, bernstein_starts_as_the_identity)
{
    stage s = open_stage(UNIVARIATE("f64", "bernstein", "\"degree\":64", NORMAL_BASE));
    double log_det;
    for (int i = 0; i < PLACES; i++) {
        NEAR(run_one(s, 0, places[i], &log_det), places[i], 5e-14);
        NEAR(log_det, 0, 5e-14);
    }
    close_stage(s);
}

/* ---- sums of squares ---- */

#define SQUARES 2
#define POWERS  4 /* coefficients of each */

/* The polynomial multiplied out, in long double: what the module's quadrature must equal. */
static long double sos_by_hand(const double *p, long double x, long double *slope)
{
    long double coefficients[2 * POWERS - 1] = {MIN_SLOPE}, y = (long double)p[SQUARES * POWERS], power = 1;
    for (int k = 0; k < SQUARES; k++)
        for (int i = 0; i < POWERS; i++)
            for (int j = 0; j < POWERS; j++)
                coefficients[i + j] += (long double)p[k * POWERS + i] * (long double)p[k * POWERS + j];
    *slope = 0;
    for (int m = 0; m < 2 * POWERS - 1; m++, power *= x) {
        *slope += coefficients[m] * power;
        y += coefficients[m] * power * x / (m + 1);
    }
    return y;
}

Test(polynomials, sos_is_its_definition)
{
    stage s = open_stage(UNIVARIATE("f64", "sos_polynomial", "\"squares\":2,\"degree\":3", NORMAL_BASE));
    uint64_t state = 22;
    double p[MOST_PARAMS], log_det;
    for (int draw = 0; draw < 5; draw++) {
        cr_assert_eq(stir(s, 1, &state, p), SQUARES * POWERS + 1);
        for (int i = 0; i < PLACES; i++) {
            long double slope;
            const long double y = sos_by_hand(p, (long double)places[i], &slope);
            NEAR(run_one(s, 0, places[i], &log_det), y, 1e-13);
            NEAR(log_det, logl(slope), 1e-12);
        }
    }
    close_stage(s);
}

Test(polynomials, sos_starts_near_the_identity)
{
    stage s = open_stage(UNIVARIATE("f64", "sos_polynomial", "", NORMAL_BASE));
    double log_det;
    for (double x = -3; x <= 3; x += 0.5)
        cr_assert(fabs(run_one(s, 0, x, &log_det) - x) <= 0.0034 * fabs(x * x * x), "at %g", x);
    close_stage(s);
}
