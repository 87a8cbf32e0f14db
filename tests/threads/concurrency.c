/* concurrency.c - modules that are not reentrant train, invert and sample on several workers, in two models at once, and give
 * the bits of one worker. Both modules fail when two calls meet in one memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/registry.h"
#include "run/model.h"

#include <weir.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROWS     900
#define FEATURES 3
#define STEPS    4
#define NUMBERS  40000

/* The precision of a model is that of its modules, but for one: there the host converts around each worker's own. */
static const char form[] =
    "{\"dtype\": \"%s\", \"features\": 3, \"seed\": 9, \"flow\": {\"type\": \"chain\", \"children\": {\"layers\": ["
    "{\"type\": \"coupling\", \"children\": {\"univariate\": {\"type\": \"fixture.per_worker\", \"options\": {\"dwell\": 20}}}},"
    "{\"type\": \"coupling\", \"options\": {\"mask\": \"odd\"},"
    " \"children\": {\"univariate\": {\"type\": \"fixture.serial\", \"options\": {\"dwell\": 20}}}},"
    "{\"type\": \"elementwise\", \"children\": {\"univariate\": {\"type\": \"fixture.per_worker\", \"options\": {\"dwell\": 20}}}}"
    "]}}, \"base\": {\"type\": \"normal\"}}";

static double points[ROWS * FEATURES];

typedef struct run {
    int32_t threads;
    const char *dtype;
    double numbers[NUMBERS];
    int64_t count;
    int failed;
    weir_error error;
} run;

static const weir_matrix x = {.struct_size = (uint32_t)sizeof(weir_matrix),
                              .dtype = WEIR_DTYPE_F64,
                              .rows = ROWS,
                              .columns = FEATURES,
                              .data = points};

static weir_status read_all(run *r, const weir_model *model)
{
    const int64_t tensors = weir_model_get(model, WEIR_MODEL_TENSORS);
    for (int64_t t = 0; t < tensors; t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        if (weir_tensor_at(model, t, &info, &r->error) != WEIR_OK || r->count + info.count > NUMBERS)
            return WEIR_ERROR;
        if (weir_tensor_read(model, t, r->numbers + r->count, info.count, &r->error) != WEIR_OK)
            return WEIR_ERROR;
        r->count += info.count;
    }
    return WEIR_OK;
}

static weir_status train(run *r, weir_model *model)
{
    weir_trainer *trainer = NULL;
    weir_status status = weir_trainer_create(model, NULL, &trainer, &r->error);
    for (uint64_t i = 0; status == WEIR_OK && i < STEPS; i++) {
        const weir_step step = {
            .struct_size = (uint32_t)sizeof step, .learning_rate = 1e-2, .epoch = i, .x = &x, .row_count = 0};
        weir_step_result result = {.struct_size = (uint32_t)sizeof result};
        status = weir_trainer_step(trainer, &step, &result, &r->error);
        if (status == WEIR_OK && !result.applied) {
            snprintf(r->error.message, sizeof r->error.message, "a step was skipped: %s", result.message);
            status = WEIR_ERROR;
        }
    }
    weir_trainer_close(trainer);
    return status;
}

static weir_status evaluate(run *r, const weir_model *model)
{
    if (r->count + ROWS + ROWS * FEATURES > NUMBERS) return WEIR_ERROR;
    weir_status status = weir_log_prob(model, &x, NULL, r->numbers + r->count, &r->error);
    r->count += ROWS;
    const weir_matrix out = {.struct_size = (uint32_t)sizeof out,
                             .dtype = WEIR_DTYPE_F64,
                             .rows = ROWS,
                             .columns = FEATURES,
                             .data = r->numbers + r->count};
    if (status == WEIR_OK) status = weir_inverse(model, &x, NULL, &out, NULL, &r->error);
    r->count += ROWS * FEATURES;
    return status;
}

static weir_status load_fixture(weir_runtime *runtime, const char *file, weir_error *error)
{
    const weir__entry *const *entries;
    int64_t count;
    return weir__registry_load_file(runtime->registry, file, &entries, &count, error);
}

static weir_status build(run *r, weir_runtime *runtime, weir_model **model)
{
    char text[1000];
    snprintf(text, sizeof text, form, r->dtype);
    const weir_status status = load_fixture(runtime, WEIR_TEST_FIXTURES "/not_reentrant.so", &r->error);
    return status == WEIR_OK ? weir_model_build(runtime, text, -1, model, &r->error) : status;
}

static void *run_all(void *argument)
{
    run *const r = argument;
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = r->threads};
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_status status = weir_open(&settings, &runtime, &r->error);
    if (status == WEIR_OK) status = build(r, runtime, &model);
    if (status == WEIR_OK) status = train(r, model);
    if (status == WEIR_OK) status = read_all(r, model);
    if (status == WEIR_OK) status = evaluate(r, model);
    r->failed = status != WEIR_OK;
    weir_model_close(model);
    weir_close(runtime);
    return NULL;
}

static int same_bits(const char *dtype)
{
    static run alone, both[2];
    pthread_t threads[2];
    int wrong = 0;
    alone = (run){.threads = 1, .dtype = dtype};
    both[0] = (run){.threads = 3, .dtype = dtype};
    both[1] = (run){.threads = 4, .dtype = dtype};
    run_all(&alone);
    if (alone.failed) return fprintf(stderr, "%s, alone: %s\n", dtype, alone.error.message), 1;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, run_all, &both[i]) != 0)
            return fprintf(stderr, "no thread\n"), 1;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        const int same = both[i].count == alone.count && alone.count > ROWS &&
                         memcmp(both[i].numbers, alone.numbers, sizeof alone.numbers) == 0;
        const char *const why = both[i].failed ? both[i].error.message : same ? NULL : "other bits";
        if (why) fprintf(stderr, "%s, %d workers: %s\n", dtype, (int)both[i].threads, why);
        wrong += why != NULL;
    }
    return wrong;
}

/* One that declares its tensors once more for a further worker is refused when that worker is made, by name. */
static int greedy_is_refused(void)
{
    static const char greedy[] =
        "{\"features\": 1, \"flow\": {\"type\": \"elementwise\", \"children\": {\"univariate\": {\"type\": "
        "\"fixture.greedy_worker\"}}}, \"base\": {\"type\": \"normal\"}}";
    const weir_matrix one = {.struct_size = (uint32_t)sizeof one,
                             .dtype = WEIR_DTYPE_F64,
                             .rows = 2,
                             .columns = 1,
                             .data = points};
    double log_p[2];
    weir_error error = {.message = ""};
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_status status = weir_open(NULL, &runtime, &error);
    if (status == WEIR_OK) status = load_fixture(runtime, WEIR_TEST_FIXTURES "/greedy_worker.so", &error);
    if (status == WEIR_OK) status = weir_model_build(runtime, greedy, -1, &model, &error);
    const int built = status == WEIR_OK;
    if (built) status = weir_log_prob(model, &one, NULL, log_p, &error);
    weir_model_close(model);
    weir_close(runtime);
    if (built && status != WEIR_OK && strstr(error.message, "fixture.greedy_worker")) return 0;
    return fprintf(stderr, "a greedy module: %s\n", error.message), 1;
}

int main(void)
{
    uint64_t state = 7;
    for (int i = 0; i < ROWS * FEATURES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        points[i] = (double)(state >> 11) * 0x1p-51 - 2;
    }
    return (same_bits("f32") + same_bits("f64") + greedy_is_refused()) != 0;
}
