/* descriptor.c - what a module says about itself: strings, option schemas, refusals, and making it over and over. */
#include "check/checks.h"
#include "check/open.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIVES      99
#define LIVES_FULL 1002

static const char *bad_string(const char *text)
{
    if (!text) return "NULL";
    if (!*text) return "empty";
    json_t *const utf8 = json_string(text);
    if (!utf8) return "not UTF-8";
    json_decref(utf8);
    return NULL;
}

static void check_string(weir__verdict *verdict, const char *what, const char *text)
{
    const char *const fault = bad_string(text);
    if (fault) weir__object(verdict, "%s is %s", what, fault);
}

static int has_required(const weir_module *module)
{
    switch (module->kind) {
    case WEIR_LAYER:
        return ((const weir_layer_ops *)module->ops)->forward != NULL;
    case WEIR_UNIVARIATE:
        return ((const weir_univariate_ops *)module->ops)->forward != NULL;
    case WEIR_NETWORK:
        return ((const weir_network_ops *)module->ops)->forward &&
               ((const weir_network_ops *)module->ops)->vjp;
    case WEIR_DENSITY:
        return ((const weir_density_ops *)module->ops)->log_density &&
               ((const weir_density_ops *)module->ops)->vjp;
    default:
        return 0;
    }
}

void weir__check_descriptor(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir_module *const module = subject->module;
    const uint32_t known = WEIR_MODULE_INDEXED_OK | WEIR_MODULE_IN_PLACE_OK | WEIR_MODULE_STOCHASTIC |
                           WEIR_MODULE_OBSERVE_ONCE | WEIR_MODULE_OBSERVE_STEP | WEIR_MODULE_ALLOCATES;
    (void)map;
    check_string(verdict, "id", module->id);
    check_string(verdict, "version", module->version);
    check_string(verdict, "summary", module->summary);
    check_string(verdict, "doc", module->doc);
    if (!module->ops || !has_required(module)) weir__object(verdict, "a required call is NULL");
    if (module->prepare && !module->prepare_vjp) weir__object(verdict, "prepare without prepare_vjp");
    if (module->flags & ~known) weir__object(verdict, "unknown flags 0x%x", module->flags & ~known);
    if (module->concurrency < WEIR_REENTRANT || module->concurrency > WEIR_SERIAL)
        weir__object(verdict, "unknown concurrency %d", module->concurrency);
    if (module->option_count < 0 || (module->option_count && !module->options))
        weir__object(verdict, "%d options and no table", module->option_count);
}

/* ---- options ---- */

static const weir_option *option_at(const weir_module *module, int32_t i)
{
    return (const weir_option *)((const char *)module->options + (size_t)i * (size_t)module->option_stride);
}

static int good_name(const char *name)
{
    if (!name || !islower((unsigned char)*name)) return 0;
    for (; *name; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_') return 0;
    return 1;
}

static int of_type(const json_t *value, int32_t type)
{
    switch (type) {
    case WEIR_INTEGER:
        return json_is_integer(value);
    case WEIR_NUMBER:
        return json_is_number(value);
    case WEIR_BOOLEAN:
        return json_is_boolean(value);
    case WEIR_STRING:
        return json_is_string(value);
    default:
        return json_is_array(value);
    }
}

static int is_choice(const char *choices, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, word, length) == 0 && (at[length] == '|' || at[length] == '\0')) return 1;
    }
    return 0;
}

static int in_range(const weir_option *option, const json_t *value)
{
    if (json_is_number(value)) {
        const double number = json_number_value(value);
        return number >= option->minimum && number <= option->maximum;
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        if (!in_range(option, json_array_get(value, i))) return 0;
    return !json_is_string(value) || !option->choices || is_choice(option->choices, json_string_value(value));
}

static void check_default(const weir_option *option, weir__verdict *verdict)
{
    if (!option->default_json) return;
    json_t *const value = json_loads(option->default_json, JSON_DECODE_ANY, NULL);
    if (!value)
        weir__object(verdict, "default of option %s is no JSON", option->name);
    else if (!json_is_null(value) && (!of_type(value, option->type) || !in_range(option, value)))
        weir__object(verdict, "default of option %s is outside its own schema", option->name);
    json_decref(value);
}

void weir__check_option_schema(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir_module *const module = subject->module;
    (void)map;
    for (int32_t i = 0; i < module->option_count; i++) {
        const weir_option *const option = option_at(module, i);
        if (!good_name(option->name)) {
            weir__object(verdict, "option %d has no name of the form [a-z][a-z0-9_]*", i);
            continue;
        }
        check_string(verdict, "an option's summary", option->summary);
        if (option->type < WEIR_INTEGER || option->type > WEIR_NUMBERS)
            weir__object(verdict, "option %s has unknown type %d", option->name, option->type);
        for (int32_t j = 0; j < i; j++)
            if (option_at(module, j)->name && strcmp(option_at(module, j)->name, option->name) == 0)
                weir__object(verdict, "option %s is declared twice", option->name);
        check_default(option, verdict);
    }
}

/* ---- refusals ---- */

/* Opens the module with one option changed; steals `value`. True when it is refused, with a reason. */
static int refused(const weir__subject *subject, const char *name, json_t *value)
{
    json_t *const node = json_deep_copy(subject->candidate->node);
    json_t *options = json_object_get(node, "options");
    if (!options) {
        options = json_object();
        json_object_set_new(node, "options", options);
    }
    json_object_set_new(options, name, value);
    weir__candidate candidate = *subject->candidate;
    candidate.node = node;
    weir__subject other;
    weir_error error = {.message = ""};
    const weir_status status =
        weir__subject_open(&other, &candidate, &subject->setting, subject->precision, &error);
    if (status == WEIR_OK) weir__subject_close(&other);
    json_decref(node);
    return status == WEIR_INVALID && error.message[0];
}

static json_t *as_list_if(const weir_option *option, json_t *number)
{
    if (option->type != WEIR_INTEGERS && option->type != WEIR_NUMBERS) return number;
    json_t *const list = json_array();
    json_array_append_new(list, number);
    return list;
}

static json_t *number_of(const weir_option *option, double value)
{
    const int integer = option->type == WEIR_INTEGER || option->type == WEIR_INTEGERS;
    return as_list_if(option, integer ? json_integer((json_int_t)value) : json_real(value));
}

static void refuse_outside(const weir__subject *subject, const weir_option *option, weir__verdict *verdict)
{
    const int integer = option->type == WEIR_INTEGER || option->type == WEIR_INTEGERS;
    const double far = 9e15; /* beyond: a double cannot tell neighbouring integers apart */
    if (isfinite(option->minimum) && option->minimum > -(integer ? far : DBL_MAX)) {
        const double below = integer ? option->minimum - 1 : option->minimum - fmax(1, fabs(option->minimum));
        if (isfinite(below) && !refused(subject, option->name, number_of(option, below)))
            weir__object(verdict, "option %s takes %g, below its minimum", option->name, below);
    }
    if (isfinite(option->maximum) && option->maximum < (integer ? far : DBL_MAX)) {
        const double above = integer ? option->maximum + 1 : option->maximum + fmax(1, fabs(option->maximum));
        if (isfinite(above) && !refused(subject, option->name, number_of(option, above)))
            weir__object(verdict, "option %s takes %g, above its maximum", option->name, above);
    }
}

void weir__check_option_refusals(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir_module *const module = subject->module;
    (void)map;
    if (!refused(subject, "no_such_option", json_true()))
        weir__object(verdict, "an option that is not declared is taken");
    for (int32_t i = 0; i < module->option_count; i++) {
        const weir_option *const option = option_at(module, i);
        if (!option->name) continue;
        json_t *const wrong = option->type == WEIR_BOOLEAN ? json_string("yes") : json_true();
        if (!refused(subject, option->name, wrong))
            weir__object(verdict, "option %s takes a value of the wrong type", option->name);
        if (option->type == WEIR_STRING && option->choices &&
            !refused(subject, option->name, json_string("no such choice")))
            weir__object(verdict, "option %s takes a word that is none of its choices", option->name);
        if (option->type != WEIR_BOOLEAN && option->type != WEIR_STRING)
            refuse_outside(subject, option, verdict);
    }
}

/* ---- made and destroyed, used or not ---- */

/* Weights that are a little off the initial ones are weights like any other. */
void weir__check_prepare(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject fresh;
    weir_error error = {.message = ""};
    (void)map;
    if (!weir__open_again(&fresh, subject, verdict)) return;
    if (weir__subject_train(&fresh, &error) != WEIR_OK) weir__object(verdict, "%.200s", error.message);
    weir__subject_close(&fresh);
}

static weir__solo *be_born(const weir__subject *subject, int number, weir__verdict *verdict)
{
    const weir__solo_spec spec = weir__subject_spec(subject);
    weir__solo *solo = NULL;
    weir_error error;
    if (weir__solo_open(subject->candidate->runtime, &spec, &solo, &error) != WEIR_OK)
        weir__object(verdict, "instance %d: %.200s", number, error.message);
    return solo;
}

/* Three at a time, which die in every order there is. */
void weir__check_lifetime(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int lives = subject->candidate->full ? LIVES_FULL : LIVES;
    (void)map;
    for (int i = 0; i < lives / 3; i++) {
        weir__solo *solos[3];
        for (int k = 0; k < 3; k++) solos[k] = be_born(subject, 3 * i + k + 1, verdict);
        for (int k = 0; k < 3; k++) weir__solo_close(solos[orders[i % 6][k]]);
    }
}
