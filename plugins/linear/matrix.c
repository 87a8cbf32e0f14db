/* matrix.c - see matrix.h. Inner loops run along rows, so that the compiler vectorises them. */
#include "matrix.h"

#include <float.h>

/* to -= factor * from */
static void subtract(int32_t n, double factor, const double *restrict from, double *restrict to)
{
    for (int32_t j = 0; j < n; j++) to[j] -= factor * from[j];
}

void WEIR_NAME(matrix_product)(int32_t n, int32_t m, int32_t k, const double *a, const double *b, double *c)
{
    memset(c, 0, (size_t)n * (size_t)m * sizeof *c);
    for (int32_t i = 0; i < n; i++)
        for (int32_t l = 0; l < k; l++)
            subtract(m, -a[(int64_t)i * k + l], b + (int64_t)l * m, c + (int64_t)i * m);
}

void WEIR_NAME(matrix_transpose)(int32_t n, int32_t m, const double *from, double *to)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < m; j++) to[(int64_t)j * n + i] = from[(int64_t)i * m + j];
}

/* ---- elimination ---------------------------------------------------------------------------------------------- */

static void swap_rows(int32_t n, double *a, int64_t *origin, int32_t i, int32_t j)
{
    const int64_t other = origin[i];
    if (i == j) return;
    origin[i] = origin[j];
    origin[j] = other;
    for (int32_t k = 0; k < n; k++) {
        const double entry = a[(int64_t)i * n + k];
        a[(int64_t)i * n + k] = a[(int64_t)j * n + k];
        a[(int64_t)j * n + k] = entry;
    }
}

static int32_t pivot_of(int32_t n, const double *a, int32_t k)
{
    int32_t pivot = k;
    for (int32_t i = k + 1; i < n; i++)
        if (fabs(a[(int64_t)i * n + k]) > fabs(a[(int64_t)pivot * n + k])) pivot = i;
    return pivot;
}

void WEIR_NAME(matrix_eliminate)(int32_t n, double *a, int64_t *origin)
{
    for (int32_t k = 0; k < n; k++) origin[k] = k;
    for (int32_t k = 0; k < n; k++) {
        swap_rows(n, a, origin, k, pivot_of(n, a, k));
        const double *const from = a + (int64_t)k * n;
        for (int32_t i = k + 1; from[k] != 0 && i < n; i++) {
            double *const to = a + (int64_t)i * n;
            to[k] /= from[k];
            subtract(n - k - 1, to[k], from + k + 1, to + k + 1);
        }
    }
}

/* ---- the inverse ---------------------------------------------------------------------------------------------- */

/* x = (L U)^-1 P for the rows of x, which starts as the permuted identity. */
static void substitute(int32_t n, const double *lu, const int64_t *origin, double *x)
{
    memset(x, 0, (size_t)n * (size_t)n * sizeof *x);
    for (int32_t i = 0; i < n; i++) x[(int64_t)i * n + origin[i]] = 1;
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < i; k++)
            subtract(n, lu[(int64_t)i * n + k], x + (int64_t)k * n, x + (int64_t)i * n);
    for (int32_t i = n - 1; i >= 0; i--) {
        for (int32_t k = i + 1; k < n; k++)
            subtract(n, lu[(int64_t)i * n + k], x + (int64_t)k * n, x + (int64_t)i * n);
        for (int32_t j = 0; j < n; j++) x[(int64_t)i * n + j] /= lu[(int64_t)i * n + i];
    }
}

/* sums_i = the sum over j of |a_ij| weights_j; weights NULL: ones. */
static void sum_absolutes(int32_t n, const double *a, const double *weights, double *sums)
{
    for (int32_t i = 0; i < n; i++) {
        sums[i] = 0;
        for (int32_t j = 0; j < n; j++) sums[i] += fabs(a[(int64_t)i * n + j]) * (weights ? weights[j] : 1);
    }
}

/* NaN counts as infinite. */
static double largest(int32_t n, const double *values)
{
    double most = 0;
    for (int32_t i = 0; i < n; i++)
        if (!(values[i] <= most)) most = values[i] - values[i] == 0 ? values[i] : INFINITY;
    return most;
}

static int log_pivots(int32_t n, const double *lu, double *log_volume)
{
    *log_volume = 0;
    for (int32_t k = 0; k < n; k++) *log_volume += log(fabs(lu[(int64_t)k * n + k]));
    return *log_volume - *log_volume == 0;
}

weir_status WEIR_NAME(matrix_invert)(weir_frame *frame, int32_t n, double *a, double *inverse,
                                     matrix_size *size)
{
    /* Rounding of n^2 entries moves a singular value by about sqrt(n) eps. */
    const double epsilon = WEIR_REAL == 32 ? (double)FLT_EPSILON : DBL_EPSILON;
    int64_t *const origin = weir_take(frame, (n + 1) * (int64_t)sizeof *origin);
    double *const rows = matrix_take(frame, n), *const products = matrix_take(frame, n);
    if (!origin || !rows || !products) return WEIR_ERROR;
    sum_absolutes(n, a, NULL, rows);
    WEIR_NAME(matrix_eliminate)(n, a, origin);
    size->condition = INFINITY;
    if (!log_pivots(n, a, &size->log_volume)) return WEIR_INVALID;
    substitute(n, a, origin, inverse);
    sum_absolutes(n, inverse, rows, products);
    size->condition = largest(n, products);
    return size->condition * epsilon * (4 + sqrt((double)n)) < 1 ? WEIR_OK : WEIR_INVALID;
}

weir_status WEIR_NAME(require_finite)(weir_frame *frame, const char *name, weir_handle parameter,
                                      int64_t rows, int64_t columns)
{
    const weir_real *const values = weir_tensor(frame, parameter);
    for (int64_t i = 0; i < rows * columns; i++)
        if (values[i] - values[i] != 0)
            return weir_failf(
                frame, WEIR_INVALID,
                "entry (%lld, %lld) of the parameter `%s` is %g: load finite values, or train with a "
                "smaller learning rate",
                (long long)(i / columns) + 1, (long long)(i % columns) + 1, name, (double)values[i]);
    return WEIR_OK;
}
