/* trainer.c - settings, steps, snapshots: the public trainer. */
#include "train/stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ------------------------------------------------------------------------------------------------------------ */

static weir_status read_number(const json_t *root, const char *key, double low, double high, double *out,
                               weir_error *error)
{
    const json_t *const value = json_object_get(root, key);
    if (!value || json_is_null(value)) return WEIR_OK;
    const double number = json_is_number(value) ? json_number_value(value) : (double)NAN;
    if (!(number >= low && number <= high))
        return weir__fail(error, WEIR_INVALID, "trainer: %s must be a number from %g to %g", key, low, high);
    *out = number;
    return WEIR_OK;
}

static weir_status read_choice(const json_t *root, const char *key, const char *const *words, int32_t count,
                               int32_t *out, weir_error *error)
{
    const json_t *const value = json_object_get(root, key);
    if (!value || json_is_null(value)) return WEIR_OK;
    const char *const word = json_is_string(value) ? json_string_value(value) : "";
    for (int32_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0) return *out = i, WEIR_OK;
    const char *const near = weir__nearest(word, words, count);
    return weir__fail(error, WEIR_INVALID, "trainer: %s \"%s\" is not known%s%s%s", key, word,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static weir_status check_keys(const json_t *root, weir_error *error)
{
    static const char *const known[] = {"optimizer", "beta1",        "beta2", "epsilon", "momentum",
                                        "nesterov",  "weight_decay", "clip",  "seed",    "on_nan"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        int found = 0;
        for (int32_t i = 0; i < 10; i++) found |= strcmp(known[i], key) == 0;
        if (found) continue;
        const char *const near = weir__nearest(key, known, 10);
        return weir__fail(error, WEIR_INVALID, "trainer: unknown setting \"%s\"%s%s%s", key,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return WEIR_OK;
}

static weir_status read_settings(weir_trainer *t, const json_t *root, weir_error *error)
{
    static const char *const optimizers[] = {"adam", "adamw", "sgd"}, *const on_nan[] = {"skip", "rollback"};
    double seed = 0;
    t->beta1 = 0.9;
    t->beta2 = 0.999;
    t->epsilon = 1e-8;
    t->momentum = 0.9;
    weir_status status = root ? check_keys(root, error) : WEIR_OK;
    if (!status) status = read_choice(root, "optimizer", optimizers, 3, &t->optimizer, error);
    if (!status) status = read_choice(root, "on_nan", on_nan, 2, &t->rollback, error);
    if (!status) status = read_number(root, "beta1", 0, 0.999999, &t->beta1, error);
    if (!status) status = read_number(root, "beta2", 0, 0.99999999, &t->beta2, error);
    if (!status) status = read_number(root, "epsilon", 0, 1, &t->epsilon, error);
    if (!status) status = read_number(root, "momentum", 0, 0.999999, &t->momentum, error);
    if (!status) status = read_number(root, "weight_decay", 0, 1e6, &t->weight_decay, error);
    if (!status) status = read_number(root, "clip", 0, 1e30, &t->clip, error);
    if (!status) status = read_number(root, "seed", 0, 9007199254740992.0, &seed, error);
    t->nesterov = json_is_true(json_object_get(root, "nesterov"));
    t->seed = (uint64_t)seed;
    return status;
}

static unsigned char *zeroes(int64_t bytes)
{
    unsigned char *const memory = aligned_alloc(64, (size_t)bytes + 64);
    if (memory) memset(memory, 0, (size_t)bytes + 64);
    return memory;
}

weir_status weir_trainer_create(weir_model *model, const char *settings_json, weir_trainer **trainer,
                                weir_error *error)
{
    json_error_t where;
    json_t *const root = settings_json ? json_loads(settings_json, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (settings_json && !json_is_object(root) && !(json_is_array(root) && !json_array_size(root))) {
        json_decref(root);
        return weir__fail(error, WEIR_INVALID, "trainer: settings must be a JSON object");
    }
    weir_trainer *const t = calloc(1, sizeof *t);
    weir_status status = t ? WEIR_OK : weir__no_memory(error, "the trainer");
    if (!status) {
        t->model = model;
        status = read_settings(t, json_is_object(root) ? root : NULL, error);
    }
    json_decref(root);
    if (!status) status = weir__stages_make(model, &t->stages, error);
    if (!status) {
        t->moment1 = zeroes(model->net.parameter_bytes);
        t->moment2 = zeroes(model->net.parameter_bytes);
        t->batch = calloc(1, sizeof *t->batch);
        if (!t->moment1 || !t->moment2 || !t->batch) status = weir__no_memory(error, "the optimizer");
    }
    if (status) return weir_trainer_close(t), status;
    *trainer = t;
    return WEIR_OK;
}

void weir_trainer_close(weir_trainer *t)
{
    if (!t) return;
    for (int32_t i = 0; i < t->lane_count; i++) weir__gradient_clear(&t->lanes[i]);
    weir__stages_free(t->stages);
    weir_model_close(t->target);
    free(t->target_json);
    free(t->segments);
    free(t->tiles);
    free(t->moment1);
    free(t->moment2);
    free(t->batch);
    free(t->kept);
    free(t->x);
    free(t->log_p);
    free(t->slope);
    free(t);
}

/* ---- steps ---------------------------------------------------------------------------------------------------------------- */

static weir_status check_rows(const weir_step *step, weir_error *error)
{
    for (int64_t i = 0; step->rows && i < step->row_count; i++)
        if (step->rows[i] < 0 || step->rows[i] >= step->x->rows)
            return weir__fail(error, WEIR_INVALID, "step: row %lld of a data set with %lld rows",
                              (long long)step->rows[i] + 1, (long long)step->x->rows);
    return WEIR_OK;
}

static weir_status check_context(const weir_model *m, const weir_step *step, int64_t rows, weir_error *error)
{
    if (!m->context && step->context)
        return weir__fail(error, WEIR_INVALID, "step: context given, but the model takes none");
    if (!m->context) return WEIR_OK;
    if (!step->context)
        return weir__fail(error, WEIR_INVALID, "step: the model needs a context of %d columns",
                          (int)m->context);
    const weir_status status = weir__matrix_check(step->context, m->context, 0, "context", error);
    if (status) return status;
    if (step->context->rows != rows && step->context->rows != 1)
        return weir__fail(error, WEIR_INVALID, "context has %lld rows, the data %lld",
                          (long long)step->context->rows, (long long)rows);
    return WEIR_OK;
}

static weir_status begin(weir__batch *batch, weir_trainer *t, const weir_step *step, weir_error *error)
{
    *batch = (weir__batch){.trainer = t, .step = step};
    weir_status status = WEIR_OK;
    if (step->x) {
        status = weir__matrix_check(step->x, t->model->features, 0, "data", error);
        if (!status) status = check_rows(step, error);
        batch->rows = step->rows ? step->row_count : step->x->rows;
    } else {
        batch->rows = step->samples;
    }
    if (!status) status = check_context(t->model, step, step->x ? step->x->rows : batch->rows, error);
    if (status) return status;
    if (batch->rows < 1) return weir__fail(error, WEIR_INVALID, "step: the batch has no rows");
    batch->total_weight = (double)batch->rows;
    if (!step->x || !step->weights) return WEIR_OK;
    batch->total_weight = 0;
    for (int64_t i = 0; i < batch->rows; i++) {
        const double w = step->weights[step->rows ? step->rows[i] : i];
        if (!(w >= 0) || isinf(w))
            return weir__fail(error, WEIR_INVALID,
                              "step: the weight of row %lld is %g; weights must be finite and >= 0",
                              (long long)(step->rows ? step->rows[i] : i) + 1, w);
        batch->total_weight += w;
    }
    if (batch->total_weight > 0) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "step: all weights of the batch are 0");
}

static weir_status gradient(weir_trainer *t, const weir_step *step, weir_step_result *result,
                            weir_error *error)
{
    weir__batch *const batch = t->batch;
    weir_status status = begin(batch, t, step, error);
    if (!status) {
        pthread_mutex_init(&batch->lock, NULL);
        status = weir__batch_gradient(batch, result, error);
        pthread_mutex_destroy(&batch->lock);
    }
    batch->step = NULL;
    return status;
}

static void deliver(const weir_step_result *from, weir_step_result *to)
{
    const uint32_t size = to->struct_size;
    memcpy(to, from, size < sizeof *from ? size : sizeof *from);
    to->struct_size = size;
}

static weir_status take_step(weir_trainer *t, const weir_step *step, weir_step_result *out, weir_error *error)
{
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    if (!(step->learning_rate >= 0) || isinf(step->learning_rate))
        return weir__fail(error, WEIR_INVALID, "step: learning_rate must be a finite number >= 0");
    const weir_status status = gradient(t, step, &result, error);
    const int taken = !status && isfinite(result.loss) && isfinite(result.gradient_norm);
    weir__stages_settle(t->stages, taken);
    if (status) return status;
    if (!step->x) t->drawn += (uint64_t)step->samples;
    if (taken) {
        const int clipped = t->clip > 0 && result.gradient_norm > t->clip;
        weir__optimize(t, step->learning_rate, clipped ? t->clip / result.gradient_norm : 1);
        result.applied = 1;
    } else if (t->rollback && t->kept) {
        const weir_status back = weir_trainer_restore(t, error);
        if (back) return back;
    }
    deliver(&result, out);
    return WEIR_OK;
}

weir_status weir_trainer_step(weir_trainer *t, const weir_step *step, weir_step_result *out,
                              weir_error *error)
{
    weir__pool *const pool = t->model->runtime->pool;
    weir__pool_hold(pool);
    const weir_status status = take_step(t, step, out, error);
    weir__pool_release(pool);
    return status;
}

weir_status weir_trainer_gradient(weir_trainer *t, const weir_step *step, weir_step_result *out,
                                  double *values, int64_t count, weir_error *error)
{
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    const weir__net *const net = &t->model->net;
    if (count != weir_model_get(t->model, WEIR_MODEL_PARAMETERS))
        return weir__fail(error, WEIR_INVALID, "gradient: room for %lld numbers, the model trains %lld",
                          (long long)count, (long long)weir_model_get(t->model, WEIR_MODEL_PARAMETERS));
    const weir_status status = gradient(t, step, &result, error);
    weir__stages_settle(t->stages, 0);
    if (status) return status;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const tensor = &net->tensors[h];
        const void *const g = t->lanes[0].table[h];
        if (tensor->kind != WEIR__PARAMETER) continue;
        for (int64_t i = 0; i < tensor->count; i++)
            *values++ = !g                           ? 0
                        : net->precision == WEIR_F32 ? (double)((const float *)g)[i]
                                                     : ((const double *)g)[i];
    }
    deliver(&result, out);
    return WEIR_OK;
}

/* ---- snapshots --------------------------------------------------------------------------------------------------------------- */

weir_status weir_trainer_snapshot(weir_trainer *t, weir_error *error)
{
    const weir__net *const net = &t->model->net;
    const int64_t bytes = net->parameter_bytes + net->buffer_bytes + net->integer_bytes;
    if (!t->kept) t->kept = malloc((size_t)bytes + 1);
    if (!t->kept) return weir__no_memory(error, "a snapshot");
    memcpy(t->kept, net->parameters, (size_t)net->parameter_bytes);
    memcpy(t->kept + net->parameter_bytes, net->buffers, (size_t)net->buffer_bytes);
    memcpy(t->kept + net->parameter_bytes + net->buffer_bytes, net->integers, (size_t)net->integer_bytes);
    return WEIR_OK;
}

weir_status weir_trainer_restore(weir_trainer *t, weir_error *error)
{
    weir__net *const net = &t->model->net;
    if (!t->kept) return weir__fail(error, WEIR_INVALID, "there is no snapshot to go back to");
    memcpy(net->parameters, t->kept, (size_t)net->parameter_bytes);
    memcpy(net->buffers, t->kept + net->parameter_bytes, (size_t)net->buffer_bytes);
    memcpy(net->integers, t->kept + net->parameter_bytes + net->buffer_bytes, (size_t)net->integer_bytes);
    net->version++;
    return WEIR_OK;
}
