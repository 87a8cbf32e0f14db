/* evaluate.c - eight threads use one model at once: densities, samples and gradients, each the same to the bit as alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS  8
#define ROUNDS   3
#define ROWS     300
#define FEATURES 4

static const char description[] =
    "{\"dtype\": \"f32\", \"features\": 4, \"context\": 1, \"seed\": 5, \"flow\": {\"type\": \"chain\", \"children\": {"
    "\"layers\": [{\"type\": \"coupling\", \"children\": {\"univariate\": {\"type\": \"rq_spline\"}}},"
    "{\"type\": \"lu_linear\"}, {\"type\": \"autoregressive\"},"
    "{\"type\": \"inverse\", \"children\": {\"layer\": {\"type\": \"autoregressive\"}}}]}},"
    "\"base\": {\"type\": \"normal\"}}";

static weir_model *model;
static double points[ROWS * FEATURES], context[ROWS];

/* What one thread computes. */
typedef struct answers {
    double log_p[ROWS], score[ROWS * FEATURES], sample[ROWS * FEATURES], sample_log_p[ROWS];
} answers;

static weir_matrix matrix(double *data, int64_t columns)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = ROWS,
                         .columns = columns,
                         .data = data};
}

static const char *compute(answers *to, weir_error *error)
{
    const weir_matrix x = matrix(points, FEATURES), c = matrix(context, 1),
                      score = matrix(to->score, FEATURES), sample = matrix(to->sample, FEATURES);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .context = &c, .seed = 11};
    if (weir_log_prob(model, &x, &call, to->log_p, error) != WEIR_OK ||
        weir_score(model, &x, &call, &score, NULL, error) != WEIR_OK ||
        weir_sample(model, &call, &sample, to->sample_log_p, error) != WEIR_OK)
        return error->message;
    return NULL;
}

static answers expected, found[THREADS];
static weir_error errors[THREADS];

static void *work(void *argument)
{
    const size_t i = (size_t)((answers *)argument - found);
    const char *failure = NULL;
    for (int round = 0; round < ROUNDS && !failure; round++) {
        memset(&found[i], 0, sizeof found[i]);
        failure = compute(&found[i], &errors[i]);
        if (!failure && memcmp(&found[i], &expected, sizeof expected) != 0) failure = "the answers differ";
    }
    return (void *)(uintptr_t)failure;
}

int main(void)
{
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = 3};
    weir_runtime *runtime = NULL;
    weir_error error;
    pthread_t threads[THREADS];
    uint64_t state = 1;
    int wrong = 0;
    for (int i = 0; i < ROWS * FEATURES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        points[i] = (double)(state >> 11) * 0x1p-52 - 1;
        context[i % ROWS] = points[i];
    }
    if (weir_open(&settings, &runtime, &error) != WEIR_OK ||
        weir_model_build(runtime, description, -1, &model, &error) != WEIR_OK || compute(&expected, &error))
        return fprintf(stderr, "%s\n", error.message), 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &found[i]) != 0) return fprintf(stderr, "no thread\n"), 1;
    for (int i = 0; i < THREADS; i++) {
        void *failure;
        pthread_join(threads[i], &failure);
        if (failure) fprintf(stderr, "thread %d: %s\n", i, (const char *)failure);
        wrong += failure != NULL;
    }
    weir_model_close(model);
    weir_close(runtime);
    return wrong != 0;
}
