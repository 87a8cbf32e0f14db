/* instance.c - makes one module of a model: options, children, create, the handle its parent gets. */
#include "method/bound.h"
#include "model/node.h"
#include "model/option.h"
#include "supply/supply.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MOST 50000

static const char *const kind_names[] = {"module", "layer", "univariate", "network", "density"};

static weir__instance *new_instance(const char *path)
{
    weir__instance *const made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->observed = made->replica = -1;
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

/* ---- creation ------------------------------------------------------------------------------------------------------ */

static void set_child(weir__instance *instance, const weir__request *request)
{
    weir_child *const c = &instance->own;
    const weir_module *const module = instance->module;
    const void *const ops = instance->calls ? instance->calls : module->ops;
    c->struct_size = (uint32_t)sizeof *c;
    c->kind = module->kind;
    c->self = instance->self;
    c->layer = module->kind == WEIR_LAYER ? ops : NULL;
    c->univariate = module->kind == WEIR_UNIVARIATE ? ops : NULL;
    c->network = module->kind == WEIR_NETWORK ? ops : NULL;
    c->density = module->kind == WEIR_DENSITY ? ops : NULL;
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

static void answer_for_children(weir_builder *builder);

static weir_status make(weir__making *m, const weir__request *request, weir_error *error)
{
    weir__instance *const instance = m->instance;
    weir_status status;
    instance->first_tensor = m->net->tensor_count;
    instance->stream = ++m->net->streams;
    weir__builder_begin(m);
    answer_for_children(&m->builder);
    if ((status = weir__net_count_lanes(m->net, request->in->features, request->path, error)) ||
        (status = weir__space_copy(&instance->in, request->in, error)) ||
        (status = weir__space_init(&instance->required, request->in->features, request->path, error)) ||
        (status = weir__space_init(&m->out, request->in->features, request->path, error)))
        return status;
    m->out.channels = request->in->channels;
    m->out.height = request->in->height;
    m->out.width = request->in->width;
    status = weir__create(instance->module, &m->builder, &instance->self);
    if (status || m->failed) {
        if (!m->failed)
            weir__fail(error, WEIR_INVALID, "%s (%s): could not be created (status %d)", request->path,
                       instance->module->id, (int)status);
        if (!status) weir__destroy(instance->module, instance->self);
        instance->self = NULL;
        return WEIR_INVALID;
    }
    if (instance->module->flags & WEIR_MODULE_OBSERVE_ONCE) {
        instance->observed = m->builder.integer_buffer(&m->builder, "observed", 0, NULL, NULL);
        if (instance->observed < 0) return WEIR_INVALID;
    }
    if (instance->entry && (status = weir__node_all_taken(m, error))) return status;
    instance->tensor_count = m->net->tensor_count - instance->first_tensor;
    if (instance->module->kind == WEIR_UNIVARIATE && !instance->identity)
        return weir__fail(error, WEIR_INVALID, "%s (%s): the plugin declared no parameters per element",
                          request->path, instance->module->id);
    return settle_output(m, instance, error);
}

weir_status weir__build(weir__net *net, const weir__request *request, weir__instance **out, weir_error *error)
{
    weir__making m = {.net = net, .request = request, .error = error};
    weir_status status = weir__node_keys(request->node, request->path, error);
    if (status) return status;
    weir_error local = {0};
    if (!error) m.error = error = &local;
    const char *const type = json_string_value(json_object_get(request->node, "type"));
    const weir_module *module = NULL;
    const weir__entry *entry = NULL;
    if ((status = weir__node_module(net, request, type, &module, &entry, error))) return status;
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
    if (!status) status = weir__node_children(module, m.children, request->path, error);
    if (!status)
        status = weir__options_check(module, json_object_get(request->node, "options"), request->path,
                                     &m.instance->options, error);
    if (!status && (share || request->share))
        status = weir__node_share(&m, share ? share : request->share, error);
    if (!status) status = make(&m, &inner, error);
    if (!status) {
        if (module->concurrency == WEIR_PER_WORKER) m.instance->replica = net->replica_count++;
        set_child(m.instance, &inner);
        status = weir__supply_concurrency(m.instance, error);
        m.instance->child = m.instance->own;
        if (!status && !request->plain)
            status = weir__supply(m.instance, request->caller ? request->caller : net->precision, error);
        if (!status) status = list_instance(net, m.instance, error);
    }
    free(m.cursors);
    free(m.fed);
    weir__space_clear(&m.out);
    if (status) return weir__instance_free(m.instance), status;
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

/* ---- the builder's calls for them --------------------------------------------------------------------------------------------------- */

static int32_t slot_of(const weir__making *m, const char *name)
{
    for (int32_t i = 0; i < m->instance->module->slot_count; i++)
        if (strcmp(weir__slot_at(m->instance->module, i)->name, name) == 0) return i;
    return -1;
}

static const json_t *next_node(weir__making *m, int32_t slot)
{
    const json_t *const node = json_object_get(m->children, weir__slot_at(m->instance->module, slot)->name);
    if (!json_is_array(node)) return m->cursors[slot] ? NULL : node;
    return json_array_get(node, (size_t)m->cursors[slot]);
}

static int32_t has_child(weir_builder *b, const char *name)
{
    weir__making *const m = weir__making_of(b);
    const int32_t slot = slot_of(m, name);
    if (slot < 0) return 0;
    if (next_node(m, slot)) return 1;
    return m->cursors[slot] == 0 && weir__slot_at(m->instance->module, slot)->default_id != NULL;
}

/* What the parent said of the child's input; said once for each child. */
static weir_status apply_fed(weir__making *m, weir__space *in)
{
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < m->fed_count && !status; i++)
        status = weir__space_state(in, &m->fed[i], m->error);
    m->fed_count = 0;
    return status;
}

static const weir_child *child(weir__making *m, const char *name, int32_t kind, int32_t features,
                               const weir_network_spec *network)
{
    weir__space in;
    weir__instance *made = NULL;
    json_t *usual = NULL;
    if (m->failed) return NULL;
    const int32_t slot = slot_of(m, name);
    if (slot < 0) return weir__refuse(m, "the plugin asked for a child slot that it does not declare"), NULL;
    const weir_slot *const s = weir__slot_at(m->instance->module, slot);
    const json_t *node = next_node(m, slot);
    if (!node && m->cursors[slot] == 0 && s->default_id)
        node = usual = json_pack("{s:s}", "type", s->default_id);
    if (!node) {
        char text[200];
        if (s->optional || m->cursors[slot]) return NULL;
        snprintf(text, sizeof text, "needs a child \"%.40s\": %.120s", s->name, s->summary ? s->summary : "");
        return weir__refuse(m, text), NULL;
    }
    m->cursors[slot]++;
    weir_status status = weir__space_init(&in, features, m->request->path, m->error);
    if (!status) status = apply_fed(m, &in);
    if (status) m->failed = 1;
    if (!status) status = weir__make_child(m, name, node, kind, &in, network, &made);
    weir__space_clear(&in);
    json_decref(usual);
    return status ? NULL : &made->child;
}

static const weir_child *child_layer(weir_builder *b, const char *slot, int32_t features)
{
    return child(weir__making_of(b), slot, WEIR_LAYER, features, NULL);
}

static const weir_child *child_univariate(weir_builder *b, const char *slot)
{
    return child(weir__making_of(b), slot, WEIR_UNIVARIATE, 1, NULL);
}

static const weir_child *child_network(weir_builder *b, const char *slot, const weir_network_spec *spec)
{
    weir__making *const m = weir__making_of(b);
    const weir_child *const made = child(m, slot, WEIR_NETWORK, spec->in, spec);
    if (made && spec->autoregressive && !(made->traits & WEIR_TRAIT_AUTOREGRESSIVE))
        return weir__refuse(m, "needs an autoregressive network, for example made"), NULL;
    return made;
}

static const weir_child *child_density(weir_builder *b, const char *slot, int32_t features)
{
    return child(weir__making_of(b), slot, WEIR_DENSITY, features, NULL);
}

static weir_status feed(weir_builder *b, const weir_domain *domain)
{
    weir__making *const m = weir__making_of(b);
    if (m->failed) return WEIR_INVALID;
    if (weir__full(m->fed_count)) {
        weir_domain *const fed = realloc(m->fed, 2 * ((size_t)m->fed_count + 1) * sizeof *fed);
        if (!fed) return weir__refuse(m, "out of memory");
        m->fed = fed;
    }
    m->fed[m->fed_count++] = *domain;
    return WEIR_OK;
}

static void answer_for_children(weir_builder *builder)
{
    builder->has_child = has_child;
    builder->child_layer = child_layer;
    builder->child_univariate = child_univariate;
    builder->child_network = child_network;
    builder->child_density = child_density;
    builder->feed = feed;
}
