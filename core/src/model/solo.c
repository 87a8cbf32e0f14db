/* solo.c - see solo.h. */
#include "model/solo.h"

#include "container/container.h"
#include "run/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    void *memory;
    struct block *next;
} block;

struct weir__solo {
    weir__net own;  /* empty in one that shares */
    weir__net *net; /* its own, or that of the solo it shares with */
    weir__instance *instance;
    weir__run run;
    weir__run chores; /* prepare and prepare_vjp set up a frame of their own: the caller's stays as it is */
    unsigned char *gradients;
    void **table, **other_table;
    block *blocks;
    int32_t *order; /* tensors as listed: parameters, derived, buffers */
};

static void *keep(weir__solo *solo, void *memory)
{
    block *const b = memory ? malloc(sizeof *b) : NULL;
    if (!b) return free(memory), NULL;
    *b = (block){memory, solo->blocks};
    solo->blocks = b;
    return memory;
}

void weir__solo_close(weir__solo *solo)
{
    if (!solo) return;
    while (solo->blocks) {
        block *const b = solo->blocks;
        solo->blocks = b->next;
        free(b->memory);
        free(b);
    }
    weir__run_clear(&solo->run);
    weir__run_clear(&solo->chores);
    weir__net_clear(&solo->own);
    free(solo->gradients);
    free(solo->table);
    free(solo->other_table);
    free(solo->order);
    free(solo);
}

static weir_status build(weir__solo *solo, const weir__solo_spec *spec, weir_error *error)
{
    weir__space in = {0};
    const weir_network_spec network = {.struct_size = (uint32_t)sizeof network,
                                       .in = spec->features,
                                       .out = spec->out,
                                       .autoregressive = spec->autoregressive,
                                       .output_bias = spec->output_bias};
    const weir__request request = {.node = spec->node,
                                   .entry = spec->entry,
                                   .path = "module",
                                   .in = &in,
                                   .context = spec->context,
                                   .network = spec->out > 0 ? &network : NULL,
                                   .plain = !spec->supply};
    weir_status status = weir__space_init(&in, spec->features, "the test", error);
    if (spec->image) {
        in.channels = spec->image[0];
        in.height = spec->image[1];
        in.width = spec->image[2];
    }
    if (!status) status = weir__build(solo->net, &request, &solo->instance, error);
    weir__space_clear(&in);
    if (!status) status = weir__net_allocate(solo->net, error);
    if (!status) weir__net_initialize(solo->net);
    return status;
}

static void list_tensors(weir__solo *solo)
{
    static const int32_t kinds[] = {WEIR__PARAMETER, WEIR__DERIVED, WEIR__BUFFER};
    int32_t count = 0;
    for (int32_t k = 0; k < 3; k++)
        for (int32_t h = 0; h < solo->net->tensor_count; h++)
            if (solo->net->tensors[h].kind == kinds[k]) solo->order[count++] = h;
}

static size_t gradient_bytes(const weir__net *net)
{
    return (size_t)(net->parameter_bytes + net->derived_bytes + net->other_bytes) + 64;
}

static weir_status allocate_gradients(weir__solo *solo, weir_error *error)
{
    const weir__net *const net = solo->net;
    solo->gradients = aligned_alloc(64, gradient_bytes(net));
    solo->table = calloc((size_t)net->tensor_count + 1, sizeof *solo->table);
    solo->other_table = calloc((size_t)net->tensor_count + 1, sizeof *solo->other_table);
    solo->order = calloc((size_t)net->tensor_count + 1, sizeof *solo->order);
    if (!solo->gradients || !solo->table || !solo->other_table || !solo->order)
        return weir__no_memory(error, "gradients");
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        if (t->kind == WEIR__PARAMETER) solo->table[h] = solo->gradients + t->offset;
        if (t->kind == WEIR__DERIVED) solo->table[h] = solo->gradients + net->parameter_bytes + t->offset;
        if (t->other_offset >= 0 && t->kind != WEIR__BUFFER)
            solo->other_table[h] =
                solo->gradients + net->parameter_bytes + net->derived_bytes + t->other_offset;
    }
    list_tensors(solo);
    weir__solo_zero_gradients(solo);
    return WEIR_OK;
}

weir_status weir__solo_open(weir_runtime *runtime, const weir__solo_spec *spec, weir__solo **out,
                            weir_error *error)
{
    weir__solo *const solo = calloc(1, sizeof *solo);
    if (!solo) return weir__no_memory(error, "a module");
    solo->net = &solo->own;
    weir_status status = weir__net_init(&solo->own, runtime->registry, spec->precision, spec->seed);
    if (!status) status = build(solo, spec, error);
    if (!status) status = allocate_gradients(solo, error);
    if (!status) status = weir__run_init(&solo->run, solo->net, error);
    if (!status) status = weir__run_init(&solo->chores, solo->net, error);
    if (!status) status = weir__net_prepare(solo->net, &solo->chores, error);
    if (status) return weir__solo_close(solo), status;
    *out = solo;
    return WEIR_OK;
}

weir_status weir__solo_share(weir__solo *with, weir__solo **out, weir_error *error)
{
    weir__solo *const solo = calloc(1, sizeof *solo);
    if (!solo) return weir__no_memory(error, "a module");
    solo->net = with->net;
    solo->instance = with->instance;
    weir_status status = allocate_gradients(solo, error);
    if (!status) status = weir__run_init(&solo->run, solo->net, error);
    if (!status) status = weir__run_init(&solo->chores, solo->net, error);
    if (status) return weir__solo_close(solo), status;
    *out = solo;
    return WEIR_OK;
}

const weir_child *weir__solo_child(const weir__solo *solo)
{
    return &solo->instance->child;
}

const weir_module *weir__solo_module(const weir__solo *solo)
{
    return solo->instance->module;
}

weir__instance *weir__solo_instance(const weir__solo *solo)
{
    return solo->instance;
}

weir__run *weir__solo_begin(weir__solo *solo)
{
    weir__run_begin(&solo->run, 0, WEIR_MODE_EVALUATE, 0, 0, 0, 0);
    return &solo->run;
}

int64_t weir__solo_tensors(const weir__solo *solo)
{
    return solo->net->tensor_count;
}

weir__solo_tensor weir__solo_tensor_at(const weir__solo *solo, int64_t index)
{
    const int32_t h = solo->order[index];
    const weir__tensor *const t = &solo->net->tensors[h];
    return (weir__solo_tensor){.name = t->name,
                               .kind = t->kind,
                               .integer = t->integer,
                               .count = t->count,
                               .data = solo->net->table[h],
                               .gradient = solo->table[h]};
}

weir_status weir__solo_prepare(weir__solo *solo, weir_error *error)
{
    weir__net *const net = solo->net;
    for (int32_t h = 0; h < net->tensor_count; h++)
        if (net->tensors[h].linear >= 0)
            weir__linear_mask(net->linears[net->tensors[h].linear], net->precision, net->table[h]);
    net->version++;
    return weir__net_prepare(net, &solo->run, error);
}

weir_status weir__solo_finish_gradients(weir__solo *solo, weir_error *error)
{
    return weir__net_prepare_vjp(solo->net, &solo->chores, solo->table, solo->other_table, error);
}

void weir__solo_zero_gradients(weir__solo *solo)
{
    memset(solo->gradients, 0, gradient_bytes(solo->net));
}

weir_frame *weir__solo_frame(weir__solo *solo, int32_t rows, int32_t mode, int32_t with_tape,
                             int32_t with_gradients, const weir_tile *context, const weir_tile *context_bar)
{
    weir__run_begin(&solo->run, rows, mode, with_tape, 7, mode == WEIR_MODE_TRAIN ? 1 : 0, 0);
    solo->run.frame.row_ids = solo->run.row_ids; /* a caller may have put its own there before */
    solo->run.frame.gradients = with_gradients ? solo->table : NULL;
    solo->run.other.gradients = with_gradients ? solo->other_table : NULL;
    solo->run.frame.context = context;
    solo->run.frame.context_bar = context_bar;
    return &solo->run.frame;
}

int64_t weir__solo_tape_mark(const weir__solo *solo)
{
    return weir__tape_mark(solo->run.tape);
}

void weir__solo_tape_rewind(weir__solo *solo, int64_t mark)
{
    weir__tape_rewind(solo->run.tape, mark);
}

const char *weir__solo_message(const weir__solo *solo)
{
    return solo->run.message;
}

weir_tile weir__solo_tile(weir__solo *solo, int32_t features, int32_t rows)
{
    const int32_t width = weir__width(rows);
    const int64_t stride = weir__stride(width), size = solo->net->precision == WEIR_F32 ? 4 : 8;
    const int64_t bytes = (features > 0 ? features : 1) * (stride > 0 ? stride : 16) * size;
    unsigned char *const data = keep(solo, aligned_alloc(64, (size_t)((bytes + 63) & ~INT64_C(63))));
    if (data) memset(data, 0xA5, (size_t)bytes);
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = data,
                       .stride = stride,
                       .rows = rows,
                       .width = width};
}

weir_status weir__solo_observe(weir__solo *solo, weir_frame *frame, int32_t inverse, const weir_tile *tile,
                               weir_error *error)
{
    const weir_module *const module = solo->instance->module;
    if (module->kind != WEIR_LAYER || !(module->flags & WEIR_MODULE_OBSERVE_ONCE)) return WEIR_UNSUPPORTED;
    const weir_layer_ops *const ops = solo->instance->own.layer;
    const void *const self = solo->instance->own.self;
    const int64_t bytes = (ops->observe_size(self) + 63) & ~INT64_C(63);
    unsigned char *const partials = aligned_alloc(64, (size_t)bytes * 2 + 64);
    if (!partials) return weir__no_memory(error, "statistics");
    memset(partials, 0, (size_t)bytes * 2);
    weir_status status = ops->observe(self, frame, inverse, tile, partials);
    if (status <= WEIR_DISCARD) status = ops->merge(self, partials + bytes, partials);
    if (status <= WEIR_DISCARD) status = ops->observe_finish(self, frame, inverse, partials + bytes);
    free(partials);
    if (status > WEIR_DISCARD)
        return weir__fail(error, status, "observe: %s", solo->run.message[0] ? solo->run.message : "failed");
    solo->net->version++;
    return weir__net_prepare(solo->net, &solo->chores, error);
}
