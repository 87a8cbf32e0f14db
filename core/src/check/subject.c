/* subject.c - see subject.h. */
#include "check/subject.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tensors ---- */

static int is_trained(const weir__solo_tensor *tensor)
{
    return tensor->kind == WEIR_TENSOR_PARAMETER && !tensor->integer;
}

static double number_at(const void *data, int32_t precision, int64_t i)
{
    return precision == WEIR_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void put_number(void *data, int32_t precision, int64_t i, double value)
{
    if (precision == WEIR_F64)
        ((double *)data)[i] = value;
    else
        ((float *)data)[i] = (float)value;
}

static void gather(const weir__subject *subject, int gradients, double *values)
{
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        const void *const data = gradients ? tensor.gradient : tensor.data;
        if (!is_trained(&tensor)) continue;
        for (int64_t i = 0; i < tensor.count; i++)
            *values++ = data ? number_at(data, subject->precision, i) : 0;
    }
}

int64_t weir__parameters_count(const weir__subject *subject)
{
    int64_t count = 0;
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        if (is_trained(&tensor)) count += tensor.count;
    }
    return count;
}

void weir__parameters_read(const weir__subject *subject, double *values)
{
    gather(subject, 0, values);
}

void weir__gradient_read(const weir__subject *subject, double *values)
{
    gather(subject, 1, values);
}

weir_status weir__parameters_write(weir__subject *subject, const double *values)
{
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        if (!is_trained(&tensor)) continue;
        for (int64_t i = 0; i < tensor.count; i++) put_number(tensor.data, subject->precision, i, *values++);
    }
    return weir__solo_prepare(subject->solo, NULL);
}

static size_t bytes_of(const weir__subject *subject, const weir__solo_tensor *tensor)
{
    const size_t number = subject->precision == WEIR_F64 ? sizeof(double) : sizeof(float);
    return (size_t)tensor->count * (tensor->integer ? sizeof(int64_t) : number);
}

/* FNV-1a: any changed byte changes it, which is all that is asked. */
uint64_t weir__tensors_digest(const weir__subject *subject)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        const unsigned char *const bytes = tensor.data;
        for (size_t i = 0; bytes && i < bytes_of(subject, &tensor); i++)
            digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

static void copy_tensor(const weir__solo_tensor *to, int32_t to_precision, const weir__solo_tensor *from,
                        int32_t from_precision)
{
    if (from->integer) {
        memcpy(to->data, from->data, (size_t)from->count * sizeof(int64_t));
        return;
    }
    for (int64_t i = 0; i < from->count; i++)
        put_number(to->data, to_precision, i, number_at(from->data, from_precision, i));
}

weir_status weir__subject_copy_state(weir__subject *to, const weir__subject *from, weir_error *error)
{
    const int64_t count = weir__solo_tensors(from->solo);
    if (weir__solo_tensors(to->solo) != count)
        return weir__fail(error, WEIR_INVALID, "its two precisions declare different tensors");
    for (int64_t t = 0; t < count; t++) {
        const weir__solo_tensor a = weir__solo_tensor_at(to->solo, t);
        const weir__solo_tensor b = weir__solo_tensor_at(from->solo, t);
        if (a.kind != b.kind || a.integer != b.integer || a.count != b.count || strcmp(a.name, b.name) != 0)
            return weir__fail(error, WEIR_INVALID, "tensor %s differs between its two precisions", b.name);
        if (b.count) copy_tensor(&a, to->precision, &b, from->precision);
    }
    return weir__solo_prepare(to->solo, error);
}

weir__solo_spec weir__subject_spec(const weir__subject *subject)
{
    const weir__setting *const setting = &subject->setting;
    const weir__candidate *const candidate = subject->candidate;
    return (weir__solo_spec){
        .node = candidate->node,
        .entry = candidate->entry,
        .precision = subject->precision,
        .features = setting->features,
        .context = setting->context,
        .image = candidate->image[0] ? candidate->image : NULL,
        .autoregressive = setting->autoregressive,
        .out = setting->out,
        .seed = candidate->seed,
        .supply = 1,
    };
}

const weir__map *weir__subject_map(const weir__subject *subject, const char *name)
{
    for (int32_t i = 0; i < subject->map_count; i++)
        if (strcmp(subject->maps[i].name, name) == 0) return &subject->maps[i];
    return NULL;
}
