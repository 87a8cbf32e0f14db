/* stages.c - finds the batch-coupled layers, cuts the flow at them, and owns what a batch needs in between. */
#include "train/stages.h"

#include <stdlib.h>
#include <string.h>

/* ---- cutting the flow ---------------------------------------------------------------------------------------------------- */

static int is_coupled(const weir__instance *layer)
{
    return layer->module->kind == WEIR_LAYER && layer->module->flags & WEIR_MODULE_OBSERVE_STEP;
}

/* Chains within chains are one long chain. */
static void lay_out(weir__stages *s, weir__instance *layer, int32_t *laid)
{
    const weir__container_self *const chain = weir__chain_of(layer);
    weir__container_self *const stage = &s->chains[s->count];
    if (chain) {
        for (int32_t i = 0; i < chain->count; i++) lay_out(s, chain->children[i], laid);
    } else if (is_coupled(layer)) {
        s->coupled[s->count++] = layer;
        s->chains[s->count].children = &s->layers[*laid];
    } else {
        s->layers[(*laid)++] = layer;
        stage->count++;
        if (layer->child.in > stage->widest) stage->widest = layer->child.in;
        if (layer->child.out > stage->widest) stage->widest = layer->child.out;
    }
}

/* Instances stand in the order in which they were finished, and so do the layers of a chain: those that are met here and
 * were not met there lie inside another module. */
static weir_status check_places(const weir__stages *s, weir_error *error)
{
    const weir__net *const net = &s->model->net;
    for (int32_t i = 0, next = 0; i < net->instance_count; i++) {
        const weir__instance *const layer = net->instances[i];
        if (!is_coupled(layer)) continue;
        if (next == s->count || s->coupled[next++] != layer)
            return weir__fail(error, WEIR_UNSUPPORTED,
                              "%s (%s): a batch-coupled layer trains as a layer of the flow itself, inside "
                              "nothing but chain and repeat; move it there",
                              layer->path, layer->module->id);
    }
    return WEIR_OK;
}

static int64_t real_size(int32_t precision)
{
    return precision == WEIR_F32 ? 4 : 8;
}

/* What observe_finish may write and the model keeps: a layer's own parameters and buffers, and their shadows in the other
 * precision. Copies them out (1) or back (0); NULL: only counts. Returns the bytes. */
static int64_t carry_state(const weir__stages *s, unsigned char *state, int out)
{
    const weir__net *const net = &s->model->net;
    int64_t at = 0;
    for (int32_t k = 0; k < s->count; k++)
        for (int32_t i = 0; i < s->coupled[k]->tensor_count; i++) {
            const int32_t h = s->coupled[k]->first_tensor + i;
            const weir__tensor *const t = &net->tensors[h];
            const int64_t own = t->count * (t->integer ? 8 : real_size(net->precision));
            const int64_t other = t->other_offset >= 0 ? t->count * real_size(t->precision) : 0;
            if (t->kind == WEIR__DERIVED) continue;
            if (state && out) {
                memcpy(state + at, net->table[h], (size_t)own);
                if (other) memcpy(state + at + own, net->other_table[h], (size_t)other);
            } else if (state) {
                memcpy(net->table[h], state + at, (size_t)own);
                if (other) memcpy(net->other_table[h], state + at + own, (size_t)other);
            }
            at += own + other;
        }
    return at;
}

static weir_status measure(weir__stages *s, weir_error *error)
{
    for (int32_t k = 0; k < s->count; k++) {
        const weir__instance *const layer = s->coupled[k];
        const int64_t bytes = weir__statistics_bytes(layer);
        if (bytes < 0)
            return weir__fail(error, WEIR_INVALID, "%s (%s): the module names no sensible observe_size",
                              layer->path, layer->module->id);
        if (bytes > s->partial_bytes) s->partial_bytes = bytes;
        if (layer->child.in > s->widest) s->widest = layer->child.in;
        if (layer->child.out > s->widest) s->widest = layer->child.out;
    }
    s->state_bytes = carry_state(s, NULL, 1);
    s->state = malloc((size_t)s->state_bytes + 1);
    return s->state ? WEIR_OK : weir__no_memory(error, "statistics");
}

weir_status weir__stages_make(weir_model *model, weir__stages **out, weir_error *error)
{
    const weir__net *const net = &model->net;
    int32_t coupled = 0, laid = 0;
    for (int32_t i = 0; i < net->instance_count; i++) coupled += is_coupled(net->instances[i]);
    if (!coupled) return *out = NULL, WEIR_OK;
    weir__stages *const s = calloc(1, sizeof *s);
    if (!s) return weir__no_memory(error, "a trainer");
    const size_t room = (size_t)net->instance_count + 1;
    s->model = model;
    s->coupled = calloc(room, sizeof(weir__instance *));
    s->layers = calloc(room, sizeof(weir__instance *));
    s->chains = calloc((size_t)coupled + 1, sizeof *s->chains);
    s->inputs = calloc((size_t)coupled + 1, sizeof *s->inputs);
    weir_status status =
        s->coupled && s->layers && s->chains && s->inputs ? WEIR_OK : weir__no_memory(error, "a trainer");
    if (!status) {
        s->chains[0].children = s->layers;
        lay_out(s, model->flow, &laid);
        status = check_places(s, error);
    }
    if (!status) status = measure(s, error);
    if (status) return weir__stages_free(s), status;
    *out = s;
    return WEIR_OK;
}

void weir__stages_free(weir__stages *s)
{
    if (!s) return;
    free(s->coupled);
    free(s->layers);
    free(s->chains);
    free(s->inputs);
    free(s->state);
    free(s->memory);
    free(s);
}

/* ---- memory of a batch ---------------------------------------------------------------------------------------------------- */

/* Parts of the block, in order, each a multiple of 64 bytes; sizes that overflow make the whole fail. */
typedef struct parts {
    unsigned char *memory; /* NULL: only the sum is wanted */
    int64_t bytes;
    int failed;
} parts;

static unsigned char *part(parts *p, int64_t count, int64_t size)
{
    int64_t bytes, sum;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(p->bytes, bytes, &sum) ||
        sum > INT64_MAX - 64) {
        p->failed = 1;
        return NULL;
    }
    unsigned char *const at = p->memory ? p->memory + p->bytes : NULL;
    p->bytes = (sum + 63) & ~INT64_C(63);
    return at;
}

static void lay_parts(weir__stages *s, const weir__batch *batch, parts *p)
{
    const int64_t lane = s->stride * real_size(s->model->net.precision);
    for (int32_t k = 0; k < s->count; k++)
        s->inputs[k] = part(p, batch->tiles, s->coupled[k]->child.in * lane);
    s->bars = part(p, batch->tiles, s->widest * lane);
    s->log_dets = part(p, batch->tiles, lane);
    s->partials = part(p, batch->lanes, s->partial_bytes);
    s->kept = (int64_t *)(void *)part(p, batch->rows, (int64_t)sizeof *s->kept);
    s->counts = (int32_t *)(void *)part(p, batch->tiles, (int64_t)sizeof *s->counts);
}

static void fill_rows(weir__stages *s, const weir__batch *batch)
{
    const int64_t *const rows = batch->step->rows;
    for (int64_t i = 0; i < batch->rows; i++) s->kept[i] = rows ? rows[i] : i;
    for (int64_t t = 0; t < batch->tiles; t++) {
        const int64_t rest = batch->rows - t * batch->tile_rows;
        s->counts[t] = (int32_t)(rest < batch->tile_rows ? rest : batch->tile_rows);
    }
}

weir_status weir__stages_reserve(weir__stages *s, const weir__batch *batch, weir_error *error)
{
    parts needed = {0};
    s->stride = weir__stride(weir__width(batch->tile_rows));
    lay_parts(s, batch, &needed);
    if (needed.failed) return weir__no_memory(error, "the batch at its batch-coupled layers");
    if (needed.bytes > s->memory_bytes) {
        free(s->memory);
        s->memory = aligned_alloc(64, (size_t)needed.bytes);
        s->memory_bytes = s->memory ? needed.bytes : 0;
        if (!s->memory) return weir__no_memory(error, "the batch at its batch-coupled layers");
    }
    parts laid = {.memory = s->memory};
    lay_parts(s, batch, &laid);
    fill_rows(s, batch);
    return WEIR_OK;
}

weir_tile weir__stages_tile(const weir__stages *s, const weir_frame *frame, unsigned char *memory,
                            int32_t room, int32_t features, int64_t tile)
{
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = memory + tile * room * s->stride * weir__real_size(frame),
                       .stride = frame->stride,
                       .rows = frame->rows,
                       .width = frame->width};
}

/* ---- state -------------------------------------------------------------------------------------------------------------- */

void weir__stages_hold(weir__stages *s)
{
    carry_state(s, s->state, 1);
    s->held = 1;
}

void weir__stages_put_back(weir__stages *s)
{
    carry_state(s, s->state, 0);
    s->model->net.version++;
}

void weir__stages_settle(weir__stages *s, int32_t taken)
{
    if (!s || !s->held) return;
    if (!taken) weir__stages_put_back(s);
    s->held = 0;
}
