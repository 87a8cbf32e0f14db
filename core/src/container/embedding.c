/* embedding.c - layers that are conditioned on what a network makes of the context.
 *
 * The layer's calls get the frame they were given, with another context in it for the time of the call. On the tape: the
 * embedded context, the network's records, the layer's, and then the address of the first, which the way back needs before
 * it has popped what lies above. */
#include "container/container.h"
#include "run/lanes.h"

#include <stdlib.h>
#include <string.h>

#define LAYER   0
#define NETWORK 1

typedef struct embedding {
    weir__container_self
        base;         /* must stay first; children: the layer, then the network, which `count` leaves out */
    int32_t embedded; /* features of the context that the layer sees */
} embedding;

typedef struct contexts {
    const weir_tile *context, *bar;
} contexts;

static contexts exchange(weir_frame *frame, const weir_tile *context, const weir_tile *bar)
{
    const contexts before = {frame->context, frame->context_bar};
    frame->context = context;
    frame->context_bar = bar;
    return before;
}

static weir_status run_network(const embedding *self, weir_frame *frame, const weir_tile *embedded)
{
    const weir_child *const network = &self->base.children[NETWORK]->child;
    const contexts own = exchange(frame, NULL, NULL);
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status = network->network->forward(network->self, frame, own.context, embedded);
    frame->services->scratch_release(frame, mark);
    exchange(frame, own.context, own.bar);
    return status;
}

static weir_status map(const embedding *self, weir_frame *frame, int inverse, const weir_tile *in,
                       const weir_tile *out, void *log_det)
{
    const weir__instance *const layer = self->base.children[LAYER];
    const int64_t bytes = self->embedded * frame->stride * weir__real_size(frame);
    weir_tile embedded = weir__run_tile(frame, 0);
    embedded.features = self->embedded;
    embedded.data =
        frame->tape ? frame->services->tape_push(frame, bytes) : frame->services->scratch_take(frame, bytes);
    if (!embedded.data) return WEIR_ERROR;
    weir_status status = run_network(self, frame, &embedded);
    if (status > WEIR_DISCARD) return status;
    const contexts own = exchange(frame, &embedded, NULL);
    const weir_status mapped = inverse ? weir__call_inverse(layer, frame, in, out, log_det)
                                       : weir__call_forward(layer, frame, in, out, log_det);
    exchange(frame, own.context, own.bar);
    if (mapped > status) status = mapped;
    if (!frame->tape || status > WEIR_DISCARD) return status;
    void **const record = frame->services->tape_push(frame, (int64_t)sizeof *record);
    if (!record) return WEIR_ERROR;
    *record = embedded.data;
    return status;
}

static void add_lane(const weir_frame *frame, const void *from, void *to)
{
    if (frame->precision == WEIR_F32)
        for (int32_t r = 0; r < frame->width; r++) ((float *)to)[r] += ((const float *)from)[r];
    else
        for (int32_t r = 0; r < frame->width; r++) ((double *)to)[r] += ((const double *)from)[r];
}

/* Pops the network's records; what it gives its input is added to the cotangent of the model's context. */
static weir_status pull_network(const embedding *self, weir_frame *frame, const weir_tile *embedded,
                                const weir_tile *embedded_bar)
{
    const weir_child *const network = &self->base.children[NETWORK]->child;
    const weir_tile *const bar = frame->context_bar;
    weir_tile given = {0};
    if (bar) {
        given = weir__run_tile(frame, bar->features);
        if (!given.data) return WEIR_ERROR;
    }
    const contexts own = exchange(frame, NULL, NULL);
    const weir_status status =
        network->network->vjp(network->self, frame, own.context, embedded, embedded_bar, bar ? &given : NULL);
    exchange(frame, own.context, own.bar);
    for (int32_t f = 0; bar && status <= WEIR_DISCARD && f < bar->features; f++)
        add_lane(frame, weir__lane(frame, &given, f), weir__lane(frame, bar, f));
    return status;
}

static weir_status pull(const embedding *self, weir_frame *frame, int inverse, const weir_tile *in,
                        const weir_tile *out, const weir_tile *out_bar, const void *log_det_bar,
                        const weir_tile *in_bar)
{
    const weir__instance *const layer = self->base.children[LAYER];
    void *const *const record = frame->services->tape_pop(frame, (int64_t)sizeof *record);
    weir_tile embedded = weir__run_tile(frame, 0), embedded_bar = weir__run_tile(frame, self->embedded);
    if (!record || !embedded_bar.data) return WEIR_ERROR;
    embedded.features = self->embedded;
    embedded.data = *record;
    for (int32_t f = 0; f < self->embedded; f++)
        memset(weir__lane(frame, &embedded_bar, f), 0, (size_t)(frame->width * weir__real_size(frame)));
    const contexts own = exchange(frame, &embedded, &embedded_bar);
    weir_status status = inverse
                             ? weir__call_inverse_vjp(layer, frame, in, out, out_bar, log_det_bar, in_bar)
                             : weir__call_forward_vjp(layer, frame, in, out, out_bar, log_det_bar, in_bar);
    exchange(frame, own.context, own.bar);
    if (status > WEIR_DISCARD) return status;
    const weir_status pulled = pull_network(self, frame, &embedded, &embedded_bar);
    if (pulled > status) status = pulled;
    const int64_t bytes = self->embedded * frame->stride * weir__real_size(frame);
    if (status <= WEIR_DISCARD && !frame->services->tape_pop(frame, bytes)) status = WEIR_ERROR;
    return status;
}

static weir_status embedding_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, void *log_det)
{
    return map(self, frame, 0, x, z, log_det);
}

static weir_status embedding_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, void *log_det)
{
    return map(self, frame, 1, z, x, log_det);
}

static weir_status embedding_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                         const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                         const weir_tile *x_bar)
{
    return pull(self, frame, 0, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status embedding_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                         const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                         const weir_tile *z_bar)
{
    return pull(self, frame, 1, z, x, x_bar, log_det_bar, z_bar);
}

/* ---- creation ----------------------------------------------------------------------------------------------------- */

static void embedding_destroy(void *memory)
{
    embedding *const self = memory;
    free(self->base.children);
    free(self);
}

static weir_status make_network(weir__making *m, embedding *self)
{
    const weir_network_spec spec = {
        .struct_size = (uint32_t)sizeof spec, .in = m->builder.context, .out = self->embedded};
    m->child_context = 0;
    const weir_child *const network = m->builder.child_network(&m->builder, "network", &spec);
    if (!network) return WEIR_INVALID;
    self->base.children[NETWORK] = m->instance->children[m->instance->child_count - 1];
    return WEIR_OK;
}

static weir_status make_layer(weir__making *m, embedding *self)
{
    const json_t *const node = json_object_get(m->children, "layer");
    if (!node)
        m->builder.fail(&m->builder,
                        "needs a child \"layer\", which is conditioned on the network's outputs");
    m->child_context = self->embedded;
    if (!node ||
        weir__make_child(m, "layer", node, WEIR_LAYER, m->request->in, NULL, &self->base.children[LAYER]))
        return WEIR_INVALID;
    const weir__instance *const layer = self->base.children[LAYER];
    weir__space_clear(&m->out);
    weir__space_clear(&m->instance->required);
    m->out_stated = m->passes_on = 1;
    if (weir__space_copy(&m->out, &layer->out, m->error)) return WEIR_ERROR;
    return weir__space_copy(&m->instance->required, &layer->required, m->error);
}

static weir_status embedding_create(weir_builder *build, void **out)
{
    weir__making *const m = build->host;
    if (build->context < 1) {
        build->fail(build, "an embedding needs a context, and this model has none: say context = columns");
        return WEIR_INVALID;
    }
    embedding *const self = calloc(1, sizeof *self);
    if (self) self->base.children = calloc(2, sizeof(weir__instance *));
    if (!self || !self->base.children) {
        free(self);
        return weir__no_memory(m->error, "an embedding"), m->failed = 1, WEIR_ERROR;
    }
    self->embedded = (int32_t)build->integer(build, "features");
    self->base.count = 1;
    if (make_network(m, self) || make_layer(m, self)) {
        m->failed = 1;
        embedding_destroy(self);
        return WEIR_INVALID;
    }
    build->traits(build, weir__container_traits(&self->base));
    *out = self;
    return WEIR_OK;
}

static const weir_layer_ops embedding_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = embedding_forward,
    .inverse = embedding_inverse,
    .forward_vjp = embedding_forward_vjp,
    .inverse_vjp = embedding_inverse_vjp,
};

static const weir_slot embedding_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_LAYER,
     .name = "layer",
     .summary = "what is conditioned on the network's outputs"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .summary = "maps the model's context to the context that the layer sees"},
};

static const weir_option embedding_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "features",
     .default_json = "16",
     .minimum = 1,
     .maximum = 1e6,
     .summary = "how many context features the layer sees"},
};

static const char embedding_doc[] =
    "z = f(x; h(context)) with f the layer and h the network, trained together. The network is\n"
    "evaluated once for all that stands inside. Base densities see the model's own context.\n"
    "log|det J| is the layer's, since h does not depend on x. Cost: the layer's and one pass of h, in either direction.\n"
    "Source: Radev et al. 2020, \"BayesFlow\", arXiv:2003.06281 (a summary network trained with the flow).";

#define EMBEDDING(bits)                                                                                      \
    const weir_module weir__embedding_f##bits = {                                                            \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_LAYER,                                                                                  \
        .precision = WEIR_F##bits,                                                                           \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        .id = "embedding",                                                                                   \
        .version = "1.0.0",                                                                                  \
        .summary = "a layer whose context is what a trained network makes of the model's",                   \
        .doc = embedding_doc,                                                                                \
        .options = embedding_options,                                                                        \
        .option_count = 1,                                                                                   \
        .option_stride = (int32_t)sizeof(weir_option),                                                       \
        .slots = embedding_slots,                                                                            \
        .slot_count = 2,                                                                                     \
        .slot_stride = (int32_t)sizeof(weir_slot),                                                           \
        .create = embedding_create,                                                                          \
        .destroy = embedding_destroy,                                                                        \
        .ops = &embedding_ops,                                                                               \
    }

EMBEDDING(32);
EMBEDDING(64);
