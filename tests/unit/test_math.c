/* test_math.c - every table of the host's mathematics against long double functions and a long double product. */
#include "math/tables.h"
#include "valgrind.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables, numbers ------------------------------------------------------------------------ */

typedef struct table {
    const char *name;
    const weir_math *math;
} table;

/* All tables that this processor runs, ended by a NULL. */
static const table *tables(void)
{
    static table list[9];
    int n = 0;
    list[n++] = (table){"plain f32", &weir__math_plain_f32};
    list[n++] = (table){"plain f64", &weir__math_plain_f64};
#if WEIR__X86_64
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    list[n++] = (table){"sse2 f32", &weir__math_sse2_f32};
    list[n++] = (table){"sse2 f64", &weir__math_sse2_f64};
    if (avx2) {
        list[n++] = (table){"avx2 f32", &weir__math_avx2_f32};
        list[n++] = (table){"avx2 f64", &weir__math_avx2_f64};
    }
    if (avx2 && __builtin_cpu_supports("avx512f")) {
        list[n++] = (table){"avx512 f32", &weir__math_avx512_f32};
        list[n++] = (table){"avx512 f64", &weir__math_avx512_f64};
    }
#elif WEIR__AARCH64
    list[n++] = (table){"neon f32", &weir__math_neon_f32};
    list[n++] = (table){"neon f64", &weir__math_neon_f64};
#endif
    list[n] = (table){NULL, NULL};
    return list;
}

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double uniform(double low, double high)
{
    return low + (high - low) * ((double)(bits() >> 11) / 9007199254740992.0);
}

static int64_t below(int64_t n)
{
    return (int64_t)(bits() % (uint64_t)n);
}

static int is_f32(const weir_math *math)
{
    return math->precision == WEIR_F32;
}

static size_t size_of(const weir_math *math)
{
    return is_f32(math) ? sizeof(float) : sizeof(double);
}

static double get(const weir_math *math, const void *array, int64_t i)
{
    return is_f32(math) ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void put(const weir_math *math, void *array, int64_t i, double value)
{
    if (is_f32(math)) {
        ((float *)array)[i] = (float)value;
    } else {
        ((double *)array)[i] = value;
    }
}

/* ---- functions ------------------------------------------------------------------------------ */

static long double sigmoid_exact(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static long double softplus_exact(long double x)
{
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}

typedef void (*sweep)(int64_t n, const void *x, void *y);

#define NAME_OF(name, text) #name,
static const char *const names[] = {WEIR_MATH_LIST(NAME_OF)};
#define FUNCTIONS ((int)(sizeof names / sizeof names[0]))

static long double (*const exact[])(long double) = {expl,          expm1l,         logl, log1pl, tanhl,
                                                    sigmoid_exact, softplus_exact, sinl, cosl,   erfl};

static sweep function_of(const weir_math *math, int f)
{
#define POINTER(name, text) math->name,
    const sweep functions[] = {WEIR_MATH_LIST(POINTER)};
    return functions[f];
}

static const double specials[] = {
    0.0,     -0.0,    1,    -1,     INFINITY, -INFINITY, NAN, 1e-40, -1e-40, 1e-310, -1e-310, 5e-324,
    -5e-324, 1.2e-38, 3e38, -3e38,  1e308,    -1e308,    -2,  88.7,  89,     -87,    -88,     -103.9,
    -104,    709.7,   710,  -708.5, -745,     -746,      1e6, -1e6,  100,    100.1,  -39001,  1e10,
    1e15,    1e22,    1e29, 1e31,   -1e31,    1e-20,     0.5, 2.5,   17};

static double sample(const weir_math *math)
{
    switch (below(8)) {
    case 0:
        return specials[below((int64_t)(sizeof specials / sizeof specials[0]))];
    case 1:
        return uniform(-1, 1);
    case 2:
        return uniform(-200, 200);
    case 3:
        return uniform(-1500, 1500);
    case 4:
        return ldexp(uniform(-1, 1), (int)below(60) - 30);
    case 5:
        return ldexp(uniform(-1, 1), is_f32(math) ? (int)below(276) - 149 : (int)below(2090) - 1070);
    default:
        return uniform(-10, 10);
    }
}

/* Distance in units of the last place of the exact result, subnormal ones included; 0 or infinity for special values. What
 * is just below the largest number may be infinity, as frame.h says. */
static double ulps(const weir_math *math, double got, long double want)
{
    const int f32 = is_f32(math);
    const double rounded = f32 ? (double)(float)want : (double)want;
    if (isnan(rounded)) return isnan(got) ? 0 : INFINITY;
    if (fabs(rounded) > 0.9999 * (f32 ? (double)FLT_MAX : DBL_MAX) && isinf(got) &&
        (got > 0) == (rounded > 0))
        return 0;
    if (isinf(rounded) || isinf(got)) return rounded == got ? 0 : INFINITY;
    if (isnan(got)) return INFINITY;
    if (rounded == 0 && got == 0) return !signbit(rounded) == !signbit(got) ? 0 : INFINITY;
    int exponent;
    frexpl(want, &exponent);
    exponent -= f32 ? 24 : 53;
    if (exponent < (f32 ? -149 : -1074)) exponent = f32 ? -149 : -1074;
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent));
}

#define BLOCK 64

/* What frame.h promises. */
#define MOST_ULPS_F32 4.0
#define MOST_ULPS_F64 2.0

/* The same bits, but for the sign and payload of NaN, which C leaves open. */
static int same(const weir_math *math, const void *a, const void *b, int64_t count)
{
    const size_t size = size_of(math);
    for (int64_t i = 0; i < count; i++) {
        if (isnan(get(math, a, i)) && isnan(get(math, b, i))) continue;
        if (memcmp((const char *)a + (size_t)i * size, (const char *)b + (size_t)i * size, size) != 0)
            return 0;
    }
    return 1;
}

Test(math, functions_are_accurate_at_random_and_special_values)
{
    SKIP_UNDER_VALGRIND("rounds long double, the reference, to 64 bits");
    for (const table *t = tables(); t->name; t++) {
        for (int f = 0; f < FUNCTIONS; f++) {
            double x[BLOCK], y[BLOCK];
            for (int round = 0; round < 300; round++) {
                for (int i = 0; i < BLOCK; i++) put(t->math, x, i, sample(t->math));
                function_of(t->math, f)(BLOCK, x, y);
                for (int i = 0; i < BLOCK; i++) {
                    const double in = get(t->math, x, i), out = get(t->math, y, i);
                    const double error = ulps(t->math, out, exact[f]((long double)in));
                    cr_assert(error <= (is_f32(t->math) ? MOST_ULPS_F32 : MOST_ULPS_F64),
                              "%s %s(%.17g) = %.17g is off by %g ulp", t->name, names[f], in, out, error);
                }
            }
        }
    }
}

/* ---- the whole line ------------------------------------------------------------------------- */

static double sigmoid_double(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double softplus_double(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* To judge float by: their own errors are below 1e-8 ulp of float. */
static double (*const close[])(double) = {exp, expm1, log, log1p, tanh, sigmoid_double, softplus_double,
                                          sin, cos,   erf};

/* 1, or as many times more points as WEIR_TEST_DENSE says. */
static int64_t density(void)
{
    const char *const text = getenv("WEIR_TEST_DENSE");
    const long value = text ? strtol(text, NULL, 10) : 1;
    return value > 1 ? value : 1;
}

typedef struct block {
    double x[BLOCK], y[BLOCK]; /* room for either precision */
    long double want[BLOCK];
    int count;
} block;

/* Holds every table of the precision to its promise on what has been gathered. */
static void judge(block *b, int f, int f32)
{
    for (const table *t = tables(); t->name; t++) {
        if (is_f32(t->math) != f32) continue;
        function_of(t->math, f)(b->count, b->x, b->y);
        for (int i = 0; i < b->count; i++) {
            const double out = get(t->math, b->y, i), error = ulps(t->math, out, b->want[i]);
            cr_assert(error <= (f32 ? MOST_ULPS_F32 : MOST_ULPS_F64), "%s %s(%.17g) = %.17g is off by %g ulp",
                      t->name, names[f], get(t->math, b->x, i), out, error);
        }
    }
    b->count = 0;
}

static void gather(block *b, int f, const weir_math *math, double x)
{
    put(math, b->x, b->count, x);
    const double rounded = get(math, b->x, b->count);
    b->want[b->count] = is_f32(math) ? (long double)close[f](rounded) : exact[f]((long double)rounded);
    if (++b->count == BLOCK) judge(b, f, is_f32(math));
}

/* Floats at equal distances in their order, from -NaN to NaN: the distance is odd, so that all last bits occur. */
Test(math, floats_of_every_size_are_within_the_bound, .timeout = 300)
{
    SKIP_UNDER_VALGRIND("takes minutes there");
    const uint64_t distance = (uint64_t)(16411 / density()) | 1;
    for (int f = 0; f < FUNCTIONS; f++) {
        block b = {.count = 0};
        for (uint64_t pattern = 0; pattern <= UINT32_MAX; pattern += distance) {
            const uint32_t word = (uint32_t)pattern;
            float x;
            memcpy(&x, &word, sizeof x);
            gather(&b, f, &weir__math_plain_f32, (double)x);
        }
        judge(&b, f, 1);
    }
}

/* Doubles of every sign and exponent, subnormal ones too, with random digits. */
Test(math, doubles_of_every_size_are_within_the_bound, .timeout = 300)
{
    SKIP_UNDER_VALGRIND("rounds long double, the reference, to 64 bits");
    const int64_t digits = 8 * density();
    for (int f = 0; f < FUNCTIONS; f++) {
        block b = {.count = 0};
        for (uint64_t exponent = 0; exponent < 2 * UINT64_C(2048); exponent++) {
            for (int64_t i = 0; i < digits; i++) {
                const uint64_t word = exponent << 52 | bits() >> 12;
                double x;
                memcpy(&x, &word, sizeof x);
                gather(&b, f, &weir__math_plain_f64, x);
            }
        }
        judge(&b, f, 0);
    }
}

/* A point and its neighbours in the precision. */
static void gather_around(block *b, int f, const weir_math *math, double x)
{
    double below = x, above = x;
    gather(b, f, math, x);
    for (int i = 0; i < 4; i++) {
        below = is_f32(math) ? (double)nextafterf((float)below, -INFINITY) : nextafter(below, -INFINITY);
        above = is_f32(math) ? (double)nextafterf((float)above, INFINITY) : nextafter(above, INFINITY);
        gather(b, f, math, below);
        gather(b, f, math, above);
    }
}

/* Where functions vanish, overflow, underflow, or change their method: zeros of sine and cosine, where an absolute error
 * would show; the logarithms of the largest and the least number; one; the arguments at which the C library takes over. */
Test(math, edges_are_within_the_bound, .timeout = 120)
{
    SKIP_UNDER_VALGRIND("rounds long double, the reference, to 64 bits");
    static const double edges[] = {
        0,         1,         0.5,        2,        88.72283905,  88.3762626, -87.33654475,
        -103.2789, -103.9720, 709.782712, -708.396, -745.1332191, 9.0109,     -9.0109,
        19.0615,   -19.0615,  16.6355,    -16.6355, 36.7368,      -36.7368,   0.6931471805599453,
        0.34657,   -0.34657,  -0.5,       -1,       100,          -100,       1e30,
        3.9192,    5.9215,    0.84375,    1.25,     2.857143,     6,          0.7071067811865476};
    const double quarter = 1.57079632679489661923;
    for (int f = 0; f < FUNCTIONS; f++) {
        for (int f32 = 0; f32 < 2; f32++) {
            const weir_math *const math = f32 ? &weir__math_plain_f32 : &weir__math_plain_f64;
            block b = {.count = 0};
            for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) gather_around(&b, f, math, edges[i]);
            for (int k = -200; k <= 200; k++) gather_around(&b, f, math, k * quarter);
            for (int e = -1074; e <= 1023; e++) {
                gather_around(&b, f, math, ldexp(1, e));
                gather_around(&b, f, math, -ldexp(1, e));
            }
            judge(&b, f, f32);
        }
    }
}

Test(math, an_element_depends_on_nothing_but_itself)
{
    for (const table *t = tables(); t->name; t++) {
        const size_t size = size_of(t->math);
        for (int f = 0; f < FUNCTIONS; f++) {
            unsigned char x[BLOCK * 8], y[BLOCK * 8 + 64], alone[8], guard[64];
            memset(guard, 0x5a, sizeof guard);
            for (int round = 0; round < 200; round++) {
                const int64_t n = 1 + below(BLOCK);
                for (int i = 0; i < n; i++) put(t->math, x, i, sample(t->math));
                memset(y, 0x5a, sizeof y);
                function_of(t->math, f)(n, x, y);
                cr_assert_eq(memcmp(y + (size_t)n * size, guard, sizeof guard), 0, "%s %s wrote past n = %d",
                             t->name, names[f], (int)n);
                for (int64_t i = 0; i < n; i++) {
                    function_of(t->math, f)(1, x + (size_t)i * size, alone);
                    cr_assert(same(t->math, alone, y + (size_t)i * size, 1),
                              "%s %s(%.17g) changes with n = %d, i = %d", t->name, names[f],
                              get(t->math, x, i), (int)n, (int)i);
                }
                function_of(t->math, f)(n, x, x);
                cr_assert(same(t->math, x, y, n), "%s %s differs in place", t->name, names[f]);
            }
        }
    }
}

Test(math, no_elements_is_no_work)
{
    for (const table *t = tables(); t->name; t++) {
        for (int f = 0; f < FUNCTIONS; f++) {
            double y = 3.25;
            function_of(t->math, f)(0, &y, &y);
            cr_assert_eq(y, 3.25, "%s %s wrote without elements", t->name, names[f]);
        }
    }
}

/* ---- products ------------------------------------------------------------------------------- */

#define SPACE 40000

/* A rows x cols matrix somewhere inside an array of SPACE elements. */
typedef struct matrix {
    double *space; /* SPACE doubles' room, used in either precision */
    int64_t rows, cols, first, row, col;
} matrix;

/* Row-major, column-major, padded, with gaps in both directions, and any of them reversed. */
static matrix random_matrix(double *space, int64_t rows, int64_t cols)
{
    const int64_t gap = below(3) == 0 ? 2 : 1, pad = below(2) * (1 + below(20));
    matrix m = {.space = space, .rows = rows, .cols = cols};
    if (below(2)) {
        m.col = gap;
        m.row = gap * (cols + pad) + 1;
    } else {
        m.row = gap;
        m.col = gap * (rows + pad) + 1;
    }
    if (below(4) == 0) m.row = -m.row;
    if (below(6) == 0) m.col = -m.col;
    if (m.row < 0 && rows > 0) m.first -= (rows - 1) * m.row;
    if (m.col < 0 && cols > 0) m.first -= (cols - 1) * m.col;
    m.first += below(7);
    return m;
}

static int64_t at(const matrix *m, int64_t i, int64_t j)
{
    return m->first + i * m->row + j * m->col;
}

static void *pointer(const weir_math *math, const matrix *m)
{
    return (char *)m->space + (size_t)m->first * size_of(math);
}

static void fill(const weir_math *math, double *space)
{
    for (int64_t i = 0; i < SPACE; i++) put(math, space, i, uniform(-1, 1));
}

static void gemm(const weir_math *math, double alpha, const matrix *a, const matrix *b, double beta,
                 const matrix *c)
{
    math->gemm(c->rows, c->cols, a->cols, alpha, pointer(math, a), a->row, a->col, pointer(math, b), b->row,
               b->col, beta, pointer(math, c), c->row, c->col);
}

/* Compares `c` with the product, given what the space held before, and the rest of the space with that. */
static void check_product(const table *t, double alpha, const matrix *a, const matrix *b, double beta,
                          const matrix *c, double *before)
{
    const double eps = is_f32(t->math) ? 1.2e-7 : 2.3e-16;
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->cols; j++) {
            long double sum = 0, size = 0;
            for (int64_t p = 0; p < a->cols; p++) {
                const long double term =
                    (long double)get(t->math, a->space, at(a, i, p)) * get(t->math, b->space, at(b, p, j));
                sum += term;
                size += fabsl(term);
            }
            const double old = get(t->math, before, at(c, i, j)), got = get(t->math, c->space, at(c, i, j));
            const long double want = alpha * sum + (beta != 0 ? beta * (long double)old : 0);
            const long double limit =
                eps * ((double)a->cols + 3) * (fabs(alpha) * size + (beta != 0 ? fabsl(beta * old) : 0));
            cr_assert(
                fabsl(got - want) <= limit,
                "%s gemm %d x %d x %d (strides %d %d, %d %d, %d %d; alpha %g, beta %g): C[%d, %d] = %g, not %Lg",
                t->name, (int)c->rows, (int)c->cols, (int)a->cols, (int)a->row, (int)a->col, (int)b->row,
                (int)b->col, (int)c->row, (int)c->col, alpha, beta, (int)i, (int)j, got, want);
            put(t->math, before, at(c, i, j), got);
        }
    }
    cr_assert_eq(memcmp(before, c->space, SPACE * size_of(t->math)), 0,
                 "%s gemm %d x %d x %d wrote outside C", t->name, (int)c->rows, (int)c->cols, (int)a->cols);
}

static int64_t random_size(void)
{
    static const int64_t sizes[] = {0,  1,  1,  2,  3,  4,  5,  7,  8,  9,  11, 12, 13,
                                    16, 17, 23, 24, 25, 31, 32, 33, 48, 63, 64, 65, 80};
    return sizes[below((int64_t)(sizeof sizes / sizeof sizes[0]))];
}

Test(math, products_of_any_shape_and_layout, .timeout = 120)
{
    double *const space = calloc((size_t)4 * SPACE, sizeof(double));
    cr_assert(space);
    for (const table *t = tables(); t->name; t++) {
        for (int round = 0; round < 400; round++) {
            static const double factors[] = {0, 1, 1, 1, -0.5, 2.25};
            const int64_t m = random_size(), n = random_size(), k = random_size();
            const matrix a = random_matrix(space, m, k), b = random_matrix(space + SPACE, k, n);
            const matrix c = random_matrix(space + 2 * SPACE, m, n);
            const double alpha = factors[below(6)], beta = factors[below(6)];
            fill(t->math, a.space);
            fill(t->math, b.space);
            fill(t->math, c.space);
            if (beta == 0) {
                for (int64_t i = 0; i < m * n; i++) put(t->math, c.space, at(&c, i / n, i % n), NAN);
            }
            memcpy(space + 3 * SPACE, c.space, SPACE * sizeof(double));
            gemm(t->math, alpha, &a, &b, beta, &c);
            check_product(t, alpha, &a, &b, beta, &c, space + 3 * SPACE);
        }
    }
    free(space);
}

/* What networks do: weights times tiles, their transpose times cotangents, and cotangents times tiles. */
Test(math, products_as_networks_need_them, .timeout = 120)
{
    const int rounds = under_valgrind() ? 3 : 50;
    static const int64_t widths[] = {8, 16, 32, 48, 64, 96, 128};
    double *const space = calloc((size_t)4 * SPACE, sizeof(double));
    cr_assert(space);
    for (const table *t = tables(); t->name; t++) {
        for (int round = 0; round < rounds; round++) {
            const int64_t out = 1 + below(130), in = 1 + below(130), width = widths[below(7)],
                          lane = width + 16;
            matrix w = {.space = space, .rows = out, .cols = in, .row = in, .col = 1};
            matrix x = {.space = space + SPACE, .rows = in, .cols = width, .row = lane, .col = 1};
            matrix y = {.space = space + 2 * SPACE, .rows = out, .cols = width, .row = lane, .col = 1};
            const matrix turned = {.space = space, .rows = in, .cols = out, .row = 1, .col = in};
            const matrix x_turned = {
                .space = space + SPACE, .rows = width, .cols = in, .row = 1, .col = lane};
            for (int i = 0; i < 3; i++) fill(t->math, space + i * SPACE);
            const matrix *const cases[3][3] = {{&w, &x, &y}, {&turned, &y, &x}, {&y, &x_turned, &w}};
            for (int i = 0; i < 3; i++) {
                const double beta = below(2) ? 1 : 0;
                memcpy(space + 3 * SPACE, cases[i][2]->space, SPACE * sizeof(double));
                gemm(t->math, 1, cases[i][0], cases[i][1], beta, cases[i][2]);
                check_product(t, 1, cases[i][0], cases[i][1], beta, cases[i][2], space + 3 * SPACE);
            }
        }
    }
    free(space);
}

/* Long sums go through the kernel's blocks of k, wide ones through its panels. */
Test(math, long_and_wide_products, .timeout = 120)
{
    static const int64_t shapes[][3] = {{5, 24, 1500}, {13, 17, 2100}, {30, 700, 40},
                                        {600, 9, 33},  {1, 1, 3000},   {3, 1000, 10}};
    double *const space = calloc((size_t)4 * SPACE, sizeof(double));
    cr_assert(space);
    for (const table *t = tables(); t->name; t++) {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            const int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
            const matrix a = {.space = space, .rows = m, .cols = k, .row = k, .col = 1};
            const matrix b = {.space = space + SPACE, .rows = k, .cols = n, .row = n, .col = 1};
            const matrix c = {.space = space + 2 * SPACE, .rows = m, .cols = n, .row = n, .col = 1};
            const matrix b_turned = {.space = space + SPACE, .rows = k, .cols = n, .row = 1, .col = k};
            const matrix *const rights[] = {&b, &b_turned};
            for (int i = 0; i < 2; i++) {
                for (int j = 0; j < 3; j++) fill(t->math, space + j * SPACE);
                memcpy(space + 3 * SPACE, c.space, SPACE * sizeof(double));
                gemm(t->math, 1, &a, rights[i], i, &c);
                check_product(t, 1, &a, rights[i], i, &c, space + 3 * SPACE);
            }
        }
    }
    free(space);
}

/* Views that share elements (a row repeated, a Hankel matrix) are legal inputs, and BLIS would end the process. */
Test(math, products_of_overlapping_views)
{
    double *const space = calloc((size_t)4 * SPACE, sizeof(double));
    cr_assert(space);
    static const int64_t strides[][2] = {{0, 1}, {1, 0}, {1, 1}, {0, 0}, {2, 1}, {1, 3}};
    for (const table *t = tables(); t->name; t++) {
        for (int i = 0; i < 36; i++) {
            const int64_t *const left = strides[i / 6], *const right = strides[i % 6];
            const matrix a = {.space = space, .rows = 9, .cols = 20, .row = left[0], .col = left[1]};
            const matrix b = {
                .space = space + SPACE, .rows = 20, .cols = 16, .row = right[0], .col = right[1]};
            const matrix c = {.space = space + 2 * SPACE, .rows = 9, .cols = 16, .row = 16, .col = 1};
            for (int j = 0; j < 3; j++) fill(t->math, space + j * SPACE);
            memcpy(space + 3 * SPACE, c.space, SPACE * sizeof(double));
            gemm(t->math, 1, &a, &b, 0, &c);
            check_product(t, 1, &a, &b, 0, &c, space + 3 * SPACE);
        }
    }
    free(space);
}

Test(math, a_broken_row_stays_alone_in_a_product)
{
    for (const table *t = tables(); t->name; t++) {
        double w[12 * 10], x[10 * 32], y[12 * 32];
        for (int i = 0; i < 12 * 10; i++) put(t->math, w, i, uniform(-1, 1));
        for (int i = 0; i < 10 * 32; i++) put(t->math, x, i, i % 32 == 5 ? NAN : uniform(-1, 1));
        t->math->gemm(12, 32, 10, 1, w, 10, 1, x, 32, 1, 0, y, 32, 1);
        for (int i = 0; i < 12 * 32; i++)
            cr_assert_eq(!isnan(get(t->math, y, i)), i % 32 != 5, "%s row %d of a product", t->name, i % 32);
    }
}

/* ---- threads, choice ------------------------------------------------------------------------ */

#define SIDE 70

typedef struct job {
    const weir_math *math;
    const double *a, *b;
    double c[SIDE * SIDE];
} job;

static void *multiply_often(void *argument)
{
    job *const j = argument;
    for (int i = 0; i < 50; i++)
        j->math->gemm(SIDE, SIDE, SIDE, 1, j->a, SIDE, 1, j->b, 1, SIDE, 0, j->c, SIDE, 1);
    return NULL;
}

Test(math, products_are_reentrant)
{
    static double a[SIDE * SIDE], b[SIDE * SIDE];
    static job jobs[4];
    for (const table *t = tables(); t->name; t++) {
        pthread_t threads[4];
        for (int i = 0; i < SIDE * SIDE; i++) {
            put(t->math, a, i, uniform(-1, 1));
            put(t->math, b, i, uniform(-1, 1));
        }
        for (int i = 0; i < 4; i++) {
            jobs[i] = (job){.math = t->math, .a = a, .b = b};
            cr_assert_eq(pthread_create(&threads[i], NULL, multiply_often, &jobs[i]), 0);
        }
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
        for (int i = 1; i < 4; i++)
            cr_assert_eq(memcmp(jobs[0].c, jobs[i].c, SIDE * SIDE * size_of(t->math)), 0,
                         "%s: threads disagree", t->name);
    }
}

Test(math, the_environment_lowers_the_choice)
{
    setenv("WEIR_MATH", "plain", 1);
    cr_assert_str_eq(weir__math_name(), "plain");
    cr_assert_eq(weir__math(WEIR_F32), weir__math_plain(WEIR_F32));
    setenv("WEIR_MATH", "sse2", 1);
    cr_assert_str_eq(weir__math_name(), "plain", "the choice is made once");
}

Test(math, an_unknown_choice_is_the_best_one)
{
    setenv("WEIR_MATH", "abacus", 1);
#if WEIR__X86_64 || WEIR__AARCH64
    cr_assert_str_neq(weir__math_name(), "plain");
#endif
    cr_assert_eq(weir__math(WEIR_F32)->precision, WEIR_F32);
    cr_assert_eq(weir__math(WEIR_F64)->precision, WEIR_F64);
    cr_assert_eq(weir__math(WEIR_F64)->struct_size, sizeof(weir_math));
}
