/* start.c - see start.h; all in double, once per creation. */
#include "start.h"

#include "matrix.h"

#include <weir/random.h>

#include <stdlib.h>

int WEIR_NAME(random_orthogonal)(int32_t n, uint64_t key, double *a)
{
    double *const work = calloc(2 * (size_t)n, sizeof *work);
    if (work) weir_random_rotation(n, key, a, work);
    free(work);
    return work != NULL;
}

void WEIR_NAME(random_normal)(int64_t count, uint64_t key, double *values)
{
    for (int64_t i = 0; i < count; i++) values[i] = weir_random_normal(&key);
}

static void unpack(int32_t n, const double *a, const int64_t *origin, lu_factors *made)
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

int WEIR_NAME(random_lu_factors)(int32_t n, uint64_t key, lu_factors *made)
{
    const size_t side = (size_t)n, half = side * (side - 1) / 2 + 1;
    double *const a = calloc(side * (side + 2), sizeof *a);
    int64_t *const origin = malloc(side * sizeof *origin);
    *made = (lu_factors){malloc(half * sizeof(double)), malloc(half * sizeof(double)),
                         malloc(side * sizeof(double)), malloc(side * sizeof(double)),
                         malloc(side * sizeof(int64_t))};
    const int ready =
        a && origin && made->lower && made->upper && made->log_diagonal && made->sign && made->permutation;
    if (ready) {
        weir_random_rotation(n, key, a, a + side * side);
        WEIR_NAME(matrix_eliminate)(n, a, origin);
        unpack(n, a, origin, made);
    }
    free(a);
    free(origin);
    return ready;
}

void WEIR_NAME(lu_factors_clear)(lu_factors *made)
{
    free(made->lower);
    free(made->upper);
    free(made->log_diagonal);
    free(made->sign);
    free(made->permutation);
}
