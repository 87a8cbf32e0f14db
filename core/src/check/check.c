/* check.c - weir_check: which modules, in which settings, and the one loop over the table of promises.
 *
 * Layers, univariates and densities are checked with and without context and at one, three and four features, densities at
 * two as well; networks with no input too, and as autoregressive ones where they offer that. A setting that the module
 * refuses is left out, as long as one remains.
 */
#include "check/guard.h"
#include "check/open.h"
#include "check/report.h"
#include "plugin/names.h"
#include "run/model.h"

#include <stdlib.h>
#include <string.h>

static const weir__setting vector_settings[] = {
    {.features = 3}, {.features = 4, .context = 2}, {.features = 1, .context = 2}, {.features = 1}};
/* Two features too, where quadrature tells whether a density and its sampler agree on how features depend. */
static const weir__setting density_settings[] = {{.features = 3},
                                                 {.features = 4, .context = 2},
                                                 {.features = 1, .context = 2},
                                                 {.features = 1},
                                                 {.features = 2}};
static const weir__setting network_settings[] = {
    {.features = 3, .out = 5},
    {.features = 4, .context = 2, .out = 6},
    {.features = 0, .context = 2, .out = 4},
    {.features = 0, .out = 4},
    {.features = 3, .out = 6, .autoregressive = 2},
    {.features = 4, .context = 2, .out = 12, .autoregressive = 3},
    {.features = 1, .context = 2, .out = 2, .autoregressive = 2},
};

#define MOST_SETTINGS 7

/* What the caller asked for. */
typedef struct demand {
    json_t *object;                  /* the whole of options_json */
    int64_t features, context, seed; /* features, context: -1 when not given */
    int32_t points;
    int32_t image[3]; /* all 0: none */
} demand;

/* ---- one module ---- */

/* Limits are those of f64. A module that has f32 only, with the host converting around it, cannot meet them. */
static double limit_for(const weir__promise *promise, const weir__subject *subject)
{
    const double coarse = 1e-3;
    const int narrow = subject->module->precision == WEIR_F32;
    return narrow && promise->limit > 0 && promise->limit < coarse ? coarse : promise->limit;
}

static void apply(weir__report *report, const weir__promise *promise, weir__subject *subject,
                  const weir__map *map)
{
    weir__verdict verdict = {.limit = limit_for(promise, subject)};
    weir__guard_note(promise->name);
    promise->check(subject, map, &verdict);
    weir__calls_release(subject);
    weir__report_add(report, promise, map, subject, &verdict);
}

static void apply_to_maps(weir__report *report, const weir__promise *promise, weir__subject *subject)
{
    for (int32_t i = 0; i < subject->map_count; i++)
        if (promise->scope == WEIR__PER_MAP || subject->maps[i].vjp)
            apply(report, promise, subject, &subject->maps[i]);
}

/* `scopes`: a bit for each weir__scope that is wanted now. */
static void apply_all(weir__report *report, weir__subject *subject, uint32_t scopes)
{
    for (int32_t i = 0; i < weir__promise_count; i++) {
        const weir__promise *const promise = &weir__promises[i];
        if (!(scopes >> promise->scope & 1) || !(promise->kinds & WEIR__KIND(subject->child->kind))) continue;
        if (promise->scope == WEIR__PER_MAP || promise->scope == WEIR__PER_VJP)
            apply_to_maps(report, promise, subject);
        else
            apply(report, promise, subject, NULL);
    }
}

static weir_status check_setting(weir__report *report, const weir__candidate *candidate,
                                 const weir__setting *setting, int first, weir_error *error)
{
    const uint32_t tiles = 1u << WEIR__PER_SUBJECT | 1u << WEIR__PER_MAP | 1u << WEIR__PER_VJP;
    weir__subject subject;
    const weir_status status = weir__subject_open(&subject, candidate, setting, WEIR_F64, error);
    if (status != WEIR_OK) return status;
    if (first) apply_all(report, &subject, 1u << WEIR__PER_MODULE);
    apply_all(report, &subject, tiles);
    if (weir__subject_train(&subject, error) == WEIR_OK)
        apply_all(report, &subject, tiles);
    else
        weir__report_failure(report, &weir__promises[0], error->message);
    weir__subject_close(&subject);
    return WEIR_OK;
}

static int32_t settings_for(int32_t kind, const demand *wanted, weir__setting *settings)
{
    const weir__setting *const usual = kind == WEIR_NETWORK   ? network_settings
                                       : kind == WEIR_DENSITY ? density_settings
                                                              : vector_settings;
    const size_t bytes = kind == WEIR_NETWORK   ? sizeof network_settings
                         : kind == WEIR_DENSITY ? sizeof density_settings
                                                : sizeof vector_settings;
    const int32_t count = (int32_t)(bytes / sizeof *usual);
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        weir__setting s = usual[i];
        if (wanted->features >= 0) s.features = (int32_t)wanted->features;
        if (wanted->context >= 0) s.context = (int32_t)wanted->context;
        if (s.autoregressive) s.out = s.features * s.autoregressive;
        int known = 0;
        for (int32_t j = 0; j < kept; j++) known |= memcmp(&settings[j], &s, sizeof s) == 0;
        if (!known) settings[kept++] = s;
    }
    return kept;
}

/* INVALID when no setting suits; the reason is that of the first. */
static weir_status check_module(const weir__candidate *candidate, int32_t kind, const demand *wanted,
                                weir__report *report, weir_error *error)
{
    weir__setting settings[MOST_SETTINGS];
    const int32_t count = settings_for(kind, wanted, settings);
    weir_error first_error = {.status = WEIR_OK};
    int32_t served = 0;
    for (int32_t i = 0; i < count; i++) {
        weir_error refusal;
        const weir_status status = check_setting(report, candidate, &settings[i], served == 0, &refusal);
        if (status == WEIR_OK) served++;
        if (status != WEIR_OK && first_error.status == WEIR_OK) first_error = refusal;
    }
    if (served) return WEIR_OK;
    if (error) *error = first_error;
    return first_error.status;
}

/* ---- the request ---- */

static weir_status read_integer(const json_t *object, const char *key, int64_t least, int64_t most,
                                int64_t otherwise, int64_t *value, weir_error *error)
{
    const json_t *const given = json_object_get(object, key);
    *value = otherwise;
    if (!given) return WEIR_OK;
    if (!json_is_integer(given) || json_integer_value(given) < least || json_integer_value(given) > most)
        return weir__fail(error, WEIR_INVALID, "check: \"%s\" must be an integer from %lld to %lld", key,
                          (long long)least, (long long)most);
    *value = json_integer_value(given);
    return WEIR_OK;
}

static weir_status read_points(const json_t *object, int32_t *points, weir_error *error)
{
    static const char *const names[] = {"line", "unit", "integers"};
    const json_t *const given = json_object_get(object, "points");
    *points = WEIR__POINTS_LINE;
    if (!given) return WEIR_OK;
    for (int32_t i = 0; i < 3; i++)
        if (json_is_string(given) && strcmp(json_string_value(given), names[i]) == 0) {
            *points = i;
            return WEIR_OK;
        }
    return weir__fail(error, WEIR_INVALID, "check: \"points\" must be \"line\", \"unit\" or \"integers\"");
}

/* The sides say the number of features too. */
static weir_status read_image(demand *wanted, weir_error *error)
{
    const json_t *const given = json_object_get(wanted->object, "image");
    int64_t product = 1;
    if (!given) return WEIR_OK;
    for (size_t i = 0; i < 3; i++) {
        const json_t *const side = json_array_get(given, i);
        const int64_t value = json_is_integer(side) ? (int64_t)json_integer_value(side) : 0;
        wanted->image[i] = value >= 1 && value <= 64 ? (int32_t)value : 0;
        product *= wanted->image[i];
    }
    if (json_array_size(given) != 3 || product < 1 || product > 64)
        return weir__fail(error, WEIR_INVALID,
                          "check: \"image\" must be [channels, height, width] with a product up to 64");
    if (wanted->features >= 0 && wanted->features != product)
        return weir__fail(error, WEIR_INVALID, "check: the image has %lld features, \"features\" says %lld",
                          (long long)product, (long long)wanted->features);
    wanted->features = product;
    return WEIR_OK;
}

static weir_status check_keys(json_t *object, weir_error *error)
{
    static const char *const known[] = {"options", "children", "features", "context",
                                        "image",   "seed",     "points"};
    const int64_t count = (int64_t)(sizeof known / sizeof known[0]);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        int found = 0;
        for (int64_t i = 0; i < count; i++) found |= strcmp(key, known[i]) == 0;
        if (found) continue;
        const char *const near = weir__nearest(key, known, count);
        return weir__fail(error, WEIR_INVALID, "check: unknown key \"%s\"%s%s%s", key,
                          near ? "; do you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return WEIR_OK;
}

static weir_status read_wanted(const char *options_json, demand *wanted, weir_error *error)
{
    json_error_t fault;
    wanted->object = options_json ? json_loads(options_json, JSON_REJECT_DUPLICATES, &fault) : json_object();
    if (!wanted->object)
        return options_json
                   ? weir__fail(error, WEIR_INVALID, "check: the options are no JSON object: %s", fault.text)
                   : weir__no_memory(error, "options");
    if (!json_is_object(wanted->object))
        return weir__fail(error, WEIR_INVALID, "check: the options must be a JSON object");
    weir_status status = check_keys(wanted->object, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "features", 0, 64, -1, &wanted->features, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "context", 0, 64, -1, &wanted->context, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "seed", 0, INT64_MAX, 1, &wanted->seed, error);
    if (status == WEIR_OK) status = read_image(wanted, error);
    return status == WEIR_OK ? read_points(wanted->object, &wanted->points, error) : status;
}

static json_t *node_of(const char *id, const demand *wanted)
{
    json_t *const node = json_object();
    json_t *const options = json_object_get(wanted->object, "options");
    json_t *const children = json_object_get(wanted->object, "children");
    json_object_set_new(node, "type", json_string(id));
    if (options) json_object_set(node, "options", options);
    if (children) json_object_set(node, "children", children);
    return node;
}

/* ---- weir_check ---- */

/* kind 0: not known beforehand (one of the host's containers, which are layers). */
static weir_status check_entry(weir_runtime *runtime, const char *id, const weir__entry *entry,
                               const demand *wanted, json_t *list, int32_t *ok, weir_error *error)
{
    json_t *const node = node_of(id, wanted);
    weir__report report = {.ok = 1};
    weir__candidate candidate = {.runtime = runtime,
                                 .node = node,
                                 .entry = entry,
                                 .seed = (uint64_t)wanted->seed,
                                 .points = wanted->points};
    memcpy(candidate.image, wanted->image, sizeof candidate.image);
    weir_status status = check_module(&candidate, entry ? entry->kind : WEIR_LAYER, wanted, &report, error);
    if (status == WEIR_OK && report.exhausted) status = weir__no_memory(error, "the report");
    if (status == WEIR_OK) {
        json_array_append_new(list,
                              json_pack("{s:s, s:o}", "module", id, "checks", weir__report_json(&report)));
        *ok &= report.ok;
    }
    weir__report_clear(&report);
    json_decref(node);
    return status;
}

static int is_file(const char *id_or_file)
{
    const size_t length = strlen(id_or_file);
    return strchr(id_or_file, '/') || (length > 3 && strcmp(id_or_file + length - 3, ".so") == 0);
}

static weir_status check_file(weir_runtime *runtime, const char *path, const demand *wanted, json_t *list,
                              int32_t *ok, weir_error *error)
{
    const weir__entry *const *entries;
    int64_t count;
    weir_status status = weir__registry_load_file(runtime->registry, path, &entries, &count, error);
    for (int64_t i = 0; status == WEIR_OK && i < count; i++) {
        status = check_entry(runtime, entries[i]->id, entries[i], wanted, list, ok, error);
        if (status != WEIR_OK) weir__fail_in(error, "check %s", entries[i]->id);
    }
    return status;
}

static weir_status check_id(weir_runtime *runtime, const char *id, const demand *wanted, json_t *list,
                            int32_t *ok, weir_error *error)
{
    const weir__entry *entry = NULL;
    weir_status status = WEIR_OK;
    if (!weir__is_reserved_id(id)) status = weir__registry_find(runtime->registry, id, &entry, error);
    if (status == WEIR_OK) status = check_entry(runtime, id, entry, wanted, list, ok, error);
    return status == WEIR_OK ? WEIR_OK : weir__fail_in(error, "check %s", id);
}

weir_status weir_check(weir_runtime *runtime, const char *id_or_file, const char *options_json, char **json,
                       int32_t *ok, weir_error *error)
{
    demand wanted = {.object = NULL};
    int32_t all_ok = 1;
    if (!runtime || !id_or_file || !json || !ok)
        return weir__fail(error, WEIR_INVALID, "check: runtime, module, json and ok must not be NULL");
    json_t *const list = json_array();
    weir_status status =
        list ? read_wanted(options_json, &wanted, error) : weir__no_memory(error, "the report");
    weir__guard_enter(id_or_file);
    if (status == WEIR_OK)
        status = is_file(id_or_file) ? check_file(runtime, id_or_file, &wanted, list, &all_ok, error)
                                     : check_id(runtime, id_or_file, &wanted, list, &all_ok, error);
    weir__guard_leave();
    char *const text = status == WEIR_OK ? json_dumps(list, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    if (status == WEIR_OK && !text) status = weir__no_memory(error, "the report");
    if (status == WEIR_OK) {
        *json = text;
        *ok = all_ok;
    }
    json_decref(list);
    json_decref(wanted.object);
    return status;
}
