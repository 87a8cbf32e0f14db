/* open.c - see open.h. */
#include "check/open.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE        0.3 /* standard deviation of what is added to parameters: leaves every identity */
#define OBSERVE_ROWS 64

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
    subject->parameters = weir__parameters_count(subject);
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
