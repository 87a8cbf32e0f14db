/* checkpoint.c - a model file with the optimizer's state, the snapshot and the caller's loop beside it.
 *
 * Everything that a step depends on is in it: parameters and buffers, moments, the number of steps, samples drawn, seed;
 * a run that goes on from here takes the same steps, bit for bit. */
#include "api/api.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TRAINER "weir_trainer"
#define KEY_LOOP    "weir_loop"
#define KEY_SUM     "weir_trainer_crc32"

typedef struct extra {
    weir__st_tensor *list;
    int64_t count;
    int failed;
} extra;

static void add(extra *e, const weir__st_tensor *like, const char *prefix, const unsigned char *data)
{
    weir__st_tensor *const t = &e->list[e->count];
    char name[600];
    *t = *like;
    snprintf(name, sizeof name, "%s%s", prefix, like->name);
    t->name = strdup(name);
    t->data = data;
    if (!t->name)
        e->failed = 1;
    else
        e->count++;
}

static const unsigned char *kept_data(const weir_trainer *t, const weir__tensor *tensor)
{
    const weir__net *const net = &t->model->net;
    if (tensor->kind == WEIR__PARAMETER) return t->kept + tensor->offset;
    if (!tensor->integer) return t->kept + net->parameter_bytes + tensor->offset;
    return t->kept + net->parameter_bytes + net->buffer_bytes + tensor->offset;
}

/* `own` are the model's tensors in handle order, derived ones left out. */
static void add_state(const weir_trainer *t, const weir__st_tensor *own, extra *e)
{
    const weir__net *const net = &t->model->net;
    int64_t i = 0;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const tensor = &net->tensors[h];
        if (tensor->kind == WEIR__DERIVED) continue;
        if (tensor->kind == WEIR__PARAMETER) {
            add(e, &own[i], "moment1.", t->moment1 + tensor->offset);
            add(e, &own[i], "moment2.", t->moment2 + tensor->offset);
        }
        if (t->kept) add(e, &own[i], "snapshot.", kept_data(t, tensor));
        i++;
    }
}

/* After the model's own tensors, which have a sum already. */
static int add_metadata(const weir_trainer *t, json_t *header, const char *loop,
                        const weir__st_tensor *tensors, int64_t count)
{
    char text[200], sum[16];
    snprintf(text, sizeof text,
             "{\"drawn\":%llu,\"optimizer\":%d,\"seed\":%llu,\"snapshot\":%s,\"steps\":%lld}",
             (unsigned long long)t->drawn, (int)t->optimizer, (unsigned long long)t->seed,
             t->kept ? "true" : "false", (long long)t->steps);
    snprintf(sum, sizeof sum, "%08x", weir__checksum(text, loop ? loop : "", "", tensors, count));
    return json_object_set_new(header, KEY_TRAINER, json_string(text)) ||
           json_object_set_new(header, KEY_SUM, json_string(sum)) ||
           (loop && json_object_set_new(header, KEY_LOOP, json_string(loop)));
}

weir_status weir_trainer_save(const weir_trainer *t, const char *path, const char *loop_json,
                              weir_error *error)
{
    weir__st_tensor *own = NULL;
    int64_t count = 0;
    weir_status status = weir__model_tensors(t->model, &own, &count, error);
    if (status) return status;
    json_t *const header = weir__model_header(t->model, own, count);
    extra e = {.list = calloc((size_t)count * 4 + 1, sizeof *e.list)};
    if (header && e.list) {
        memcpy(e.list, own, (size_t)count * sizeof *own);
        e.count = count;
        add_state(t, own, &e);
    }
    if (!header || !e.list || e.failed || add_metadata(t, header, loop_json, e.list + count, e.count - count))
        status = weir__no_memory(error, "the checkpoint");
    else
        status = weir__st_write(path, header, e.list, e.count, error);
    for (int64_t i = count; i < e.count; i++) free((char *)(uintptr_t)e.list[i].name);
    free(e.list);
    free(own);
    json_decref(header);
    return status;
}

/* ---- resuming ----------------------------------------------------------------------------------------------------------- */

static weir_status check_sum(const char *path, const weir__st_file *file, weir_error *error)
{
    const char *const wanted = weir__st_metadata(file, KEY_SUM), *const loop =
                                                                     weir__st_metadata(file, KEY_LOOP);
    const int64_t total = weir__st_count(file);
    weir__st_tensor *const list = calloc((size_t)total + 1, sizeof *list);
    int64_t count = 0;
    char found[16];
    if (!list) return weir__no_memory(error, "the checkpoint");
    for (int64_t i = 0; i < total; i++) {
        const weir__st_tensor *const t = weir__st_at(file, i);
        if (strncmp(t->name, "flow.", 5) && strncmp(t->name, "base.", 5)) list[count++] = *t;
    }
    snprintf(found, sizeof found, "%08x",
             weir__checksum(weir__st_metadata(file, KEY_TRAINER), loop ? loop : "", "", list, count));
    free(list);
    if (wanted && strcmp(found, wanted) == 0) return weir__model_check_sum(path, file, error);
    return weir__fail(error, WEIR_INVALID,
                      "%s: the checkpoint was altered or damaged (checksum %s, expected %.8s)", path, found,
                      wanted ? wanted : "one");
}

static weir_status moments_fit(const weir_trainer *t, const char *path, const weir__st_file *file,
                               const char *prefix, weir_error *error)
{
    const weir__net *const net = &t->model->net;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const tensor = &net->tensors[h];
        char name[600];
        if (tensor->kind != WEIR__PARAMETER) continue;
        snprintf(name, sizeof name, "%s%s", prefix, tensor->name);
        const weir__st_tensor *const s = weir__st_find(file, name);
        if (!s || s->count != tensor->count ||
            s->dtype != (net->precision == WEIR_F32 ? WEIR_DTYPE_F32 : WEIR_DTYPE_F64))
            return weir__fail(error, WEIR_INVALID, "%s: optimizer state %s is missing or has another shape",
                              path, name);
    }
    return WEIR_OK;
}

static void fill_moments(weir_trainer *t, const weir__st_file *file, const char *prefix, unsigned char *arena)
{
    const weir__net *const net = &t->model->net;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const tensor = &net->tensors[h];
        char name[600];
        if (tensor->kind != WEIR__PARAMETER) continue;
        snprintf(name, sizeof name, "%s%s", prefix, tensor->name);
        memcpy(arena + tensor->offset, weir__st_find(file, name)->data,
               (size_t)tensor->count * (net->precision == WEIR_F32 ? 4u : 8u));
    }
}

static weir_status same_model(const weir_trainer *t, const char *path, const weir__st_file *file,
                              weir_error *error)
{
    const char *const text = weir__st_metadata(file, "weir_model");
    json_t *const theirs = text ? json_loads(text, 0, NULL) : NULL;
    const int same = theirs && json_equal(theirs, t->model->description);
    json_decref(theirs);
    if (same) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "%s: the checkpoint is of another model; give the options it was started with", path);
}

/* All is looked at before anything is changed: a checkpoint that is refused leaves model and trainer as they were. The
 * snapshot goes into the model first, is kept, and then the model's own values follow. */
static weir_status fill(weir_trainer *t, const char *path, const weir__st_file *file, const json_t *state,
                        weir_error *error)
{
    const int with_snapshot = json_is_true(json_object_get(state, "snapshot"));
    weir_status status = weir__model_fits(t->model, path, file, "", error);
    if (!status && with_snapshot) status = weir__model_fits(t->model, path, file, "snapshot.", error);
    if (!status) status = moments_fit(t, path, file, "moment1.", error);
    if (!status) status = moments_fit(t, path, file, "moment2.", error);
    if (!status && with_snapshot) status = weir_trainer_snapshot(t, error); /* makes room for it */
    if (status) return status;
    if (with_snapshot) {
        weir__model_fill(t->model, path, file, "snapshot.", error);
        weir_trainer_snapshot(t, error);
    }
    weir__model_fill(t->model, path, file, "", error);
    fill_moments(t, file, "moment1.", t->moment1);
    fill_moments(t, file, "moment2.", t->moment2);
    t->steps = (int64_t)json_integer_value(json_object_get(state, "steps"));
    t->drawn = (uint64_t)json_integer_value(json_object_get(state, "drawn"));
    return WEIR_OK;
}

weir_status weir_trainer_resume(weir_trainer *t, const char *path, char **loop_json, weir_error *error)
{
    weir__st_file *file = NULL;
    weir_status status = weir__st_read(path, &file, error);
    if (status) return status;
    const char *const text = weir__st_metadata(file, KEY_TRAINER), *const loop =
                                                                       weir__st_metadata(file, KEY_LOOP);
    json_t *const state = text ? json_loads(text, 0, NULL) : NULL;
    if (!json_is_object(state)) status = weir__fail(error, WEIR_INVALID, "%s: not a checkpoint", path);
    if (!status) status = check_sum(path, file, error);
    if (!status) status = same_model(t, path, file, error);
    if (!status && (json_integer_value(json_object_get(state, "optimizer")) != t->optimizer ||
                    (uint64_t)json_integer_value(json_object_get(state, "seed")) != t->seed))
        status = weir__fail(error, WEIR_INVALID, "%s: the checkpoint was made with another optimizer or seed",
                            path);
    char *const copy = status || !loop_json ? NULL : strdup(loop ? loop : "{}");
    if (!status && loop_json && !copy) status = weir__no_memory(error, "the checkpoint");
    if (!status) status = fill(t, path, file, state, error);
    json_decref(state);
    weir__st_free(file);
    if (status)
        free(copy);
    else if (loop_json)
        *loop_json = copy;
    return status;
}
