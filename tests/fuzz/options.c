/* options.c - libFuzzer on options as JSON: the first line names a module, or a trainer, and the rest is what it is given.
 *
 * SPDX-License-Identifier: MIT
 */
#include "scenes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NUMBERS_MOST 100000

static void train_with(const uint8_t *text, size_t size)
{
    static weir_model *model;
    const char *const plain =
        "{\"features\":2,\"base\":{\"type\":\"normal\",\"options\":{\"trainable\":true}}}";
    weir_trainer *trainer = NULL;
    if (!model && weir_model_build(installed(), plain, -1, &model, NULL)) abort();
    char *const settings = strndup((const char *)text, size);
    if (settings && !weir_trainer_create(model, settings, &trainer, NULL)) {
        double rows[] = {1, 2, 3, 5};
        const weir_matrix x = matrix_of(rows, 2, 2);
        const weir_step step = {.struct_size = (uint32_t)sizeof step, .learning_rate = 0.1, .x = &x};
        weir_step_result result = {.struct_size = (uint32_t)sizeof result};
        weir_trainer_step(trainer, &step, &result, NULL);
        weir_trainer_close(trainer);
    }
    free(settings);
}

/* The first row of this module tells how many features it wants. */
static json_t *setting_of(const char *id)
{
    for (size_t i = 0; i < SCENES; i++)
        if (strcmp(scenes[i].id, id) == 0 && scenes[i].options) return json_loads(scenes[i].options, 0, NULL);
    return json_object();
}

static void build_with(const char *id, json_t *options)
{
    const char *const kind = json_string_value(json_object_get(installed_kinds(), id));
    weir_model *model = NULL;
    if (!kind) return;
    json_t *const given = setting_of(id);
    json_t *const node = json_pack("{s:s, s:O, s:O*}", "type", id, "options", options, "children",
                                   json_object_get(given, "children"));
    const char *const parent = strcmp(kind, "network") == 0 ? "coupling" : "elementwise";
    json_t *const base = json_pack("{s:s}", "type", "normal");
    model = build_json(description_of(node, kind, parent, base, given));
    json_decref(base);
    json_decref(given);
    if (!model) return;
    bytes none = {NULL, NULL};
    if (weir_model_get(model, WEIR_MODEL_PARAMETERS) <= NUMBERS_MOST) put_to_use(model, &none);
    weir_model_close(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char id[64];
    const uint8_t *const end = memchr(data, '\n', size < sizeof id ? size : sizeof id);
    if (!end) return 0;
    memcpy(id, data, (size_t)(end - data));
    id[end - data] = 0;
    const size_t rest = (size_t)(data + size - end - 1);
    if (strcmp(id, "trainer") == 0) return train_with(end + 1, rest), 0;
    json_t *const options =
        json_loadb((const char *)end + 1, rest, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (options) build_with(id, options);
    json_decref(options);
    return 0;
}
