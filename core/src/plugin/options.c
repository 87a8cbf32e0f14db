/* options.c - checking the option and slot tables of a descriptor.
 *
 * SPDX-License-Identifier: MIT
 *
 * Values that users give are checked against these tables later; here the tables themselves are, defaults included, so
 * that nothing after this point meets a schema that contradicts itself.
 */
#include "plugin/descriptor.h"
#include "plugin/listing.h"
#include "plugin/names.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#define SIZE_1_0(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

#define TABLE_MAX   256
#define STRIDE_MAX  4096
#define SUMMARY_MAX 500
#define DEFAULT_MAX 65536

static const weir_option *option_at(const weir_module *m, int32_t index)
{
    return (const void *)((const char *)m->options + (size_t)index * (size_t)m->option_stride);
}

static const weir_slot *slot_at(const weir_module *m, int32_t index)
{
    return (const void *)((const char *)m->slots + (size_t)index * (size_t)m->slot_stride);
}

static weir_status refuse(const weir_module *m, const char *what, const char *name, const char *why,
                          weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "module %s: %s %s: %s", m->id, what, name, why);
}

static weir_status check_table(const weir_module *m, const char *what, const void *table, int32_t count,
                               int32_t stride, size_t least, weir_error *error)
{
    if (count < 0 || count > TABLE_MAX)
        return weir__fail(error, WEIR_INVALID, "module %s: %s_count is %d, 0 to %d are possible", m->id, what,
                          (int)count, TABLE_MAX);
    if (count == 0) return WEIR_OK;
    if (!table)
        return weir__fail(error, WEIR_INVALID, "module %s: %s_count is %d, but the table is NULL", m->id,
                          what, (int)count);
    if (stride < (int32_t)least || stride > STRIDE_MAX || stride % (int32_t) _Alignof(void *) != 0)
        return weir__fail(error, WEIR_INVALID,
                          "module %s: %s_stride is %d, at least %zu is needed; set it to sizeof(weir_%s)",
                          m->id, what, (int)stride, least, what);
    return WEIR_OK;
}

/* ---- defaults ------------------------------------------------------------------------------------ */

static int in_range(const weir_option *o, double value)
{
    return value >= o->minimum && value <= o->maximum;
}

/* Choices are words separated by '|'. */
static int is_choice(const char *choices, const char *word)
{
    const size_t length = strlen(word);
    for (const char *c = choices; c;) {
        const size_t n = strcspn(c, "|");
        if (n == length && memcmp(c, word, n) == 0) return 1;
        c = c[n] ? c + n + 1 : NULL;
    }
    return 0;
}

static int choices_ok(const char *choices)
{
    if (!choices) return 1;
    return weir__is_text(choices, DEFAULT_MAX, 0) && !is_choice(choices, "");
}

static int entry_fits(const weir_option *o, const json_t *value, int integer)
{
    if (integer ? !json_is_integer(value) : !json_is_number(value)) return 0;
    return in_range(o, json_number_value(value));
}

static int list_fits(const weir_option *o, const json_t *value)
{
    if (!json_is_array(value)) return 0;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!entry_fits(o, json_array_get(value, i), o->type == WEIR_INTEGERS)) return 0;
    return 1;
}

static int default_fits(const weir_option *o, const json_t *value)
{
    if (json_is_null(value)) return 1; /* optional and absent */
    switch (o->type) {
    case WEIR_INTEGER:
    case WEIR_NUMBER:
        return entry_fits(o, value, o->type == WEIR_INTEGER);
    case WEIR_BOOLEAN:
        return json_is_boolean(value);
    case WEIR_STRING:
        return json_is_string(value) && (!o->choices || is_choice(o->choices, json_string_value(value)));
    default:
        return list_fits(o, value);
    }
}

static weir_status check_default(const weir_module *m, const weir_option *o, weir_error *error)
{
    if (!o->default_json) return WEIR_OK;
    const size_t length = strnlen(o->default_json, DEFAULT_MAX);
    json_t *const value = json_loadb(o->default_json, length, JSON_DECODE_ANY, NULL);
    if (!value) return refuse(m, "option", o->name, "default_json is not JSON", error);
    const int fits = default_fits(o, value);
    json_decref(value);
    if (fits) return WEIR_OK;
    return refuse(m, "option", o->name, "the default is of another type than the option or outside its range",
                  error);
}

/* ---- entries ------------------------------------------------------------------------------------- */

static int has_range(const weir_option *o)
{
    return o->type != WEIR_BOOLEAN && o->type != WEIR_STRING;
}

static weir_status check_option(const weir_module *m, const weir_option *o, weir_error *error)
{
    if (o->struct_size < SIZE_1_0(weir_option, summary) || o->struct_size > (uint32_t)m->option_stride)
        return weir__fail(error, WEIR_INVALID, "module %s: an option's struct_size is %u; set it to sizeof",
                          m->id, o->struct_size);
    if (!weir__is_name(o->name))
        return weir__fail(error, WEIR_INVALID,
                          "module %s: option name \"%.64s\" is not of the form [a-z][a-z0-9_]*", m->id,
                          o->name ? o->name : "");
    if (o->type < WEIR_INTEGER || o->type > WEIR_NUMBERS)
        return refuse(m, "option", o->name, "its type is unknown to this host", error);
    if (has_range(o) && !(o->minimum <= o->maximum))
        return refuse(m, "option", o->name, "minimum is above maximum, or not a number", error);
    if (o->type == WEIR_STRING && !choices_ok(o->choices))
        return refuse(m, "option", o->name, "choices must be words separated by '|'", error);
    if (!weir__is_text(o->summary, SUMMARY_MAX, 0))
        return refuse(m, "option", o->name, "summary must be one line of text, not empty", error);
    return check_default(m, o, error);
}

static weir_status check_slot(const weir_module *m, const weir_slot *s, weir_error *error)
{
    if (s->struct_size < SIZE_1_0(weir_slot, summary) || s->struct_size > (uint32_t)m->slot_stride)
        return weir__fail(error, WEIR_INVALID, "module %s: a slot's struct_size is %u; set it to sizeof",
                          m->id, s->struct_size);
    if (!weir__is_name(s->name))
        return weir__fail(error, WEIR_INVALID,
                          "module %s: slot name \"%.64s\" is not of the form [a-z][a-z0-9_]*", m->id,
                          s->name ? s->name : "");
    if (!weir__kind_name(s->kind))
        return refuse(m, "slot", s->name, "its kind is unknown to this host", error);
    if (s->default_id && !weir__is_id(s->default_id))
        return refuse(m, "slot", s->name, "default_id is not a module id", error);
    if (!weir__is_text(s->summary, SUMMARY_MAX, 0))
        return refuse(m, "slot", s->name, "summary must be one line of text, not empty", error);
    return WEIR_OK;
}

static weir_status check_options(const weir_module *m, weir_error *error)
{
    for (int32_t i = 0; i < m->option_count; i++) {
        const weir_option *const o = option_at(m, i);
        const weir_status status = check_option(m, o, error);
        if (status) return status;
        for (int32_t j = 0; j < i; j++)
            if (strcmp(option_at(m, j)->name, o->name) == 0)
                return refuse(m, "option", o->name, "it is there twice", error);
    }
    return WEIR_OK;
}

static weir_status check_slots(const weir_module *m, weir_error *error)
{
    for (int32_t i = 0; i < m->slot_count; i++) {
        const weir_slot *const s = slot_at(m, i);
        const weir_status status = check_slot(m, s, error);
        if (status) return status;
        for (int32_t j = 0; j < i; j++)
            if (strcmp(slot_at(m, j)->name, s->name) == 0)
                return refuse(m, "slot", s->name, "it is there twice", error);
    }
    return WEIR_OK;
}

weir_status weir__schema_check(const weir_module *m, weir_error *error)
{
    weir_status status = check_table(m, "option", m->options, m->option_count, m->option_stride,
                                     SIZE_1_0(weir_option, summary), error);
    if (!status)
        status = check_table(m, "slot", m->slots, m->slot_count, m->slot_stride, SIZE_1_0(weir_slot, summary),
                             error);
    if (!status) status = check_options(m, error);
    if (!status) status = check_slots(m, error);
    return status;
}

/* ---- the two precisions -------------------------------------------------------------------------- */

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_option(const weir_option *a, const weir_option *b)
{
    const int range = !has_range(a) || (a->minimum == b->minimum && a->maximum == b->maximum);
    return a->type == b->type && range && same_text(a->name, b->name) &&
           same_text(a->default_json, b->default_json) && same_text(a->choices, b->choices);
}

static int same_slot(const weir_slot *a, const weir_slot *b)
{
    return a->kind == b->kind && a->optional == b->optional && same_text(a->name, b->name) &&
           same_text(a->default_id, b->default_id);
}

weir_status weir__options_agree(const weir_module *f32, const weir_module *f64, weir_error *error)
{
    if (f32->option_count != f64->option_count || f32->slot_count != f64->slot_count)
        return weir__fail(error, WEIR_INVALID,
                          "module %s: f32 and f64 differ in the number of options or slots", f32->id);
    for (int32_t i = 0; i < f32->option_count; i++)
        if (!same_option(option_at(f32, i), option_at(f64, i)))
            return refuse(f32, "option", option_at(f32, i)->name, "f32 and f64 differ", error);
    for (int32_t i = 0; i < f32->slot_count; i++)
        if (!same_slot(slot_at(f32, i), slot_at(f64, i)))
            return refuse(f32, "slot", slot_at(f32, i)->name, "f32 and f64 differ", error);
    return WEIR_OK;
}
