/* array_linear.c - the linear algebra that a Gaussian baseline needs: covariance, Cholesky factor, triangular solve.
 *
 * All in double precision on one thread. The blocked product is compiled twice, for AVX2 and for any processor; pragmas
 * unroll it, without which compilers keep the sums in memory.
 */
#include "array.h"

#include <math.h>
#include <string.h>

#define PANEL 64 /* rows of data at a time: a panel of 784 columns is 400 kB and stays in the cache */

#if defined(__x86_64__) && defined(__GNUC__)
#define FOR_AVX2 __attribute__((target("avx2,fma")))
#define HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#else
#define FOR_AVX2
#define HAS_AVX2 0
#endif

#define WIDE 8 /* columns of a block of the product */
#define TALL 4 /* rows of it: TALL * WIDE sums stay in registers */

/* One block: c[i + a][j + b] += sum_k x[k][i + a] x[k][j + b]. Rows of x are `stride` apart, so are those of c; both are
 * padded with zeros to whole blocks. */
static inline __attribute__((always_inline)) void add_block(const double *x, int64_t stride, int64_t i,
                                                            int64_t j, double *c)
{
    double s[TALL][WIDE] = {{0}};
    for (int k = 0; k < PANEL; k++) {
        const double *const left = x + k * stride + i, *const right = x + k * stride + j;
#pragma GCC unroll 4
        for (int a = 0; a < TALL; a++) {
#pragma GCC unroll 8
            for (int b = 0; b < WIDE; b++) s[a][b] += left[a] * right[b];
        }
    }
    for (int a = 0; a < TALL; a++) {
        for (int b = 0; b < WIDE; b++) c[(i + a) * stride + j + b] += s[a][b];
    }
}

/* The lower triangle, in whole blocks. */
static inline __attribute__((always_inline)) void add_panel(const double *x, int64_t stride, double *c)
{
    for (int64_t j = 0; j < stride; j += WIDE) {
        for (int64_t i = j; i < stride; i += TALL) add_block(x, stride, i, j, c);
    }
}

FOR_AVX2 static void add_panel_avx2(const double *x, int64_t stride, double *c)
{
    add_panel(x, stride, c);
}

static void add_panel_any(const double *x, int64_t stride, double *c)
{
    add_panel(x, stride, c);
}

static void fill_panel(const weir__array *x, int64_t first, int64_t stride, const double *mean, double *panel)
{
    const int64_t d = x->columns, left = x->rows - first, n = left < PANEL ? left : PANEL;
    memset(panel, 0, (size_t)(stride * PANEL) * sizeof *panel);
    for (int64_t k = 0; k < n; k++) {
        double *const row = panel + k * stride;
        weir__array_load(x, (first + k) * d, d, row);
        for (int64_t j = 0; j < d; j++) row[j] -= mean[j];
    }
}

static void column_means(const weir__array *x, double *row, double *mean)
{
    const int64_t d = x->columns;
    for (int64_t i = 0; i < x->rows; i++) {
        weir__array_load(x, i * d, d, row);
        for (int64_t j = 0; j < d; j++) mean[j] += row[j];
    }
    for (int64_t j = 0; j < d; j++) mean[j] /= (double)x->rows;
}

/** covariance(): the mean (1 x D) and the covariance (D x D, divisor N), the Gaussian of highest likelihood. */
static int covariance(lua_State *L)
{
    const weir__array *const x = weir__array_check(L, 1);
    const int64_t d = x->columns, stride = (d + WIDE - 1) / WIDE * WIDE;
    if (x->count == 0) return luaL_error(L, "the array has no elements");
    weir__array *const mean = weir__array_push_matrix(L, WEIR_DTYPE_F64, 1, d);
    double *const made = weir__array_push_matrix(L, WEIR_DTYPE_F64, d, d)->data;
    double *const c = weir__array_push_matrix(L, WEIR_DTYPE_F64, stride, stride)->data;
    double *const panel = weir__array_push_matrix(L, WEIR_DTYPE_F64, PANEL, stride)->data;
    column_means(x, panel, mean->data);
    for (int64_t first = 0; first < x->rows; first += PANEL) {
        fill_panel(x, first, stride, mean->data, panel);
        (HAS_AVX2 ? add_panel_avx2 : add_panel_any)(panel, stride, c);
    }
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j <= i; j++)
            made[i * d + j] = made[j * d + i] = c[i * stride + j] / (double)x->rows;
    }
    lua_pop(L, 2);
    return 2;
}

static double dot(const double *a, const double *b, int64_t n)
{
    double s[4] = {0};
    int64_t k = 0;
    for (; k + 4 <= n; k += 4) {
        for (int l = 0; l < 4; l++) s[l] += a[k + l] * b[k + l];
    }
    for (; k < n; k++) s[0] += a[k] * b[k];
    return s[0] + s[1] + s[2] + s[3];
}

static const weir__array *check_square(lua_State *L, int index)
{
    const weir__array *const a = weir__array_check(L, index);
    luaL_argcheck(L, a->rows == a->columns && a->dtype == WEIR_DTYPE_F64, index,
                  "expected a square f64 array");
    return a;
}

/** cholesky(): the lower factor; nil and a message when the matrix is not positive definite. */
static int cholesky(lua_State *L)
{
    const weir__array *const a = check_square(L, 1);
    const int64_t d = a->rows;
    double *const l = weir__array_push_matrix(L, WEIR_DTYPE_F64, d, d)->data;
    const double *const from = a->data;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j <= i; j++) {
            const double rest = from[i * d + j] - dot(l + i * d, l + j * d, j);
            if (i != j) {
                l[i * d + j] = rest / l[j * d + j];
                continue;
            }
            if (!(rest > 0)) {
                lua_pushnil(L);
                lua_pushfstring(L, "the matrix is not positive definite (row %d)", (int)i + 1);
                return 2;
            }
            l[i * d + i] = sqrt(rest);
        }
    }
    return 1;
}

/** gaussian_log_prob(x, mean, factor): log density of each row under N(mean, factor factor^T). */
static int gaussian_log_prob(lua_State *L)
{
    const weir__array *const x = weir__array_check(L, 1), *const mean = weir__array_check(L, 2);
    const weir__array *const factor = check_square(L, 3);
    const int64_t d = x->columns;
    luaL_argcheck(L, mean->count == d && mean->dtype == WEIR_DTYPE_F64, 2,
                  "expected an f64 mean, one number a column");
    luaL_argcheck(L, factor->rows == d, 3, "the factor has another size than the rows");
    double *const log_p = weir__array_push_vector(L, WEIR_DTYPE_F64, x->rows)->data;
    double *const row = weir__array_push_vector(L, WEIR_DTYPE_F64, 2 * d)->data, *const u = row + d;
    const double *const l = factor->data, *const m = mean->data;
    double constant = -0.5 * (double)d * log(2 * 3.14159265358979323846);
    for (int64_t j = 0; j < d; j++) constant -= log(l[j * d + j]);
    for (int64_t i = 0; i < x->rows; i++) {
        weir__array_load(x, i * d, d, row);
        for (int64_t j = 0; j < d; j++) u[j] = (row[j] - m[j] - dot(l + j * d, u, j)) / l[j * d + j];
        log_p[i] = constant - 0.5 * dot(u, u, d);
    }
    lua_pop(L, 1);
    return 1;
}

static const luaL_Reg methods[] = {{"covariance", covariance},
                                   {"cholesky", cholesky},
                                   {"gaussian_log_prob", gaussian_log_prob},
                                   {NULL, NULL}};

void weir__array_register_linear(lua_State *L)
{
    luaL_register(L, NULL, methods);
}
