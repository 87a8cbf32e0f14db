/* first_use.c - the first calls of a model come from several threads at once, through one runtime and through two: what is
 * prepared then is prepared once, and the answers are those of a quiet run, to the bit.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS  4
#define ROUNDS   20
#define ROWS     20
#define FEATURES 40

/* Layers that prepare derived tensors. */
static const char description[] =
    "{\"dtype\": \"f64\", \"features\": 40, \"seed\": 5, \"flow\": {\"type\": \"chain\", \"children\": {\"layers\": ["
    "{\"type\": \"lu_linear\"}, {\"type\": \"coupling\", \"children\": {\"univariate\": {\"type\": \"rq_spline\"}}},"
    "{\"type\": \"lu_linear\"}, {\"type\": \"autoregressive\"}]}}, \"base\": {\"type\": \"normal\"}}";

typedef struct answers {
    double log_p[ROWS], sample[ROWS * FEATURES];
} answers;

typedef struct caller {
    weir_model *model;
    atomic_int *waiting; /* for so many; all leave at once, spinning, so that they meet in the preparation */
    answers found;
    weir_error error;
    weir_status status;
} caller;

static double points[ROWS * FEATURES];

static weir_matrix matrix(double *data)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = ROWS,
                         .columns = FEATURES,
                         .data = data};
}

static weir_status compute(const weir_model *model, answers *to, weir_error *error)
{
    const weir_matrix x = matrix(points), sample = matrix(to->sample);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .seed = 11};
    const weir_status status = weir_log_prob(model, &x, NULL, to->log_p, error);
    return status ? status : weir_sample(model, &call, &sample, NULL, error);
}

static void *work(void *argument)
{
    caller *const c = argument;
    atomic_fetch_sub(c->waiting, 1);
    while (atomic_load(c->waiting) > 0) continue;
    c->status = compute(c->model, &c->found, &c->error);
    return NULL;
}

static int fail(const weir_error *error)
{
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

/* Half of the threads use the model of the first runtime, half that of the second. */
static int round_of(weir_runtime *const runtimes[2], const answers *expected)
{
    static caller callers[THREADS];
    pthread_t threads[THREADS];
    atomic_int waiting = THREADS;
    weir_model *models[2] = {NULL, NULL};
    weir_error error;
    int wrong = 0;
    for (int i = 0; i < 2; i++)
        if (weir_model_build(runtimes[i], description, -1, &models[i], &error)) return fail(&error);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){.model = models[i % 2], .waiting = &waiting};
        pthread_create(&threads[i], NULL, work, &callers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (callers[i].status) wrong = fail(&callers[i].error);
        if (memcmp(&callers[i].found, expected, sizeof *expected)) {
            fprintf(stderr, "thread %d found other bits\n", i);
            wrong = 1;
        }
    }
    for (int i = 0; i < 2; i++) weir_model_close(models[i]);
    return wrong;
}

int main(void)
{
    static answers expected;
    weir_runtime *runtimes[2] = {NULL, NULL}, *quiet = NULL;
    weir_model *model = NULL;
    weir_error error;
    int wrong = 0;
    const weir_settings one = {.struct_size = (uint32_t)sizeof one, .threads = 1};
    for (int i = 0; i < ROWS * FEATURES; i++) points[i] = (double)(i * 37 % 101) / 50 - 1;
    if (weir_open(&one, &quiet, &error) || weir_model_build(quiet, description, -1, &model, &error) ||
        compute(model, &expected, &error))
        return fail(&error);
    for (int i = 0; i < 2; i++) {
        const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = 1 + 2 * i};
        if (weir_open(&settings, &runtimes[i], &error)) return fail(&error);
    }
    for (int i = 0; i < ROUNDS; i++) wrong |= round_of(runtimes, &expected);
    weir_model_close(model);
    weir_close(quiet);
    weir_close(runtimes[0]);
    weir_close(runtimes[1]);
    return wrong;
}
