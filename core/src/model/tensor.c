/* tensor.c - arenas: layout, initial values, shadows in the other precision. */
#include "model/net.h"
#include "supply/turn.h"

#include "run/philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t size_of(int32_t precision)
{
    return precision == WEIR_F32 ? 4 : 8;
}

static int64_t aligned(int64_t bytes)
{
    return (bytes + 63) & ~INT64_C(63);
}

static int is_other(const weir__net *net, const weir__tensor *t)
{
    return !t->integer && t->precision != net->precision;
}

/* Counts were checked when they were declared (below 2^40 elements), and an arena adds at most 2^31 of them. */
static void lay_out(weir__net *net)
{
    for (int32_t h = 0; h < net->tensor_count; h++) {
        weir__tensor *const t = &net->tensors[h];
        t->other_offset = -1;
        if (is_other(net, t)) {
            net->mixed = 1;
            t->other_offset = net->other_bytes;
            net->other_bytes += aligned(t->count * size_of(t->precision));
        }
        int64_t *const used = t->kind == WEIR__PARAMETER ? &net->parameter_bytes
                              : t->kind == WEIR__DERIVED ? &net->derived_bytes
                              : t->integer               ? &net->integer_bytes
                                                         : &net->buffer_bytes;
        t->offset = *used;
        *used += aligned(t->count * (t->integer ? 8 : size_of(net->precision)));
    }
}

static void *arena(int64_t bytes)
{
    void *const memory = aligned_alloc(64, (size_t)(bytes ? aligned(bytes) : 64));
    if (memory) memset(memory, 0, (size_t)(bytes ? aligned(bytes) : 64));
    return memory;
}

static void fill_tables(weir__net *net)
{
    for (int32_t h = 0; h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        unsigned char *const base = t->kind == WEIR__PARAMETER ? net->parameters
                                    : t->kind == WEIR__DERIVED ? net->derived
                                    : t->integer               ? (unsigned char *)net->integers
                                                               : net->buffers;
        net->table[h] = base + t->offset;
        net->other_table[h] = t->integer             ? net->table[h]
                              : t->other_offset >= 0 ? net->other + t->other_offset
                                                     : NULL;
    }
}

static void put(void *data, int32_t precision, int64_t i, double value)
{
    if (precision == WEIR_F32)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

/* Keyed by the tensor's handle, so that a tensor's start does not depend on how large the others are. */
static double drawn(const weir__tensor *t, uint64_t key, int64_t i)
{
    uint64_t second;
    const double u = weir__unit_f64(weir__random_bits(key, (uint64_t)i, 0, &second));
    if (t->init == WEIR_INIT_UNIFORM) return t->a + (t->b - t->a) * u;
    return t->a + t->b * sqrt(-2 * log(u)) * cos(6.283185307179586476925 * weir__unit_f64(second));
}

static double initial(const weir__tensor *t, uint64_t key, int64_t i)
{
    switch (t->init) {
    case WEIR_INIT_CONSTANT:
        return t->a;
    case WEIR_INIT_VALUES:
        return t->values[i];
    case WEIR_INIT_UNIFORM:
    case WEIR_INIT_NORMAL:
        return drawn(t, key, i);
    default:
        return 0;
    }
}

static void initialize(weir__net *net, int32_t h)
{
    const weir__tensor *const t = &net->tensors[h];
    if (t->integer) {
        if (t->integers) memcpy(net->table[h], t->integers, (size_t)t->count * sizeof(int64_t));
        return;
    }
    if (t->kind == WEIR__DERIVED) return;
    const uint64_t key = weir__stream_key(net->seed, UINT64_C(0x696e6974), (uint32_t)h);
    for (int64_t i = 0; i < t->count; i++) put(net->table[h], net->precision, i, initial(t, key, i));
    if (t->linear >= 0) weir__linear_mask(net->linears[t->linear], net->precision, net->table[h]);
}

weir_status weir__net_allocate(weir__net *net, weir_error *error)
{
    lay_out(net);
    net->parameters = arena(net->parameter_bytes);
    net->buffers = arena(net->buffer_bytes);
    net->derived = arena(net->derived_bytes);
    net->other = arena(net->other_bytes);
    net->integers = arena(net->integer_bytes);
    const size_t entries = net->tensor_count ? (size_t)net->tensor_count : 1;
    net->table = calloc(entries, sizeof *net->table);
    net->other_table = calloc(entries, sizeof *net->other_table);
    if (!net->parameters || !net->buffers || !net->derived || !net->other || !net->integers || !net->table ||
        !net->other_table)
        return weir__no_memory(error, "the model's parameters");
    fill_tables(net);
    net->version = 1;
    return WEIR_OK;
}

void weir__net_initialize(weir__net *net)
{
    for (int32_t h = 0; h < net->tensor_count; h++) initialize(net, h);
}

/* ---- shadows and derived tensors ------------------------------------------------------------------------------- */

static void convert(const void *from, int32_t from_precision, void *to, int64_t count)
{
    if (from_precision == WEIR_F32)
        for (int64_t i = 0; i < count; i++) ((double *)to)[i] = (double)((const float *)from)[i];
    else
        for (int64_t i = 0; i < count; i++) ((float *)to)[i] = (float)((const double *)from)[i];
}

static int32_t opposite(int32_t precision)
{
    return precision == WEIR_F32 ? WEIR_F64 : WEIR_F32;
}

static void refresh_shadows(weir__net *net)
{
    for (int32_t h = 0; net->mixed && h < net->tensor_count; h++) {
        const weir__tensor *const t = &net->tensors[h];
        if (t->other_offset >= 0 && t->kind != WEIR__DERIVED)
            convert(net->table[h], net->precision, net->other_table[h], t->count);
    }
}

void weir__net_collect(weir__net *net, const weir__instance *instance)
{
    const int32_t end = instance->first_tensor + instance->tensor_count;
    for (int32_t h = instance->first_tensor; net->mixed && h < end; h++) {
        const weir__tensor *const t = &net->tensors[h];
        if (t->other_offset >= 0 && t->kind != WEIR__DERIVED)
            convert(net->other_table[h], opposite(net->precision), net->table[h], t->count);
    }
}

static weir_status run_prepare(weir__net *net, weir__run *run, const weir__instance *instance, int back,
                               weir_error *error)
{
    weir_frame *const frame = instance->module->precision == net->precision ? &run->frame : &run->other;
    weir_status (*const call)(const void *, weir_frame *) =
        back ? instance->module->prepare_vjp : instance->module->prepare;
    if (!call) return WEIR_OK;
    run->message[0] = 0;
    const int serial = instance->module->concurrency == WEIR_SERIAL;
    if (serial) weir__turn_take();
    const weir_status status = call(instance->self, frame);
    if (serial) weir__turn_give();
    weir__scratch_reset(run->scratch);
    if (status <= WEIR_DISCARD) return WEIR_OK;
    return weir__fail(error, status, "%s (%s): %s", instance->path, instance->module->id,
                      run->message[0] ? run->message
                      : back          ? "prepare_vjp failed"
                                      : "prepare failed");
}

weir_status weir__net_prepare(weir__net *net, weir__run *run, weir_error *error)
{
    if (__atomic_load_n(&net->prepared, __ATOMIC_ACQUIRE) == net->version) return WEIR_OK;
    refresh_shadows(net);
    weir__run_begin(run, 0, WEIR_MODE_EVALUATE, 0, 0, 0, 0);
    for (int32_t i = 0; i < net->instance_count; i++) {
        const weir_status status = run_prepare(net, run, net->instances[i], 0, error);
        if (status) return status;
    }
    __atomic_store_n(&net->prepared, net->version, __ATOMIC_RELEASE);
    return WEIR_OK;
}

static void add_shadow_gradient(const weir__net *net, int32_t h, void *master, const void *shadow)
{
    const int64_t count = net->tensors[h].count;
    if (net->precision == WEIR_F32)
        for (int64_t i = 0; i < count; i++) ((float *)master)[i] += (float)((const double *)shadow)[i];
    else
        for (int64_t i = 0; i < count; i++) ((double *)master)[i] += (double)((const float *)shadow)[i];
}

weir_status weir__net_prepare_vjp(weir__net *net, weir__run *run, void *const *gradients,
                                  void *const *other_gradients, weir_error *error)
{
    weir__run_begin(run, 0, WEIR_MODE_TRAIN, 0, 0, 0, 0);
    run->frame.gradients = gradients;
    run->other.gradients = other_gradients;
    weir_status status = WEIR_OK;
    for (int32_t i = net->instance_count - 1; i >= 0 && !status; i--)
        status = run_prepare(net, run, net->instances[i], 1, error);
    run->frame.gradients = run->other.gradients = NULL;
    for (int32_t h = 0; h < net->tensor_count && !status; h++) {
        const weir__tensor *const t = &net->tensors[h];
        if (t->other_offset >= 0 && t->kind == WEIR__PARAMETER && gradients[h] && other_gradients[h])
            add_shadow_gradient(net, h, gradients[h], other_gradients[h]);
        if (t->linear >= 0 && gradients[h])
            weir__linear_mask(net->linears[t->linear], net->precision, gradients[h]);
    }
    return status;
}
