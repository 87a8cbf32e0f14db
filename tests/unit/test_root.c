/* test_root.c - the search for a root ends on neighbouring numbers, in few evaluations, whatever the function.
 *
 * SPDX-License-Identifier: MIT
 */
#include "supply/root.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

TestSuite(root);

typedef double (*function)(double x);

static weir__root find_within(function f, double target, double lower, double upper, int32_t narrow)
{
    weir__root r;
    weir__root_start(&r, target, lower, upper, narrow);
    for (int i = 0; i < 1000 && !weir__root_is_over(&r); i++) {
        const double value = f(r.x);
        cr_assert(!(r.x < lower) && !(r.x > upper), "%.17g is outside", r.x);
        if (narrow) cr_assert(isnan(r.x) || (double)(float)r.x == r.x, "%.17g is no float", r.x);
        weir__root_tell(&r, narrow ? (double)(float)value : value);
    }
    cr_assert(weir__root_is_over(&r), "target %g: does not end", target);
    return r;
}

static weir__root find(function f, double target, int32_t narrow)
{
    return find_within(f, target, -INFINITY, INFINITY, narrow);
}

static double identity(double x)
{
    return x;
}
static double falling_cube(double x)
{
    return 1 - x * x * x;
}
static double nearly_flat(double x)
{
    return 1e-12 * x + atan(x) * 1e-15;
}
static double steep(double x)
{
    return x + 0.05 * sinh(x);
}
static double bent(double x)
{
    return x + 0.99 * sin(x);
}
static double saturating(double x)
{
    return tanh(x);
}
static double positive_only(double x)
{
    return x > 0 ? log(x) : (double)NAN;
}
static double half_line(double x)
{
    return x >= 0 ? x * x : (double)NAN;
}
static double nowhere(double x)
{
    return x * (double)NAN;
}
static double step(double x)
{
    return x < 3 ? -1 : 1;
}

/* f at the root and at its neighbours brackets the target: no number is nearer, but for rounding in f itself. */
static void expect_root(function f, double target, int32_t narrow, int32_t most)
{
    const weir__root r = find(f, target, narrow);
    cr_assert_eq(r.phase, WEIR__ROOT_FOUND, "target %g: not found", target);
    const double below = narrow ? (double)nextafterf((float)r.x, -INFINITY) : nextafter(r.x, -INFINITY);
    const double above = narrow ? (double)nextafterf((float)r.x, INFINITY) : nextafter(r.x, INFINITY);
    const double low = fmin(f(below), f(above)), high = fmax(f(below), f(above));
    const double slack = 2 * (narrow ? (double)FLT_EPSILON : DBL_EPSILON) * fabs(target);
    cr_assert(low - slack <= target && target <= high + slack, "f(%.17g) = %.17g is not %.17g", r.x, f(r.x),
              target);
    cr_assert(weir__root_residual(&r) <= high - low + slack);
    cr_assert(r.evaluations <= most, "target %g: %d evaluations", target, (int)r.evaluations);
}

Test(root, is_found_to_the_last_bit)
{
    static const double targets[] = {0, 1e-300, -1e-9, 0.3, -2, 17, -1000, 1e6, 1e30, -1e200};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        expect_root(identity, targets[i], 0, 1);
        expect_root(falling_cube, targets[i], 0, 120);
        expect_root(steep, targets[i], 0, 100);
        expect_root(bent, targets[i], 0, 60);
        if (fabs(targets[i]) < 1e30) expect_root(nearly_flat, targets[i], 0, 100);
    }
    for (size_t i = 0; i + 1 < sizeof targets / sizeof *targets; i++) {
        const double target = (double)(float)targets[i];
        expect_root(falling_cube, target, 1, 100);
        expect_root(steep, target, 1, 100);
        expect_root(bent, target, 1, 60);
    }
}

/* What flows ask for all day: near the identity, moderate numbers. */
Test(root, of_a_tame_function_takes_few_evaluations)
{
    int64_t total = 0;
    int32_t count = 0;
    for (double t = -4; t <= 4; t += 0.0371, count++) {
        const weir__root r = find(steep, t, 0);
        cr_assert_eq(r.phase, WEIR__ROOT_FOUND);
        total += r.evaluations;
    }
    cr_assert(total < 9 * count, "%g on average", (double)total / count);
}

Test(root, where_the_function_is_not_a_number_is_left_out)
{
    expect_root(positive_only, 0.5, 0, 60);
    expect_root(positive_only, 3, 0, 60);
    expect_root(half_line, 4, 0, 80);
    expect_root(half_line, 1e6, 0, 80);
    expect_root(half_line, 100, 1, 80);
}

static double logit(double x)
{
    return log(x) - log1p(-x);
}

Test(root, stays_within_bounds)
{
    static const double targets[] = {0, 0.5, -3, 12, -30, 300, -700};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (int narrow = 0; narrow < 2; narrow++) {
            const weir__root r = find_within(logit, targets[i], 0, 1, narrow);
            const double expected = 1 / (1 + exp(-targets[i]));
            if (narrow && targets[i] < -100) continue;
            cr_assert_eq(r.phase, WEIR__ROOT_FOUND, "logit %g", targets[i]);
            cr_assert(fabs(r.x - expected) <= (narrow ? 1e-6 : 1e-15), "logit %g: %.17g", targets[i], r.x);
        }
    cr_assert_eq(find_within(identity, 3, -1, 2, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find_within(identity, -4, 5, INFINITY, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find_within(identity, 2, -1, 2, 0).x, 2);
    cr_assert_eq(find_within(falling_cube, 9, -INFINITY, -1, 0).x, -2);
    cr_assert_eq(find_within(falling_cube, -7, 1, INFINITY, 1).x, 2);
}

Test(root, that_does_not_exist_is_not_found)
{
    cr_assert_eq(find(saturating, 1.5, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find(saturating, -2, 1).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find(nowhere, 1, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find(identity, (double)NAN, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert_eq(find(identity, (double)INFINITY, 0).phase, WEIR__ROOT_NOWHERE);
    cr_assert(isnan(find(saturating, 1.5, 0).x));
    cr_assert(isnan(find(identity, (double)NAN, 0).x));
}

Test(root, of_a_jump_is_the_jump)
{
    const weir__root r = find(step, 0.25, 0);
    cr_assert_eq(r.phase, WEIR__ROOT_FOUND);
    cr_assert(r.x == 3 || r.x == nextafter(3, 0), "%.17g", r.x);
    cr_assert_eq(weir__root_residual(&r), 0.75);
}
