/* start.h - what a matrix starts as: the identity, or a random orthogonal matrix. */
#ifndef LINEAR_START_H
#define LINEAR_START_H

#include <weir/plugin.h>

/** Entry (i, j), j < i, of a strict lower triangle stored row by row; of (j, i) of an upper one stored by columns. */
WEIR_INLINE int64_t packed_index(int32_t i, int32_t j)
{
    return (int64_t)i * (i - 1) / 2 + j;
}

/** P L U with L unit lower triangular: row i of the matrix is row permutation[i] of L U. */
typedef struct lu_factors {
    double *lower, *upper; /* [n (n - 1) / 2], packed_index */
    double *log_diagonal;  /* [n] of U: log |u_ii| */
    double *sign;          /* [n] of U: 1 or -1 */
    int64_t *permutation;  /* [n] */
} lu_factors;

typedef struct start {
    int random;
    uint64_t key;  /* of the random numbers */
    lu_factors lu; /* of a random matrix, when it is to be kept as P L U; else all are NULL */
} start;

/** Writes a random orthogonal matrix [n, n]; the same for the same key. False when memory is exhausted. */
int WEIR_NAME(random_orthogonal)(int32_t n, uint64_t key, double *a);

/** The factors of such a matrix. False when memory is exhausted; lu_factors_clear frees in either case. */
int WEIR_NAME(random_lu_factors)(int32_t n, uint64_t key, lu_factors *made);
void WEIR_NAME(lu_factors_clear)(lu_factors *made);

/** Fills with standard normal numbers; the same for the same key. */
void WEIR_NAME(random_normal)(int64_t count, uint64_t key, double *values);

/** How a parameter starts at these values, or at 0 when there are none. */
WEIR_INLINE weir_init start_at(const double *values)
{
    weir_init init = {(uint32_t)sizeof(weir_init), values ? WEIR_INIT_VALUES : WEIR_INIT_ZERO, 0, 0, values};
    return init;
}

#endif
