/* scenes.h - a small model for each row of the conformance suite: the module stands where its kind does in a flow.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_FUZZ_SCENES_H
#define WEIR_FUZZ_SCENES_H

#include "installed.h"

#include <jansson.h>

typedef struct scene {
    const char *id, *options; /* as the row says them */
} scene;

static const scene scenes[] = {
#define MODULE(name, id, options) {id, options},
#define FIXTURE(name)
#define BROKEN(name, check)
#define BROKEN_AS(name, fixture, check, options)
#define BROKEN_MODULE(name, id, check, options)
#include "../conformance/rows.h"
#undef MODULE
#undef FIXTURE
#undef BROKEN
#undef BROKEN_AS
};
#define SCENES (sizeof scenes / sizeof scenes[0])

/** {id: kind} of everything that is installed. Lives as long as the process. */
static inline json_t *installed_kinds(void)
{
    static json_t *kinds;
    char *text = NULL;
    size_t i;
    json_t *module;
    if (kinds) return kinds;
    if (weir_modules(installed(), NULL, &text, NULL)) abort();
    json_t *const list = json_loads(text, 0, NULL);
    weir_free(text);
    kinds = json_object();
    json_array_foreach(list, i, module) json_object_set(
        kinds, json_string_value(json_object_get(module, "id")), json_object_get(module, "kind"));
    json_decref(list);
    return kinds;
}

/** The description of a flow around a node of that kind, over `parent` where networks and univariates need one. Takes node. */
static inline json_t *flow_around(json_t *node, const char *kind, const char *parent)
{
    if (strcmp(kind, "layer") == 0) return node;
    return json_pack("{s:s, s:{s:o}}", "type", parent, "children", kind, node);
}

/** A model description: what `given` says of features, context and image, the node in its place, and a base. Takes node. */
static inline json_t *description_of(json_t *node, const char *kind, const char *parent, json_t *base,
                                     const json_t *given)
{
    static const char *const keys[] = {"features", "context", "image"};
    json_t *const root = json_pack("{s:i}", "features", 4);
    if (strcmp(kind, "density") == 0) {
        json_object_set_new(root, "base", node);
    } else {
        json_object_set_new(root, "flow", flow_around(node, kind, parent));
        json_object_set(root, "base", base);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(given, keys[i])) json_object_set(root, keys[i], json_object_get(given, keys[i]));
    if (!json_object_get(given, "image")) return root;
    json_int_t features = 1;
    for (size_t i = 0; i < 3; i++)
        features *= json_integer_value(json_array_get(json_object_get(given, "image"), i));
    json_object_set_new(root, "features", json_integer(features));
    return root;
}

static inline weir_model *build_json(json_t *root)
{
    char *const text = json_dumps(root, 0);
    weir_model *model = NULL;
    json_decref(root);
    if (text && weir_model_build(installed(), text, -1, &model, NULL)) model = NULL;
    free(text);
    return model;
}

/** Bases to try: every density as it is, and uniform ones for circles. Lives as long as the process. */
static inline json_t *bases(void)
{
    static json_t *list;
    const char *id;
    json_t *kind;
    if (list) return list;
    list = json_loads(
        "[{\"type\": \"uniform\", \"options\": {\"lower\": -3.141592653589793, \"upper\": "
        "3.141592653589793}}, {\"type\": \"uniform\", \"options\": {\"lower\": 0, \"upper\": 360}}, "
        "{\"type\": \"uniform\", \"options\": {\"lower\": 0, \"upper\": 24}}]",
        0, NULL);
    json_object_foreach(installed_kinds(), id, kind) if (strcmp(json_string_value(kind), "density") == 0)
        json_array_append_new(list, json_pack("{s:s}", "type", id));
    return list;
}

/** The model of a row at so many features, unless it says how many. */
static inline weir_model *model_at(const scene *s, const char *dtype, int features)
{
    static const char *const parents[] = {"elementwise", "coupling", "autoregressive"};
    json_t *const given = json_loads(s->options ? s->options : "{}", 0, NULL);
    const char *const kind = json_string_value(json_object_get(installed_kinds(), s->id));
    weir_model *model = NULL;
    if (!kind) abort();
    if (!json_object_get(given, "features")) json_object_set_new(given, "features", json_integer(features));
    for (size_t k = 0; k < json_array_size(bases()) && !model; k++)
        for (size_t p = 0; p < sizeof parents / sizeof *parents && !model; p++) {
            json_t *const node =
                json_pack("{s:s, s:O*, s:O*}", "type", s->id, "options", json_object_get(given, "options"),
                          "children", json_object_get(given, "children"));
            json_t *const root = description_of(node, kind, parents[p], json_array_get(bases(), k), given);
            json_object_set_new(root, "dtype", json_string(dtype));
            model = build_json(root);
        }
    json_decref(given);
    return model;
}

/** The model of a row; NULL when no parent and no base suits it. */
static inline weir_model *scene_model(const scene *s, const char *dtype)
{
    weir_model *const model = model_at(s, dtype, 4);
    return model ? model : model_at(s, dtype, 3);
}

#endif
