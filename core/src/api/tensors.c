/* tensors.c - the tensors of a model and those of a file: the list, whether they fit, and filling the one from the other. */
#include "api/api.h"

#include "file/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t dtype_of(const weir__net *net, const weir__tensor *t)
{
    return t->integer ? WEIR_DTYPE_I64 : net->precision == WEIR_F32 ? WEIR_DTYPE_F32 : WEIR_DTYPE_F64;
}

weir_status weir__model_tensors(const weir_model *model, weir__st_tensor **out, int64_t *count,
                                weir_error *error)
{
    const weir__net *const net = &model->net;
    weir__st_tensor *const list = calloc((size_t)net->tensor_count + 1, sizeof *list);
    if (!list) return weir__no_memory(error, "the list of tensors");
    *count = 0;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        if (t->kind == WEIR__DERIVED) continue;
        weir__st_tensor *const s = &list[(*count)++];
        *s = (weir__st_tensor){.name = t->name,
                               .dtype = dtype_of(net, t),
                               .rank = t->rank,
                               .count = t->count,
                               .data = net->table[h]};
        memcpy(s->dims, t->dims, sizeof s->dims);
    }
    *out = list;
    return WEIR_OK;
}

/* ---- checksum: over everything that makes the model what it is ---------------------------------------------------------- */

weir_status weir__model_fits(const weir_model *model, const char *path, const weir__st_file *file,
                             const char *prefix, weir_error *error)
{
    const weir__net *const net = &model->net;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        char name[520];
        if (t->kind == WEIR__DERIVED) continue;
        snprintf(name, sizeof name, "%s%s", prefix, t->name);
        const weir__st_tensor *const s = weir__st_find(file, name);
        if (!s)
            return weir__fail(error, WEIR_INVALID, "%s%stensor %s is missing", path ? path : "",
                              path ? ": " : "", name);
        if (s->dtype != dtype_of(net, t) || s->rank != t->rank || s->count != t->count ||
            memcmp(s->dims, t->dims, sizeof(int64_t) * (size_t)t->rank))
            return weir__fail(error, WEIR_INVALID, "%s%stensor %s has another shape or type than the model",
                              path ? path : "", path ? ": " : "", name);
    }
    return WEIR_OK;
}

weir_status weir__model_fill(weir_model *model, const char *path, const weir__st_file *file,
                             const char *prefix, weir_error *error)
{
    const weir__net *const net = &model->net;
    const weir_status status = weir__model_fits(model, path, file, prefix, error);
    if (status) return status;
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        char name[520];
        if (t->kind == WEIR__DERIVED) continue;
        snprintf(name, sizeof name, "%s%s", prefix, t->name);
        memcpy(net->table[h], weir__st_find(file, name)->data,
               (size_t)(t->count * weir__dtype_bytes(dtype_of(net, t))));
        if (t->linear >= 0) weir__linear_mask(net->linears[t->linear], net->precision, net->table[h]);
    }
    weir__model_changed(model);
    return WEIR_OK;
}
