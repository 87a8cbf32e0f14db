/* test_arena.c - passes over the parameter arena: what they compute, and that no instruction set changes a bit of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "train/arena.h"
#include "train/around.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(arena);

#define ROOM 1100

/** The lengths around every vector's width, and one with many partial sums to each. */
static const int64_t lengths[] = {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, ROOM};
#define LENGTHS (int64_t)(sizeof lengths / sizeof *lengths)

/** A gradient, one to add to it, parameters and both moments, as floats or as doubles. */
typedef struct arrays {
    int32_t precision;
    union {
        float f32[ROOM];
        double f64[ROOM];
    } g, other, p, m, v;
} arrays;

static double get(const arrays *a, const void *array, int64_t i)
{
    return a->precision == WEIR_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void put(const arrays *a, void *array, int64_t i, double value)
{
    if (a->precision == WEIR_F32)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/** Numbers of many sizes and both signs, so that a sum in another order or a fused product shows. */
static double some(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    const double u = (double)(*state >> 11) * 0x1p-53;
    return (u - 0.5) * pow(10, (double)(*state >> 60) / 4 - 2);
}

static void fill(arrays *a, int32_t precision)
{
    uint64_t state = 7;
    memset(a, 0, sizeof *a);
    a->precision = precision;
    for (int64_t i = 0; i < ROOM; i++) {
        put(a, &a->g, i, some(&state));
        put(a, &a->other, i, some(&state));
        put(a, &a->p, i, some(&state));
        put(a, &a->m, i, some(&state));
        put(a, &a->v, i, fabs(some(&state)));
    }
}

static const weir__adam_rule adam = {0.83, 0.07, 0.991, 0.9, 0.999, 0.013, 1.7, 1e-8};
static const weir__sgd_rule sgd = {0.83, 0.07, 0.9, 0.013, 0.9, 1};

/** Every pass once, one on the results of another; what the squares add up to. */
static double all_passes(const weir__arena *passes, int64_t n, arrays *a)
{
    passes->add(n, &a->other, &a->g);
    passes->drain(n, &a->other, &a->g);
    const double squares = passes->squares(n, 0.37, &a->g);
    passes->adam(&adam, n, &a->g, &a->p, &a->m, &a->v);
    passes->sgd(&sgd, n, &a->g, &a->p, &a->m);
    return squares;
}

static const weir__arena *base(int32_t precision)
{
    return precision == WEIR_F32 ? &weir__arena_base_f32 : &weir__arena_base_f64;
}

/* On a processor without newer instructions both sides are the same build. */
Test(arena, instruction_sets_give_the_same_bits)
{
    static arrays one, two;
    for (int32_t precision = WEIR_F32; precision <= WEIR_F64; precision += WEIR_F32)
        for (int64_t k = 0; k < LENGTHS; k++) {
            fill(&one, precision);
            fill(&two, precision);
            const double first = all_passes(base(precision), lengths[k], &one);
            const double second = all_passes(weir__arena_passes(precision), lengths[k], &two);
            cr_assert_eq(memcmp(&first, &second, sizeof first), 0, "squares of %d: %.17g, %.17g",
                         (int)lengths[k], first, second);
            cr_assert_eq(memcmp(&one, &two, sizeof one), 0, "%d numbers of precision %d", (int)lengths[k],
                         (int)precision);
        }
}

static void expect(const arrays *a, const void *array, int64_t i, double wanted, const char *what)
{
    const double got = get(a, array, i), precision = a->precision == WEIR_F32 ? 1e-5 : 1e-13;
    cr_assert(fabs(got - wanted) <= precision * (1 + fabs(wanted)), "%s %d: %.17g, not %.17g", what, (int)i,
              got, wanted);
}

Test(arena, passes_follow_their_formulas)
{
    static arrays was, is;
    for (int32_t precision = WEIR_F32; precision <= WEIR_F64; precision += WEIR_F32)
        for (int64_t k = 0; k < LENGTHS; k++) {
            const weir__arena *const passes = weir__arena_passes(precision);
            const int64_t n = lengths[k];
            double sum = 0;
            fill(&was, precision);
            fill(&is, precision);
            passes->add(n, &is.other, &is.g);
            for (int64_t i = 0; i < ROOM; i++)
                expect(&is, &is.g, i, get(&was, &was.g, i) + (i < n ? get(&was, &was.other, i) : 0), "sum");
            cr_assert_eq(memcmp(&is.other, &was.other, sizeof is.other), 0, "what is added was changed");
            was = is;
            passes->drain(n, &is.other, &is.g);
            for (int64_t i = 0; i < ROOM; i++) {
                const double addend = get(&was, &was.other, i);
                expect(&is, &is.g, i, get(&was, &was.g, i) + (i < n ? addend : 0), "sum");
                expect(&is, &is.other, i, i < n ? 0 : addend, "drained");
            }
            was = is;
            const double squares = passes->squares(n, 0.5, &is.g);
            for (int64_t i = 0; i < ROOM; i++)
                expect(&is, &is.g, i, get(&was, &was.g, i) * (i < n ? 0.5 : 1), "scaled");
            for (int64_t i = 0; i < n; i++) sum += get(&is, &is.g, i) * get(&is, &is.g, i);
            cr_assert(fabs(squares - sum) <= 1e-12 * sum, "squares %.17g, not %.17g", squares, sum);
            was = is;
            passes->adam(&adam, n, &is.g, &is.p, &is.m, &is.v);
            for (int64_t i = 0; i < ROOM; i++) {
                const double p = get(&was, &was.p, i), g = 0.83 * get(&was, &was.g, i) + 0.07 * p;
                const double m = 0.9 * get(&was, &was.m, i) + 0.1 * g;
                const double v = 0.999 * get(&was, &was.v, i) + 0.001 * g * g;
                expect(&is, &is.m, i, i < n ? m : get(&was, &was.m, i), "m");
                expect(&is, &is.v, i, i < n ? v : get(&was, &was.v, i), "v");
                expect(&is, &is.p, i, i < n ? 0.991 * p - 0.013 * m / (sqrt(1.7 * v) + 1e-8) : p, "Adam");
            }
            was = is;
            passes->sgd(&sgd, n, &is.g, &is.p, &is.m);
            for (int64_t i = 0; i < ROOM; i++) {
                const double p = get(&was, &was.p, i), g = 0.83 * get(&was, &was.g, i) + 0.07 * p;
                const double m = 0.9 * get(&was, &was.m, i) + g;
                expect(&is, &is.m, i, i < n ? m : get(&was, &was.m, i), "momentum");
                expect(&is, &is.p, i, i < n ? p - 0.013 * (0.9 * m + g) : p, "SGD");
            }
        }
}

Test(arena, what_is_not_finite_shows_in_the_squares)
{
    static arrays a;
    static const double bad[] = {INFINITY, -INFINITY, NAN};
    for (int32_t precision = WEIR_F32; precision <= WEIR_F64; precision += WEIR_F32)
        for (int64_t at = 0; at < 70; at++) {
            fill(&a, precision);
            cr_assert(isfinite(weir__arena_passes(precision)->squares(70, 1, &a.g)));
            put(&a, &a.g, at, bad[at % 3]);
            cr_assert_not(isfinite(weir__arena_passes(precision)->squares(70, 1, &a.g)), "at %d", (int)at);
        }
}

Test(arena, copies_around_the_cache_hold_what_was_given_and_end_where_they_should)
{
    static _Alignas(64) unsigned char from[1024], to[1024];
    for (int64_t i = 0; i < 1024; i++) from[i] = (unsigned char)(i * 7 + 1);
    for (int64_t bytes = 0; bytes < 1024; bytes += 4) {
        memset(to, 0, sizeof to);
        weir__copy_around(bytes, from, to);
        cr_assert_eq(memcmp(from, to, (size_t)bytes), 0, "%d bytes", (int)bytes);
        for (int64_t i = bytes; i < 1024; i++) cr_assert_eq(to[i], 0, "byte %d after %d", (int)i, (int)bytes);
    }
}
