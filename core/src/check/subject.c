/* subject.c - opening a module for checks, its weights and its tensors. */
#include "check/subject.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE        0.3 /* standard deviation of what is added to parameters: leaves every identity */
#define OBSERVE_ROWS 64

/* ---- tensors ---- */

static int is_trained(const weir__solo_tensor *tensor)
{
    return tensor->kind == WEIR_TENSOR_PARAMETER && !tensor->integer;
}

static double number_at(const void *data, int32_t precision, int64_t i)
{
    return precision == WEIR_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void put_number(void *data, int32_t precision, int64_t i, double value)
{
    if (precision == WEIR_F64)
        ((double *)data)[i] = value;
    else
        ((float *)data)[i] = (float)value;
}

static void gather(const weir__subject *subject, int gradients, double *values)
{
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        const void *const data = gradients ? tensor.gradient : tensor.data;
        if (!is_trained(&tensor)) continue;
        for (int64_t i = 0; i < tensor.count; i++)
            *values++ = data ? number_at(data, subject->precision, i) : 0;
    }
}

void weir__parameters_read(const weir__subject *subject, double *values)
{
    gather(subject, 0, values);
}

void weir__gradient_read(const weir__subject *subject, double *values)
{
    gather(subject, 1, values);
}

weir_status weir__parameters_write(weir__subject *subject, const double *values)
{
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        if (!is_trained(&tensor)) continue;
        for (int64_t i = 0; i < tensor.count; i++) put_number(tensor.data, subject->precision, i, *values++);
    }
    return weir__solo_prepare(subject->solo, NULL);
}

static int64_t count_parameters(const weir__subject *subject)
{
    int64_t count = 0;
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        if (is_trained(&tensor)) count += tensor.count;
    }
    return count;
}

static size_t bytes_of(const weir__subject *subject, const weir__solo_tensor *tensor)
{
    const size_t number = subject->precision == WEIR_F64 ? sizeof(double) : sizeof(float);
    return (size_t)tensor->count * (tensor->integer ? sizeof(int64_t) : number);
}

/* FNV-1a: any changed byte changes it, which is all that is asked. */
uint64_t weir__tensors_digest(const weir__subject *subject)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        const unsigned char *const bytes = tensor.data;
        for (size_t i = 0; bytes && i < bytes_of(subject, &tensor); i++)
            digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

static void copy_tensor(const weir__solo_tensor *to, int32_t to_precision, const weir__solo_tensor *from,
                        int32_t from_precision)
{
    if (from->integer) {
        memcpy(to->data, from->data, (size_t)from->count * sizeof(int64_t));
        return;
    }
    for (int64_t i = 0; i < from->count; i++)
        put_number(to->data, to_precision, i, number_at(from->data, from_precision, i));
}

weir_status weir__subject_copy_state(weir__subject *to, const weir__subject *from, weir_error *error)
{
    const int64_t count = weir__solo_tensors(from->solo);
    if (weir__solo_tensors(to->solo) != count)
        return weir__fail(error, WEIR_INVALID, "its two precisions declare different tensors");
    for (int64_t t = 0; t < count; t++) {
        const weir__solo_tensor a = weir__solo_tensor_at(to->solo, t);
        const weir__solo_tensor b = weir__solo_tensor_at(from->solo, t);
        if (a.kind != b.kind || a.integer != b.integer || a.count != b.count || strcmp(a.name, b.name) != 0)
            return weir__fail(error, WEIR_INVALID, "tensor %s differs between its two precisions", b.name);
        if (b.count) copy_tensor(&a, to->precision, &b, from->precision);
    }
    return weir__solo_prepare(to->solo, error);
}

/* ---- opening ---- */

static int32_t wants_observation(const weir_module *module)
{
    return (module->flags & WEIR_MODULE_OBSERVE_ONCE) != 0;
}

static int all_fine(weir__call *call)
{
    for (int32_t r = 0; r < call->rows; r++)
        if (!weir__field_row_finite(&call->field[WEIR__Y], r) ||
            !weir__field_row_finite(&call->field[WEIR__LANE], r))
            return 0;
    return 1;
}

/* A container has sample_points when its child has. */
static int has_own_points(const weir__subject *subject)
{
    const weir_layer_ops *const ops = subject->child->layer;
    if (!ops || !WEIR_HAS(ops, sample_points) || !ops->sample_points) return 0;
    const weir_tile tile = weir__solo_tile(subject->solo, subject->setting.features, 1);
    weir_frame *const frame = weir__solo_frame(subject->solo, 1, WEIR_MODE_EVALUATE, 0, 0, NULL, NULL);
    return tile.data && frame &&
           ops->sample_points(subject->child->self, frame, 1, &tile) != WEIR_UNSUPPORTED;
}

/* A layer that states no sample_points is tried with normal points, then with ones in (0, 1), then with integers. One
 * that has to observe first cannot be tried: it gets what was asked for, normal points if nothing. */
static weir_status find_points(weir__subject *subject, weir_error *error)
{
    const weir_layer_ops *const ops = subject->child->layer;
    subject->points = subject->candidate->points;
    if (has_own_points(subject)) subject->points = WEIR__POINTS_OWN;
    if (!ops || subject->points == WEIR__POINTS_OWN || wants_observation(subject->module)) return WEIR_OK;
    for (; subject->points <= WEIR__POINTS_INTEGERS; subject->points++) {
        weir__call *const call = weir__call_new(subject, &subject->maps[0], 16);
        const int good =
            call && weir__evaluate(subject, &subject->maps[0], call) == WEIR_OK && all_fine(call);
        weir__calls_release(subject);
        if (good) return WEIR_OK;
    }
    subject->points = WEIR__POINTS_LINE;
    const char *const why = weir__solo_message(subject->solo);
    return weir__fail(
        error, WEIR_INVALID,
        "forward takes neither normal points nor ones in (0, 1) nor integers%s%s; give the layer a "
        "sample_points",
        *why ? ": " : "", why);
}

static weir_status observe(weir__subject *subject, weir_error *error)
{
    static const weir__manner initial = {.mode = WEIR_MODE_EVALUATE};
    if (!wants_observation(subject->module) || !subject->child->layer) return WEIR_OK;
    weir__call *const call = weir__call_new(subject, &subject->maps[0], OBSERVE_ROWS);
    if (!call) return weir__no_memory(error, "points to observe");
    weir_frame *const frame = weir__call_frame(subject, call, &initial);
    weir_status status = frame
                             ? weir__solo_observe(subject->solo, frame, 0, &call->field[WEIR__X].tile, error)
                             : weir__no_memory(error, "a frame");
    weir__calls_release(subject);
    if (status == WEIR_OK) status = weir__solo_prepare(subject->solo, error);
    return status;
}

weir__solo_spec weir__subject_spec(const weir__subject *subject)
{
    const weir__setting *const setting = &subject->setting;
    const weir__candidate *const candidate = subject->candidate;
    return (weir__solo_spec){
        .node = candidate->node,
        .entry = candidate->entry,
        .precision = subject->precision,
        .features = setting->features,
        .context = setting->context,
        .image = candidate->image[0] ? candidate->image : NULL,
        .autoregressive = setting->autoregressive,
        .out = setting->out,
        .seed = candidate->seed,
        .supply = 1,
    };
}

weir_status weir__subject_open(weir__subject *subject, const weir__candidate *candidate,
                               const weir__setting *setting, int32_t precision, weir_error *error)
{
    memset(subject, 0, sizeof *subject);
    subject->candidate = candidate;
    subject->setting = *setting;
    subject->precision = precision;
    subject->dice = weir__dice_from(candidate->seed, 1);
    const weir__solo_spec spec = weir__subject_spec(subject);
    weir_status status = weir__solo_open(candidate->runtime, &spec, &subject->solo, error);
    if (status != WEIR_OK) return status;
    subject->child = weir__solo_child(subject->solo);
    subject->module = weir__solo_module(subject->solo);
    subject->rounding = subject->module->precision == WEIR_F32 ? FLT_EPSILON : DBL_EPSILON;
    subject->parameters = count_parameters(subject);
    subject->map_count = weir__maps_of(subject->child, setting->features, setting->context, subject->maps);
    status = weir__solo_prepare(subject->solo, error);
    if (status == WEIR_OK) status = find_points(subject, error);
    if (status == WEIR_OK) status = observe(subject, error);
    if (status != WEIR_OK) weir__subject_close(subject);
    return status;
}

void weir__subject_close(weir__subject *subject)
{
    weir__calls_release(subject);
    if (subject->solo) weir__solo_close(subject->solo);
    subject->solo = NULL;
}

weir_status weir__subject_train(weir__subject *subject, weir_error *error)
{
    subject->weights = WEIR__TRAINED;
    if (!subject->parameters) return WEIR_OK;
    double *const values = malloc((size_t)subject->parameters * sizeof *values);
    if (!values) return weir__no_memory(error, "parameters");
    weir__dice dice = weir__dice_from(subject->candidate->seed, 2);
    weir__parameters_read(subject, values);
    for (int64_t i = 0; i < subject->parameters; i++) values[i] += NOISE * weir__dice_normal(&dice);
    const weir_status status = weir__parameters_write(subject, values);
    free(values);
    return status ? weir__fail(error, status, "prepare refuses perturbed parameters") : WEIR_OK;
}

const weir__map *weir__subject_map(const weir__subject *subject, const char *name)
{
    for (int32_t i = 0; i < subject->map_count; i++)
        if (strcmp(subject->maps[i].name, name) == 0) return &subject->maps[i];
    return NULL;
}
