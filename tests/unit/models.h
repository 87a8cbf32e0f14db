/* models.h - models and data for the tests of the engine.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_MODELS_H
#define WEIR_TEST_MODELS_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

#define MLP  "{\"type\":\"mlp\",\"options\":{\"hidden\":[12,9],\"activation\":\"tanh\"}}"
#define MADE "{\"type\":\"made\",\"options\":{\"hidden\":[14,11],\"activation\":\"tanh\"}}"
#define COUPLING(mask, univariate)                                                                           \
    "{\"type\":\"coupling\",\"options\":{\"mask\":\"" mask                                                   \
    "\"},\"children\":{\"univariate\":{\"type\":\"" univariate "\"},\"network\":" MLP "}}"
#define MAF(univariate)                                                                                      \
    "{\"type\":\"autoregressive\",\"children\":{\"univariate\":{\"type\":\"" univariate                      \
    "\"},\"network\":" MADE "}}"
#define IAF(univariate) "{\"type\":\"inverse\",\"children\":{\"layer\":" MAF(univariate) "}}"
/** Two of them have parameters of over 2 MiB in f64: training takes wide tiles. */
#define WIDE(univariate)                                                                                     \
    "{\"type\":\"autoregressive\",\"children\":{\"univariate\":{\"type\":\"" univariate                      \
    "\"},\"network\":{\"type\":\"made\",\"options\":{\"hidden\":[400,400],\"activation\":\"tanh\"}}}}"
#define REVERSE       "{\"type\":\"permutation\",\"options\":{\"kind\":\"reverse\"}}"
#define CHAIN(layers) "{\"type\":\"chain\",\"children\":{\"layers\":[" layers "]}}"
#define MODEL(dtype, features, context, layers)                                                              \
    "{\"dtype\":\"" dtype "\",\"features\":" #features ",\"context\":" #context                              \
    ",\"seed\":3,\"flow\":" CHAIN(layers) ",\"base\":{\"type\":\"normal\"}}"

/** A bit of everything: standardisation, both kinds of coupling, both autoregressive directions, a linear layer. */
#define MIXED                                                                                                \
    "{\"type\":\"standardize\"}," COUPLING("half", "rq_spline") ",{\"type\":\"lu_linear\"}," MAF(            \
        "affine") "," REVERSE ",{\"type\":\"actnorm\"}," IAF("affine") "," COUPLING("even", "affine")

static weir_error error;

#define MUST(call) cr_assert_eq((call), WEIR_OK, "%s", error.message)

static inline weir_runtime *open_weir(int32_t threads)
{
    weir_runtime *rt = NULL;
    /* Modules in Lua, and those of foreign functions, find their files there. */
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = threads,
                                    .plugin_path = WEIR_TEST_SOURCE "/tests/lua/layers:" WEIR_TEST_SOURCE
                                                                    "/tests/declarations"};
    MUST(weir_open(&settings, &rt, &error));
    return rt;
}

static inline weir_model *must_build(weir_runtime *rt, const char *json)
{
    weir_model *m = NULL;
    MUST(weir_model_build(rt, json, -1, &m, &error));
    return m;
}

/** Numbers in [0, 1), the same on every run. */
static inline double dice(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

/** Memory that lives as long as the test's process; held here, so that it is not taken for a leak. */
static inline void *keep(void *memory)
{
    static void *volatile all[1024];
    static int count;
    cr_assert_lt(count, 1024);
    all[count] = memory;
    return all[count++];
}

/** Rows of correlated, bent data in double; they stay, by keep. */
static inline weir_matrix some_data(int64_t rows, int64_t columns, uint64_t seed)
{
    double *const x = keep(malloc((size_t)(rows * columns) * sizeof *x));
    uint64_t state = seed;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const double normal = sqrt(-2 * log(1 - dice(&state))) * cos(6.283185307179586 * dice(&state));
            x[i * columns + j] = j ? normal * 0.5 + sin(x[i * columns + j - 1]) : 1 + normal;
        }
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = rows,
                         .columns = columns,
                         .data = x};
}

/** Room for so many results; it stays. */
static inline weir_matrix room(int64_t rows, int64_t columns)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = rows,
                         .columns = columns,
                         .data = keep(calloc((size_t)(rows * columns) + 1, sizeof(double)))};
}

static inline weir_call seeded(uint64_t seed, const weir_matrix *context)
{
    return (weir_call){.struct_size = (uint32_t)sizeof(weir_call), .seed = seed, .context = context};
}

/** Moves every parameter off its start, so that nothing is hidden by zeros. */
static inline void shake(weir_model *m, double size)
{
    uint64_t state = 99;
    for (int64_t t = 0; t < weir_model_get(m, WEIR_MODEL_TENSORS); t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, t, &info, &error));
        if (info.kind != WEIR_TENSOR_PARAMETER) continue;
        double *const v = malloc((size_t)(info.count + 1) * sizeof *v);
        MUST(weir_tensor_read(m, t, v, info.count, &error));
        for (int64_t i = 0; i < info.count; i++) v[i] += size * (2 * dice(&state) - 1);
        MUST(weir_tensor_write(m, t, v, info.count, &error));
        free(v);
    }
}

/** All parameters as one vector, in tensor order. */
static inline double *parameters(const weir_model *m)
{
    double *const all = malloc((size_t)(weir_model_get(m, WEIR_MODEL_PARAMETERS) + 1) * sizeof *all);
    int64_t at = 0;
    for (int64_t t = 0; t < weir_model_get(m, WEIR_MODEL_TENSORS); t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, t, &info, &error));
        if (info.kind != WEIR_TENSOR_PARAMETER) continue;
        MUST(weir_tensor_read(m, t, all + at, info.count, &error));
        at += info.count;
    }
    return all;
}

static inline void set_parameters(weir_model *m, const double *all)
{
    int64_t at = 0;
    for (int64_t t = 0; t < weir_model_get(m, WEIR_MODEL_TENSORS); t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, t, &info, &error));
        if (info.kind != WEIR_TENSOR_PARAMETER) continue;
        MUST(weir_tensor_write(m, t, all + at, info.count, &error));
        at += info.count;
    }
}

static inline weir_trainer *must_train(weir_model *m, const char *settings)
{
    weir_trainer *t = NULL;
    MUST(weir_trainer_create(m, settings, &t, &error));
    return t;
}

static inline weir_step data_step(const weir_matrix *x)
{
    return (weir_step){.struct_size = (uint32_t)sizeof(weir_step), .learning_rate = 1e-3, .x = x};
}

static inline weir_step_result no_result(void)
{
    return (weir_step_result){.struct_size = (uint32_t)sizeof(weir_step_result)};
}

static inline uint64_t hash_of(const double *values, int64_t count)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (int64_t i = 0; i < count * 8; i++)
        h = (h ^ ((const unsigned char *)values)[i]) * UINT64_C(1099511628211);
    return h;
}

static inline double mean_log_prob(const weir_model *m, const weir_matrix *x, weir_call *call)
{
    double *const p = malloc((size_t)x->rows * sizeof *p), sum = 0;
    MUST(weir_log_prob(m, x, call, p, &error));
    for (int64_t i = 0; i < x->rows; i++) sum += p[i];
    free(p);
    return sum / (double)x->rows;
}

/** The largest deviation of a directional derivative from central differences, over a few random directions, with the
 * slope of the Taylor remainder as the judge: halving the step must quarter what a right gradient leaves. */
static inline void expect_trainer_gradient(weir_model *m, weir_trainer *t, const weir_step *step)
{
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const g = malloc((size_t)n * sizeof *g), *const d = malloc((size_t)n * sizeof *d);
    double *const at = parameters(m), *const moved = malloc((size_t)n * sizeof *moved);
    uint64_t state = 5;
    weir_step_result base = no_result(), near = no_result();
    MUST(weir_trainer_gradient(t, step, &base, g, n, &error));
    for (int round = 0; round < 3; round++) {
        double along = 0, remainder[2];
        for (int64_t i = 0; i < n; i++) along += g[i] * (d[i] = 2 * dice(&state) - 1);
        for (int k = 0; k < 2; k++) {
            const double h = k ? 5e-5 : 1e-4;
            double *const unused = malloc((size_t)n * sizeof *unused);
            for (int64_t i = 0; i < n; i++) moved[i] = at[i] + h * d[i];
            set_parameters(m, moved);
            MUST(weir_trainer_gradient(t, step, &near, unused, n, &error));
            remainder[k] = fabs(near.loss - base.loss - h * along);
            free(unused);
        }
        set_parameters(m, at);
        const double slope = log2(remainder[0] / remainder[1]);
        cr_assert(remainder[0] < 1e-11 || fabs(slope - 2) < 0.1, "slope %g, remainders %g %g", slope,
                  remainder[0], remainder[1]);
    }
    free(g);
    free(d);
    free(at);
    free(moved);
}

#endif
