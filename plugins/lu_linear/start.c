/* start.c - a product of random reflections, factorised with partial pivoting; all in double, once per creation. */
#include "start.h"

#include <stdlib.h>

/* SplitMix64 (Steele et al. 2014). */
static double uniform(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    const double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(6.283185307179586 * uniform(state));
}

/* a -= 2 v (v^T a) / (v^T v), for the rows [first, n) of a; w is working memory of n numbers. */
static void reflect(int32_t n, int32_t first, const double *v, double *a, double *w)
{
    double square = 0;
    memset(w, 0, (size_t)n * sizeof *w);
    for (int32_t i = first; i < n; i++) {
        square += v[i] * v[i];
        for (int32_t j = 0; j < n; j++) w[j] += v[i] * a[(int64_t)i * n + j];
    }
    for (int32_t i = first; i < n; i++)
        for (int32_t j = 0; j < n; j++) a[(int64_t)i * n + j] -= 2 * v[i] / square * w[j];
}

/* Reflections along normal vectors of growing length give orthogonal matrices without a preferred direction (Stewart
 * 1980). */
static void fill_orthogonal(int32_t n, uint64_t key, double *a, double *v, double *w)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) a[(int64_t)i * n + j] = i == j;
    for (int32_t first = n - 1; first >= 0; first--) {
        for (int32_t i = first; i < n; i++) v[i] = normal(&key);
        reflect(n, first, v, a, w);
    }
}

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

/* Gaussian elimination in place: L below the diagonal, U on and above it; origin[k] is the row that became row k. */
static void eliminate(int32_t n, double *a, int64_t *origin)
{
    for (int32_t k = 0; k < n; k++) {
        int32_t pivot = k;
        for (int32_t i = k + 1; i < n; i++)
            if (fabs(a[(int64_t)i * n + k]) > fabs(a[(int64_t)pivot * n + k])) pivot = i;
        swap_rows(n, a, origin, k, pivot);
        const double *const from = a + (int64_t)k * n;
        for (int32_t i = k + 1; i < n; i++) {
            double *const to = a + (int64_t)i * n;
            to[k] /= from[k];
            for (int32_t j = k + 1; j < n; j++) to[j] -= to[k] * from[j];
        }
    }
}

static void unpack(int32_t n, const double *a, const int64_t *origin, factors *made)
{
    for (int32_t i = 0; i < n; i++) {
        const double diagonal = a[(int64_t)i * n + i];
        made->log_diagonal[i] = log(fabs(diagonal));
        made->sign[i] = diagonal < 0 ? -1 : 1;
        made->permutation[origin[i]] = i;
        for (int32_t j = 0; j < i; j++) {
            made->lower[packed_index(i, j)] = a[(int64_t)i * n + j];
            made->upper[packed_index(i, j)] = a[(int64_t)j * n + i];
        }
    }
}

int WEIR_NAME(random_factors)(int32_t n, uint64_t key, factors *made)
{
    const size_t side = (size_t)n, half = side * (side - 1) / 2 + 1;
    double *const a = calloc(side * (side + 2), sizeof *a);
    int64_t *const origin = malloc(side * sizeof *origin);
    *made =
        (factors){malloc(half * sizeof(double)), malloc(half * sizeof(double)), malloc(side * sizeof(double)),
                  malloc(side * sizeof(double)), malloc(side * sizeof(int64_t))};
    const int ready =
        a && origin && made->lower && made->upper && made->log_diagonal && made->sign && made->permutation;
    if (ready) {
        for (int32_t i = 0; i < n; i++) origin[i] = i;
        fill_orthogonal(n, key, a, a + side * side, a + side * (side + 1));
        eliminate(n, a, origin);
        unpack(n, a, origin, made);
    }
    free(a);
    free(origin);
    return ready;
}

void WEIR_NAME(factors_clear)(factors *made)
{
    free(made->lower);
    free(made->upper);
    free(made->log_diagonal);
    free(made->sign);
    free(made->permutation);
}
