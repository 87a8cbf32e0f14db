/* instance.c - makes one module of a model: options, children, create, the handle its parent gets. */
#include "model/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MOST 50000

static const char *const kind_names[] = {"module", "layer", "univariate", "network", "density"};

/* ---- the net -------------------------------------------------------------------------------------------------- */

weir_status weir__net_init(weir__net *net, weir__registry *registry, int32_t precision, uint64_t seed)
{
    *net = (weir__net){.registry = registry, .precision = precision, .seed = seed};
    return WEIR_OK;
}

static void instance_free(weir__instance *instance)
{
    if (instance->self && instance->module->destroy) instance->module->destroy(instance->self);
    free(instance->path);
    weir__supply_free(instance);
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
    for (int32_t i = net->instance_count - 1; i >= 0; i--) instance_free(net->instances[i]);
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

/* ---- the node --------------------------------------------------------------------------------------------------- */

static weir_status check_keys(const json_t *node, const char *path, weir_error *error)
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

static weir_status check_children(const weir_module *module, const json_t *children, const char *path,
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
static weir_status check_all_taken(const weir__making *m, weir_error *error)
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
static weir_status find_module(weir__net *net, const weir__request *request, const char *type,
                               const weir_module **module, const weir__entry **entry, weir_error *error)
{
    *entry = request->entry;
    if (!*entry && (*module = weir__container(type, net->precision))) return WEIR_OK;
    if (!*entry && weir__registry_find(net->registry, type, entry, error))
        return weir__fail_in(error, "%s", request->path);
    *module = weir__entry_module(*entry, net->precision);
    return WEIR_OK;
}

static weir__instance *new_instance(const char *path)
{
    weir__instance *const made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->observed = -1;
    made->path = strdup(path);
    if (!made->path) return free(made), NULL;
    return made;
}

/* Children stand before their parents: a parent is listed when it is finished. Repeats within repeats multiply, so that
 * a few words could ask for more modules than any memory holds. */
static weir_status list_instance(weir__net *net, weir__instance *instance, weir_error *error)
{
    if (net->instance_count >= MODULES_MOST)
        return weir__fail(error, WEIR_INVALID, "%s: the model has more than %d modules, which is too many",
                          instance->path, MODULES_MOST);
    if (weir__full(net->instance_count)) {
        weir__instance **const list =
            realloc(net->instances, 2 * ((size_t)net->instance_count + 1) * sizeof(weir__instance *));
        if (!list) return weir__no_memory(error, "a module");
        net->instances = list;
    }
    net->instances[net->instance_count++] = instance;
    return WEIR_OK;
}

/* ---- sharing ------------------------------------------------------------------------------------------------------ */

static weir_status join_share(weir__making *m, const char *name, weir_error *error)
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

/* ---- creation ------------------------------------------------------------------------------------------------------ */

static void set_child(weir__instance *instance, const weir__request *request)
{
    weir_child *const c = &instance->own;
    const weir_module *const module = instance->module;
    c->struct_size = (uint32_t)sizeof *c;
    c->kind = module->kind;
    c->self = instance->self;
    c->layer = module->kind == WEIR_LAYER ? module->ops : NULL;
    c->univariate = module->kind == WEIR_UNIVARIATE ? module->ops : NULL;
    c->network = module->kind == WEIR_NETWORK ? module->ops : NULL;
    c->density = module->kind == WEIR_DENSITY ? module->ops : NULL;
    c->in = instance->in.features;
    c->out = request->network ? request->network->out : instance->out.features;
    c->identity = instance->identity;
    if (module->kind == WEIR_NETWORK) return;
    c->domain = instance->required.lanes;
    c->codomain = module->kind == WEIR_DENSITY ? NULL : instance->out.lanes;
}

/* A layer whose author says nothing gives the whole line. */
static weir_status settle_output(weir__making *m, weir__instance *instance, weir_error *error)
{
    if (!m->out_stated && instance->module->kind == WEIR_LAYER) {
        const weir_domain line = {.struct_size = (uint32_t)sizeof line,
                                  .kind = WEIR_DOMAIN_INTERVAL,
                                  .count = m->out.features,
                                  .lower = -INFINITY,
                                  .upper = INFINITY};
        if (weir__space_state(&m->out, &line, error)) return WEIR_INVALID;
    }
    if (!m->passes_on)
        snprintf(m->out.made_by, sizeof m->out.made_by, "%s (%s)", instance->path, instance->module->id);
    instance->out = m->out;
    m->out = (weir__space){0};
    return WEIR_OK;
}

static void fill_builder(weir__making *m, const weir__request *request)
{
    m->builder = *weir__builder_table();
    m->builder.precision = m->instance->module->precision;
    m->builder.host = m;
    m->builder.features = request->in->features;
    m->builder.context = m->child_context = request->context;
    m->builder.channels = request->in->channels;
    m->builder.height = request->in->height;
    m->builder.width = request->in->width;
    m->builder.network = request->network;
    m->builder.stream = m->instance->stream;
    m->builder.seed = m->net->seed;
}

static weir_status make(weir__making *m, const weir__request *request, weir_error *error)
{
    weir__instance *const instance = m->instance;
    weir_status status;
    instance->first_tensor = m->net->tensor_count;
    instance->stream = ++m->net->streams;
    fill_builder(m, request);
    if ((status = weir__space_copy(&instance->in, request->in, error)) ||
        (status = weir__space_init(&instance->required, request->in->features, request->path, error)) ||
        (status = weir__space_init(&m->out, request->in->features, request->path, error)))
        return status;
    m->out.channels = request->in->channels;
    m->out.height = request->in->height;
    m->out.width = request->in->width;
    status = instance->module->create(&m->builder, &instance->self);
    if (status || m->failed) {
        if (!m->failed)
            weir__fail(error, WEIR_INVALID, "%s (%s): could not be created (status %d)", request->path,
                       instance->module->id, (int)status);
        if (!status && instance->self) instance->module->destroy(instance->self);
        instance->self = NULL;
        return WEIR_INVALID;
    }
    if (instance->module->flags & WEIR_MODULE_OBSERVE_ONCE) {
        instance->observed = m->builder.integer_buffer(&m->builder, "observed", 0, NULL, NULL);
        if (instance->observed < 0) return WEIR_INVALID;
    }
    if (instance->entry && (status = check_all_taken(m, error))) return status;
    instance->tensor_count = m->net->tensor_count - instance->first_tensor;
    if (instance->module->kind == WEIR_UNIVARIATE && !instance->identity)
        return weir__fail(error, WEIR_INVALID, "%s (%s): the plugin declared no parameters per element",
                          request->path, instance->module->id);
    return settle_output(m, instance, error);
}

weir_status weir__build(weir__net *net, const weir__request *request, weir__instance **out, weir_error *error)
{
    weir__making m = {.net = net, .request = request, .error = error};
    weir_status status = check_keys(request->node, request->path, error);
    if (status) return status;
    weir_error local = {0};
    if (!error) m.error = error = &local;
    const char *const type = json_string_value(json_object_get(request->node, "type"));
    const weir_module *module = NULL;
    const weir__entry *entry = NULL;
    if ((status = find_module(net, request, type, &module, &entry, error))) return status;
    if (request->kind && module->kind != request->kind)
        return weir__fail(error, WEIR_INVALID, "%s: %s is a %s, a %s is needed here", request->path,
                          module->id, kind_names[module->kind], kind_names[request->kind]);
    m.instance = new_instance(request->path);
    if (!m.instance) return weir__no_memory(error, "a module");
    m.instance->module = module;
    m.instance->entry = entry;
    m.instance->context = request->context;
    weir__request inner = *request;
    m.request = &inner;
    inner.frozen = request->frozen || json_is_true(json_object_get(request->node, "frozen"));
    const char *const share = json_string_value(json_object_get(request->node, "share"));
    m.children = json_object_get(request->node, "children");
    m.cursors = calloc((size_t)module->slot_count + 1, sizeof *m.cursors);
    if (!m.cursors) status = weir__no_memory(error, "a module");
    if (!status) status = check_children(module, m.children, request->path, error);
    if (!status)
        status = weir__options_check(module, json_object_get(request->node, "options"), request->path,
                                     &m.instance->options, error);
    if (!status && (share || request->share)) status = join_share(&m, share ? share : request->share, error);
    if (!status) status = make(&m, &inner, error);
    if (!status) {
        set_child(m.instance, &inner);
        m.instance->child = m.instance->own;
        if (!request->plain)
            status = weir__supply(m.instance, request->caller ? request->caller : net->precision, error);
        if (!status) status = list_instance(net, m.instance, error);
    }
    free(m.cursors);
    free(m.fed);
    weir__space_clear(&m.out);
    if (status) return instance_free(m.instance), status;
    *out = m.instance;
    return WEIR_OK;
}

/* ---- children of a module in the making ------------------------------------------------------------------------------ */

static int adopt(weir__instance *parent, const char *slot, weir__instance *child)
{
    if (weir__full(parent->child_count)) {
        const size_t room = 2 * ((size_t)parent->child_count + 1);
        weir__instance **const children = realloc(parent->children, room * sizeof(weir__instance *));
        if (!children) return 0;
        parent->children = children;
        char **const slots = realloc(parent->slots, room * sizeof(char *));
        if (!slots) return 0;
        parent->slots = slots;
    }
    char *const name = strdup(slot);
    if (!name) return 0;
    parent->slots[parent->child_count] = name;
    parent->children[parent->child_count++] = child;
    return 1;
}

/* Which child of its slot the next one will be, from 1. Containers have one slot and may hold very many. */
static int32_t number_in_slot(const weir__instance *parent, const char *slot)
{
    int32_t number = 1;
    if (parent->module->slot_count == 1) return parent->child_count + 1;
    for (int32_t i = 0; i < parent->child_count; i++) number += strcmp(parent->slots[i], slot) == 0;
    return number;
}

weir_status weir__make_child(weir__making *m, const char *slot, const json_t *node, int32_t kind,
                             const weir__space *in, const weir_network_spec *network, weir__instance **child)
{
    char path[400], share[160];
    const int32_t number = number_in_slot(m->instance, slot);
    const int list = strcmp(slot, "layers") == 0;
    if (list)
        snprintf(path, sizeof path, "%s.%d", m->request->path, (int)number);
    else if (number > 1)
        snprintf(path, sizeof path, "%s.%s.%d", m->request->path, slot, (int)number);
    else
        snprintf(path, sizeof path, "%s.%s", m->request->path, slot);
    if (strlen(path) > 300) {
        weir__fail(m->error, WEIR_INVALID, "%.100s...: modules are nested too deeply", path);
        return m->failed = 1, WEIR_INVALID;
    }
    snprintf(share, sizeof share, "%.100s/%.40s.%d", m->share_name, slot, (int)number);
    const weir__request request = {
        .node = node,
        .path = path,
        .kind = kind,
        .in = in,
        .context = m->child_context,
        .network = network,
        .share = m->share ? share : NULL,
        .frozen = m->request->frozen,
        .caller = m->instance->module->precision,
    };
    /* A child may grow the list of shares; this module's own place in it is looked up again. */
    const ptrdiff_t share_index = m->share ? m->share - m->net->shares : -1;
    const weir_status status = weir__build(m->net, &request, child, m->error);
    if (share_index >= 0) m->share = &m->net->shares[share_index];
    if (status || !adopt(m->instance, slot, *child)) {
        if (!status) weir__no_memory(m->error, "a module");
        m->failed = 1;
        return WEIR_INVALID;
    }
    return WEIR_OK;
}
