/* formulas.h - for the tests of sdk/FORMULAS.md: log-dets of dense numeric Jacobians, and a judge who has to accept the right
 * formula and to see the difference of each slip.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_FORMULAS_H
#define WEIR_TEST_FORMULAS_H

#include "spaces.h"
#include "stage.h"

#define MOST 12

/** One layer over a normal base, in f64. */
#define ALONE(features, layer)                                                                               \
    "{\"dtype\":\"f64\",\"features\":" #features ",\"seed\":5,\"flow\":" layer                               \
    ",\"base\":{\"type\":\"normal\"}}"
#define NETWORK(type) "{\"type\":\"" type "\",\"options\":{\"hidden\":[7],\"activation\":\"tanh\"}}"

/** A map of n numbers to m. */
typedef void (*mapping)(const void *self, const double *x, double *y);

/** J [m, n] by differences of fourth order. */
static inline void jacobian(mapping f, const void *self, const double *x, int n, int m, double *j)
{
    static const double at[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    double moved[MOST], y[MOST];
    cr_assert(n <= MOST && m <= MOST);
    for (int k = 0; k < n; k++) {
        const double h = 1e-3 * (1 + fabs(x[k]));
        for (int i = 0; i < m; i++) j[i * n + k] = 0;
        for (int a = 0; a < 4; a++) {
            memcpy(moved, x, (size_t)n * sizeof *x);
            moved[k] += at[a] * h;
            f(self, moved, y);
            for (int i = 0; i < m; i++) j[i * n + k] += weight[a] * y[i] / (12 * h);
        }
    }
}

/** log|det| of a map of n numbers to n. */
static inline double dense(mapping f, const void *self, const double *x, int n)
{
    double j[MOST * MOST];
    jacobian(f, self, x, n, n, j);
    return log_abs_det(j, n);
}

/** Both directions of a model as mappings. */
static inline void go_forward(const void *self, const double *x, double *z)
{
    cr_assert(!isnan(forward_one(((const stage *)self)->m, x, z)));
}

static inline void go_inverse(const void *self, const double *z, double *x)
{
    cr_assert(!isnan(inverse_one(((const stage *)self)->m, z, x)));
}

static inline double dense_forward(stage s, const double *x)
{
    return dense(go_forward, &s, x, (int)weir_model_get(s.m, WEIR_MODEL_FEATURES));
}

static inline double dense_inverse(stage s, const double *z)
{
    return dense(go_inverse, &s, z, (int)weir_model_get(s.m, WEIR_MODEL_LATENT));
}

static inline void expect_right(const char *what, double is, double truth)
{
    cr_assert(fabs(is - truth) <= 1e-7 * (1 + fabs(truth)), "%s is %.12g, not %.12g", what, is, truth);
}

/** A slip that cannot be told from the truth would make a test that cannot fail. */
static inline void expect_slip(const char *what, double is, double truth)
{
    cr_assert(!(fabs(is - truth) <= 1e-2 * (1 + fabs(truth))), "%s is %.12g: no difference from %.12g", what,
              is, truth);
}

/** The truth as a module has it. */
#define MODULE_IS(is, truth) expect_right("the module's", is, truth)
#define RIGHT(is, truth)     expect_right(#is, is, truth)
#define SLIP(is, truth)      expect_slip(#is, is, truth)

static inline double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static inline double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static inline double sum_of(const double *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += v[i];
    return sum;
}

static inline double inner(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

#endif
