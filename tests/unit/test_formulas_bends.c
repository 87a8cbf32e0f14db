/* test_formulas_bends.c - the errata of sdk/FORMULAS.md about planar, radial and sylvester; see test_formulas.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "formulas.h"

TestSuite(formulas_bends);

#define LEAST 1e-6 /* added by the modules to what must stay positive */

static const double w[] = {0.8, -1.1, 0.4}, u[] = {-1.4, 0.9, -0.6}, point[] = {0.3, -0.2, 0.5};

static void open_planar(stage *s, double bias)
{
    *s = open_stage(ALONE(3, "{\"type\":\"planar\"}"));
    put(*s, "w", w, 3);
    put(*s, "u", u, 3);
    put_one(*s, "b", bias);
}

Test(formulas_bends, planar_amount_divides_by_the_squared_length)
{
    stage s;
    open_planar(&s, 0.2);
    const double wu = inner(w, u, 3), squared = inner(w, w, 3), m = -1 + softplus(wu) + LEAST;
    const double a = inner(w, point, 3) + 0.2, h1 = 1 - tanh(a) * tanh(a), truth = dense_forward(s, point);
    double z[3];
    MODULE_IS(forward_one(s.m, point, z), truth);
    /* w.v for v = u + (m - w.u) w / |w|^2, and where something is amiss */
    const double wv = wu + (m - wu) * squared / squared;
    RIGHT(log(fabs(1 + h1 * wv)), truth);
    RIGHT(point[0] + (u[0] + (m - wu) * w[0] / squared) * tanh(a), z[0]);
    SLIP(point[0] + (u[0] + (m - wu) * w[0] / sqrt(squared)) * tanh(a), z[0]);
    SLIP(log(fabs(1 + h1 * (wu + (m - wu) * sqrt(squared)))), truth);
    SLIP(log(fabs(1 + h1 * (m + 1))), truth);
    SLIP(log(fabs(1 + h1 * wu)), truth);
    SLIP(log(fabs(1 + wv)), truth);
    close_stage(s);
}

/* Along w the slope of g is 1 + h'(a) w.v, h' between 0 and 1: positive everywhere if and only if w.v > -1. */
Test(formulas_bends, planar_is_invertible_from_minus_one_on)
{
    stage s;
    open_planar(&s, 0);
    const double none[3] = {0}, wu = inner(w, u, 3), squared = inner(w, w, 3);
    double j[9], first[3];
    cr_assert_lt(wu, -1, "this direction needs no constraint");
    jacobian(go_forward, &s, none, 3, 3, j);
    for (int i = 0; i < 3; i++) first[i] = inner(j + 3 * i, w, 3);
    const double slope = inner(w, first, 3) / squared;
    cr_assert_gt(slope, 0);
    RIGHT(softplus(wu) + LEAST, slope);
    cr_assert_lt(1 + wu, 0, "without the constraint it would fold");
    SLIP(1 + wu, slope);
    /* short of the -1 it is invertible, and can never contract: 1 + softplus > 1 */
    SLIP(1 + softplus(wu), slope);
    /* divided by |w|, a short w folds */
    const double length = 0.3, m = -1 + softplus(wu);
    cr_assert_lt(1 + wu + (m - wu) * length, 0);
    close_stage(s);
}

Test(formulas_bends, radial_determinant_has_the_power_of_one_less)
{
    const stage s = open_stage(ALONE(3, "{\"type\":\"radial\"}"));
    const double centre[] = {0.5, 0.1, -0.4}, alpha = exp(0.3), free = 1.8;
    put(s, "centre", centre, 3);
    put_one(s, "log_alpha", 0.3);
    put_one(s, "beta", free);
    double z[3], r = 0;
    for (int i = 0; i < 3; i++) r += (point[i] - centre[i]) * (point[i] - centre[i]);
    r = sqrt(r);
    const double beta = -alpha + softplus(free) + LEAST, h = 1 / (alpha + r), truth = dense_forward(s, point);
    MODULE_IS(forward_one(s.m, point, z), truth);
    RIGHT(2 * log(1 + beta * h) + log(1 + beta * h - beta * h * h * r), truth);
    SLIP(3 * log(1 + beta * h) + log(1 + beta * h - beta * h * h * r), truth);
    SLIP(2 * log(1 + beta * h) + log(1 + beta * h + beta * h * h * r), truth);
    SLIP(2 * log(1 + beta * h), truth);
    SLIP(3 * log(1 + beta * h), truth);
    const double minus_one = -1 + softplus(free), plus = alpha + softplus(free);
    SLIP(2 * log(1 + minus_one * h) + log(1 + minus_one * h - minus_one * h * h * r), truth);
    SLIP(2 * log(1 + plus * h) + log(1 + plus * h - plus * h * h * r), truth);
    close_stage(s);
}

/* x + Q R tanh(S Q^T x + b) with D = 3, M = 2; Q by its two columns. */
typedef struct bends {
    double q[2][3], r[2][2], s[2][2], b[2];
} bends;

static void bend(const void *self, const double *x, double *y)
{
    const bends *const p = self;
    double t[2], h[2];
    for (int i = 0; i < 2; i++) t[i] = inner(p->q[i], x, 3);
    for (int i = 0; i < 2; i++) h[i] = tanh(inner(p->s[i], t, 2) + p->b[i]);
    for (int i = 0; i < 3; i++)
        y[i] = x[i] + p->q[0][i] * inner(p->r[0], h, 2) + p->q[1][i] * inner(p->r[1], h, 2);
}

static void slopes_of(const bends *p, const double *x, double *slope)
{
    double t[2];
    for (int i = 0; i < 2; i++) t[i] = inner(p->q[i], x, 3);
    for (int i = 0; i < 2; i++) slope[i] = 1 - pow(tanh(inner(p->s[i], t, 2) + p->b[i]), 2);
}

Test(formulas_bends, sylvester_needs_orthonormal_columns)
{
    bends p = {.q = {{0.6, 0.8, 0}, {-0.8, 0.6, 0}},
               .r = {{1.6, -0.4}, {0, 0.5}},
               .s = {{0.7, 1.3}, {0, 1.2}},
               .b = {0.1, -0.2}};
    double k[2];
    slopes_of(&p, point, k);
    const double a = k[0] * p.r[0][0] * p.s[0][0], b = k[1] * p.r[1][1] * p.s[1][1];
    const double truth = dense(bend, &p, point, 3);
    RIGHT(log(1 + a) + log(1 + b), truth);
    SLIP(log(1 + a + b), truth);
    SLIP(log(1 + k[0] * p.s[0][0]) + log(1 + k[1] * p.s[1][1]), truth);
    p.q[1][2] = 0.9;
    p.q[1][0] = 0.1;
    slopes_of(&p, point, k);
    SLIP(log(1 + k[0] * p.r[0][0] * p.s[0][0]) + log(1 + k[1] * p.r[1][1] * p.s[1][1]),
         dense(bend, &p, point, 3));
}
