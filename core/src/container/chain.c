/* chain.c - layers one after the other, and repeat, a chain written once and built several times.
 *
 * On the tape: one block with every tile between two children, then the children's own records, then a small record with
 * the block's address, so that the way back finds the tiles before it has popped the children. In recompute mode the block
 * holds only the inputs of children whose inverse is sequential, numeric, or missing; the other inputs are rebuilt. */
#include "container/container.h"
#include "run/lanes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
    unsigned char *block;
} record;

static int forward_is_kept(const weir__instance *child)
{
    return (child->child.traits &
            (WEIR_TRAIT_INVERSE_SEQUENTIAL | WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE)) != 0;
}

/* Rebuilding z from x takes the forward pass: always explicit, but not when it does not undo the inverse. */
static int inverse_is_kept(const weir__instance *child)
{
    return (child->child.traits & WEIR_TRAIT_INVERSE_LOSSY) != 0;
}

static weir_tile tile_over(const weir_frame *frame, void *data, int32_t features)
{
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = data,
                       .stride = frame->stride,
                       .rows = frame->rows,
                       .width = frame->width};
}

static int64_t tile_bytes(const weir_frame *frame, int32_t features)
{
    return features * frame->stride * weir__real_size(frame);
}

/* Children in the order in which a direction meets them. */
static const weir__instance *met(const weir__container_self *self, int32_t i, int inverse)
{
    return self->children[inverse ? self->count - 1 - i : i];
}

static int32_t width_after(const weir__instance *child, int inverse)
{
    return inverse ? child->child.in : child->child.out;
}

static int is_kept(const weir__run *run, const weir__instance *child, int inverse)
{
    return !run->recompute || (inverse ? inverse_is_kept(child) : forward_is_kept(child));
}

/* Bytes of the block that hold the input of child i (in meeting order, i >= 1), one after the other; -1: it is not kept. */
static int64_t kept_bytes(const weir__container_self *self, const weir_frame *frame, int inverse, int32_t i)
{
    if (!is_kept(frame->host, met(self, i, inverse), inverse)) return -1;
    return tile_bytes(frame, width_after(met(self, i - 1, inverse), inverse));
}

static int64_t block_bytes(const weir__container_self *self, const weir_frame *frame, int inverse)
{
    int64_t bytes = 0;
    for (int32_t i = 1; i < self->count; i++) {
        const int64_t kept = kept_bytes(self, frame, inverse, i);
        if (kept > 0) bytes += kept;
    }
    return bytes;
}

static weir_status call(const weir__instance *child, weir_frame *frame, int inverse, const weir_tile *in,
                        const weir_tile *out, void *log_det)
{
    return inverse ? weir__call_inverse(child, frame, in, out, log_det)
                   : weir__call_forward(child, frame, in, out, log_det);
}

/* Each child's log-det is taken by itself, and all are summed in double: hundreds of terms of either sign, one after the
 * other in float, would lose digits that no layer has lost. */
typedef struct sum {
    void *part; /* NULL: no log-det is wanted */
    double *total;
} sum;

static int sum_begin(sum *s, weir_frame *frame, const void *log_det)
{
    *s = (sum){NULL, NULL};
    if (!log_det) return 1;
    const size_t part = (size_t)frame->width * (size_t)weir__real_size(frame);
    const size_t total = (size_t)frame->width * sizeof *s->total;
    s->part = frame->services->scratch_take(frame, (int64_t)part);
    s->total = frame->services->scratch_take(frame, (int64_t)total);
    if (!s->part || !s->total) return 0;
    memset(s->part, 0, part);
    memset(s->total, 0, total);
    return 1;
}

/* The part is zero again afterwards, for the next child. */
static void sum_add(const sum *s, const weir_frame *frame)
{
    const int32_t n = s->part ? frame->width : 0;
    double *const restrict total = s->total;
    if (frame->precision == WEIR_F32) {
        float *const restrict part = s->part;
        for (int32_t i = 0; i < n; i++) total[i] += (double)part[i];
        for (int32_t i = 0; i < n; i++) part[i] = 0;
    } else {
        double *const restrict part = s->part;
        for (int32_t i = 0; i < n; i++) total[i] += part[i];
        for (int32_t i = 0; i < n; i++) part[i] = 0;
    }
}

static void sum_end(const sum *s, const weir_frame *frame, void *log_det)
{
    const int32_t n = s->part ? frame->width : 0;
    if (frame->precision == WEIR_F32) {
        float *const restrict out = log_det;
        for (int32_t i = 0; i < n; i++) out[i] = (float)((double)out[i] + s->total[i]);
    } else {
        double *const restrict out = log_det;
        for (int32_t i = 0; i < n; i++) out[i] += s->total[i];
    }
}

/* Evaluates the children with two scratch tiles in turn, or with tiles of the block where the way back wants them. */
static weir_status pass(const weir__container_self *self, weir_frame *frame, int inverse, const weir_tile *in,
                        const weir_tile *out, void *log_det)
{
    weir__run *const run = frame->host;
    weir_tape *const tape = frame->tape;
    weir_status status = WEIR_OK;
    unsigned char *block = NULL, *place = NULL;
    if (self->count == 0) return weir__copy_tile(frame, in, out), WEIR_OK;
    if (tape) {
        place = block = frame->services->tape_push(frame, block_bytes(self, frame, inverse));
        if (!block) return WEIR_ERROR;
        if (run->recompute) frame->tape = run->other.tape = NULL;
    }
    sum log_dets;
    if (!sum_begin(&log_dets, frame, log_det)) status = WEIR_ERROR;
    weir_tile turn[2] = {{0}, {0}};
    for (int32_t i = 0; i < 2 && self->count > 1; i++) {
        turn[i] = weir__run_tile(frame, self->widest);
        if (!turn[i].data) status = WEIR_ERROR;
    }
    weir_tile current = *in;
    for (int32_t i = 0; i < self->count && status <= WEIR_DISCARD; i++) {
        const weir__instance *const child = met(self, i, inverse);
        weir_tile next = *out;
        if (i + 1 < self->count) {
            next = tile_over(frame, turn[i & 1].data, width_after(child, inverse));
            const int64_t kept = tape ? kept_bytes(self, frame, inverse, i + 1) : -1;
            if (kept >= 0) {
                next.data = place;
                place += kept;
            }
        }
        const weir_status one = call(child, frame, inverse, &current, &next, log_dets.part);
        if (one > status) status = one;
        sum_add(&log_dets, frame);
        current = next;
    }
    if (status <= WEIR_DISCARD) sum_end(&log_dets, frame, log_det);
    if (!tape) return status;
    frame->tape = run->other.tape = tape;
    record *const end =
        status <= WEIR_DISCARD ? frame->services->tape_push(frame, (int64_t)sizeof *end) : NULL;
    if (!end) return status > WEIR_DISCARD ? status : WEIR_ERROR;
    end->block = block;
    return status;
}

/* One child's way back. In recompute mode its forward is run again here, for it alone, with the tape. */
static weir_status step_back(const weir__instance *child, weir_frame *frame, int inverse, const weir_tile *in,
                             const weir_tile *out, const weir_tile *out_bar, const void *log_det_bar,
                             const weir_tile *in_bar)
{
    const weir__run *const run = frame->host;
    if (run->recompute) {
        const int64_t mark = frame->services->scratch_mark(frame);
        weir_tile again = weir__run_tile(frame, out->features);
        if (!again.data) return WEIR_ERROR;
        const weir_status status = call(child, frame, inverse, in, &again, NULL);
        frame->services->scratch_release(frame, mark);
        if (status > WEIR_DISCARD) return status;
    }
    return inverse ? weir__call_inverse_vjp(child, frame, in, out, out_bar, log_det_bar, in_bar)
                   : weir__call_forward_vjp(child, frame, in, out, out_bar, log_det_bar, in_bar);
}

static weir_status rebuild(const weir__instance *child, weir_frame *frame, int inverse, const weir_tile *out,
                           const weir_tile *in)
{
    weir__run *const run = frame->host;
    weir_tape *const tape = frame->tape;
    frame->tape = run->other.tape = NULL;
    const weir_status status = call(child, frame, !inverse, out, in, NULL);
    frame->tape = run->other.tape = tape;
    return status;
}

static weir_status pass_back(const weir__container_self *self, weir_frame *frame, int inverse,
                             const weir_tile *in, const weir_tile *out, const weir_tile *out_bar,
                             const void *log_det_bar, const weir_tile *in_bar)
{
    weir_status status = WEIR_OK;
    if (self->count == 0) {
        if (in_bar) weir__copy_tile(frame, out_bar, in_bar);
        return WEIR_OK;
    }
    const record *const end = frame->services->tape_pop(frame, (int64_t)sizeof *end);
    if (!end) return WEIR_ERROR;
    const int64_t bytes = block_bytes(self, frame, inverse);
    unsigned char *place = end->block + bytes;
    weir_tile bar[2], rebuilt[2];
    for (int32_t i = 0; i < 2; i++) {
        bar[i] = weir__run_tile(frame, self->widest);
        rebuilt[i] =
            ((const weir__run *)frame->host)->recompute ? weir__run_tile(frame, self->widest) : bar[i];
        if (!bar[i].data || !rebuilt[i].data) return WEIR_ERROR;
    }
    weir_tile z = *out, z_bar = *out_bar;
    for (int32_t i = self->count - 1; i >= 0 && status <= WEIR_DISCARD; i--) {
        const weir__instance *const child = met(self, i, inverse);
        const int32_t width = inverse ? child->child.out : child->child.in;
        weir_tile x = *in, x_bar = i > 0 ? tile_over(frame, bar[i & 1].data, width) : (weir_tile){0};
        if (i > 0) {
            const int64_t kept = kept_bytes(self, frame, inverse, i);
            if (kept >= 0) place -= kept;
            x = tile_over(frame, kept >= 0 ? (void *)place : rebuilt[i & 1].data, width);
            if (kept < 0) status = rebuild(child, frame, inverse, &z, &x);
        }
        if (status > WEIR_DISCARD) break;
        status = step_back(child, frame, inverse, &x, &z, &z_bar, log_det_bar, i > 0 ? &x_bar : in_bar);
        z = x;
        z_bar = x_bar;
    }
    if (status <= WEIR_DISCARD && !frame->services->tape_pop(frame, bytes)) status = WEIR_ERROR;
    return status;
}

weir_status weir__chain_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                                void *log_det)
{
    return pass(self, frame, 0, x, z, log_det);
}

static weir_status chain_inverse(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                                 void *log_det)
{
    return pass(self, frame, 1, z, x, log_det);
}

weir_status weir__chain_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                    const weir_tile *x_bar)
{
    return pass_back(self, frame, 0, x, z, z_bar, log_det_bar, x_bar);
}

static weir_status chain_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    return pass_back(self, frame, 1, z, x, x_bar, log_det_bar, z_bar);
}

/* Valid points of a chain are those of its first layer. */
static weir_status chain_sample_points(const void *self, weir_frame *frame, uint32_t stream,
                                       const weir_tile *x)
{
    const weir__container_self *const s = self;
    return s->count ? weir__call_sample_points(s->children[0], frame, stream, x) : WEIR_UNSUPPORTED;
}

/* ---- creation --------------------------------------------------------------------------------------------------------- */

static void chain_destroy(void *memory)
{
    weir__container_self *const self = memory;
    free(self->children);
    free(self);
}

static weir_status append(weir__making *m, weir__container_self *self, const json_t *node, weir__space *in)
{
    weir__instance *child = NULL;
    if (weir__full(self->count)) {
        weir__instance **const list =
            realloc(self->children, 2 * ((size_t)self->count + 1) * sizeof(weir__instance *));
        if (!list) return weir__no_memory(m->error, "a chain");
        self->children = list;
    }
    const weir_status status = weir__make_child(m, "layers", node, WEIR_LAYER, in, NULL, &child);
    if (status) return status;
    self->children[self->count++] = child;
    if (child->out.features > self->widest) self->widest = child->out.features;
    weir__space_clear(in);
    return weir__space_copy(in, &child->out, m->error);
}

/* What the first child demands of its input, and what the last one gives, hold for the whole. */
static weir_status state_ends(weir__making *m, const weir__container_self *self)
{
    m->passes_on = 1;
    if (self->count == 0) {
        weir__space_clear(&m->out);
        m->out_stated = 1;
        return weir__space_copy(&m->out, m->request->in, m->error);
    }
    const weir__space *const last = &self->children[self->count - 1]->out;
    weir__space_clear(&m->out);
    weir__space_clear(&m->instance->required);
    m->out_stated = 1;
    if (weir__space_copy(&m->out, last, m->error)) return WEIR_ERROR;
    return weir__space_copy(&m->instance->required, &self->children[0]->required, m->error);
}

static weir_status make_chain(weir_builder *build, void **out, int64_t times)
{
    weir__making *const m = build->host;
    const json_t *const list = json_object_get(m->children, "layers");
    weir__space in = {0};
    const size_t size =
        json_is_array(list) ? json_array_size(list) : json_is_object(list) && json_object_size(list);
    weir__container_self *const self = calloc(1, sizeof *self);
    if (!self) return weir__no_memory(m->error, "a chain"), m->failed = 1, WEIR_ERROR;
    self->widest = m->request->in->features;
    weir_status status = weir__space_copy(&in, m->request->in, m->error);
    for (int64_t t = 0; t < times; t++)
        for (size_t i = 0; i < size && !status; i++)
            status = append(m, self, json_is_array(list) ? json_array_get(list, i) : list, &in);
    if (!status) status = state_ends(m, self);
    weir__space_clear(&in);
    if (status) {
        m->failed = 1;
        chain_destroy(self);
        return status;
    }
    build->traits(build, weir__container_traits(self));
    *out = self;
    return WEIR_OK;
}

static weir_status chain_create(weir_builder *build, void **self)
{
    return make_chain(build, self, 1);
}

static weir_status repeat_create(weir_builder *build, void **self)
{
    return make_chain(build, self, build->integer(build, "count"));
}

static const weir_layer_ops chain_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = weir__chain_forward,
    .inverse = chain_inverse,
    .forward_vjp = weir__chain_forward_vjp,
    .inverse_vjp = chain_inverse_vjp,
    .sample_points = chain_sample_points,
};

static const weir_slot layers_slot = {
    .struct_size = (uint32_t)sizeof(weir_slot),
    .kind = WEIR_LAYER,
    .name = "layers",
    .optional = 1,
    .summary = "a list of layers, data side first",
};

static const weir_option count_option = {
    .struct_size = (uint32_t)sizeof(weir_option),
    .type = WEIR_INTEGER,
    .name = "count",
    .default_json = NULL,
    .minimum = 0,
    .maximum = 100000,
    .summary = "how many times the layers are built, each time with parameters of their own",
};

static const char chain_doc[] =
    "f = f_n o ... o f_1, log|det J| the sum of theirs; the inverse goes through them from the last to the\n"
    "first. Cost: the sum of its layers' in every call. Source: the chain rule.";

#define CHAIN(bits)                                                                                          \
    const weir_module weir__chain_f##bits = {                                                                \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_LAYER,                                                                                  \
        .precision = WEIR_F##bits,                                                                           \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        .id = "chain",                                                                                       \
        .version = "1.0.0",                                                                                  \
        .summary = "layers one after the other",                                                             \
        .doc = chain_doc,                                                                                    \
        .slots = &layers_slot,                                                                               \
        .slot_count = 1,                                                                                     \
        .slot_stride = (int32_t)sizeof(weir_slot),                                                           \
        .create = chain_create,                                                                              \
        .destroy = chain_destroy,                                                                            \
        .ops = &chain_ops,                                                                                   \
    }

static const char repeat_doc[] =
    "A chain of `count` copies of its layers, each with parameters of its own; formula, log-det and cost are\n"
    "those of chain. Source: the chain rule.";

#define REPEAT(bits)                                                                                         \
    const weir_module weir__repeat_f##bits = {                                                               \
        .struct_size = (uint32_t)sizeof(weir_module),                                                        \
        .kind = WEIR_LAYER,                                                                                  \
        .precision = WEIR_F##bits,                                                                           \
        .flags = WEIR_MODULE_INDEXED_OK,                                                                     \
        .id = "repeat",                                                                                      \
        .version = "1.0.0",                                                                                  \
        .summary = "the same list of layers several times over",                                             \
        .doc = repeat_doc,                                                                                   \
        .options = &count_option,                                                                            \
        .option_count = 1,                                                                                   \
        .option_stride = (int32_t)sizeof(weir_option),                                                       \
        .slots = &layers_slot,                                                                               \
        .slot_count = 1,                                                                                     \
        .slot_stride = (int32_t)sizeof(weir_slot),                                                           \
        .create = repeat_create,                                                                             \
        .destroy = chain_destroy,                                                                            \
        .ops = &chain_ops,                                                                                   \
    }

CHAIN(32);
CHAIN(64);
REPEAT(32);
REPEAT(64);
