/* network.c - autoregressive networks: who depends on whom, and the incremental sweep against the whole pass. */
#include "check/checks.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 16

static int is_autoregressive(const weir__subject *subject)
{
    return subject->setting.autoregressive > 0 && subject->child->traits & WEIR_TRAIT_AUTOREGRESSIVE;
}

/* ---- dependence ---- */

/* Number of output lanes among [first, first + count) that have the same bits in both. */
static int32_t same_lanes(const weir__call *a, const weir__call *b, int32_t first, int32_t count)
{
    int32_t same = 0;
    for (int32_t f = first; f < first + count; f++) {
        int equal = 1;
        for (int32_t r = 0; r < a->rows; r++)
            equal &= weir__field_get(&a->field[WEIR__Y], f, r) == weir__field_get(&b->field[WEIR__Y], f, r);
        same += equal;
    }
    return same;
}

static void shift(weir__field *field, int32_t feature)
{
    for (int32_t r = 0; r < field->tile.width; r++)
        weir__field_set(field, feature, r, weir__field_get(field, feature, r) + 0.7);
}

static void check_input(weir__subject *subject, const weir__map *map, const weir__call *base, int32_t input,
                        weir__verdict *verdict)
{
    const int32_t per_feature = subject->setting.autoregressive;
    weir__call *const moved = weir__call_like(subject, map, base, WEIR__PLAIN);
    if (!weir__have(verdict, moved)) return;
    shift(&moved->field[WEIR__X], input);
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, moved), "forward")) return;
    const int32_t blind = (input + 1) * per_feature;
    weir__measure(verdict, blind - same_lanes(base, moved, 0, blind));
    if (verdict->figure > 0) weir__remark(verdict, "outputs of features up to %d see input %d", input, input);
    const int32_t rest = map->size[WEIR__Y] - blind;
    if (subject->weights == WEIR__TRAINED && rest > 0 && same_lanes(base, moved, blind, rest) == rest)
        weir__object(verdict, "no output depends on input %d", input);
}

static void check_context(weir__subject *subject, const weir__map *map, const weir__call *base,
                          weir__verdict *verdict)
{
    const int32_t per_feature = subject->setting.autoregressive;
    weir__call *const moved = weir__call_like(subject, map, base, WEIR__PLAIN);
    if (!weir__have(verdict, moved)) return;
    shift(&moved->field[WEIR__CONTEXT], 0);
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, moved), "forward")) return;
    for (int32_t d = 0; d * per_feature < map->size[WEIR__Y]; d++)
        if (same_lanes(base, moved, d * per_feature, per_feature) == per_feature)
            weir__object(verdict, "outputs of feature %d do not depend on the context", d);
}

void weir__check_autoregressive(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    map = &subject->maps[0];
    if (!is_autoregressive(subject)) {
        weir__skip(verdict);
        return;
    }
    weir__call *const base = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, base)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, base), "forward")) return;
    for (int32_t i = 0; i < map->size[WEIR__X]; i++) check_input(subject, map, base, i, verdict);
    if (map->size[WEIR__CONTEXT] > 0 && subject->weights == WEIR__TRAINED)
        check_context(subject, map, base, verdict);
}

/* ---- the sweep ---- */

static void copy_feature(weir__field *to, const weir__field *from, int32_t feature)
{
    for (int32_t r = 0; r < to->tile.width; r++)
        weir__field_set(to, feature, r, weir__field_get(from, feature, r));
}

/* Lanes of x that are not decided yet hold NaN: a network that reads them shows. */
static weir_status sweep(weir__subject *subject, const weir__call *whole, weir__call *swept,
                         weir_frame *frame, void **state)
{
    const weir_network_ops *const ops = subject->child->network;
    const void *const self = subject->child->self;
    weir__field *const x = &swept->field[WEIR__X], *const y = &swept->field[WEIR__Y];
    weir__field_fill(x, NAN);
    weir_status status = ops->begin(self, frame, &x->tile, &y->tile, state);
    for (int32_t d = 0; status == WEIR_OK && d < x->tile.features; d++) {
        if (d > 0) copy_feature(x, &whole->field[WEIR__X], d - 1);
        status = ops->step(self, frame, *state, d, &x->tile, &y->tile);
    }
    if (x->tile.features) copy_feature(x, &whole->field[WEIR__X], x->tile.features - 1);
    return status;
}

static int has_sweep(const weir__subject *subject)
{
    const weir_network_ops *const ops = subject->child->network;
    return is_autoregressive(subject) && ops->begin && ops->step && ops->begin_vjp && ops->step_vjp &&
           ops->end_vjp;
}

static void compare_sweep(weir__subject *subject, const weir__map *map, int32_t tape, weir__verdict *verdict)
{
    const weir__manner manner = {.tape = tape};
    void *state = NULL;
    weir__call *const whole = weir__call_new(subject, map, ROWS);
    weir__call *const swept = whole ? weir__call_like(subject, map, whole, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, whole, swept)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, whole), "forward")) return;
    weir_frame *const frame = weir__call_frame(subject, swept, &manner);
    if (!weir__have(verdict, frame)) return;
    if (!weir__served(verdict, subject, sweep(subject, whole, swept, frame, &state), "the sweep")) return;
    weir__measure(verdict, weir__field_distance(&swept->field[WEIR__Y], &whole->field[WEIR__Y]));
    if (!weir__field_intact(&swept->field[WEIR__Y])) weir__object(verdict, "written outside the rows");
}

void weir__check_sweep(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    (void)map;
    if (!has_sweep(subject)) {
        weir__skip(verdict);
        return;
    }
    compare_sweep(subject, &subject->maps[0], 0, verdict);
    compare_sweep(subject, &subject->maps[0], 1, verdict);
}

/* y_bar fills up from the last feature down, as a parent fills it; what stands below is NaN until then. */
static weir_status sweep_back(weir__subject *subject, const weir__call *whole, weir__call *swept,
                              weir_frame *frame, const void *state)
{
    const weir_network_ops *const ops = subject->child->network;
    const void *const self = subject->child->self;
    const int32_t per_feature = subject->setting.autoregressive;
    const weir_tile *const x = &swept->field[WEIR__X].tile, *const y = &swept->field[WEIR__Y].tile;
    const weir_tile *const y_bar = &swept->field[WEIR__Y_BAR].tile;
    void *work = NULL;
    weir__field_fill(&swept->field[WEIR__Y_BAR], NAN);
    weir_status status = ops->begin_vjp(self, frame, state, x, y, &work);
    for (int32_t d = x->features - 1; status == WEIR_OK && d >= 0; d--) {
        for (int32_t p = 0; p < per_feature; p++)
            copy_feature(&swept->field[WEIR__Y_BAR], &whole->field[WEIR__Y_BAR], d * per_feature + p);
        status = ops->step_vjp(self, frame, state, work, d, x, y, y_bar, &swept->field[WEIR__X_BAR].tile);
    }
    return status == WEIR_OK ? ops->end_vjp(self, frame, state, work, x, y, y_bar) : status;
}

static weir_status sweep_there_and_back(weir__subject *subject, const weir__call *whole, weir__call *swept)
{
    static const weir__manner taped = {.tape = 1, .gradients = 1};
    void *state = NULL;
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, swept, &taped);
    if (!frame) return WEIR_ERROR;
    weir_status status = sweep(subject, whole, swept, frame, &state);
    if (status == WEIR_OK) status = sweep_back(subject, whole, swept, frame, state);
    return status == WEIR_OK ? weir__solo_finish_gradients(subject->solo, NULL) : status;
}

void weir__check_sweep_vjp(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    map = &subject->maps[0];
    if (!has_sweep(subject)) {
        weir__skip(verdict);
        return;
    }
    weir__call *const whole = weir__call_new(subject, map, ROWS);
    weir__call *const swept = whole ? weir__call_like(subject, map, whole, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, whole, swept)) return;
    if (!weir__served(verdict, subject, weir__differentiate(subject, map, whole), "forward")) return;
    double *const dense = weir__gradient_now(subject);
    const weir_status status = sweep_there_and_back(subject, whole, swept);
    double *const incremental = weir__gradient_now(subject);
    if (weir__have(verdict, dense, incremental) && weir__served(verdict, subject, status, "the sweep")) {
        weir__measure(verdict, weir__field_distance(&swept->field[WEIR__X_BAR], &whole->field[WEIR__X_BAR]));
        weir__measure(verdict, weir__field_distance(&swept->field[WEIR__CONTEXT_BAR],
                                                    &whole->field[WEIR__CONTEXT_BAR]));
        weir__measure(verdict, weir__gradient_distance(subject, incremental, dense, 1));
        if (weir__solo_tape_mark(subject->solo) != 0) weir__object(verdict, "the tape is not balanced");
    }
    free(dense);
    free(incremental);
}
