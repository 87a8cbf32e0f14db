/* dense.c - see dense.h. */
#include "supply/dense.h"

#include <math.h>

static int32_t pivot_row(const double *a, int32_t n, int32_t k)
{
    int32_t best = k;
    for (int32_t i = k + 1; i < n; i++)
        if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
    return best;
}

static void swap_rows(double *a, double *b, int32_t n, int32_t i, int32_t k)
{
    for (int32_t j = 0; i != k && j < n; j++) {
        const double t = a[i * n + j];
        a[i * n + j] = a[k * n + j];
        a[k * n + j] = t;
    }
    const double t = b[i];
    b[i] = b[k];
    b[k] = t;
}

int weir__solve_dense(double *a, double *b, int32_t n)
{
    for (int32_t k = 0; k < n; k++) {
        swap_rows(a, b, n, pivot_row(a, n, k), k);
        const double pivot = a[k * n + k];
        if (!(fabs(pivot) > 0) || isinf(pivot)) return 0;
        for (int32_t i = k + 1; i < n; i++) {
            const double m = a[i * n + k] / pivot;
            for (int32_t j = k + 1; j < n; j++) a[i * n + j] -= m * a[k * n + j];
            b[i] -= m * b[k];
        }
    }
    for (int32_t k = n - 1; k >= 0; k--) {
        for (int32_t j = k + 1; j < n; j++) b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
        if (!isfinite(b[k])) return 0;
    }
    return 1;
}
