/* plugins.c - what is installed, as files: the inventory and its lock. */
#include "api/api.h"

#include "plugin/image.h"

#include <stdlib.h>

const char *weir_plugin_at(const void *address)
{
    return weir__image_at(address);
}

weir_status weir_plugins(weir_runtime *rt, char **json, weir_error *error)
{
    json_t *const list = weir__registry_inventory(rt->registry);
    char *const text = list ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    if (!text) return weir__no_memory(error, "the list of plugins");
    *json = text;
    return WEIR_OK;
}

weir_status weir_plugins_lock(weir_runtime *rt, const weir_model *model, const char *path, weir_error *error)
{
    weir__lock_wish wish = {0};
    if (!model) return weir__registry_lock(rt->registry, &wish, path, error);
    const weir__net *const net = &model->net;
    const weir__entry **const entries = calloc((size_t)net->instance_count + 1, sizeof *entries);
    if (!entries) return weir__no_memory(error, "the list of plugins");
    int64_t count = 0;
    for (int32_t i = 0; i < net->instance_count; i++)
        if (net->instances[i]->entry) entries[count++] = net->instances[i]->entry;
    wish = (weir__lock_wish){entries, count, net->files, net->file_count};
    const weir_status status = weir__registry_lock(rt->registry, &wish, path, error);
    free(entries);
    return status;
}
