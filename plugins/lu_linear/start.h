/* start.h - a random orthogonal matrix as the factors that lu_linear trains. */
#ifndef LU_LINEAR_START_H
#define LU_LINEAR_START_H

#include <weir/plugin.h>

/** Entry (i, j), j < i, of a strict lower triangle stored row by row; of (j, i) of an upper one stored by columns. */
WEIR_INLINE int64_t packed_index(int32_t i, int32_t j)
{
    return (int64_t)i * (i - 1) / 2 + j;
}

/** Row i of the matrix is row permutation[i] of L U. Each array is allocated, or all are NULL. */
typedef struct factors {
    double *lower, *upper; /* [n (n - 1) / 2], packed_index */
    double *log_diagonal;  /* [n] of U: log |u_ii| */
    double *sign;          /* [n] of U: 1 or -1 */
    int64_t *permutation;  /* [n] */
} factors;

/** The same matrix for the same key. False when memory is exhausted; factors_clear frees in either case. */
int WEIR_NAME(random_factors)(int32_t n, uint64_t key, factors *made);
void WEIR_NAME(factors_clear)(factors *made);

#endif
