/* inspect.c - what a model is: numbers, tree, tensors, metadata. */
#include "api/api.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t count_of(const weir__net *net, int32_t kind)
{
    int64_t sum = 0;
    for (int32_t h = 0; h < net->tensor_count; h++)
        if (net->tensors[h].kind == kind) sum += net->tensors[h].count;
    return sum;
}

static int64_t listed(const weir__net *net)
{
    int64_t sum = 0;
    for (int32_t h = 0; h < net->tensor_count; h++) sum += net->tensors[h].kind != WEIR__DERIVED;
    return sum;
}

int64_t weir_model_get(const weir_model *model, int32_t what)
{
    switch (what) {
    case WEIR_MODEL_FEATURES:
        return model->features;
    case WEIR_MODEL_LATENT:
        return model->latent;
    case WEIR_MODEL_CONTEXT:
        return model->context;
    case WEIR_MODEL_PRECISION:
        return model->net.precision;
    case WEIR_MODEL_PARAMETERS:
        return count_of(&model->net, WEIR__PARAMETER);
    case WEIR_MODEL_BUFFERS:
        return count_of(&model->net, WEIR__BUFFER);
    case WEIR_MODEL_TENSORS:
        return listed(&model->net);
    case WEIR_MODEL_TILE:
        return model->last_tile;
    case WEIR_MODEL_LEVELS:
        return model->levels;
    case WEIR_MODEL_VERSION:
        return (int64_t)model->net.version;
    default:
        return -1;
    }
}

void weir__model_changed(weir_model *model)
{
    model->net.version++;
}

/* ---- the tree --------------------------------------------------------------------------------------------------------- */

static json_t *names_of(uint32_t flags, const char *const *names, int32_t count)
{
    json_t *const list = json_array();
    for (int32_t i = 0; i < count; i++)
        if (flags >> i & 1) json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *node_json(const weir__net *net, const weir__instance *instance)
{
    static const char *const traits[] = {"inverse_sequential", "inverse_numeric", "no_inverse",
                                         "volume_preserving",  "autoregressive",  "inverse_lossy"};
    static const char *const supplied[] = {"inverse", "inverse_vjp", "incremental", "precision"};
    const uint32_t kept = WEIR_TRAIT_INVERSE_SEQUENTIAL | WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE;
    int64_t own = 0;
    for (int32_t i = 0; i < instance->tensor_count; i++) {
        const weir__tensor *const t = &net->tensors[instance->first_tensor + i];
        if (t->kind == WEIR__PARAMETER) own += t->count;
    }
    json_t *const children = json_array();
    for (int32_t i = 0; i < instance->child_count; i++) {
        json_t *const child = node_json(net, instance->children[i]);
        json_object_set_new(child, "slot", json_string(instance->slots[i]));
        json_array_append_new(children, child);
    }
    json_t *const out = json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:O, s:o}", "type", instance->module->id,
                                  "version", instance->module->version, "name", instance->path, "in",
                                  (int)instance->child.in, "out", (int)instance->child.out, "parameters",
                                  (json_int_t)own, "options", instance->options, "children", children);
    json_object_set_new(out, "plugin",
                        instance->entry ? json_string(instance->entry->plugin) : json_string("host"));
    json_object_set_new(out, "traits", names_of(instance->child.traits, traits, 6));
    json_object_set_new(out, "supplied", names_of(instance->supplied, supplied, 4));
    json_object_set_new(out, "kept", json_boolean((instance->child.traits & kept) != 0));
    return out;
}

weir_status weir_model_describe(const weir_model *model, char **json, weir_error *error)
{
    json_t *const root = json_pack("{s:i, s:i, s:i, s:s, s:I, s:I}", "features", (int)model->features,
                                   "latent", (int)model->latent, "context", (int)model->context, "dtype",
                                   model->net.precision == WEIR_F32 ? "f32" : "f64", "parameters",
                                   (json_int_t)count_of(&model->net, WEIR__PARAMETER), "buffers",
                                   (json_int_t)count_of(&model->net, WEIR__BUFFER));
    json_object_set_new(root, "levels", model->levels ? json_integer(model->levels) : json_null());
    json_object_set_new(root, "flow", node_json(&model->net, model->flow));
    json_object_set_new(root, "base", node_json(&model->net, model->base));
    json_object_set(root, "description", model->description);
    char *const text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text) return weir__no_memory(error, "the description");
    *json = text;
    return WEIR_OK;
}

weir_status weir_model_metadata(const weir_model *model, char **json, weir_error *error)
{
    char *const text = json_dumps(model->metadata, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) return weir__no_memory(error, "the metadata");
    *json = text;
    return WEIR_OK;
}

weir_status weir_model_set_metadata(weir_model *model, const char *json, weir_error *error)
{
    json_error_t where;
    json_t *const object = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object)) {
        json_decref(object);
        return weir__fail(error, WEIR_INVALID, "metadata must be a JSON object");
    }
    json_decref(model->metadata);
    model->metadata = object;
    return WEIR_OK;
}

weir_status weir_model_set_recompute(weir_model *model, int32_t recompute, weir_error *error)
{
    (void)error;
    model->recompute = recompute != 0;
    return WEIR_OK;
}

/* ---- tensors: parameters and buffers in handle order --------------------------------------------------------------------- */

static int32_t handle_of(const weir_model *model, int64_t index)
{
    const weir__net *const net = &model->net;
    for (int32_t h = 0; h < net->tensor_count; h++)
        if (net->tensors[h].kind != WEIR__DERIVED && index-- == 0) return h;
    return -1;
}

weir_status weir_tensor_at(const weir_model *model, int64_t index, weir_tensor_info *info, weir_error *error)
{
    const int32_t h = index < 0 ? -1 : handle_of(model, index);
    if (h < 0) return weir__fail(error, WEIR_INVALID, "tensor %lld does not exist", (long long)index);
    const weir__tensor *const t = &model->net.tensors[h];
    weir_tensor_info full = {.struct_size = info->struct_size,
                             .kind = t->kind == WEIR__PARAMETER ? WEIR_TENSOR_PARAMETER : WEIR_TENSOR_BUFFER,
                             .dtype = t->integer                         ? WEIR_DTYPE_I64
                                      : model->net.precision == WEIR_F32 ? WEIR_DTYPE_F32
                                                                         : WEIR_DTYPE_F64,
                             .rank = t->rank,
                             .count = t->count,
                             .frozen = t->frozen,
                             .name = t->name};
    memcpy(full.dims, t->dims, sizeof full.dims);
    memcpy(info, &full, info->struct_size < sizeof full ? info->struct_size : sizeof full);
    return WEIR_OK;
}

int64_t weir_tensor_find(const weir_model *model, const char *name)
{
    int64_t index = 0;
    for (int32_t h = 0; h < model->net.tensor_count; h++) {
        if (model->net.tensors[h].kind == WEIR__DERIVED) continue;
        if (strcmp(model->net.tensors[h].name, name) == 0) return index;
        index++;
    }
    return -1;
}

static weir_status find_tensor(const weir_model *model, int64_t index, int64_t count, int32_t *handle,
                               weir_error *error)
{
    *handle = index < 0 ? -1 : handle_of(model, index);
    if (*handle < 0) return weir__fail(error, WEIR_INVALID, "tensor %lld does not exist", (long long)index);
    const weir__tensor *const t = &model->net.tensors[*handle];
    if (t->count == count) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s has %lld elements, not %lld", t->name, (long long)t->count,
                      (long long)count);
}

weir_status weir_tensor_read(const weir_model *model, int64_t index, double *values, int64_t count,
                             weir_error *error)
{
    int32_t h;
    const weir_status status = find_tensor(model, index, count, &h, error);
    if (status) return status;
    const void *const data = model->net.table[h];
    for (int64_t i = 0; i < count; i++) {
        if (model->net.tensors[h].integer)
            values[i] = (double)((const int64_t *)data)[i];
        else if (model->net.precision == WEIR_F32)
            values[i] = (double)((const float *)data)[i];
        else
            values[i] = ((const double *)data)[i];
    }
    return WEIR_OK;
}

weir_status weir_tensor_write(weir_model *model, int64_t index, const double *values, int64_t count,
                              weir_error *error)
{
    int32_t h;
    const weir_status status = find_tensor(model, index, count, &h, error);
    if (status) return status;
    const weir__tensor *const t = &model->net.tensors[h];
    void *const data = model->net.table[h];
    for (int64_t i = 0; i < count; i++)
        if (t->integer && !(fabs(values[i]) < 9e18))
            return weir__fail(error, WEIR_INVALID, "%s holds integers, %g does not fit", t->name, values[i]);
    for (int64_t i = 0; i < count; i++) {
        if (t->integer)
            ((int64_t *)data)[i] = (int64_t)values[i];
        else if (model->net.precision == WEIR_F32)
            ((float *)data)[i] = (float)values[i];
        else
            ((double *)data)[i] = values[i];
    }
    if (t->linear >= 0) weir__linear_mask(model->net.linears[t->linear], model->net.precision, data);
    weir__model_changed(model);
    return WEIR_OK;
}

weir_status weir_freeze(weir_model *model, const char *pattern, int32_t frozen, weir_error *error)
{
    int64_t matched = 0;
    for (int32_t h = 0; h < model->net.tensor_count; h++) {
        weir__tensor *const t = &model->net.tensors[h];
        if (t->kind != WEIR__PARAMETER || fnmatch(pattern, t->name, 0)) continue;
        t->frozen = frozen != 0;
        matched++;
    }
    if (matched) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "no parameter's name matches \"%s\"; print the model to see them",
                      pattern);
}
