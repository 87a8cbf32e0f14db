/* writes.c - what is overwritten, what is added to, what is left alone. */
#include "check/checks.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 16

static const weir__manner plain = {.tape = 0};
static const weir__manner taped = {.tape = 1, .gradients = 1};

static const weir__argument bars[] = {WEIR__X_BAR, WEIR__PARAMS_BAR, WEIR__CONTEXT_BAR};

void weir__check_log_det_adds(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    if (map->size[WEIR__LANE] < 0) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, map, ROWS);
    weir__call *const added = call ? weir__call_like(subject, map, call, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, call, added)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, call), map->name)) return;
    weir_frame *const frame = weir__call_frame(subject, added, &plain);
    if (!weir__have(verdict, frame)) return;
    for (int32_t r = 0; r < ROWS; r++) weir__field_set(&added->field[WEIR__LANE], 0, r, 1.25 + r);
    if (!weir__served(verdict, subject, weir__call_run(subject, map, added, frame), map->name)) return;
    for (int32_t r = 0; r < ROWS; r++) {
        const double l = weir__field_get(&call->field[WEIR__LANE], 0, r);
        const double sum = weir__field_get(&added->field[WEIR__LANE], 0, r);
        weir__measure(verdict, fabs(sum - (1.25 + r) - l) / (1 + fabs(l)));
    }
}

static void poison(weir__call *call, double value)
{
    weir__field_fill(&call->field[WEIR__Y], value);
    weir__field_fill(&call->field[WEIR__X_BAR], value);
    weir__field_fill(&call->field[WEIR__PARAMS_BAR], value);
}

/* Runs, and differentiates where it can, over results that held `value` before. */
static weir_status over(weir__subject *subject, const weir__map *map, weir__call *call, double value)
{
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    if (!frame) return WEIR_ERROR;
    poison(call, value);
    const weir_status status = weir__call_run(subject, map, call, frame);
    return status == WEIR_OK && map->vjp ? weir__call_vjp(subject, map, call, frame) : status;
}

void weir__check_overwrites(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const a = weir__call_new(subject, map, ROWS);
    weir__call *const b = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, a, b)) return;
    if (!weir__served(verdict, subject, over(subject, map, a, NAN), map->name)) return;
    if (!weir__served(verdict, subject, over(subject, map, b, 7), map->name)) return;
    static const weir__argument results[] = {WEIR__Y, WEIR__X_BAR, WEIR__PARAMS_BAR};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (results[i] != WEIR__Y && !map->vjp) continue;
        weir__measure(verdict, weir__field_distance(&a->field[results[i]], &b->field[results[i]]));
        if (!weir__field_equal(&a->field[results[i]], &b->field[results[i]]))
            weir__object(verdict, "%s depends on what its result held before", map->name);
    }
}

/* One VJP, and two over the same tape that add to the same gradients. */
void weir__check_gradients_add(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const once = weir__call_new(subject, map, ROWS);
    weir__call *const twice = once ? weir__call_like(subject, map, once, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, once, twice)) return;
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, once), map->name)) return;
    double *const one = weir__gradient_now(subject);
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, twice, &taped);
    weir_status status = frame ? weir__call_run(subject, map, twice, frame) : WEIR_ERROR;
    const int64_t mark = weir__solo_tape_mark(subject->solo);
    if (status == WEIR_OK) status = weir__call_vjp(subject, map, twice, frame);
    weir__solo_tape_rewind(subject->solo, mark);
    if (status == WEIR_OK) status = weir__call_vjp(subject, map, twice, frame);
    if (status == WEIR_OK) status = weir__solo_finish_gradients(subject->solo, NULL);
    double *const two = weir__gradient_now(subject);
    if (weir__have(verdict, one, two) && weir__served(verdict, subject, status, map->name)) {
        weir__measure(verdict, weir__gradient_distance(subject, two, one, 2));
        for (int32_t f = 0; f < map->size[WEIR__CONTEXT_BAR]; f++)
            for (int32_t r = 0; r < ROWS; r++) {
                const double g = weir__field_get(&once->field[WEIR__CONTEXT_BAR], f, r);
                const double sum = weir__field_get(&twice->field[WEIR__CONTEXT_BAR], f, r);
                weir__measure(verdict, fabs(sum - 2 * g) / (1 + fabs(g)));
            }
    }
    free(one);
    free(two);
}

/* ---- optional arguments ---- */

/* Differences between a VJP with everything and one with less; what was left out is not compared. */
static void compare_without(weir__subject *subject, const weir__map *map, weir__call *full,
                            const double *full_gradient, uint32_t omit, weir__verdict *verdict)
{
    weir__call *const call = weir__call_like(subject, map, full, WEIR__PLAIN);
    if (!weir__have(verdict, call)) return;
    call->omit = omit;
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, call), map->name)) return;
    for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++)
        if (!(omit & WEIR__BIT(bars[i])))
            weir__measure(verdict, weir__field_distance(&call->field[bars[i]], &full->field[bars[i]]));
    double *const gradient = weir__gradient_now(subject);
    if (weir__have(verdict, gradient))
        weir__measure(verdict, weir__gradient_distance(subject, gradient, full_gradient, 1));
    free(gradient);
    if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "a NULL argument changes other results");
}

static void without_lane(weir__subject *subject, const weir__map *map, const weir__call *full,
                         weir__verdict *verdict)
{
    weir__call *const call = weir__call_like(subject, map, full, WEIR__PLAIN);
    if (!weir__have(verdict, call)) return;
    call->omit = WEIR__BIT(WEIR__LANE);
    if (weir__served(verdict, subject, weir__evaluate(subject, map, call), map->name))
        weir__measure(verdict, weir__field_distance(&call->field[WEIR__Y], &full->field[WEIR__Y]));
}

/* The frame's table of gradients with every `step`-th tensor (from `step` - 1) frozen. Caller frees. */
static void **frozen_table(const weir__subject *subject, const weir_frame *frame, int64_t step)
{
    const int64_t count = weir__solo_tensors(subject->solo);
    void **const table = calloc((size_t)count + 1, sizeof *table);
    for (int64_t h = 0; table && h < count; h++)
        if (h % step != step - 1) table[h] = frame->gradients[h];
    return table;
}

/* step 0: frame->gradients is NULL, and context_bar too; 1: all tensors are frozen; 2: every other one. x_bar and
 * params_bar stay what they were. */
static void without_gradients(weir__subject *subject, const weir__map *map, const weir__call *full,
                              int64_t step, weir__verdict *verdict)
{
    const weir__manner manner = {.tape = 1, .gradients = step > 0};
    weir__call *const call = weir__call_like(subject, map, full, WEIR__PLAIN);
    if (!weir__have(verdict, call)) return;
    weir_frame *const frame = weir__call_frame(subject, call, &manner);
    if (!weir__have(verdict, frame)) return;
    void **const table = step ? frozen_table(subject, frame, step) : NULL;
    if (table) frame->gradients = table;
    weir_status status = weir__call_run(subject, map, call, frame);
    if (status == WEIR_OK) status = weir__call_vjp(subject, map, call, frame);
    frame->gradients = NULL;
    free(table);
    if (!weir__served(verdict, subject, status, map->name)) return;
    for (size_t i = 0; i < 2; i++)
        weir__measure(verdict, weir__field_distance(&call->field[bars[i]], &full->field[bars[i]]));
    if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "a frozen tensor changes other results");
}

void weir__check_optional_arguments(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int bijection = map->size[WEIR__LANE] >= 0 && map->size[WEIR__Y] >= 0;
    weir__call *const full = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, full)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, full), map->name)) return;
    if (bijection) without_lane(subject, map, full, verdict);
    if (!map->vjp) return;
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, full), map->name)) return;
    double *gradient = weir__gradient_now(subject);
    if (weir__have(verdict, gradient)) {
        compare_without(subject, map, full, gradient, WEIR__BIT(WEIR__X_BAR), verdict);
        compare_without(subject, map, full, gradient, WEIR__BIT(WEIR__PARAMS_BAR), verdict);
        compare_without(subject, map, full, gradient, WEIR__BIT(WEIR__CONTEXT_BAR), verdict);
        for (int64_t step = 0; step <= 2; step++) without_gradients(subject, map, full, step, verdict);
    }
    free(gradient);
    if (!bijection) return;
    weir__field_fill(&full->field[WEIR__LANE_BAR], 0);
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, full), map->name)) return;
    gradient = weir__gradient_now(subject);
    if (weir__have(verdict, gradient))
        compare_without(subject, map, full, gradient, WEIR__BIT(WEIR__LANE_BAR), verdict);
    free(gradient);
}

/* ---- what is left alone ---- */

static void compare_kept(const weir__call *before, const weir__call *after, const char *when, uint32_t which,
                         weir__verdict *verdict)
{
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++)
        if (which & WEIR__BIT(a) && !weir__field_kept(&before->field[a], &after->field[a]))
            weir__object(verdict, "%s was written by %s", weir__argument_name(a), when);
}

void weir__check_inputs_kept(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const uint32_t points = WEIR__BIT(WEIR__X) | WEIR__BIT(WEIR__PARAMS) | WEIR__BIT(WEIR__CONTEXT);
    const uint32_t given = WEIR__BIT(WEIR__Y) | WEIR__BIT(WEIR__Y_BAR) | WEIR__BIT(WEIR__LANE_BAR);
    weir__call *const call = weir__call_new(subject, map, ROWS - 3);
    weir__call *before = call ? weir__call_like(subject, map, call, WEIR__PLAIN) : NULL;
    const uint64_t tensors = weir__tensors_digest(subject);
    if (!weir__have(verdict, call, before)) return;
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    if (!weir__have(verdict, frame)) return;
    if (!weir__served(verdict, subject, weir__call_run(subject, map, call, frame), map->name)) return;
    compare_kept(before, call, map->name, points, verdict);
    before = weir__call_like(subject, map, call, WEIR__PLAIN);
    if (map->vjp && weir__have(verdict, before)) {
        if (!weir__served(verdict, subject, weir__call_vjp(subject, map, call, frame), map->name)) return;
        compare_kept(before, call, "the VJP", points | given, verdict);
    }
    if (weir__tensors_digest(subject) != tensors)
        weir__object(verdict, "a tensor was written by %s", map->name);
}

void weir__check_bounds(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const int32_t counts[] = {1, 5, 16, 37};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        weir__call *const call = weir__call_new(subject, map, counts[i]);
        if (!weir__have(verdict, call)) return;
        const weir_status status =
            map->vjp ? weir__differentiate(subject, map, call) : weir__evaluate(subject, map, call);
        for (int32_t a = 0; a < WEIR__ARGUMENTS; a++)
            if (!weir__field_intact(&call->field[a]))
                weir__object(verdict, "%s was written outside its rows, with %d rows", weir__argument_name(a),
                             counts[i]);
        if (!weir__served(verdict, subject, status, map->name)) return;
    }
}

/* ---- linearity ---- */

static void combine(weir__field *to, const weir__field *a, const weir__field *b)
{
    for (int32_t f = 0; weir__field_there(to) && f < to->tile.features; f++)
        for (int32_t r = 0; r < to->tile.rows; r++)
            weir__field_set(to, f, r, 2 * weir__field_get(a, f, r) - 3 * weir__field_get(b, f, r));
}

static double linear_distance(const weir__field *sum, const weir__field *a, const weir__field *b)
{
    double worst = 0;
    for (int32_t f = 0; weir__field_there(sum) && f < sum->tile.features; f++)
        for (int32_t r = 0; r < sum->tile.rows; r++) {
            const double x = weir__field_get(a, f, r), y = weir__field_get(b, f, r);
            const double error = weir__field_get(sum, f, r) - (2 * x - 3 * y);
            worst = fmax(worst, isnan(error) ? INFINITY : fabs(error) / (1 + fabs(x) + fabs(y)));
        }
    return worst;
}

static double *gradient_of(weir__subject *subject, const weir__map *map, weir__call *call,
                           weir__verdict *verdict)
{
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, call), map->name)) return NULL;
    return weir__gradient_now(subject);
}

void weir__check_linear_cotangents(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const a = weir__call_new(subject, map, ROWS);
    weir__call *const other = weir__call_new(subject, map, ROWS);
    weir__call *const b = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    weir__call *const sum = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, a, other, b, sum)) return;
    for (int32_t k = WEIR__Y_BAR; k <= WEIR__LANE_BAR; k++) {
        weir__field_copy(&b->field[k], &other->field[k]);
        combine(&sum->field[k], &a->field[k], &b->field[k]);
    }
    double *const of_a = gradient_of(subject, map, a, verdict);
    double *const of_b = of_a ? gradient_of(subject, map, b, verdict) : NULL;
    double *const of_sum = of_b ? gradient_of(subject, map, sum, verdict) : NULL;
    if (of_sum) {
        for (int64_t i = 0; i < subject->parameters; i++) of_a[i] = 2 * of_a[i] - 3 * of_b[i];
        weir__measure(verdict, weir__gradient_distance(subject, of_sum, of_a, 1));
        for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++)
            weir__measure(verdict,
                          linear_distance(&sum->field[bars[i]], &a->field[bars[i]], &b->field[bars[i]]));
    }
    free(of_a);
    free(of_b);
    free(of_sum);
}
