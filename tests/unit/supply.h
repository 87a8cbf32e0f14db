/* supply.h - models around modules that lack something, for the tests of what the host supplies.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_SUPPLY_H
#define WEIR_TEST_SUPPLY_H

#include "sandbox.h"

#include "models.h"

#define BARE_NETWORK "{\"type\":\"test.bare_network\"}"
#define WIDE_MADE    "{\"type\":\"test.wide_made\",\"options\":{\"hidden\":[9,7],\"activation\":\"tanh\"}}"
#define LAYER(id)    "{\"type\":\"" id "\"}"
#define MAF_OF(id, univariate, network, order)                                                               \
    "{\"type\":\"" id "\",\"options\":{\"order\":\"" order                                                   \
    "\"},\"children\":{\"univariate\":{\"type\":\"" univariate "\"},\"network\":" network "}}"
#define INVERTED(layer) "{\"type\":\"inverse\",\"children\":{\"layer\":" layer "}}"
#define GIVEN(list, univariate, network)                                                                     \
    "{\"type\":\"coupling\",\"options\":{\"mask\":\"given\",\"pass\":" list                                  \
    "},\"children\":{\"univariate\":{\"type\":\"" univariate "\"},\"network\":" network "}}"
#define SHUFFLE "{\"type\":\"permutation\",\"options\":{\"kind\":\"random\",\"seed\":4}}"

/* What every flow here is asked for. Rows beyond one tile, so that lanes of accumulation are summed. */
#define ROWS     150
#define FEATURES 5

typedef struct flow {
    const char *layers, *base;
    int32_t context;
} flow;

static weir_runtime *runtime;

static inline void open_all(int32_t threads)
{
    static const char *const fixtures[] = {"bare_univariate", "falling",    "bare_network",
                                           "bare_layer",      "no_inverse", "no_inverse_vjp",
                                           "only_f32",        "only_f64",   "wide"};
    sandbox_open();
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        char to[100];
        snprintf(to, sizeof to, "plugins/%s.so", fixtures[i]);
        put_fixture(fixtures[i], to);
    }
    const weir_settings settings = {
        .struct_size = (uint32_t)sizeof settings, .threads = threads, .plugin_path = box.plugins};
    MUST(weir_open(&settings, &runtime, &error));
}

static inline void open_with_two_threads(void)
{
    open_all(2);
}

static inline void close_all(void)
{
    weir_close(runtime);
    sandbox_close();
}

static inline weir_model *make(const flow *f, const char *dtype)
{
    char json[8000];
    const int n = snprintf(
        json, sizeof json,
        "{\"dtype\":\"%s\",\"features\":%d,\"context\":%d,\"seed\":3,\"flow\":" CHAIN("%s") ",\"base\":%s}",
        dtype, FEATURES, (int)f->context, f->layers, f->base ? f->base : LAYER("normal"));
    cr_assert(n > 0 && (size_t)n < sizeof json);
    weir_model *const m = must_build(runtime, json);
    shake(m, 0.15);
    return m;
}

static inline weir_matrix empty(int64_t rows)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = rows,
                         .columns = FEATURES,
                         .data = calloc((size_t)rows * FEATURES, sizeof(double))};
}

static inline double difference(const double *a, const double *b, int64_t n)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(a[i] - b[i]) / (1 + fabs(b[i]));
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

static inline void free_all(weir_matrix *a, weir_matrix *b, weir_matrix *c)
{
    free(a->data);
    free(b->data);
    if (c) free(c->data);
}

#endif
