/* table.c - the table of methods in a descriptor: found through its stride, and checked when the plugin is loaded. */
#include "method/signature.h"
#include "plugin/names.h"

#include <stddef.h>
#include <string.h>

#define SIZE_1_0       (offsetof(weir_method, call) + sizeof(weir_method_function))
#define METHODS_MOST   64
#define STRIDE_MOST    4096
#define SUMMARY_MOST   500
#define SIGNATURE_MOST 1000

const weir_method *weir__method_at(const weir_module *m, int32_t index)
{
    return (const void *)((const char *)m->methods + (size_t)index * (size_t)m->method_stride);
}

int32_t weir__method_count(const weir_module *m)
{
    return WEIR_HAS(m, method_stride) ? m->method_count : 0;
}

static weir_status refuse(const weir_module *m, const char *name, const char *why, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "module %s: method %s: %s", m->id, name, why);
}

static weir_status check_method(const weir_module *m, const weir_method *method, weir_error *error)
{
    weir_error why = {0};
    weir__signature signature;
    if (method->struct_size < SIZE_1_0 || method->struct_size > (uint32_t)m->method_stride)
        return weir__fail(error, WEIR_INVALID, "module %s: a method's struct_size is %u; set it to sizeof",
                          m->id, method->struct_size);
    if (!weir__is_name(method->name))
        return weir__fail(error, WEIR_INVALID,
                          "module %s: method name \"%.64s\" is not of the form [a-z][a-z0-9_]*", m->id,
                          method->name ? method->name : "");
    if (!weir__is_text(method->summary, SUMMARY_MOST, 0))
        return refuse(m, method->name, "summary must be one line of text, not empty", error);
    if (!method->call) return refuse(m, method->name, "call is NULL", error);
    if (!weir__is_text(method->signature, SIGNATURE_MOST, 0))
        return refuse(m, method->name, "signature must be one line of text, at most 1000 bytes", error);
    if (weir__signature_read(m, method->signature, &signature, &why))
        return refuse(m, method->name, why.message, error);
    return WEIR_OK;
}

weir_status weir__methods_check(const weir_module *m, weir_error *error)
{
    const int32_t count = weir__method_count(m);
    if (count < 0 || count > METHODS_MOST)
        return weir__fail(error, WEIR_INVALID, "module %s: method_count is %d, 0 to %d are possible", m->id,
                          (int)count, METHODS_MOST);
    if (count == 0) return WEIR_OK;
    if (!m->methods || m->method_stride < (int32_t)SIZE_1_0 || m->method_stride > STRIDE_MOST ||
        m->method_stride % (int32_t) _Alignof(void *) != 0)
        return weir__fail(error, WEIR_INVALID,
                          "module %s: it has methods, so methods must be their table and method_stride "
                          "sizeof(weir_method)",
                          m->id);
    for (int32_t i = 0; i < count; i++) {
        const weir_status status = check_method(m, weir__method_at(m, i), error);
        if (status) return status;
        for (int32_t j = 0; j < i; j++)
            if (strcmp(weir__method_at(m, j)->name, weir__method_at(m, i)->name) == 0)
                return refuse(m, weir__method_at(m, i)->name, "it is there twice", error);
    }
    return WEIR_OK;
}

weir_status weir__methods_agree(const weir_module *f32, const weir_module *f64, weir_error *error)
{
    const int32_t count = weir__method_count(f32);
    int same = count == weir__method_count(f64);
    for (int32_t i = 0; same && i < count; i++) {
        const weir_method *const a = weir__method_at(f32, i), *const b = weir__method_at(f64, i);
        same = strcmp(a->name, b->name) == 0 && strcmp(a->signature, b->signature) == 0;
    }
    if (same) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "module %s: f32 and f64 differ in their methods", f32->id);
}
