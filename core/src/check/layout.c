/* layout.c - the same numbers in another layout, in place, and in the other precision. */
#include "check/checks.h"
#include "check/open.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 16

static weir_status run(weir__subject *subject, const weir__map *map, weir__call *call)
{
    return map->vjp ? weir__differentiate(subject, map, call) : weir__evaluate(subject, map, call);
}

static void compare_layout(weir__subject *subject, const weir__map *map, weir__layout layout,
                           weir__verdict *verdict)
{
    static const weir__argument results[] = {WEIR__Y, WEIR__LANE, WEIR__X_BAR, WEIR__PARAMS_BAR};
    weir__call *const a = weir__call_new(subject, map, ROWS - 3);
    weir__call *const b = a ? weir__call_like(subject, map, a, layout) : NULL;
    if (!weir__have(verdict, a, b)) return;
    if (!weir__served(verdict, subject, run(subject, map, a), map->name)) return;
    double *const of_a = weir__gradient_now(subject);
    const weir_status status = run(subject, map, b);
    double *const of_b = weir__gradient_now(subject);
    if (weir__have(verdict, of_a, of_b) && weir__served(verdict, subject, status, map->name)) {
        for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
            if (!map->vjp && results[i] > WEIR__LANE) continue;
            weir__measure(verdict, weir__field_distance(&b->field[results[i]], &a->field[results[i]]));
        }
        weir__measure(verdict, map->vjp ? weir__gradient_distance(subject, of_b, of_a, 1) : 0);
    }
    for (int32_t k = 0; k < WEIR__ARGUMENTS; k++)
        if (!weir__field_intact(&b->field[k])) weir__object(verdict, "written outside the rows");
    free(of_a);
    free(of_b);
}

void weir__check_negative_stride(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    compare_layout(subject, map, WEIR__REVERSED, verdict);
}

/* A module without INDEXED_OK is called through the host's gather: then this watches the host. */
void weir__check_lane_index(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    compare_layout(subject, map, WEIR__INDEXED, verdict);
}

void weir__check_in_place(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    if (!(subject->module->flags & WEIR_MODULE_IN_PLACE_OK) || map->size[WEIR__X] != map->size[WEIR__Y]) {
        weir__skip(verdict);
        return;
    }
    static const weir__manner plain = {.tape = 0};
    weir__call *const apart = weir__call_new(subject, map, ROWS);
    weir__call *const within = apart ? weir__call_like(subject, map, apart, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, apart, within)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, apart), map->name)) return;
    weir_frame *const frame = weir__call_frame(subject, within, &plain);
    if (!weir__have(verdict, frame)) return;
    const weir_tile own = within->field[WEIR__Y].tile;
    within->field[WEIR__Y].tile = within->field[WEIR__X].tile;
    const weir_status status = weir__call_run(subject, map, within, frame);
    within->field[WEIR__Y].tile = own;
    if (!weir__served(verdict, subject, status, map->name)) return;
    weir__measure(verdict, weir__field_distance(&within->field[WEIR__X], &apart->field[WEIR__Y]));
    weir__measure(verdict, weir__field_distance(&within->field[WEIR__LANE], &apart->field[WEIR__LANE]));
}

/* ---- f32 against f64 ---- */

#define EPS32 0x1p-24

/* Rounds the inputs to what f32 holds, so that both precisions start from the same numbers. */
static void round_inputs(weir__call *call)
{
    for (int32_t a = WEIR__X; a <= WEIR__CONTEXT; a++) {
        weir__field *const field = &call->field[a];
        for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
            for (int32_t r = 0; r < field->tile.width; r++)
                weir__field_set(field, f, r, (double)(float)weir__field_get(field, f, r));
    }
}

/* Units in the last place of f32 by which every input is moved: how far that carries the results is their condition. The
 * wide move finds a cliff that the others may miss, and counts in proportion. */
static const double reach[] = {8, 8, 128};
#define JITTERS ((int)(sizeof reach / sizeof *reach))

static void jitter(weir__subject *subject, weir__call *call, double units)
{
    for (int32_t a = WEIR__X; a <= WEIR__CONTEXT; a++) {
        weir__field *const field = &call->field[a];
        if (a == WEIR__X && subject->points == WEIR__POINTS_INTEGERS) continue;
        for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
            for (int32_t r = 0; r < field->tile.rows; r++) {
                const double v = weir__field_get(field, f, r);
                weir__field_set(field, f, r,
                                v + units * EPS32 * (1 + fabs(v)) * weir__dice_normal(&subject->dice));
            }
        weir__field_pad(field, 0);
    }
}

/* The same call in both precisions, and in f64 at moved points. */
typedef struct precisions {
    const weir__call *narrow, *wide;
    weir__call *moved[JITTERS];
} precisions;

static double drift_of(const precisions *p, weir__argument a, int32_t f, int32_t r)
{
    const double y = weir__field_get(&p->wide->field[a], f, r);
    double drift = 0;
    for (int32_t j = 0; j < JITTERS; j++) {
        const double far = fabs(weir__field_get(&p->moved[j]->field[a], f, r) - y);
        drift = fmax(drift, far * reach[0] / reach[j]);
    }
    return isfinite(drift) ? drift : 0;
}

/* A few units in the last place change a result of this row by half of itself: in f32 the row has no digits, and what it
 * gives for its other results says nothing either. */
static int is_lost(const precisions *p, int32_t r)
{
    for (int32_t a = WEIR__Y; a < WEIR__ARGUMENTS; a++) {
        const weir__field *const field = &p->wide->field[a];
        for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
            if (drift_of(p, (weir__argument)a, f, r) > 0.5 * (1 + fabs(weir__field_get(field, f, r))))
                return 1;
    }
    return 0;
}

/* Errors in units of the limit: 1e-3 (1 + |y|) plus what the condition explains. */
static void compare_row(const precisions *p, weir__argument a, int32_t r, weir__verdict *verdict)
{
    const weir__field *const field = &p->wide->field[a];
    for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++) {
        const double y = weir__field_get(field, f, r), got = weir__field_get(&p->narrow->field[a], f, r);
        if (got == y) continue; /* -infinity outside a support */
        const double allowed = verdict->limit * (1 + fabs(y)) + 16 * drift_of(p, a, f, r);
        weir__measure(verdict, verdict->limit * fabs(got - y) / allowed);
    }
}

static void compare_rows(const precisions *p, weir__verdict *verdict)
{
    int32_t lost = 0;
    for (int32_t r = 0; r < ROWS; r++) {
        const int none = is_lost(p, r);
        lost += none;
        for (int32_t a = WEIR__Y; !none && a < WEIR__ARGUMENTS; a++)
            compare_row(p, (weir__argument)a, r, verdict);
    }
    if (lost > ROWS / 2) weir__object(verdict, "%d of %d rows have no digits in f32", lost, ROWS);
}

/* A moved point that left the domain says nothing. */
static int evaluate_moved(weir__subject *subject, const weir__map *map, const weir__call *wide,
                          weir__call **moved)
{
    for (int32_t j = 0; j < JITTERS; j++) {
        moved[j] = weir__call_like(subject, map, wide, WEIR__PLAIN);
        if (!moved[j]) return 0;
        jitter(subject, moved[j], reach[j]);
        if (run(subject, map, moved[j]) != WEIR_OK) weir__call_copy(moved[j], wide);
    }
    return 1;
}

static void compare_twin(weir__subject *subject, const weir__map *map, weir__subject *twin,
                         weir__verdict *verdict)
{
    const weir__map *const map32 = weir__subject_map(twin, map->name);
    weir__call *const wide = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, wide)) return;
    round_inputs(wide);
    precisions p = {.wide = wide};
    weir__call *const narrow = map32 ? weir__call_like(twin, map32, wide, WEIR__PLAIN) : NULL;
    if (!map32 || !map32->vjp != !map->vjp) weir__object(verdict, "f32 offers less of %s", map->name);
    if (!map32 || !map32->vjp != !map->vjp || !weir__have(verdict, narrow)) return;
    if (!weir__served(verdict, subject, run(subject, map, wide), map->name)) return;
    if (!evaluate_moved(subject, map, wide, p.moved)) {
        weir__object(verdict, "out of memory");
        return;
    }
    if (!weir__served(verdict, twin, run(twin, map32, narrow), "the f32 call")) return;
    p.narrow = narrow;
    compare_rows(&p, verdict);
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++)
        if (!weir__field_intact(&narrow->field[a])) weir__object(verdict, "f32 writes outside the rows");
}

void weir__check_single_precision(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject twin;
    weir_error error;
    if (weir__subject_open(&twin, subject->candidate, &subject->setting, WEIR_F32, &error) != WEIR_OK) {
        weir__object(verdict, "f32: %.200s", error.message);
        return;
    }
    if (twin.module->precision != WEIR_F32)
        weir__skip(verdict);
    else if (weir__subject_copy_state(&twin, subject, &error) != WEIR_OK)
        weir__object(verdict, "%.200s", error.message);
    else
        compare_twin(subject, map, &twin, verdict);
    weir__subject_close(&twin);
}
