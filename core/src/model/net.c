/* net.c - a net begins empty; what it has come to own goes with it. */
#include "method/bound.h"
#include "model/making.h"
#include "supply/supply.h"

#include <stdlib.h>

#define LANES_MOST (1 << 24)

weir_status weir__net_init(weir__net *net, weir__registry *registry, int32_t precision, uint64_t seed)
{
    *net = (weir__net){.registry = registry, .precision = precision, .seed = seed};
    return WEIR_OK;
}

void weir__instance_free(weir__instance *instance)
{
    weir__destroy(instance->module, instance->self);
    free(instance->path);
    weir__supply_free(instance);
    weir__bound_free(instance);
    free(instance->identity);
    weir__space_clear(&instance->in);
    weir__space_clear(&instance->out);
    weir__space_clear(&instance->required);
    json_decref(instance->options);
    for (int32_t i = 0; i < instance->child_count; i++) free(instance->slots[i]);
    free(instance->slots);
    free(instance->children);
    free(instance);
}

void weir__net_clear(weir__net *net)
{
    for (int32_t i = net->instance_count - 1; i >= 0; i--) weir__instance_free(net->instances[i]);
    for (int32_t h = 0; h < net->tensor_count; h++) {
        free(net->tensors[h].name);
        free(net->tensors[h].values);
        free(net->tensors[h].integers);
    }
    for (int32_t i = 0; i < net->linear_count; i++) {
        weir__linear_clear(net->linears[i]);
        free(net->linears[i]);
    }
    for (int32_t i = 0; i < net->share_count; i++) {
        free(net->shares[i].name);
        free(net->shares[i].handles);
    }
    for (int32_t i = 0; i < net->file_count; i++) free(net->files[i]);
    free(net->files);
    free(net->instances);
    free(net->tensors);
    free(net->linears);
    free(net->shares);
    free(net->parameters);
    free(net->buffers);
    free(net->derived);
    free(net->other);
    free(net->integers);
    free(net->table);
    free(net->other_table);
    *net = (weir__net){0};
}

/* Every module keeps what it knows of every lane, so that a short chain over very many features would fill the memory. */
weir_status weir__net_count_lanes(weir__net *net, int32_t lanes, const char *path, weir_error *error)
{
    net->lanes += lanes;
    if (net->lanes <= LANES_MOST) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "%s: the modules of the model have more than %d features together, which is too many",
                      path, LANES_MOST);
}
