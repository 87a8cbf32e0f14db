/* option.c - checks what a user gives against a module's schema, and fills in defaults. */
#include "model/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const weir_option *weir__option_at(const weir_module *module, int32_t index)
{
    return (const weir_option *)(const void *)((const char *)module->options +
                                               (size_t)index * (size_t)module->option_stride);
}

const weir_slot *weir__slot_at(const weir_module *module, int32_t index)
{
    return (const weir_slot *)(const void *)((const char *)module->slots +
                                             (size_t)index * (size_t)module->slot_stride);
}

static const weir_option *find(const weir_module *module, const char *name)
{
    for (int32_t i = 0; i < module->option_count; i++)
        if (strcmp(weir__option_at(module, i)->name, name) == 0) return weir__option_at(module, i);
    return NULL;
}

static weir_status unknown(const weir_module *module, const char *name, const char *path, weir_error *error)
{
    const char *names[64] = {NULL};
    int64_t count = 0;
    for (int32_t i = 0; i < module->option_count && count < 64; i++)
        names[count++] = weir__option_at(module, i)->name;
    const char *const near = weir__nearest(name, names, count);
    if (near)
        return weir__fail(error, WEIR_INVALID, "%s (%s): unknown option \"%s\"; did you mean \"%s\"?", path,
                          module->id, name, near);
    char list[400] = "";
    for (int64_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    return weir__fail(error, WEIR_INVALID, "%s (%s): unknown option \"%s\"; it has %s", path, module->id,
                      name, count ? list : "no options");
}

static void expected(const weir_option *option, char *text, size_t size)
{
    static const char *const types[] = {"",       "an integer",         "a number",         "true or false",
                                        "a text", "a list of integers", "a list of numbers"};
    const int plain = option->type == WEIR_BOOLEAN || option->type == WEIR_STRING;
    if (option->type == WEIR_STRING && option->choices)
        snprintf(text, size, "one of %s", option->choices);
    else if (plain || (option->minimum <= -1e300 && option->maximum >= 1e300) ||
             !(option->minimum < option->maximum))
        snprintf(text, size, "%s", types[option->type]);
    else if (option->maximum >= 1e18)
        snprintf(text, size, "%s, at least %g", types[option->type], option->minimum);
    else
        snprintf(text, size, "%s from %g to %g", types[option->type], option->minimum, option->maximum);
}

/* minimum = maximum = 0, as a zeroed struct has it, means no limits. */
static int in_range(const weir_option *option, double value)
{
    if (!isfinite(value)) return 0;
    if (!(option->minimum < option->maximum))
        return option->minimum != option->maximum || option->minimum == 0;
    return value >= option->minimum && value <= option->maximum;
}

static int is_choice(const char *choices, const char *word)
{
    const size_t length = strlen(word);
    if (!length || strchr(word, '|')) return 0;
    for (const char *at = choices; (at = strstr(at, word)); at += length)
        if ((at == choices || at[-1] == '|') && (at[length] == 0 || at[length] == '|')) return 1;
    return 0;
}

/* Numbers that are whole count as integers: Lua has no other kind. */
static json_t *as_integer(const weir_option *option, const json_t *value)
{
    if (!json_is_number(value)) return NULL;
    const double number = json_number_value(value);
    if (fabs(number) > 9007199254740992.0 || number != floor(number) || !in_range(option, number))
        return NULL;
    return json_integer((json_int_t)number);
}

static json_t *as_number(const weir_option *option, const json_t *value)
{
    if (!json_is_number(value) || !in_range(option, json_number_value(value))) return NULL;
    return json_real(json_number_value(value));
}

/* A number stands for the list that holds it alone. */
static json_t *as_list(const weir_option *option, const json_t *value)
{
    const int empty_object = json_is_object(value) && json_object_size(value) == 0; /* Lua's {} */
    const int alone = json_is_number(value);
    if (!json_is_array(value) && !empty_object && !alone) return NULL;
    json_t *const list = json_array();
    for (size_t i = 0; list && i < (alone ? 1 : json_array_size(value)); i++) {
        const json_t *const entry = alone ? value : json_array_get(value, i);
        json_t *const made =
            option->type == WEIR_INTEGERS ? as_integer(option, entry) : as_number(option, entry);
        if (!made || json_array_append_new(list, made)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *converted(const weir_option *option, const json_t *value)
{
    switch (option->type) {
    case WEIR_INTEGER:
        return as_integer(option, value);
    case WEIR_NUMBER:
        return as_number(option, value);
    case WEIR_BOOLEAN:
        return json_is_boolean(value) ? json_boolean(json_is_true(value)) : NULL;
    case WEIR_STRING:
        if (!json_is_string(value)) return NULL;
        if (option->choices && !is_choice(option->choices, json_string_value(value))) return NULL;
        return json_string(json_string_value(value));
    default:
        return as_list(option, value);
    }
}

static weir_status wrong(const weir_module *module, const weir_option *option, const json_t *value,
                         const char *path, weir_error *error)
{
    char want[300];
    expected(option, want, sizeof want);
    char *const got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *near = NULL;
    if (option->type == WEIR_STRING && option->choices && json_is_string(value)) {
        char words[400];
        const char *list[32];
        int64_t count = 0;
        snprintf(words, sizeof words, "%s", option->choices);
        for (char *save = NULL, *word = strtok_r(words, "|", &save); word && count < 32;
             word = strtok_r(NULL, "|", &save))
            list[count++] = word;
        near = weir__nearest(json_string_value(value), list, count);
        if (near) snprintf(want + strlen(want), sizeof want - strlen(want), " (did you mean \"%s\"?)", near);
    }
    weir__fail(error, WEIR_INVALID, "%s (%s): option %s: expected %s, got %.80s", path, module->id,
               option->name, want, got ? got : "?");
    free(got);
    return WEIR_INVALID;
}

static weir_status fill_default(const weir_module *module, const weir_option *option, const char *path,
                                json_t *into, weir_error *error)
{
    if (!option->default_json)
        return weir__fail(error, WEIR_INVALID, "%s (%s): option %s must be given: %s", path, module->id,
                          option->name, option->summary);
    json_t *const value = json_loads(option->default_json, JSON_DECODE_ANY, NULL);
    json_t *const made = value && !json_is_null(value) ? converted(option, value) : NULL;
    const int absent = json_is_null(value);
    json_decref(value);
    if (absent) return WEIR_OK;
    if (!made || json_object_set_new(into, option->name, made))
        return weir__fail(error, WEIR_INVALID,
                          "%s (%s): the default of option %s does not fit its own schema", path, module->id,
                          option->name);
    return WEIR_OK;
}

weir_status weir__options_check(const weir_module *module, const json_t *given, const char *path,
                                json_t **options, weir_error *error)
{
    const char *name;
    json_t *value;
    weir_status status = WEIR_OK;
    /* An empty list is what some writers make of an empty object. */
    if (given && !json_is_null(given) && !json_is_object(given) &&
        !(json_is_array(given) && !json_array_size(given)))
        return weir__fail(error, WEIR_INVALID, "%s (%s): options must be an object", path, module->id);
    json_t *const out = json_object();
    if (!out) return weir__no_memory(error, "options");
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        const weir_option *const option = find(module, name);
        if (!option) {
            status = unknown(module, name, path, error);
            goto fail;
        }
        if (json_is_null(value)) continue;
        json_t *const made = converted(option, value);
        if (!made) {
            status = wrong(module, option, value, path, error);
            goto fail;
        }
        json_object_set_new(out, name, made);
    }
    for (int32_t i = 0; i < module->option_count; i++) {
        const weir_option *const option = weir__option_at(module, i);
        if (json_object_get(out, option->name)) continue;
        if ((status = fill_default(module, option, path, out, error))) goto fail;
    }
    *options = out;
    return WEIR_OK;
fail:
    json_decref(out);
    return status;
}
