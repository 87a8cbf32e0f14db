/* test_random.c - the random streams: known answers of Philox, distribution, independence.
 *
 * SPDX-License-Identifier: MIT
 */
#include "model/net.h"
#include "models.h"
#include "run/noise.h"
#include "run/philox.h"
#include "run/run.h"

#define NAME(f) f##_here
WEIR__NOISE_NORMAL(weir__noise_normal_here);
WEIR__NOISE_BITS(weir__noise_bits_here);
#include "run/noise_body.h"

TestSuite(random);

#define COUNT 100000

/* Known answers published with the generator (Random123's table of vectors for philox4x32 with ten rounds). */
Test(random, philox_gives_the_published_answers)
{
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
         0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        weir__philox(known[i], known[i] + 4, out);
        for (int k = 0; k < 4; k++)
            cr_assert_eq(out[k], known[i][6 + k], "vector %d, word %d: %08x", i, k, out[k]);
    }
}

Test(random, both_ends_of_the_unit_interval_are_out)
{
    cr_assert(weir__unit_f64(0) > 0 && weir__unit_f64(UINT64_MAX) < 1);
    cr_assert(weir__unit_f32(0) > 0 && weir__unit_f32(UINT64_MAX) < 1);
    cr_assert_eq(weir__unit_f64(0) + weir__unit_f64(UINT64_MAX), 1, "not symmetric");
    cr_assert(isfinite(log(weir__unit_f64(0))) && isfinite(logf(weir__unit_f32(0))));
}

/* Every argument of the key and of the counter matters. */
Test(random, streams_differ_in_every_key)
{
    uint64_t seen[600], second;
    int count = 0;
    for (uint64_t seed = 0; seed < 3; seed++)
        for (uint64_t step = 0; step < 3; step++)
            for (uint32_t stream = 0; stream < 3; stream++)
                for (uint64_t row = 0; row < 3; row++)
                    for (uint32_t draw = 0; draw < 3; draw++) {
                        const uint64_t key = weir__stream_key(seed, step, stream);
                        seen[count++] = weir__random_bits(key, row << (row == 2 ? 32 : 0), draw, &second);
                        seen[count++] = second;
                        for (int i = 0; i < count - 2; i++)
                            cr_assert(seen[i] != seen[count - 1] && seen[i] != seen[count - 2]);
                    }
}

/* ---- through a frame, as modules see it -------------------------------------------------------------------------- */

static double *draw(int32_t precision, int normal, uint64_t seed, uint64_t step, uint32_t stream,
                    uint32_t number)
{
    weir__net net = {.precision = precision};
    weir__run run;
    double *const out = malloc(COUNT * sizeof *out), lane[WEIR__TILE_MOST + WEIR__LANE_PAD];
    MUST(weir__run_init(&run, &net, &error));
    for (int64_t first = 0; first < COUNT; first += 160) {
        weir__run_begin(&run, 160, WEIR_MODE_TRAIN, 0, seed, step, (uint64_t)first);
        (normal ? run.frame.services->random_normal : run.frame.services->random_uniform)(&run.frame, stream,
                                                                                          number, lane);
        for (int64_t r = 0; r < 160 && first + r < COUNT; r++)
            out[first + r] = precision == WEIR_F32 ? (double)((float *)(void *)lane)[r] : lane[r];
    }
    weir__run_clear(&run);
    return out;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov's D times the root of n: above 1.95 with probability 0.001; the streams are fixed, so no test is flaky. */
static double kolmogorov(double *x, int normal)
{
    double worst = 0;
    qsort(x, COUNT, sizeof *x, compare);
    for (int i = 0; i < COUNT; i++) {
        const double p = normal ? 0.5 * erfc(-x[i] / sqrt(2)) : x[i];
        worst = fmax(worst, fmax((i + 1.0) / COUNT - p, p - (double)i / COUNT));
    }
    return worst * sqrt(COUNT);
}

Test(random, uniform_and_normal_lanes_have_their_distribution)
{
    for (int k = 0; k < 4; k++) {
        const int normal = k & 1;
        double *const x = draw(k < 2 ? WEIR_F64 : WEIR_F32, normal, 1, 0, 3, 0);
        double m[5] = {0};
        for (int i = 0; i < COUNT; i++) {
            cr_assert(normal ? isfinite(x[i]) : x[i] > 0 && x[i] < 1);
            for (int p = 1; p <= 4; p++) m[p] += pow(normal ? x[i] : x[i] - 0.5, p) / COUNT;
        }
        const double wanted[2][5] = {{0, 0, 1 / 12.0, 0, 1 / 80.0}, {0, 0, 1, 0, 3}};
        const double spread[2][5] = {{0, 0.2887, 0.0745, 0.0472, 0.0167}, {0, 1, 1.4142, 3.873, 9.798}};
        for (int p = 1; p <= 4; p++)
            cr_assert(fabs(m[p] - wanted[normal][p]) < 4 * spread[normal][p] / sqrt(COUNT), "moment %d is %g",
                      p, m[p]);
        const double d = kolmogorov(x, normal);
        cr_assert(d < 1.95, "Kolmogorov: %g", d);
        free(x);
    }
}

static double correlation(const double *a, const double *b, int lag)
{
    double ab = 0;
    for (int i = 0; i + lag < COUNT; i++) ab += a[i] * b[i + lag];
    return ab / COUNT;
}

Test(random, streams_are_uncorrelated)
{
    double *const base = draw(WEIR_F64, 1, 1, 1, 1, 1);
    for (int k = 0; k < 4; k++) {
        double *const other = draw(WEIR_F64, 1, 1 + (k == 0), 1 + (k == 1), 1 + (k == 2), 1 + (k == 3));
        for (int lag = 0; lag < 3; lag++) {
            const double c = correlation(base, other, lag);
            cr_assert(fabs(c) < 4 / sqrt(COUNT), "argument %d, lag %d: %g", k, lag, c);
        }
        free(other);
    }
    for (int lag = 1; lag < 20; lag++) {
        const double c = correlation(base, base, lag);
        cr_assert(fabs(c) < 4 / sqrt(COUNT), "lag %d: %g", lag, c);
    }
    free(base);
}

Test(random, a_row_has_its_number_in_any_tile)
{
    double lane[2][WEIR__TILE_MOST + WEIR__LANE_PAD];
    weir__net net = {.precision = WEIR_F64};
    weir__run run;
    MUST(weir__run_init(&run, &net, &error));
    weir__run_begin(&run, 200, WEIR_MODE_TRAIN, 0, 9, 2, 0);
    run.frame.services->random_uniform(&run.frame, 5, 6, lane[0]);
    weir__run_begin(&run, 13, WEIR_MODE_TRAIN, 0, 9, 2, 101);
    run.frame.services->random_uniform(&run.frame, 5, 6, lane[1]);
    cr_assert_arr_eq(lane[0] + 101, lane[1], 13 * sizeof(double));
    for (int r = 13; r < run.frame.width; r++)
        cr_assert_eq(lane[1][r], lane[1][12], "padding repeats the last row");
    weir__run_clear(&run);
}

/* ---- lanes ------------------------------------------------------------------------------------------------------- */

#define LANE 200

/** Rows as shuffled data have them, some beyond 32 bits. */
static void some_rows(uint64_t *rows)
{
    for (uint64_t i = 0; i < LANE; i++) rows[i] = (i * 7919) % 1009 + (i % 5 == 0 ? UINT64_C(1) << 40 : 0);
}

/* Box and Muller in long double, from the block that the row has by itself. */
static double one_normal(uint64_t key, uint64_t row, uint32_t draw)
{
    uint64_t second;
    const long double u = (long double)weir__unit_f64(weir__random_bits(key, row, draw, &second));
    const long double turns = fabsl((long double)weir__unit_f64(second) - 0.5L) - 0.25L;
    return (double)(sqrtl(-2 * logl(u)) * sinl(6.283185307179586476925286766559L * turns));
}

Test(random, lanes_hold_what_each_row_has_alone)
{
    uint64_t rows[LANE], second;
    double wide[LANE];
    float narrow[LANE];
    some_rows(rows);
    for (uint32_t draw = 0; draw < 500; draw++) {
        const uint64_t key = weir__stream_key(draw, 1, 2);
        weir__noise_normal(key, draw, LANE, rows, 0, wide);
        weir__noise_normal(key, draw, LANE, rows, 1, narrow);
        for (int i = 0; i < LANE; i++) {
            const double wanted = one_normal(key, rows[i], draw);
            cr_assert(fabs(wide[i] - wanted) <= 6 * 0x1p-53 * fabs(wanted), "%.17g, not %.17g", wide[i],
                      wanted);
            cr_assert_eq(narrow[i], (float)wide[i]);
        }
        weir__noise_uniform(key, draw, LANE, rows, 0, wide);
        weir__noise_uniform(key, draw, LANE, rows, 1, narrow);
        for (int i = 0; i < LANE; i++) {
            const uint64_t bits = weir__random_bits(key, rows[i], draw, &second);
            cr_assert_eq(wide[i], weir__unit_f64(bits));
            cr_assert_eq(narrow[i], weir__unit_f32(bits));
        }
    }
}

/* On a processor without newer instructions both sides are the same build. */
Test(random, noise_is_the_same_for_any_instruction_set_and_length)
{
    uint64_t rows[LANE];
    double whole[LANE], part[LANE];
    some_rows(rows);
    for (uint32_t draw = 0; draw < 300; draw++) {
        weir__noise_normal_base(42, draw, LANE, rows, 0, whole);
        weir__noise_normal(42, draw, LANE, rows, 0, part);
        cr_assert_arr_eq(whole, part, sizeof whole, "draw %u", draw);
        const int32_t first = (int32_t)draw % 90, n = (int32_t)draw % 83 + 1;
        weir__noise_normal(42, draw, n, rows + first, 0, part);
        cr_assert_arr_eq(whole + first, part, (size_t)n * sizeof *part, "%d rows from %d", n, first);
    }
}

/* What the functions under Box and Muller's give where no sample of a test's size comes. */
Test(random, noise_is_right_at_the_ends)
{
    static const double at[] = {0x1p-53, 3 * 0x1p-53, 0.25, 0.5, 0.75};
    cr_assert_eq(unit(0, 0), weir__unit_f64(0));
    cr_assert_eq(unit(UINT32_MAX, UINT32_MAX), weir__unit_f64(UINT64_MAX));
    for (int k = 0; k < 5; k++)
        for (int side = 0; side < 2; side++)
            for (int step = -2; step <= 2; step++) {
                const double u = (side ? 1 - at[k] : at[k]) + (k > 1 ? step * 0x1p-53 : 0);
                const double log_u = (double)logl((long double)u);
                const long double turns = fabsl((long double)u - 0.5L) - 0.25L;
                const double cosine = (double)sinl(6.283185307179586476925286766559L * turns);
                cr_assert(fabs(log_unit(u) - log_u) <= 0x1p-51 * fabs(log_u), "log %a: %a, not %a", u,
                          log_unit(u), log_u);
                cr_assert(fabs(cos_turns(u) - cosine) <= 0x1p-51 * fabs(cosine), "cos %a: %a, not %a", u,
                          cos_turns(u), cosine);
            }
}

Test(random, tails_of_normals_have_their_frequency)
{
    enum { DRAWS = 20000 };
    static const double levels[] = {2, 3, 4};
    uint64_t rows[LANE];
    double lane[LANE], beyond[3] = {0};
    for (uint64_t i = 0; i < LANE; i++) rows[i] = i;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        weir__noise_normal(5, draw, LANE, rows, 0, lane);
        for (int i = 0; i < LANE; i++)
            for (int k = 0; k < 3; k++) beyond[k] += fabs(lane[i]) > levels[k];
    }
    for (int k = 0; k < 3; k++) {
        const double wanted = erfc(levels[k] / sqrt(2)) * DRAWS * LANE;
        cr_assert(fabs(beyond[k] - wanted) < 4 * sqrt(wanted), "%g of %g beyond %g", beyond[k], wanted,
                  levels[k]);
    }
}
