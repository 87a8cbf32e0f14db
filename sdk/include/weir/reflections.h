/* weir/reflections.h - products of Householder reflections, and their gradients, for layers with orthogonal matrices.
 *
 * SPDX-License-Identifier: MIT
 *
 * H = I - 2 v v^T / |v|^2 mirrors along v. Q = H_1 H_2 ... H_K I[n x m], the first m columns of the product, is
 * orthonormal for any v (Householder 1958). A zero vector mirrors nothing. All arithmetic is in double, for prepare and
 * prepare_vjp: O(n m K). Matrices are dense and row-major.
 */
#ifndef WEIR_REFLECTIONS_H
#define WEIR_REFLECTIONS_H

#include <weir/plugin.h>

/** u = v / |v|, without overflow or underflow on the way. Returns |v|; when that is 0, u is 0 too. Where v is not finite,
 *  all is NaN. */
WEIR_INLINE double weir_reflection_axis(int32_t n, const weir_real *v, double *u)
{
    double largest = 0, square = 0, poison = 0;
    for (int32_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)v[i]));
        poison += 0 * (double)v[i];
    }
    largest += poison;
    for (int32_t i = 0; i < n; i++) {
        u[i] = largest == 0 ? 0 : (double)v[i] / largest;
        square += u[i] * u[i];
    }
    const double norm = sqrt(square);
    for (int32_t i = 0; largest != 0 && i < n; i++) u[i] /= norm;
    return largest * norm;
}

/** row = u^T X */
WEIR_INLINE void weir_reflection_along(int32_t n, int32_t m, const double *u, const double *x, double *row)
{
    memset(row, 0, (size_t)m * sizeof *row);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < m; j++) row[j] += u[i] * x[(int64_t)i * m + j];
}

/** X = (I - 2 u u^T) X for a unit (or zero) vector u; row is memory for m numbers. */
WEIR_INLINE void weir_reflect(int32_t n, int32_t m, const double *u, double *x, double *row)
{
    weir_reflection_along(n, m, u, x, row);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < m; j++) x[(int64_t)i * m + j] -= 2 * u[i] * row[j];
}

/** Q [n, m] = H_1 ... H_K I[n x m] for the rows of vectors [K, n]. work has n + m numbers. */
WEIR_INLINE void weir_reflections(int32_t n, int32_t m, int32_t count, const weir_real *vectors, double *q,
                                  double *work)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < m; j++) q[(int64_t)i * m + j] = i == j;
    for (int32_t k = count - 1; k >= 0; k--) {
        weir_reflection_axis(n, vectors + (int64_t)k * n, work);
        weir_reflect(n, m, work, q, work + n);
    }
}

/** Of one reflection Y = H X, given X and Y's cotangent G: with p = X^T u and g = G^T u,
 *  u_bar = -2 (G p + X g), of which v gets the part across u, over |v|. */
WEIR_INLINE void weir_reflection_pull(int32_t n, int32_t m, double norm, const double *u, const double *x,
                                      const double *x_bar, double *rows, weir_real *v_bar)
{
    double *const p = rows, *const g = rows + m, along = 0;
    weir_reflection_along(n, m, u, x, p);
    weir_reflection_along(n, m, u, x_bar, g);
    for (int32_t j = 0; j < m; j++) along += p[j] * g[j];
    for (int32_t i = 0; norm != 0 && i < n; i++) {
        double sum = 0;
        for (int32_t j = 0; j < m; j++)
            sum += x_bar[(int64_t)i * m + j] * p[j] + x[(int64_t)i * m + j] * g[j];
        v_bar[i] += WEIR_C((4 * along * u[i] - 2 * sum) / norm);
    }
}

/** Adds the gradient of the vectors, given Q and Q's cotangent. Both are used up: the reflections are undone one by one.
 *  work has n + 2 m numbers. */
WEIR_INLINE void weir_reflections_pull(int32_t n, int32_t m, int32_t count, const weir_real *vectors,
                                       double *q, double *q_bar, double *work, weir_real *vectors_bar)
{
    for (int32_t k = 0; k < count; k++) {
        const double norm = weir_reflection_axis(n, vectors + (int64_t)k * n, work);
        weir_reflect(n, m, work, q, work + n);
        weir_reflection_pull(n, m, norm, work, q, q_bar, work + n, vectors_bar + (int64_t)k * n);
        weir_reflect(n, m, work, q_bar, work + n);
    }
}

#endif
