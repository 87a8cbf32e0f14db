/* train.c - two models train at the same time, each with workers of its own, and reach the same parameters to the bit as
 * one that trains alone with one worker.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROWS       700
#define FEATURES   3
#define STEPS      5
#define PARAMETERS 500000

static const char description[] =
    "{\"dtype\": \"f32\", \"features\": 3, \"seed\": 9, \"flow\": {\"type\": \"chain\", \"children\": {\"layers\": ["
    "{\"type\": \"actnorm\"}, {\"type\": \"coupling\", \"children\": {\"univariate\": {\"type\": \"rq_spline\"}}},"
    "{\"type\": \"batch_norm\"}, {\"type\": \"lu_linear\"}, {\"type\": \"batch_norm\"},"
    "{\"type\": \"autoregressive\"}]}}, \"base\": {\"type\": \"normal\"}}";

static double points[ROWS * FEATURES];

typedef struct run {
    int32_t threads, recompute;
    double parameters[PARAMETERS];
    int64_t count;
    int failed;
    weir_error error;
} run;

static weir_status read_all(run *r, const weir_model *model)
{
    const int64_t tensors = weir_model_get(model, WEIR_MODEL_TENSORS);
    for (int64_t t = 0; t < tensors; t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        if (weir_tensor_at(model, t, &info, &r->error) != WEIR_OK || r->count + info.count > PARAMETERS)
            return WEIR_ERROR;
        if (weir_tensor_read(model, t, r->parameters + r->count, info.count, &r->error) != WEIR_OK)
            return WEIR_ERROR;
        r->count += info.count;
    }
    return WEIR_OK;
}

static weir_status steps(run *r, weir_model *model)
{
    const weir_matrix x = {.struct_size = (uint32_t)sizeof x,
                           .dtype = WEIR_DTYPE_F64,
                           .rows = ROWS,
                           .columns = FEATURES,
                           .data = points};
    weir_trainer *trainer = NULL;
    weir_status status = weir_model_set_recompute(model, r->recompute, &r->error);
    if (status == WEIR_OK) status = weir_model_initialize(model, &x, NULL, 0, &r->error);
    if (status == WEIR_OK) status = weir_trainer_create(model, NULL, &trainer, &r->error);
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
    if (status == WEIR_OK) status = read_all(r, model);
    weir_trainer_close(trainer);
    return status;
}

static void *train(void *argument)
{
    run *const r = argument;
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = r->threads};
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_status status = weir_open(&settings, &runtime, &r->error);
    if (status == WEIR_OK) status = weir_model_build(runtime, description, -1, &model, &r->error);
    if (status == WEIR_OK) status = steps(r, model);
    r->failed = status != WEIR_OK;
    weir_model_close(model);
    weir_close(runtime);
    return NULL;
}

int main(void)
{
    static run alone = {.threads = 1}, both[2] = {{.threads = 2}, {.threads = 4}};
    pthread_t threads[2];
    uint64_t state = 7;
    int wrong = 0;
    for (int i = 0; i < ROWS * FEATURES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        points[i] = (double)(state >> 11) * 0x1p-51 - 2;
    }
    train(&alone);
    if (alone.failed) return fprintf(stderr, "alone: %s\n", alone.error.message), 1;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, train, &both[i]) != 0) return fprintf(stderr, "no thread\n"), 1;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        const int same = both[i].count == alone.count && alone.count > 0 &&
                         memcmp(both[i].parameters, alone.parameters, sizeof alone.parameters) == 0;
        if (both[i].failed) fprintf(stderr, "%d workers: %s\n", (int)both[i].threads, both[i].error.message);
        if (!both[i].failed && !same) fprintf(stderr, "%d workers: other parameters\n", (int)both[i].threads);
        wrong += both[i].failed || !same;
    }
    return wrong != 0;
}
