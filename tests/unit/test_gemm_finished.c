/* test_gemm_finished.c - products finished in registers against a product, then bias and activation in passes of their own:
 * every table, random shapes, bit for bit. */
#include "math/activation.h"
#include "math/gemm_finished.h"
#include "valgrind.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables, numbers ------------------------------------------------------------------------ */

#define SPACE 60000

enum { A, B, C, WANT, BIAS, SPACES };

/* Room for SPACE numbers of either precision each. */
static double *space[SPACES];

/* The tables that this processor runs, ended by NULL. */
static const weir_math *const *tables(void)
{
    static const weir_math *list[9];
    int n = 0;
    list[n++] = &weir__math_plain_f32;
    list[n++] = &weir__math_plain_f64;
#if WEIR__X86_64
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    list[n++] = &weir__math_sse2_f32;
    list[n++] = &weir__math_sse2_f64;
    if (avx2) list[n++] = &weir__math_avx2_f32;
    if (avx2) list[n++] = &weir__math_avx2_f64;
    if (avx2 && __builtin_cpu_supports("avx512f")) list[n++] = &weir__math_avx512_f32;
    if (avx2 && __builtin_cpu_supports("avx512f")) list[n++] = &weir__math_avx512_f64;
#elif WEIR__AARCH64
    list[n++] = &weir__math_neon_f32;
    list[n++] = &weir__math_neon_f64;
#endif
    list[n] = NULL;
    return list;
}

static uint64_t state = UINT64_C(0x8f14e45fceea167a);

static int64_t below(int64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state % (uint64_t)n);
}

static size_t size_of(const weir_math *math)
{
    return math->precision == WEIR_F32 ? sizeof(float) : sizeof(double);
}

static void put(const weir_math *math, double *array, int64_t i, double value)
{
    if (math->precision == WEIR_F32) {
        ((float *)array)[i] = (float)value;
    } else {
        array[i] = value;
    }
}

/* Multiples of 1/8 around zero: sums that cancel to zero are frequent. Now and then what a broken row holds. */
static void fill(const weir_math *math, double *array, int broken)
{
    static const double edges[] = {NAN, INFINITY, -INFINITY, -0.0, 1e30, -1e30, 1e-40, -1e-40};
    for (int64_t i = 0; i < SPACE; i++) put(math, array, i, (double)(below(17) - 8) / 8);
    for (int i = 0; i < broken; i++) put(math, array, below(SPACE), edges[below(8)]);
}

static void open_spaces(void)
{
    for (int i = 0; i < SPACES; i++) space[i] = calloc(SPACE, sizeof(double));
    for (int i = 0; i < SPACES; i++) cr_assert(space[i]);
}

static void close_spaces(void)
{
    for (int i = 0; i < SPACES; i++) free(space[i]);
}

/* ---- one comparison ------------------------------------------------------------------------- */

typedef struct shape {
    int64_t m, n, k, a_row, b_row, c_row;
    double beta;
    weir__finish finish;
} shape;

static void run_both(const weir_math *math, const shape *s)
{
    memcpy(space[WANT], space[C], SPACE * sizeof(double));
    math->gemm(s->m, s->n, s->k, 1.0, space[A], s->a_row, 1, space[B], s->b_row, 1, s->beta, space[WANT],
               s->c_row, 1);
    if (s->finish.bias || s->finish.activation != WEIR_ACTIVATION_NONE)
        weir__activate(math, s->finish.activation, s->m, s->n, s->finish.bias, space[WANT], s->c_row);
    weir__gemm_finish(math, s->m, s->n, s->k, space[A], s->a_row, space[B], s->b_row, s->beta, space[C],
                      s->c_row, &s->finish);
}

/* Bits, but any NaN for any NaN: which of two operands hands its payload on is the compiler's choice. */
static int same(const weir_math *math, int64_t i)
{
    const size_t size = size_of(math);
    const char *const got = (const char *)space[C] + (size_t)i * size;
    const char *const want = (const char *)space[WANT] + (size_t)i * size;
    if (memcmp(got, want, size) == 0) return 1;
    if (math->precision == WEIR_F32) return isnan(((float *)space[C])[i]) && isnan(((float *)space[WANT])[i]);
    return isnan(space[C][i]) && isnan(space[WANT][i]);
}

static void compare(const weir_math *math, const shape *s)
{
    run_both(math, s);
    for (int64_t i = 0; i < SPACE; i++)
        cr_assert(same(math, i),
                  "f%d, %d x %d x %d, beta %g, activation %d, bias %d: number %d (rows %d apart) differs",
                  math->precision == WEIR_F32 ? 32 : 64, (int)s->m, (int)s->n, (int)s->k, s->beta,
                  (int)s->finish.activation, s->finish.bias != NULL, (int)i, (int)s->c_row);
}

static int64_t random_size(void)
{
    static const int64_t sizes[] = {0,  1,  2,  3,  4,  5,  7,  8,  11, 12, 13, 16,
                                    17, 21, 24, 25, 32, 33, 40, 43, 48, 64, 72, 100};
    return sizes[below((int64_t)(sizeof sizes / sizeof sizes[0]))];
}

/* ---- tests ---------------------------------------------------------------------------------- */

Test(gemm_finished, equals_product_and_passes, .timeout = 120)
{
    const int rounds = under_valgrind() ? 10 : 250;
    open_spaces();
    for (const weir_math *const *math = tables(); *math; math++) {
        for (int round = 0; round < rounds; round++) {
            shape s = {.m = random_size(), .n = random_size(), .k = random_size()};
            s.a_row = s.k + below(3);
            s.b_row = s.n + below(2) * 16;
            s.c_row = s.n + below(2) * 16;
            s.beta = (double)below(2);
            s.finish.bias = below(4) ? space[BIAS] : NULL;
            s.finish.activation = (int32_t)below(WEIR_ACTIVATION_SOFTPLUS + 1);
            fill(*math, space[A], 0);
            fill(*math, space[B], round % 2 ? 200 : 0);
            fill(*math, space[C], round % 2 ? 200 : 0);
            fill(*math, space[BIAS], 0);
            compare(*math, &s);
        }
    }
    close_spaces();
}

/* Several slices of k, of which only the last may be finished. */
Test(gemm_finished, long_sums_are_finished_once, .timeout = 120)
{
    static const int64_t shapes[][3] = {{7, 24, 600}, {13, 16, 257}, {30, 72, 513}, {1, 8, 700},
                                        {5, 1, 700},  {9, 2, 300},   {13, 4, 515},  {6, 3, 600}};
    open_spaces();
    for (const weir_math *const *math = tables(); *math; math++) {
        for (size_t i = 0; i < 3 * sizeof shapes / sizeof shapes[0]; i++) {
            static const int32_t kinds[] = {WEIR_ACTIVATION_NONE, WEIR_ACTIVATION_RELU,
                                            WEIR_ACTIVATION_LEAKY_RELU};
            const int64_t *const size = shapes[i / 3];
            const shape s = {.m = size[0],
                             .n = size[1],
                             .k = size[2],
                             .a_row = size[2],
                             .b_row = size[1],
                             .c_row = size[1],
                             .beta = (double)(i % 2),
                             .finish = {space[BIAS], kinds[i % 3]}};
            for (int j = 0; j < SPACES; j++) fill(*math, space[j], 0);
            compare(*math, &s);
        }
    }
    close_spaces();
}

/* The kernels do it themselves: were they never asked, the comparisons above would compare a thing with itself. */
Test(gemm_finished, kernels_finish_what_networks_need)
{
#if WEIR__X86_64
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f");
    WEIR__GEMM_FINISHED((*const kernels[])) = {
        weir__gemm_finished_sse2_f32,
        avx2 ? weir__gemm_finished_avx2_f32 : weir__gemm_finished_sse2_f32,
        avx512 ? weir__gemm_finished_avx512_f32 : weir__gemm_finished_sse2_f32,
    };
#elif WEIR__AARCH64
    WEIR__GEMM_FINISHED((*const kernels[])) = {weir__gemm_finished_neon_f32};
#endif
#if WEIR__X86_64 || WEIR__AARCH64
    open_spaces();
    const weir__finish finish = {space[BIAS], WEIR_ACTIVATION_RELU};
    static const int64_t widths[] = {8, 16, 40, 64};
    for (size_t i = 0; i < 4 * sizeof kernels / sizeof kernels[0]; i++) {
        const int64_t n = widths[i % 4];
        put(&weir__math_plain_f32, space[BIAS], 4, -1);
        put(&weir__math_plain_f32, space[BIAS], 5, 2);
        cr_assert_eq(
            kernels[i / 4](12, n, 10, 1, space[A], 10, 1, space[B], n, 1, 0, space[C], n, 1, &finish), 1);
        const float *const c = (const float *)space[C];
        cr_assert_eq(c[4 * n], 0, "relu(-1) = %g", (double)c[4 * n]);
        cr_assert_eq(c[6 * n - 1], 2, "relu(2) = %g", (double)c[6 * n - 1]);
    }
    close_spaces();
#endif
    cr_assert(weir__gemm_takes(WEIR_ACTIVATION_LEAKY_RELU));
    cr_assert_not(weir__gemm_takes(WEIR_ACTIVATION_TANH));
}
