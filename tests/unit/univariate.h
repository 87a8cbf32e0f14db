/* univariate.h - a model of one feature that is one univariate with its own parameters, for tests of formulas.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_UNIVARIATE_H
#define WEIR_TEST_UNIVARIATE_H

#include "stage.h"

#define MOST_PARAMS 128
#define NORMAL_BASE "{\"type\":\"normal\"}"
#define UNIVARIATE(dtype, type, options, base)                                                               \
    "{\"dtype\":\"" dtype "\",\"features\":1,\"seed\":3,\"flow\":" CHAIN(                                    \
        "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"" type                           \
        "\",\"options\":{" options "}}}}") ",\"base\":" base "}"

/** Moves every parameter by up to `size`, and says where they are now; how many there are. Floats, so that a model in
 *  single precision has the same. */
static inline int stir(stage s, double size, uint64_t *state, double *p)
{
    const int64_t count = get(s, "1.params", p, MOST_PARAMS);
    for (int64_t i = 0; i < count; i++) p[i] = (double)(float)(p[i] + size * (2 * dice(state) - 1));
    put(s, "1.params", p, count);
    return (int)count;
}

/** Rows through the model; how many were discarded. */
static inline int64_t run_rows(stage s, int inverse, int64_t rows, double *from, double *to, double *log_det)
{
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, rows, 1, 0, from};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, rows, 1, 0, to};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST((inverse ? weir_inverse : weir_forward)(s.m, &in, &call, &out, log_det, &error));
    return call.discarded;
}

static inline double run_one(stage s, int inverse, double from, double *log_det)
{
    double to = NAN;
    cr_assert_eq(run_rows(s, inverse, 1, &from, &to, log_det), 0, "%g is discarded", from);
    return to;
}

/** |a - b| <= tolerance (1 + |b|), in words when not. */
#define NEAR(a, b, tolerance)                                                                                \
    do {                                                                                                     \
        const double a_ = (double)(a), b_ = (double)(b);                                                     \
        cr_assert(fabs(a_ - b_) <= (tolerance) * (1 + fabs(b_)), "%s = %.17g, not %.17g", #a, a_, b_);       \
    } while (0)

#endif
