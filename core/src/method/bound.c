/* bound.c - see bound.h. */
#include "method/bound.h"

#include "model/net.h"
#include "supply/turn.h"

#include <ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* self and frame come before the items */
#define BEFORE 2

struct weir__bound {
    const weir__instance *instance;
    const weir_method *method;
    weir__signature signature;
    ffi_cif cif;
    ffi_type *types[BEFORE + WEIR__METHOD_ITEMS];
    weir__bound *next; /* of the same instance */
};

/* ---- finding and making --------------------------------------------------------------------------------- */

static weir_status unknown(const weir__instance *instance, const char *name, weir_error *error)
{
    const weir_module *const m = instance->module;
    const char *names[64] = {NULL};
    char list[400] = "";
    const int32_t count = weir__method_count(m);
    for (int32_t i = 0; i < count; i++) {
        names[i] = weir__method_at(m, i)->name;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    }
    const char *const near = weir__nearest(name, names, count);
    if (near)
        return weir__fail(error, WEIR_INVALID, "%s (%s): it has no method \"%s\"; did you mean \"%s\"?",
                          instance->path, m->id, name, near);
    return weir__fail(error, WEIR_INVALID, "%s (%s): it has no method \"%s\"; it has %s", instance->path,
                      m->id, name, count ? list : "none");
}

static ffi_type *type_of(const weir__item *item, int is_result)
{
    if (is_result || item->rank || item->type == WEIR__ITEM_TEXT) return &ffi_type_pointer;
    return item->type == WEIR__ITEM_INTEGER ? &ffi_type_sint64 : &ffi_type_double;
}

static weir_status prepare(weir__bound *b, weir_error *error)
{
    weir__signature *const s = &b->signature;
    const weir_status status = weir__signature_read(b->instance->module, b->method->signature, s, error);
    if (status) return weir__bound_fail(b, error);
    const int32_t items = s->argument_count + s->result_count;
    b->types[0] = b->types[1] = &ffi_type_pointer;
    for (int32_t i = 0; i < items; i++) b->types[BEFORE + i] = type_of(&s->items[i], i >= s->argument_count);
    if (ffi_prep_cif(&b->cif, FFI_DEFAULT_ABI, (unsigned)(BEFORE + items), &ffi_type_sint32, b->types) ==
        FFI_OK)
        return WEIR_OK;
    weir__fail(error, WEIR_ERROR, "libffi cannot call a function of this signature");
    return weir__bound_fail(b, error);
}

weir_status weir__bind(weir__instance *instance, const char *name, weir__bound **out, weir_error *error)
{
    const weir_module *const m = instance->module;
    for (weir__bound *b = instance->methods; b; b = b->next)
        if (strcmp(b->method->name, name) == 0) return *out = b, WEIR_OK;
    for (int32_t i = 0; i < weir__method_count(m); i++) {
        if (strcmp(weir__method_at(m, i)->name, name) != 0) continue;
        weir__bound *const made = calloc(1, sizeof *made);
        if (!made) return weir__no_memory(error, "a method");
        made->instance = instance;
        made->method = weir__method_at(m, i);
        const weir_status status = prepare(made, error);
        if (status) return free(made), status;
        made->next = instance->methods;
        return *out = instance->methods = made, WEIR_OK;
    }
    return unknown(instance, name, error);
}

void weir__bound_free(weir__instance *instance)
{
    for (weir__bound *b = instance->methods, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    instance->methods = NULL;
}

const weir__signature *weir__bound_signature(const weir__bound *b)
{
    return &b->signature;
}

int32_t weir__bound_precision(const weir__bound *b)
{
    return b->instance->module->precision;
}

weir_status weir__bound_fail(const weir__bound *b, weir_error *error)
{
    return weir__fail_in(error, "%s (%s): %s", b->instance->path, b->instance->module->id, b->method->name);
}

/* ---- sizes ------------------------------------------------------------------------------------------------ */

static int child_value(const weir__instance *instance, const char *name, const char *dot, int64_t *value,
                       weir_error *error)
{
    for (int32_t i = 0; i < instance->child_count; i++) {
        const weir_child *const child = &instance->children[i]->child;
        const char *const slot = instance->slots[i];
        if (strlen(slot) != (size_t)(dot - name) || strncmp(slot, name, strlen(slot)) != 0) continue;
        *value = dot[1] == 'i' ? child->in : dot[1] == 'o' ? child->out : child->params;
        return 1;
    }
    weir__fail(error, WEIR_INVALID, "%s: that place is empty here", name);
    return 0;
}

static int option_value(const weir__instance *instance, const char *name, int64_t *value, weir_error *error)
{
    const json_t *const option = json_object_get(instance->options, name);
    if (!json_is_integer(option)) {
        weir__fail(error, WEIR_INVALID, "option %s has no value here", name);
        return 0;
    }
    *value = json_integer_value(option);
    return 1;
}

/* In the order in which signature.c took names to be known. */
static int value_of(void *user, const char *name, int64_t *value, weir_error *error)
{
    const weir__lengths *const l = user;
    const weir__instance *const instance = l->bound->instance;
    const weir__signature *const s = &l->bound->signature;
    const char *const dot = strchr(name, '.');
    const char *const own[] = {"in", "out", "params", "context"};
    const int64_t values[] = {instance->own.in, instance->own.out, instance->own.params, instance->context};
    if (dot) return child_value(instance, name, dot, value, error);
    for (int i = 0; i < 4; i++)
        if (strcmp(name, own[i]) == 0) return *value = values[i], 1;
    for (int32_t i = 0; i < s->argument_count; i++)
        if (s->items[i].type == WEIR__ITEM_INTEGER && !s->items[i].rank &&
            strcmp(s->items[i].name, name) == 0)
            return *value = l->arguments[i].integer, 1;
    for (int32_t i = 0; i < l->count; i++)
        if (strcmp(l->names[i], name) == 0) return *value = l->values[i], 1;
    return option_value(instance, name, value, error);
}

static int is_known(const weir__lengths *l, const char *name)
{
    for (int32_t i = 0; i < l->count; i++)
        if (strcmp(l->names[i], name) == 0) return 1;
    return 0;
}

weir_status weir__bound_size(weir__lengths *l, int32_t i, int32_t k, int64_t given, int64_t *size,
                             weir_error *error)
{
    const weir__item *const item = &l->bound->signature.items[i];
    const weir__size_names names = {value_of, l};
    if (item->binds[k][0] && !is_known(l, item->binds[k])) {
        l->names[l->count] = item->binds[k];
        l->values[l->count++] = given;
    }
    return weir__size_value(item->sizes[k], &names, size, error);
}

/* ---- the call ------------------------------------------------------------------------------------------------ */

weir_status weir__bound_call(weir__bound *b, weir__run *run, const weir__slot_value *values,
                             weir_error *error)
{
    const weir__instance *const instance = b->instance;
    const weir__signature *const s = &b->signature;
    weir_frame *frame = weir__bound_precision(b) == run->net->precision ? &run->frame : &run->other;
    const void *self = instance->self;
    void *places[BEFORE + WEIR__METHOD_ITEMS] = {&self, &frame};
    ffi_arg answer = 0;
    for (int32_t i = 0; i < s->argument_count + s->result_count; i++)
        places[BEFORE + i] = (void *)(uintptr_t)&values[i];
    run->message[0] = '\0';
    const int serial = instance->module->concurrency == WEIR_SERIAL;
    if (serial) weir__turn_take();
    ffi_call(&b->cif, b->method->call, &answer, places);
    if (serial) weir__turn_give();
    weir__scratch_reset(run->scratch);
    const weir_status status = (weir_status)answer;
    if (status == WEIR_OK) return WEIR_OK;
    weir__fail(error, status < WEIR_OK || status > WEIR_FATAL ? WEIR_ERROR : status, "%s",
               run->message[0] ? run->message : "failed");
    return weir__bound_fail(b, error);
}
