/* wrap.c - containers of one layer: inverse (the layer run the other way) and slice (the layer on some features). */
#include "container/container.h"
#include "run/lanes.h"

#include <stdio.h>
#include <stdlib.h>

static void wrap_destroy(void *memory)
{
    weir__container_self *const self = memory;
    free(self->children);
    free(self);
}

static weir__container_self *wrap_new(weir__making *m, const weir__space *in)
{
    const json_t *const node = json_object_get(m->children, "layer");
    weir__container_self *const self = calloc(1, sizeof *self);
    if (self) self->children = calloc(1, sizeof(weir__instance *));
    if (!self || !self->children) {
        free(self);
        weir__no_memory(m->error, "a container");
        return m->failed = 1, NULL;
    }
    if (!node) m->builder.fail(&m->builder, "needs a child \"layer\"");
    if (!node || weir__make_child(m, "layer", node, WEIR_LAYER, in, NULL, &self->children[0]))
        return wrap_destroy(self), NULL;
    self->count = 1;
    self->widest = in->features;
    return self;
}

/* ---- inverse ------------------------------------------------------------------------------------------------------ */

static weir_status inverse_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, void *log_det)
{
    const weir__container_self *const s = self;
    return weir__call_inverse(s->children[0], frame, x, z, log_det);
}

static weir_status inverse_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *x, void *log_det)
{
    const weir__container_self *const s = self;
    return weir__call_forward(s->children[0], frame, z, x, log_det);
}

static weir_status inverse_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                       const weir_tile *x_bar)
{
    const weir__container_self *const s = self;
    return weir__call_inverse_vjp(s->children[0], frame, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status inverse_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                       const weir_tile *z_bar)
{
    const weir__container_self *const s = self;
    return weir__call_forward_vjp(s->children[0], frame, z, x, x_bar, log_det_bar, z_bar);
}

static weir_status inverse_sizes(weir_builder *build, const weir__instance *child)
{
    char text[200];
    if (child->out.features == build->features) return WEIR_OK;
    snprintf(
        text, sizeof text,
        "its layer makes %d features of %d, and %d come in: say features = n, how many the layer is to take",
        (int)child->out.features, (int)child->in.features, (int)build->features);
    build->fail(build, text);
    return WEIR_INVALID;
}

/* The child sees its domains from the other end: what it demands of its input is what this layer gives. One that changes the
 * dimension is built for as many features as the option says. */
static weir_status inverse_create(weir_builder *build, void **out)
{
    weir__making *const m = build->host;
    const int given = build->given(build, "features");
    const int32_t features = given ? (int32_t)build->integer(build, "features") : build->features;
    weir__space open = {0};
    char who[200];
    if (weir__space_init(&open, features, "an inverse", m->error)) return m->failed = 1, WEIR_ERROR;
    weir__container_self *const self = wrap_new(m, &open);
    weir__space_clear(&open);
    if (!self) return WEIR_INVALID;
    const weir__instance *const child = self->children[0];
    snprintf(who, sizeof who, "%.120s (inverse)", m->request->path);
    weir_status status = inverse_sizes(build, child);
    for (int32_t f = 0; f < child->out.features && !status; f++)
        status = weir__space_require(m->request->in, &child->out.lanes[f], who, m->error);
    for (int32_t f = 0; f < child->out.features && !status; f++)
        m->instance->required.lanes[f] = child->out.lanes[f];
    weir__space_clear(&m->out);
    if (!status) status = weir__space_copy(&m->out, &child->required, m->error);
    if (status) return m->failed = 1, wrap_destroy(self), status;
    m->out_stated = 1;
    const uint32_t traits = child->child.traits;
    build->traits(build, traits & WEIR_TRAIT_VOLUME_PRESERVING);
    *out = self;
    return WEIR_OK;
}

/* ---- slice ---------------------------------------------------------------------------------------------------------- */

/* Features that the child takes, or gives. */
static int32_t taken(const weir__container_self *s, int gives)
{
    return gives ? s->children[0]->out.features : s->features;
}

/* The features before and after the slice; `from` is the child's output side when `back`. */
static void pass_rest(const weir__container_self *s, const weir_frame *frame, int back, const weir_tile *from,
                      const weir_tile *to)
{
    const int32_t after = s->first + taken(s, back), to_after = s->first + taken(s, !back);
    const weir_tile head = weir__part(frame, from, 0, s->first),
                    tail = weir__part(frame, from, after, from->features - after);
    const weir_tile to_head = weir__part(frame, to, 0, s->first),
                    to_tail = weir__part(frame, to, to_after, to->features - to_after);
    weir__copy_tile(frame, &head, &to_head);
    weir__copy_tile(frame, &tail, &to_tail);
}

static weir_status slice_map(const weir__container_self *s, weir_frame *frame, int inverse,
                             const weir_tile *in, const weir_tile *out, void *log_det)
{
    const weir_tile from = weir__part(frame, in, s->first, taken(s, inverse));
    const weir_tile to = weir__part(frame, out, s->first, taken(s, !inverse));
    pass_rest(s, frame, inverse, in, out);
    return inverse ? weir__call_inverse(s->children[0], frame, &from, &to, log_det)
                   : weir__call_forward(s->children[0], frame, &from, &to, log_det);
}

static weir_status slice_vjp(const weir__container_self *s, weir_frame *frame, int inverse,
                             const weir_tile *in, const weir_tile *out, const weir_tile *out_bar,
                             const void *log_det_bar, const weir_tile *in_bar)
{
    const int32_t from = taken(s, inverse), to = taken(s, !inverse);
    const weir_tile x = weir__part(frame, in, s->first, from), z = weir__part(frame, out, s->first, to);
    const weir_tile z_bar = weir__part(frame, out_bar, s->first, to);
    const weir_tile x_bar = in_bar ? weir__part(frame, in_bar, s->first, from) : (weir_tile){0};
    if (in_bar) pass_rest(s, frame, !inverse, out_bar, in_bar);
    return inverse ? weir__call_inverse_vjp(s->children[0], frame, &x, &z, &z_bar, log_det_bar,
                                            in_bar ? &x_bar : NULL)
                   : weir__call_forward_vjp(s->children[0], frame, &x, &z, &z_bar, log_det_bar,
                                            in_bar ? &x_bar : NULL);
}

static weir_status slice_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                                 void *log_det)
{
    return slice_map(self, frame, 0, x, z, log_det);
}

static weir_status slice_inverse(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                                 void *log_det)
{
    return slice_map(self, frame, 1, z, x, log_det);
}

static weir_status slice_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    return slice_vjp(self, frame, 0, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status slice_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    return slice_vjp(self, frame, 1, z, x, x_bar, log_det_bar, z_bar);
}

/* Valid points of the child in the slice; the rest is any number. */
static weir_status slice_sample_points(const void *self, weir_frame *frame, uint32_t stream,
                                       const weir_tile *x)
{
    const weir__container_self *const s = self;
    const weir_tile part = weir__part(frame, x, s->first, s->features);
    for (int32_t f = 0; f < x->features; f++)
        if (f < s->first || f >= s->first + s->features)
            frame->services->random_normal(frame, stream, 0x40000000u + (uint32_t)f, weir__lane(frame, x, f));
    return weir__call_sample_points(s->children[0], frame, stream, &part);
}

/* A lane beside the slice keeps its domain, at the place it has after; a joint block that the slice cuts is one no more. */
static weir_domain passed(const weir__container_self *s, const weir_domain *before, int32_t moved)
{
    weir_domain after = *before;
    const int cut = before->first < s->first + s->features && before->first + before->count > s->first;
    if (cut && before->kind >= WEIR_DOMAIN_SIMPLEX) after.kind = WEIR_DOMAIN_UNSTATED;
    after.first += moved;
    return after;
}

static weir_status slice_spaces(weir__making *m, const weir__container_self *self)
{
    const weir__instance *const child = self->children[0];
    const weir__space *const in = m->request->in;
    const int32_t moved = child->out.features - self->features, after = self->first + self->features;
    weir__space_clear(&m->out);
    if (weir__space_init(&m->out, in->features + moved, in->made_by, m->error)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->first; f++) m->out.lanes[f] = passed(self, &in->lanes[f], 0);
    for (int32_t f = after; f < in->features; f++)
        m->out.lanes[f + moved] = passed(self, &in->lanes[f], moved);
    for (int32_t f = 0; f < child->out.features; f++) {
        m->out.lanes[self->first + f] = child->out.lanes[f];
        m->out.lanes[self->first + f].first += self->first;
    }
    for (int32_t f = 0; f < self->features; f++) {
        m->instance->required.lanes[self->first + f] = child->required.lanes[f];
        m->instance->required.lanes[self->first + f].first += self->first;
    }
    m->out_stated = 1;
    return WEIR_OK;
}

/* first counts from 1, as every lane number that a user writes. */
static weir_status slice_create(weir_builder *build, void **out)
{
    weir__making *const m = build->host;
    const int64_t first = build->integer(build, "first") - 1, count = build->integer(build, "count");
    weir__space in = {0};
    if (first + count > build->features) {
        build->fail(build, "the slice ends beyond the last feature");
        return WEIR_INVALID;
    }
    if (weir__space_init(&in, (int32_t)count, m->request->in->made_by, m->error))
        return m->failed = 1, WEIR_ERROR;
    for (int32_t f = 0; f < count; f++) {
        in.lanes[f] = m->request->in->lanes[first + f];
        in.lanes[f].first -= (int32_t)first;
    }
    weir__container_self *const self = wrap_new(m, &in);
    weir__space_clear(&in);
    if (!self) return WEIR_INVALID;
    self->first = (int32_t)first;
    self->features = (int32_t)count;
    if (slice_spaces(m, self)) return m->failed = 1, wrap_destroy(self), WEIR_ERROR;
    build->traits(build, weir__container_traits(self));
    *out = self;
    return WEIR_OK;
}

/* ---- descriptors ------------------------------------------------------------------------------------------------------- */

static const weir_layer_ops inverse_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = inverse_forward,
    .inverse = inverse_inverse,
    .forward_vjp = inverse_forward_vjp,
    .inverse_vjp = inverse_inverse_vjp,
};

static const weir_layer_ops slice_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = slice_forward,
    .inverse = slice_inverse,
    .forward_vjp = slice_forward_vjp,
    .inverse_vjp = slice_inverse_vjp,
    .sample_points = slice_sample_points,
};

static const weir_slot layer_slot = {
    .struct_size = (uint32_t)sizeof(weir_slot),
    .kind = WEIR_LAYER,
    .name = "layer",
    .summary = "the layer",
};

static const weir_option inverse_option = {
    .struct_size = (uint32_t)sizeof(weir_option),
    .type = WEIR_INTEGER,
    .name = "features",
    .default_json = "null",
    .minimum = 1,
    .maximum = 1e9,
    .summary = "how many features the layer is to take, where it changes their number",
};

static const weir_option slice_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "first",
     .default_json = "1",
     .minimum = 1,
     .maximum = 1e9,
     .summary = "first feature of the slice, from 1"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "count",
     .default_json = NULL,
     .minimum = 1,
     .maximum = 1e9,
     .summary = "number of features"},
};

static const char inverse_doc[] =
    "f = g^-1 for a child g; an autoregressive child makes an inverse autoregressive flow (IAF).\n"
    "log|det df/dx| = log|det dg^-1/dx|, the log-det of the call of g that is made: no sign is turned. Cost: the child's,\n"
    "with directions exchanged.\n"
    "A child that drops features (a simplex of K parts to K - 1 numbers) needs the option features.\n"
    "Source: the inverse function theorem; IAF: Kingma et al. 2016, arXiv:1606.04934.";

static const char slice_doc[] =
    "Features first .. first + count - 1 go through the child, the rest through the identity.\n"
    "log|det J| is the child's: J is the identity beside it. Cost: the child's, and a copy of the other lanes.\n"
    "A child that gives more or fewer features moves those after the slice along. Source: elementary.";

#define WRAP(bits)                                                                                           \
    const weir_module weir__inverse_f##bits = {                                                              \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_LAYER,                                                                                  \
        .precision = WEIR_F##bits,                                                                           \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        .id = "inverse",                                                                                     \
        .version = "1.0.0",                                                                                  \
        .summary = "a layer run the other way: its forward is the child's inverse",                          \
        .doc = inverse_doc,                                                                                  \
        .options = &inverse_option,                                                                          \
        .option_count = 1,                                                                                   \
        .option_stride = (int32_t)sizeof(weir_option),                                                       \
        .slots = &layer_slot,                                                                                \
        .slot_count = 1,                                                                                     \
        .slot_stride = (int32_t)sizeof(weir_slot),                                                           \
        .create = inverse_create,                                                                            \
        .destroy = wrap_destroy,                                                                             \
        .ops = &inverse_ops,                                                                                 \
    };                                                                                                       \
    const weir_module weir__slice_f##bits = {                                                                \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_LAYER,                                                                                  \
        .precision = WEIR_F##bits,                                                                           \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        .id = "slice",                                                                                       \
        .version = "1.0.0",                                                                                  \
        .summary = "a layer on some of the features; the others pass unchanged",                             \
        .doc = slice_doc,                                                                                    \
        .options = slice_options,                                                                            \
        .option_count = 2,                                                                                   \
        .option_stride = (int32_t)sizeof(weir_option),                                                       \
        .slots = &layer_slot,                                                                                \
        .slot_count = 1,                                                                                     \
        .slot_stride = (int32_t)sizeof(weir_slot),                                                           \
        .create = slice_create,                                                                              \
        .destroy = wrap_destroy,                                                                             \
        .ops = &slice_ops,                                                                                   \
    }

WRAP(32);
WRAP(64);
