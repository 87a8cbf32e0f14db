/* surroundings.h - models in f64 built around any module, in whichever space it lives.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_SURROUNDINGS_H
#define WEIR_TEST_SURROUNDINGS_H

#include <jansson.h>

#include "models.h"

#define LU       "{\"type\":\"lu_linear\"}"
#define POSITIVE "{\"type\":\"positive\"}"
#define NORMAL   "{\"type\":\"normal\"}"

/** What stands before and behind the module, and in `back` also its inverse directly behind it. */
typedef struct setting {
    const char *what, *before, *behind;
    int back, circle;
} setting;

/** From those that fit most modules to those that fit few. */
static const setting settings[] = {
    {"the line to the line", LU, LU, 0, 0},
    {"a circle to itself", "", "", 0, 1},
    {"to the line", "", LU, 0, 0},
    {"the line to (0, 1)", LU, "{\"type\":\"logit\"}," LU, 0, 0},
    {"the line to (-1, 1)", LU, "{\"type\":\"bounded\",\"options\":{\"lower\":[-1]}}," LU, 0, 0},
    {"the line to positive numbers", LU, POSITIVE "," LU, 0, 0},
    {"positive numbers to positive numbers",
     LU ",{\"type\":\"inverse\",\"children\":{\"layer\":" POSITIVE "}}", POSITIVE "," LU, 0, 0},
    {"the line to where no density lives, and back", LU, LU, 1, 0},
};
#define SETTINGS (sizeof settings / sizeof *settings)

/** A module with its options and children, and what else its row says: features, context, image. */
typedef struct subject {
    const char *name, *id;
    json_t *node, *row;
} subject;

static inline json_t *parsed(const char *text)
{
    json_error_t e;
    json_t *const value = json_loads(text, 0, &e);
    cr_assert_not_null(value, "%s in %s", e.text, text);
    return value;
}

static inline void append_list(json_t *layers, const char *list)
{
    char *const text = malloc(strlen(list) + 3);
    sprintf(text, "[%s]", list);
    json_t *const more = parsed(text);
    json_array_extend(layers, more);
    json_decref(more);
    free(text);
}

static inline json_t *inverse_of(const subject *s)
{
    json_t *const inverse = json_pack("{s:s,s:{s:O}}", "type", "inverse", "children", "layer", s->node);
    json_t *const features = json_object_get(s->row, "features");
    if (features) json_object_set_new(inverse, "options", json_pack("{s:O}", "features", features));
    return inverse;
}

static inline double end_of(const subject *s, const char *which, double otherwise)
{
    const json_t *const end = json_object_get(json_object_get(s->row, "options"), which);
    return json_is_number(end) ? json_number_value(end) : otherwise;
}

/** Something on the circle to learn: beside a uniform base alone no rotation could be told from another. */
static inline void append_circular(json_t *layers, const subject *s)
{
    json_array_append_new(layers,
                          json_pack("{s:s,s:{s:{s:s,s:{s:f,s:f}}}}", "type", "elementwise", "children",
                                    "univariate", "type", "circular_spline", "options", "lower",
                                    end_of(s, "lower", -M_PI), "upper", end_of(s, "upper", M_PI)));
}

static inline json_t *base_of(const setting *where, const subject *s)
{
    if (!where->circle) return parsed(NORMAL);
    return json_pack("{s:s,s:{s:f,s:f}}", "type", "uniform", "options", "lower", end_of(s, "lower", -M_PI),
                     "upper", end_of(s, "upper", M_PI));
}

static inline int64_t features_of(const subject *s)
{
    const json_t *const image = json_object_get(s->row, "image"), *const own =
                                                                      json_object_get(s->row, "features");
    int64_t n = 1;
    for (size_t i = 0; i < json_array_size(image); i++) n *= json_integer_value(json_array_get(image, i));
    return image ? n : own ? json_integer_value(own) : 3;
}

/* Caller frees. */
static inline char *model_of(const setting *where, const subject *s)
{
    json_t *const layers = json_array();
    append_list(layers, where->before);
    if (where->circle) append_circular(layers, s);
    json_array_append(layers, s->node);
    if (where->back) json_array_append_new(layers, inverse_of(s));
    append_list(layers, where->behind);
    if (where->circle) append_circular(layers, s);
    json_t *const model = json_pack("{s:s,s:I,s:I,s:o,s:{s:s,s:{s:o}}}", "dtype", "f64", "features",
                                    (json_int_t)features_of(s), "seed", (json_int_t)3, "base",
                                    base_of(where, s), "flow", "type", "chain", "children", "layers", layers);
    static const char *const passed_on[] = {"context", "image"};
    for (int i = 0; i < 2; i++)
        if (json_object_get(s->row, passed_on[i]))
            json_object_set(model, passed_on[i], json_object_get(s->row, passed_on[i]));
    char *const text = json_dumps(model, JSON_REAL_PRECISION(17));
    json_decref(model);
    return text;
}

#endif
