/* node.c - what a node of a model description says: its keys, its module, whom it shares with. */
#include "model/node.h"

#include "container/container.h"
#include "model/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the node --------------------------------------------------------------------------------------------------- */

weir_status weir__node_keys(const json_t *node, const char *path, weir_error *error)
{
    static const char *const known[] = {"type", "options", "children", "share", "frozen"};
    const char *key;
    json_t *value;
    if (!json_is_object(node))
        return weir__fail(error, WEIR_INVALID, "%s: expected a module description", path);
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        int found = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) found |= strcmp(key, known[i]) == 0;
        if (found) continue;
        const char *const near = weir__nearest(key, known, 5);
        return weir__fail(
            error, WEIR_INVALID, "%s: unknown key \"%s\"%s%s%s", path, key, near ? "; did you mean \"" : "",
            near ? near : "; a node has type, options, children, share, frozen", near ? "\"?" : "");
    }
    if (!json_is_string(json_object_get(node, "type")))
        return weir__fail(error, WEIR_INVALID, "%s: \"type\" must name a module", path);
    if (json_object_get(node, "frozen") && !json_is_boolean(json_object_get(node, "frozen")))
        return weir__fail(error, WEIR_INVALID, "%s: \"frozen\" must be true or false", path);
    if (json_object_get(node, "share") && !json_is_string(json_object_get(node, "share")))
        return weir__fail(error, WEIR_INVALID, "%s: \"share\" must be a name", path);
    return WEIR_OK;
}

weir_status weir__node_children(const weir_module *module, const json_t *children, const char *path,
                                weir_error *error)
{
    const char *names[16] = {NULL};
    const char *key;
    json_t *value;
    int64_t count = 0;
    if (!children || json_is_null(children) || (json_is_array(children) && !json_array_size(children)))
        return WEIR_OK;
    if (!json_is_object(children))
        return weir__fail(error, WEIR_INVALID, "%s (%s): children must be an object of slots", path,
                          module->id);
    for (int32_t i = 0; i < module->slot_count && count < 16; i++)
        names[count++] = weir__slot_at(module, i)->name;
    json_object_foreach((json_t *)(uintptr_t)children, key, value)
    {
        int found = 0;
        for (int64_t i = 0; i < count; i++) found |= strcmp(key, names[i]) == 0;
        if (found && (json_is_object(value) || json_is_array(value) || json_is_null(value))) continue;
        if (found)
            return weir__fail(error, WEIR_INVALID,
                              "%s (%s): child \"%s\" must be a module or a list of modules", path, module->id,
                              key);
        const char *const near = weir__nearest(key, names, count);
        return weir__fail(error, WEIR_INVALID, "%s (%s): has no child \"%s\"%s%s%s", path, module->id, key,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return WEIR_OK;
}

/* What is given but not taken would be left out of the model without a word. */
weir_status weir__node_all_taken(const weir__making *m, weir_error *error)
{
    const weir_module *const module = m->instance->module;
    for (int32_t i = 0; i < module->slot_count; i++) {
        const char *const name = weir__slot_at(module, i)->name;
        const json_t *const nodes = json_object_get(m->children, name);
        const int32_t count = json_is_array(nodes) ? (int32_t)json_array_size(nodes) : json_is_object(nodes);
        if (count > m->cursors[i])
            return weir__fail(error, WEIR_INVALID, "%s (%s): child \"%s\" is given %d module%s, %d is used",
                              m->request->path, module->id, name, (int)count, count > 1 ? "s" : "",
                              (int)m->cursors[i]);
    }
    return WEIR_OK;
}

/* A host's own module first: a plugin cannot take its name. */
weir_status weir__node_module(weir__net *net, const weir__request *request, const char *type,
                              const weir_module **module, const weir__entry **entry, weir_error *error)
{
    *entry = request->entry;
    if (!*entry && (*module = weir__container(type, net->precision))) return WEIR_OK;
    if (!*entry && weir__registry_find(net->registry, type, entry, error))
        return weir__fail_in(error, "%s", request->path);
    *module = weir__entry_module(*entry, net->precision);
    return WEIR_OK;
}

/* ---- sharing ------------------------------------------------------------------------------------------------------ */

weir_status weir__node_share(weir__making *m, const char *name, weir_error *error)
{
    weir__net *const net = m->net;
    snprintf(m->share_name, sizeof m->share_name, "%s", name);
    for (int32_t i = 0; i < net->share_count; i++) {
        if (strcmp(net->shares[i].name, name)) continue;
        if (net->shares[i].module != m->instance->module)
            return weir__fail(error, WEIR_INVALID, "%s: shares \"%s\" with a module of type %s",
                              m->request->path, name, net->shares[i].module->id);
        m->share = &net->shares[i];
        return WEIR_OK;
    }
    weir__share *const shares = realloc(net->shares, ((size_t)net->share_count + 1) * sizeof *shares);
    if (!shares) return weir__no_memory(error, "shared parameters");
    net->shares = shares;
    m->share = &net->shares[net->share_count];
    *m->share = (weir__share){.name = strdup(name), .module = m->instance->module};
    if (!m->share->name) return weir__no_memory(error, "shared parameters");
    net->share_count++;
    m->share_first = 1;
    return WEIR_OK;
}
