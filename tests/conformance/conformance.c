/* conformance.c - runs `weir check` over the rows of rows.h: conformance ROW [LEVEL [SEED]].
 *
 * SPDX-License-Identifier: MIT
 *
 * A MODULE or FIXTURE row passes when every promise holds, a BROKEN row when the named check, and the report as a whole,
 * say no. Two rows are the driver's own: `every_module` (whatever is installed has a row) and `requests` (bad requests
 * are refused with a reason).
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

typedef struct subject {
    const char *name, *id, *options, *must_fail;
} subject;

static const subject rows[] = {
#define MODULE(name, id, options) {#name, id, options, NULL},
#define FIXTURE(name)             {#name, WEIR_TEST_FIXTURES "/" #name ".so", NULL, NULL},
#define BROKEN(name, check)       {#name, WEIR_TEST_FIXTURES "/" #name ".so", NULL, check},
#define BROKEN_AS(name, fixture, check, options)                                                             \
    {#name, WEIR_TEST_FIXTURES "/" #fixture ".so", options, check},
#define BROKEN_MODULE(name, id, check, options) {#name, id, options, check},
#include "rows.h"
#undef BROKEN_MODULE
#undef MODULE
#undef FIXTURE
#undef BROKEN
#undef BROKEN_AS
};
#define ROWS (sizeof rows / sizeof rows[0])

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

static void print_check(const json_t *check)
{
    const json_t *const figure = json_object_get(check, "figure");
    printf("  %-6s %-32s rule %-3s ", json_is_true(json_object_get(check, "ok")) ? "ok" : "BROKEN",
           json_string_value(json_object_get(check, "name")),
           json_string_value(json_object_get(check, "rule")));
    if (json_is_number(figure))
        printf("%9.2g", json_number_value(figure));
    else
        printf("%9s", "-");
    printf(" of %-7g %s\n", json_number_value(json_object_get(check, "limit")),
           json_string_value(json_object_get(check, "note")));
}

/* Prints the report. How many checks there are, how many failed, and whether `name` is among those. */
static void survey(const json_t *report, const char *name, int *count, int *failed, int *found)
{
    size_t i, j;
    json_t *module, *check;
    *count = *failed = *found = 0;
    json_array_foreach(report, i, module)
    {
        printf("%s\n", json_string_value(json_object_get(module, "module")));
        json_array_foreach(json_object_get(module, "checks"), j, check)
        {
            const int ok = json_is_true(json_object_get(check, "ok"));
            print_check(check);
            ++*count;
            *failed += !ok;
            *found |= !ok && name && strcmp(json_string_value(json_object_get(check, "name")), name) == 0;
        }
    }
}

static int judge(const subject *row, const json_t *report, int32_t ok)
{
    int count, failed, found;
    survey(report, row->must_fail, &count, &failed, &found);
    printf("%d checks, %d failed\n", count, failed);
    const int few =
        row->must_fail && !strchr(row->must_fail, '.') && count == failed; /* it does not even load */
    if (count < 15 && !few) return complain(row->name, "hardly anything was checked");
    if (ok != (failed == 0)) return complain(row->name, "the verdict is not that of the checks");
    if (!row->must_fail) return failed ? complain(row->name, "a promise is broken") : 0;
    return found ? 0 : complain(row->must_fail, "did not find what is broken");
}

/* The row's options with another seed or level. Caller frees. */
static char *changed(const char *options, const char *seed, const char *level)
{
    json_t *const object = options ? json_loads(options, 0, NULL) : json_object();
    if (seed) json_object_set_new(object, "seed", json_integer(atoll(seed)));
    if (level) json_object_set_new(object, "level", json_string(level));
    char *const text = json_dumps(object, 0);
    json_decref(object);
    return text;
}

static int run_row(weir_runtime *runtime, const subject *row, const char *seed, const char *level)
{
    char *text = NULL, *const options = changed(row->options, seed, level);
    int32_t ok = -1;
    weir_error error;
    const weir_status status = weir_check(runtime, row->id, options, &text, &ok, &error);
    free(options);
    if (status != WEIR_OK) return complain(row->name, error.message);
    json_t *const report = json_loads(text, 0, NULL);
    weir_free(text);
    const int failed = json_is_array(report) ? judge(row, report, ok) : complain(row->name, "no JSON list");
    json_decref(report);
    return failed;
}

/* ---- the driver's own rows ---- */

static int has_row(const char *id)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].id, id) == 0) return 1;
    return 0;
}

static int every_module(weir_runtime *runtime)
{
    char *text = NULL;
    weir_error error;
    int wrong = 0;
    size_t i;
    json_t *module;
    if (weir_modules(runtime, NULL, &text, &error) != WEIR_OK) return complain("weir_modules", error.message);
    json_t *const list = json_loads(text, 0, NULL);
    weir_free(text);
    if (json_array_size(list) < 10) wrong = complain("weir_modules", "hardly any module is installed");
    json_array_foreach(list, i, module)
    {
        const char *const id = json_string_value(json_object_get(module, "id"));
        if (!id || !has_row(id)) wrong = complain(id ? id : "?", "is installed and has no row in rows.h");
    }
    json_decref(list);
    return wrong;
}

static int refused(weir_runtime *runtime, const char *id, const char *options, const char *says)
{
    char *text = NULL;
    int32_t ok = -1;
    weir_error error = {.message = ""};
    const weir_status status = weir_check(runtime, id, options, &text, &ok, &error);
    if (status == WEIR_OK) {
        weir_free(text);
        return complain(options ? options : id, "is not refused");
    }
    if (text || ok != -1) return complain(id, "the out arguments are written on failure");
    if (!strstr(error.message, says) || strchr(error.message, '\n')) return complain(error.message, says);
    return 0;
}

static int requests(weir_runtime *runtime)
{
    return refused(runtime, "affin", NULL, "affine") | refused(runtime, "affine", "{", "JSON") |
           refused(runtime, "affine", "[]", "object") |
           refused(runtime, "affine", "{\"optoins\": {}}", "\"options\"") |
           refused(runtime, "affine", "{\"features\": 0.5}", "features") |
           refused(runtime, "affine", "{\"features\": 1000000}", "features") |
           refused(runtime, "affine", "{\"points\": \"odd\"}", "points") |
           refused(runtime, "coupling", "{\"image\": [1, 4]}", "[channels, height, width]") |
           refused(runtime, "coupling", "{\"image\": [1, 2, 2], \"features\": 5}", "the image has 4") |
           refused(runtime, "coupling", "{\"options\": {\"mask\": \"top\"}}", "image") |
           refused(runtime, "affine", "{\"options\": {\"bound\": -1}}", "bound") |
           refused(runtime, WEIR_TEST_FIXTURES "/not_there.so", NULL, "not_there.so");
}

static int run(weir_runtime *runtime, const char *name, const char *seed, const char *level)
{
    if (strcmp(name, "every_module") == 0) return every_module(runtime);
    if (strcmp(name, "requests") == 0) return requests(runtime);
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0) return run_row(runtime, &rows[i], seed, level);
    return complain(name, "no such row");
}

int main(int argc, char **argv)
{
    weir_runtime *runtime;
    weir_error error;
    if (argc < 2 || argc > 4) return complain(argv[0], "usage: conformance ROW [LEVEL [SEED]]"), 2;
    if (weir_open(NULL, &runtime, &error) != WEIR_OK) return complain("weir_open", error.message);
    const int failed = run(runtime, argv[1], argc > 3 ? argv[3] : NULL, argc > 2 ? argv[2] : NULL);
    weir_close(runtime);
    return failed;
}
