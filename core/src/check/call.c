/* call.c - making arguments, and running a map or its VJP. */
#include "check/call.h"

#include <math.h>
#include <stdlib.h>

/* ---- points ---- */

/* Univariates and densities say which values they take; around 1 from the one end where there is only one. */
static double point_in(weir__subject *subject, const weir_domain *domain)
{
    const int lower = isfinite(domain->lower), upper = isfinite(domain->upper);
    const double normal = weir__dice_normal(&subject->dice), uniform = weir__dice_uniform(&subject->dice);
    if (!lower && !upper) return 1.3 * normal;
    if (lower && upper) return domain->lower + (domain->upper - domain->lower) * (0.02 + 0.96 * uniform);
    return lower ? domain->lower + exp(0.8 * normal) : domain->upper - exp(0.8 * normal);
}

static double point(weir__subject *subject, const weir__map *map, int32_t feature)
{
    const int layer = subject->child->kind == WEIR_LAYER;
    const int32_t lane = subject->child->kind == WEIR_UNIVARIATE ? 0 : feature;
    /* The lanes of another map's input may be more than those that have a domain here. */
    const int known = subject->child->domain && !map->source;
    const weir_domain *const domain = known ? &subject->child->domain[lane] : NULL;
    const int interval = !layer && domain && domain->kind == WEIR_DOMAIN_INTERVAL;
    const int circle = domain && domain->kind == WEIR_DOMAIN_CIRCLE;
    if (interval || circle) return point_in(subject, domain);
    if (layer && map->source == NULL && subject->points == WEIR__POINTS_UNIT)
        return 0.02 + 0.96 * weir__dice_uniform(&subject->dice);
    if (layer && map->source == NULL && subject->points == WEIR__POINTS_INTEGERS)
        return weir__dice_below(&subject->dice, 256);
    return 1.3 * weir__dice_normal(&subject->dice);
}

static void fill_normal(weir__subject *subject, weir__field *field, double deviation)
{
    for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
        for (int32_t r = 0; r < field->tile.rows; r++)
            weir__field_set(field, f, r, deviation * weir__dice_normal(&subject->dice));
}

/* Parameters per element lie around the identity, nearer at initial weights; every fourth row is far from it. */
static void fill_params(weir__subject *subject, weir__field *field)
{
    const int32_t count = subject->child->params;
    const double *const identity = subject->child->identity;
    for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
        for (int32_t r = 0; r < field->tile.rows; r++) {
            const double spread = subject->weights == WEIR__INITIAL ? 0.1 : r % 4 == 3 ? 2.0 : 0.7;
            const double centre = identity ? identity[f % count] : 0;
            weir__field_set(field, f, r, centre + spread * weir__dice_normal(&subject->dice));
        }
}

static void fill_points(weir__subject *subject, const weir__map *map, weir__field *field)
{
    for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
        for (int32_t r = 0; r < field->tile.rows; r++) weir__field_set(field, f, r, point(subject, map, f));
}

/* X of forward by the layer's own sample_points: the draws depend on the rows' numbers, so these move on. */
static void fill_own(weir__subject *subject, weir__call *call)
{
    uint64_t ids[256] = {0};
    weir_frame *const frame =
        weir__solo_frame(subject->solo, call->rows, WEIR_MODE_EVALUATE, 0, 0, NULL, NULL);
    if (!frame || call->rows == 0) return;
    const uint64_t first = (uint64_t)(weir__dice_uniform(&subject->dice) * 0x1p40);
    for (int32_t r = 0; r < frame->width && r < 256; r++) ids[r] = first + (uint64_t)(r < call->rows ? r : 0);
    frame->row_ids = ids;
    subject->child->layer->sample_points(subject->child->self, frame, 1, &call->field[WEIR__X].tile);
}

static void pad(weir__call *call)
{
    for (int32_t a = WEIR__X; a <= WEIR__CONTEXT; a++) weir__field_pad(&call->field[a], 0);
    weir__field_pad(&call->field[WEIR__Y_BAR], -1);
    weir__field_pad(&call->field[WEIR__LANE_BAR], -1);
}

static void fill_inputs(weir__subject *subject, const weir__map *map, weir__call *call)
{
    fill_points(subject, map, &call->field[WEIR__X]);
    fill_params(subject, &call->field[WEIR__PARAMS]);
    fill_normal(subject, &call->field[WEIR__CONTEXT], 1);
    pad(call);
    if (!map->source && subject->child->kind == WEIR_LAYER && subject->points == WEIR__POINTS_OWN)
        fill_own(subject, call);
}

/* X of the inverse is in the image of forward, X of log_density in the support: both come from the other map. */
static void replace_by_source(weir__subject *subject, const weir__map *map, weir__call *call)
{
    weir__call *const source = weir__call_new(subject, map->source, call->rows);
    if (!source) return;
    if (map->source->size[WEIR__PARAMS] >= 0)
        weir__field_copy(&source->field[WEIR__PARAMS], &call->field[WEIR__PARAMS]);
    if (map->source->size[WEIR__CONTEXT] > 0)
        weir__field_copy(&source->field[WEIR__CONTEXT], &call->field[WEIR__CONTEXT]);
    const uint64_t first = (uint64_t)(weir__dice_uniform(&subject->dice) * 0x1p40);
    const weir__manner elsewhere = {.seed = first};
    weir_frame *const frame = weir__call_frame(subject, source, &elsewhere);
    if (!frame || weir__call_run(subject, map->source, source, frame) > WEIR_DISCARD) return;
    weir__field_copy(&call->field[WEIR__X], &source->field[WEIR__Y]);
}

/* ---- making and releasing ---- */

static void free_call(weir__call *call)
{
    weir__call_tail(call, -1, 0);
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) weir__field_free(&call->field[a]);
    free(call);
}

static weir__layout layout_of(int32_t a, weir__layout layout)
{
    return a == WEIR__X || a == WEIR__Y || a == WEIR__X_BAR || a == WEIR__Y_BAR ? layout : WEIR__PLAIN;
}

/* By turns, so that with two calls of a test either side of each argument has been tried. */
static weir__wall wall_of(weir__subject *subject, int32_t a)
{
    if (!subject->walled) return WEIR__NO_WALL;
    if (a == 0) subject->turns++;
    return (subject->turns + a) & 1 ? WEIR__WALL_BEHIND : WEIR__WALL_BEFORE;
}

static weir__call *make_call(weir__subject *subject, const weir__map *map, int32_t rows, weir__layout layout)
{
    weir__call *const call = calloc(1, sizeof *call);
    if (!call) return NULL;
    call->rows = rows;
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) {
        const int32_t size = map->size[a];
        if (size < 0) continue;
        if (weir__field_make(&call->field[a], subject->precision, size, rows, layout_of(a, layout),
                             wall_of(subject, a), weir__argument_name(a)))
            continue;
        free_call(call);
        return NULL;
    }
    call->next = subject->calls;
    subject->calls = call;
    return call;
}

weir__call *weir__call_new(weir__subject *subject, const weir__map *map, int32_t rows)
{
    weir__call *const call = make_call(subject, map, rows, WEIR__PLAIN);
    if (!call) return NULL;
    fill_inputs(subject, map, call);
    if (map->source && rows > 0) replace_by_source(subject, map, call);
    fill_normal(subject, &call->field[WEIR__Y_BAR], 1);
    fill_normal(subject, &call->field[WEIR__LANE_BAR], 1);
    pad(call);
    return call;
}

void weir__call_copy(weir__call *to, const weir__call *from)
{
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) weir__field_copy(&to->field[a], &from->field[a]);
}

weir__call *weir__call_like(weir__subject *subject, const weir__map *map, const weir__call *like,
                            weir__layout layout)
{
    weir__call *const call = make_call(subject, map, like->rows, layout);
    if (call) weir__call_copy(call, like);
    return call;
}

void weir__calls_release(weir__subject *subject)
{
    while (subject->calls) {
        weir__call *const next = subject->calls->next;
        free_call(subject->calls);
        subject->calls = next;
    }
}

/* ---- running ---- */

static void reset_results(weir__call *call)
{
    weir__field_fill(&call->field[WEIR__Y], NAN);
    weir__field_fill(&call->field[WEIR__X_BAR], NAN);
    weir__field_fill(&call->field[WEIR__PARAMS_BAR], NAN);
    weir__field_fill(&call->field[WEIR__LANE], 0);
    weir__field_fill(&call->field[WEIR__CONTEXT_BAR], 0);
}

weir_frame *weir__call_frame(weir__subject *subject, weir__call *call, const weir__manner *manner)
{
    const weir__field *const context = &call->field[WEIR__CONTEXT];
    const weir__field *const context_bar = &call->field[WEIR__CONTEXT_BAR];
    const int wanted = manner->gradients && !(call->omit & WEIR__BIT(WEIR__CONTEXT_BAR));
    reset_results(call);
    weir_frame *const frame =
        weir__solo_frame(subject->solo, call->rows, manner->mode, manner->tape, manner->gradients,
                         weir__field_there(context) ? &context->tile : NULL,
                         weir__field_there(context_bar) && wanted ? &context_bar->tile : NULL);
    if (!frame) return NULL;
    if (manner->seed) frame->seed = manner->seed;
    frame->step = manner->step;
    if (manner->row_ids) frame->row_ids = manner->row_ids;
    return frame;
}

/* Inputs that lie between walls cannot be written while the module runs; where one is the output too, it can. */
static void seal(const weir__call *call, uint32_t inputs, int sealed)
{
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++)
        if (inputs & WEIR__BIT(a) && call->field[a].tile.data != call->field[WEIR__Y].tile.data)
            weir__field_seal(&call->field[a], sealed);
}

static weir_status run_in(weir__subject *subject, weir__map_fn function, uint32_t inputs, weir__call *call,
                          weir_frame *frame)
{
    const int64_t mark = frame->services->scratch_mark(frame);
    seal(call, inputs, 1);
    const weir_status status = function(subject->child, frame, call);
    seal(call, inputs, 0);
    frame->services->scratch_release(frame, mark);
    return status;
}

#define POINTS (WEIR__BIT(WEIR__X) | WEIR__BIT(WEIR__PARAMS) | WEIR__BIT(WEIR__CONTEXT))

weir_status weir__call_run(weir__subject *subject, const weir__map *map, weir__call *call, weir_frame *frame)
{
    return run_in(subject, map->run, POINTS, call, frame);
}

weir_status weir__call_vjp(weir__subject *subject, const weir__map *map, weir__call *call, weir_frame *frame)
{
    const uint32_t given = WEIR__BIT(WEIR__Y_BAR) | WEIR__BIT(WEIR__LANE_BAR);
    return run_in(subject, map->vjp, POINTS | given, call, frame);
}

weir_status weir__evaluate(weir__subject *subject, const weir__map *map, weir__call *call)
{
    static const weir__manner plain = {.tape = 0};
    weir_frame *const frame = weir__call_frame(subject, call, &plain);
    return frame ? weir__call_run(subject, map, call, frame) : WEIR_ERROR;
}

weir_status weir__differentiate(weir__subject *subject, const weir__map *map, weir__call *call)
{
    static const weir__manner taped = {.tape = 1, .gradients = 1};
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, call, &taped);
    if (!frame) return WEIR_ERROR;
    weir_status status = weir__call_run(subject, map, call, frame);
    if (status != WEIR_OK) return status;
    status = weir__call_vjp(subject, map, call, frame);
    if (status != WEIR_OK) return status;
    return weir__solo_finish_gradients(subject->solo, NULL);
}

double *weir__gradient_now(weir__subject *subject)
{
    double *const gradient = calloc((size_t)subject->parameters + 1, sizeof *gradient);
    if (gradient) weir__gradient_read(subject, gradient);
    return gradient;
}

double weir__gradient_distance(const weir__subject *subject, const double *a, const double *b, double factor)
{
    double worst = 0, scale = 1;
    for (int64_t i = 0; i < subject->parameters; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) return INFINITY;
        worst = fmax(worst, fabs(a[i] - factor * b[i]));
        scale = fmax(scale, 1 + fabs(b[i]));
    }
    return worst / scale;
}
