/* test_lane_sums.c - sums of lanes against long double, and bit for bit between the builds for different processors. */
#include "math/lane_sums.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES  5
#define STRIDE 144

static uint64_t state = UINT64_C(0x3c6ef372fe94f82a);

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0 - 0.5;
}

static double get(int32_t precision, const void *array, int64_t i)
{
    return precision == WEIR_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void put(int32_t precision, void *array, int64_t i, double value)
{
    if (precision == WEIR_F32) {
        ((float *)array)[i] = (float)value;
    } else {
        ((double *)array)[i] = value;
    }
}

/* What lies behind the rows is not a number: nothing of it may be counted. */
static void fill(int32_t precision, void *data, int64_t rows, double *start, void *sums)
{
    for (int64_t i = 0; i < (int64_t)LANES * STRIDE; i++)
        put(precision, data, i, i % STRIDE < rows ? uniform() : NAN);
    for (int64_t i = 0; i < LANES; i++) {
        put(precision, sums, i, uniform());
        start[i] = get(precision, sums, i);
    }
}

static void compare(int32_t precision, int64_t rows)
{
    static double data[LANES * STRIDE];
    double start[LANES], sums[LANES] = {0}, base[LANES] = {0};
    fill(precision, data, rows, start, sums);
    memcpy(base, sums, sizeof sums);
    weir__lane_sums(precision, LANES, rows, data, STRIDE, sums);
    weir__lane_sums_base(precision, LANES, rows, data, STRIDE, base);
    cr_assert_eq(memcmp(sums, base, sizeof sums), 0, "f%d, %d rows: the builds differ",
                 precision == WEIR_F32 ? 32 : 64, (int)rows);
    for (int64_t i = 0; i < LANES; i++) {
        long double want = (long double)start[i];
        for (int64_t r = 0; r < rows; r++) want += (long double)get(precision, data, i * STRIDE + r);
        const double limit = (double)(rows + 1) * (precision == WEIR_F32 ? 1e-7 : 2e-16);
        cr_assert_float_eq(get(precision, sums, i), (double)want, limit, "f%d, %d rows: %.17g, not %.17Lg",
                           precision == WEIR_F32 ? 32 : 64, (int)rows, get(precision, sums, i), want);
    }
}

Test(lane_sums, every_count_of_rows)
{
    for (int64_t rows = 0; rows <= STRIDE; rows++) {
        compare(WEIR_F32, rows);
        compare(WEIR_F64, rows);
    }
}
