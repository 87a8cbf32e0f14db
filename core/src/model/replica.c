/* replica.c - see replica.h. */
#include "model/replica.h"

#include "model/making.h"

#include <stdlib.h>
#include <string.h>

/* ---- the builder of a replica: it answers about options, and declares nothing ---------------------------------- */

static weir_handle none(weir_builder *b)
{
    weir__refuse(weir__making_of(b),
                 "declares something anew for one more worker: it must take handles and children "
                 "from weir_builder.original");
    return -1;
}

static weir_handle parameter(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                             const weir_init *init, uint32_t flags)
{
    (void)name, (void)rank, (void)dims, (void)init, (void)flags;
    return none(b);
}

static weir_handle derived(weir_builder *b, const char *name, int32_t rank, const int64_t *dims)
{
    (void)name, (void)rank, (void)dims;
    return none(b);
}

static weir_handle buffer(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                          const weir_init *init)
{
    (void)name, (void)rank, (void)dims, (void)init;
    return none(b);
}

static weir_handle integer_buffer(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                                  const int64_t *values)
{
    (void)name, (void)rank, (void)dims, (void)values;
    return none(b);
}

static weir_handle linear(weir_builder *b, const weir_linear_spec *spec)
{
    (void)spec;
    return none(b);
}

static int32_t has_child(weir_builder *b, const char *slot)
{
    const weir__instance *const instance = weir__making_of(b)->instance;
    for (int32_t i = 0; i < instance->child_count; i++)
        if (strcmp(instance->slots[i], slot) == 0) return 1;
    return 0;
}

static const weir_child *child(weir_builder *b, const char *slot)
{
    (void)slot;
    return none(b), NULL;
}

static const weir_child *child_of_width(weir_builder *b, const char *slot, int32_t features)
{
    (void)features;
    return child(b, slot);
}

static const weir_child *child_network(weir_builder *b, const char *slot, const weir_network_spec *spec)
{
    (void)spec;
    return child(b, slot);
}

static weir_status heard(weir_builder *b, const weir_domain *domain)
{
    (void)b, (void)domain;
    return WEIR_OK;
}

static weir_status output(weir_builder *b, int32_t features, int32_t channels, int32_t height, int32_t width)
{
    (void)b, (void)features, (void)channels, (void)height, (void)width;
    return WEIR_OK;
}

static weir_status params(weir_builder *b, int32_t count, const double *identity)
{
    (void)b, (void)count, (void)identity;
    return WEIR_OK;
}

static void traits(weir_builder *b, uint32_t flags)
{
    (void)b, (void)flags;
}

static weir_status calls(weir_builder *b, const void *ops)
{
    (void)b, (void)ops;
    return WEIR_OK;
}

static void fill_builder(weir_builder *b, const weir__instance *instance)
{
    b->parameter = parameter;
    b->derived = derived;
    b->buffer = buffer;
    b->integer_buffer = integer_buffer;
    b->linear = linear;
    b->has_child = has_child;
    b->child_layer = child_of_width;
    b->child_univariate = child;
    b->child_network = child_network;
    b->child_density = child_of_width;
    b->feed = b->require = b->produce = heard;
    b->output = output;
    b->params = params;
    b->traits = traits;
    b->calls = calls;
    b->features = instance->in.features;
    b->channels = instance->in.channels;
    b->height = instance->in.height;
    b->width = instance->in.width;
    b->original = instance->self;
}

/* ---- making them ----------------------------------------------------------------------------------------------- */

static weir_status make(const weir__net *net, weir__instance *instance, void **self, weir_error *error)
{
    const weir__request request = {.path = instance->path, .in = &instance->in, .context = instance->context};
    weir__making m = {.net = (weir__net *)(uintptr_t)net, .instance = instance, .request = &request};
    weir_error local = {0};
    m.error = error ? error : &local;
    weir__builder_begin(&m);
    fill_builder(&m.builder, instance);
    const weir_status status = weir__create(instance->module, &m.builder, self);
    if (!status && !m.failed) return WEIR_OK;
    if (!status) weir__destroy(instance->module, *self);
    *self = NULL;
    if (m.failed) return WEIR_INVALID;
    return weir__fail(error, WEIR_INVALID, "%s (%s): could not be created for one more worker (status %d)",
                      instance->path, instance->module->id, (int)status);
}

weir_status weir__replicas_make(const weir__net *net, void ***replicas, weir_error *error)
{
    *replicas = NULL;
    if (!net->replica_count) return WEIR_OK;
    void **const list = calloc((size_t)net->replica_count, sizeof *list);
    if (!list) return weir__no_memory(error, "a worker");
    for (int32_t i = 0; i < net->instance_count; i++) {
        weir__instance *const instance = net->instances[i];
        if (instance->replica < 0) continue;
        const weir_status status = make(net, instance, &list[instance->replica], error);
        if (status) return weir__replicas_free(net, list), status;
    }
    *replicas = list;
    return WEIR_OK;
}

void weir__replicas_free(const weir__net *net, void **replicas)
{
    for (int32_t i = 0; replicas && i < net->instance_count; i++) {
        const weir__instance *const instance = net->instances[i];
        if (instance->replica >= 0) weir__destroy(instance->module, replicas[instance->replica]);
    }
    free(replicas);
}
