/* spaces.h - models over constrained spaces for tests: one layer or a few, a normal base, f64.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_SPACES_H
#define WEIR_TEST_SPACES_H

#include "models.h"

#define LAYER(type)         "{\"type\":\"" type "\"}"
#define WITH(type, options) "{\"type\":\"" type "\",\"options\":{" options "}}"
#define SPACE(features, layers)                                                                              \
    "{\"dtype\":\"f64\",\"features\":" #features                                                             \
    ",\"seed\":5,\"flow\":" CHAIN(layers) ",\"base\":{\"type\":\"normal\"}}"
/** Something to learn behind the layer under test. */
#define BENT                                                                                                 \
    "," LAYER("lu_linear") ",{\"type\":\"elementwise\",\"children\":{\"univariate\":" LAYER("rq_spline") "}}"

static inline weir_matrix matrix_over(double *data, int64_t rows, int64_t columns)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = rows,
                         .columns = columns,
                         .data = data};
}

/** Sum of p(x) over the rows; discarded rows count as 0, and *lost of them there are. */
static inline double mass_of(const weir_model *m, double *x, int64_t rows, int64_t *lost)
{
    const int64_t columns = weir_model_get(m, WEIR_MODEL_FEATURES);
    const weir_matrix points = matrix_over(x, rows, columns);
    double *const p = malloc((size_t)(rows + 1) * sizeof *p), sum = 0;
    weir_call call = seeded(1, NULL);
    MUST(weir_log_prob(m, &points, &call, p, &error));
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(p[i])) sum += exp(p[i]);
    if (lost) *lost = call.discarded;
    free(p);
    return sum;
}

/** Forward of one row; the log-det. NAN when it is discarded. */
static inline double forward_one(const weir_model *m, const double *x, double *z)
{
    double in[64], l;
    memcpy(in, x, (size_t)weir_model_get(m, WEIR_MODEL_FEATURES) * sizeof *x);
    const weir_matrix from = matrix_over(in, 1, weir_model_get(m, WEIR_MODEL_FEATURES));
    const weir_matrix to = matrix_over(z, 1, weir_model_get(m, WEIR_MODEL_LATENT));
    weir_call call = seeded(1, NULL);
    MUST(weir_forward(m, &from, &call, &to, &l, &error));
    return call.discarded ? (double)NAN : l;
}

static inline double inverse_one(const weir_model *m, const double *z, double *x)
{
    double in[64], l;
    memcpy(in, z, (size_t)weir_model_get(m, WEIR_MODEL_LATENT) * sizeof *z);
    const weir_matrix from = matrix_over(in, 1, weir_model_get(m, WEIR_MODEL_LATENT));
    const weir_matrix to = matrix_over(x, 1, weir_model_get(m, WEIR_MODEL_FEATURES));
    weir_call call = seeded(1, NULL);
    MUST(weir_inverse(m, &from, &call, &to, &l, &error));
    return call.discarded ? (double)NAN : l;
}

/** log |det| of an n x n matrix of at most 8, which it spoils. */
static inline double log_abs_det(double *a, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
        for (int j = 0; j < n; j++) {
            const double kept = a[k * n + j];
            a[k * n + j] = a[best * n + j];
            a[best * n + j] = kept;
        }
        sum += log(fabs(a[k * n + k]));
        for (int i = k + 1; i < n; i++)
            for (int j = n - 1; j >= k; j--) a[i * n + j] -= a[i * n + k] / a[k * n + k] * a[k * n + j];
    }
    return sum;
}

static inline double normal_draw(uint64_t *state)
{
    return sqrt(-2 * log(1 - dice(state))) * cos(6.283185307179586 * dice(state));
}

#endif
