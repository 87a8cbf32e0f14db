/* tree.c - libFuzzer on trees of modules: bytes choose modules, options in and out of their ranges, children that fit and
 * children that do not. What is built is used. Text of JSON, and what is wrong with it, is model.c's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "installed.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH_MOST   5
#define NUMBERS_MOST 100000

/* Modules by kind, as weir_modules describes them. */
static json_t *catalogue(void)
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
    json_array_foreach(list, i, module)
    {
        const char *const kind = json_string_value(json_object_get(module, "kind"));
        if (!json_object_get(kinds, kind)) json_object_set_new(kinds, kind, json_array());
        json_array_append(json_object_get(kinds, kind), module);
    }
    json_decref(list);
    return kinds;
}

static double chosen_number(bytes *b, double low, double high)
{
    const double few[] = {low,   high, low - 1, high + 1, 2 * high, (low + high) / 2,   0, 1,  2,
                          3,     4,    -1,      0.5,      1e-300,   9007199254740992.0, 7, 16, 1e300,
                          65536, 5};
    const double value = few[next_byte(b) % (sizeof few / sizeof *few)];
    return isfinite(value) ? value : 0;
}

static json_t *whole_or_real(double value)
{
    return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *chosen_value(bytes *b, const json_t *option)
{
    const char *const type = json_string_value(json_object_get(option, "type"));
    const json_t *const choices = json_object_get(option, "choices");
    const json_t *const low = json_object_get(option, "minimum"), *const high =
                                                                      json_object_get(option, "maximum");
    const double least = json_is_number(low) ? json_number_value(low) : -4;
    const double most = json_is_number(high) ? json_number_value(high) : 8;
    const unsigned how = next_byte(b) % 16;
    if (how == 15) return json_object();
    if (how == 14) return json_string("none such");
    if (strcmp(type, "boolean") == 0) return json_boolean(how & 1);
    if (json_array_size(choices)) return json_incref(json_array_get(choices, how % json_array_size(choices)));
    if (strcmp(type, "string") == 0) return json_string(how & 1 ? "affine.lua" : "shear.lua");
    if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
        return whole_or_real(chosen_number(b, least, most));
    json_t *const list = json_array();
    for (unsigned i = 0; i < how % 6; i++)
        json_array_append_new(list, whole_or_real(chosen_number(b, least, most)));
    return list;
}

static json_t *chosen_node(bytes *b, const char *kind, int depth);

static json_t *chosen_children(bytes *b, const json_t *slot, int depth)
{
    const char *const kind = json_string_value(json_object_get(slot, "kind"));
    json_t *const list = json_array();
    for (unsigned i = 0, count = 1 + next_byte(b) % 3; i < count; i++)
        json_array_append_new(list, chosen_node(b, kind, depth - 1));
    if (json_array_size(list) > 1) return list;
    json_t *const only = json_incref(json_array_get(list, 0));
    json_decref(list);
    return only;
}

static json_t *chosen_node(bytes *b, const char *kind, int depth)
{
    const json_t *const fitting = json_object_get(catalogue(), kind);
    const json_t *const module = json_array_get(fitting, next_byte(b) % json_array_size(fitting));
    json_t *const options = json_object(), *const children = json_object(), *entry;
    size_t i;
    json_array_foreach(json_object_get(module, "options"), i, entry) if (next_byte(b) % 3 == 1)
        json_object_set_new(options, json_string_value(json_object_get(entry, "name")),
                            chosen_value(b, entry));
    json_array_foreach(json_object_get(module, "children"), i, entry) if (depth > 0 && next_byte(b) % 2 == 0)
        json_object_set_new(children, json_string_value(json_object_get(entry, "name")),
                            chosen_children(b, entry, depth));
    json_t *const node = json_pack("{s:O, s:o, s:o}", "type", json_object_get(module, "id"), "options",
                                   options, "children", children);
    const unsigned more = next_byte(b) % 16;
    if (more == 1) json_object_set_new(node, "share", json_string("a"));
    if (more == 2) json_object_set_new(node, "frozen", json_true());
    return node;
}

static json_t *chosen_image(json_t *root, bytes *b)
{
    json_t *const image = json_array();
    json_int_t product = 1;
    for (int i = 0; i < 3; i++) {
        const json_int_t side = 1 + next_byte(b) % 4;
        product *= side;
        json_array_append_new(image, json_integer(side));
    }
    json_object_set_new(root, "features", json_integer(product));
    return image;
}

static json_t *chosen_model(bytes *b)
{
    const unsigned bits = next_byte(b);
    json_t *const root = json_pack("{s:i, s:i, s:s}", "features", (int)(1 + next_byte(b) % 9), "context",
                                   bits & 1 ? (int)(next_byte(b) % 4) : 0, "dtype", bits & 2 ? "f64" : "f32");
    if (bits & 4) json_object_set_new(root, "image", chosen_image(root, b));
    json_object_set_new(root, "base", chosen_node(b, "density", bits & 8 ? DEPTH_MOST : 1));
    json_object_set_new(root, "flow", chosen_node(b, "layer", DEPTH_MOST));
    return root;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes b = {data, data + size};
    json_t *const root = chosen_model(&b);
    char *const text = json_dumps(root, 0);
    weir_model *model = NULL;
    weir_error error = {.message = ""};
    json_decref(root);
    if (!text) return 0;
    if (getenv("WEIR_FUZZ_SHOW")) fprintf(stderr, "%s\n", text);
    const weir_status status = weir_model_build(installed(), text, -1, &model, &error);
    free(text);
    if (getenv("WEIR_FUZZ_SHOW")) fprintf(stderr, "%s\n", error.message);
    if (status) {
        MUST(error.message[0] && !strpbrk(error.message, "\n\r"));
        return 0;
    }
    if (weir_model_get(model, WEIR_MODEL_PARAMETERS) <= NUMBERS_MOST) put_to_use(model, &b);
    weir_model_close(model);
    return 0;
}
