/* rows.c - rows are independent: their number, their order, their padding and a bad one among them change no other. */
#include "check/checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 16
#define MANY 64

static const weir__manner plain = {.tape = 0};

static void copy_row(weir__call *to, int32_t row_to, const weir__call *from, int32_t row_from)
{
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) {
        weir__field *const field = &to->field[a];
        for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
            weir__field_set(field, f, row_to, weir__field_get(&from->field[a], f, row_from));
    }
}

static void pad_inputs(weir__call *call, int32_t row)
{
    for (int32_t a = WEIR__X; a <= WEIR__CONTEXT; a++) weir__field_pad(&call->field[a], row);
    weir__field_pad(&call->field[WEIR__Y_BAR], -1);
    weir__field_pad(&call->field[WEIR__LANE_BAR], -1);
}

static weir_status run(weir__subject *subject, const weir__map *map, weir__call *call)
{
    return map->vjp ? weir__differentiate(subject, map, call) : weir__evaluate(subject, map, call);
}

static void compare_row(const weir__map *map, const weir__call *a, int32_t row_a, const weir__call *b,
                        int32_t row_b, weir__verdict *verdict)
{
    static const weir__argument results[] = {WEIR__Y, WEIR__LANE, WEIR__X_BAR, WEIR__PARAMS_BAR,
                                             WEIR__CONTEXT_BAR};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        const weir__argument k = results[i];
        if (!map->vjp && k > WEIR__LANE) continue;
        weir__measure(verdict, weir__field_row_distance(&a->field[k], row_a, &b->field[k], row_b));
    }
}

/* ---- how many ---- */

static void compare_count(weir__subject *subject, const weir__map *map, const weir__call *all, int32_t count,
                          weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, count);
    if (!weir__have(verdict, call)) return;
    for (int32_t r = 0; r < count; r++) copy_row(call, r, all, r);
    pad_inputs(call, 0);
    if (!weir__served(verdict, subject, run(subject, map, call), map->name)) return;
    for (int32_t r = 0; r < count; r++) compare_row(map, call, r, all, r, verdict);
    if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "with %d rows", count);
}

void weir__check_row_counts(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const int32_t counts[] = {37, 8, 3, 1, 0};
    weir__call *const all = weir__call_new(subject, map, MANY);
    if (!weir__have(verdict, all)) return;
    if (!weir__served(verdict, subject, run(subject, map, all), map->name)) return;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        compare_count(subject, map, all, counts[i], verdict);
}

/* ---- in what order ---- */

void weir__check_row_independence(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    uint64_t ids[MANY];
    weir__call *const all = weir__call_new(subject, map, ROWS);
    weir__call *const turned = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, all, turned)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, all), map->name)) return;
    for (int32_t r = 0; r < ROWS; r++) {
        ids[r] = (uint64_t)(ROWS - 1 - r);
        copy_row(turned, r, all, ROWS - 1 - r);
    }
    const weir__manner renumbered = {.row_ids = ids};
    weir_frame *const frame = weir__call_frame(subject, turned, &renumbered);
    if (!weir__have(verdict, frame)) return;
    if (!weir__served(verdict, subject, weir__call_run(subject, map, turned, frame), map->name)) return;
    for (int32_t r = 0; r < ROWS; r++)
        for (int32_t a = WEIR__Y; a <= WEIR__LANE; a++)
            weir__measure(verdict,
                          weir__field_row_distance(&turned->field[a], r, &all->field[a], ROWS - 1 - r));
}

/* ---- padding ---- */

void weir__check_padding(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int32_t rows = 5;
    weir__call *const a = weir__call_new(subject, map, rows);
    weir__call *const b = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, a, b)) return;
    pad_inputs(b, 3);
    weir__solo_zero_gradients(subject->solo);
    const weir_status first = run(subject, map, a);
    double *const of_a = weir__gradient_now(subject);
    weir__solo_zero_gradients(subject->solo);
    const weir_status second = run(subject, map, b);
    double *const of_b = weir__gradient_now(subject);
    if (weir__have(verdict, of_a, of_b) && weir__served(verdict, subject, first, map->name) &&
        weir__served(verdict, subject, second, map->name)) {
        for (int32_t r = 0; r < rows; r++) compare_row(map, a, r, b, r, verdict);
        weir__measure(verdict, weir__gradient_distance(subject, of_a, of_b, 1));
    }
    free(of_a);
    free(of_b);
}

/* ---- a bad row ---- */

#define BAD 5

static int discarded(const weir_frame *frame, int32_t row)
{
    return (int)(frame->discard[row >> 6] >> (row & 63) & 1);
}

static void spoil(weir__call *call, weir__argument a, int32_t feature, double value)
{
    weir__field *const field = &call->field[a];
    for (int32_t f = 0; f < field->tile.features; f++)
        if (feature < 0 || f == feature) weir__field_set(field, f, BAD, value);
}

/* A bad point of a bijection or density must be seen: by the bit, or by a result that is not finite. A network may well
 * saturate. */
static int hidden(const weir__subject *subject, const weir__call *call, const weir_frame *frame)
{
    if (subject->child->kind == WEIR_NETWORK || discarded(frame, BAD)) return 0;
    return weir__field_row_finite(&call->field[WEIR__Y], BAD) &&
           weir__field_row_finite(&call->field[WEIR__LANE], BAD);
}

static void compare_others(const weir__call *good, const weir__call *bad, const weir_frame *frame,
                           weir_status status, weir__verdict *verdict)
{
    int any = 0;
    for (int32_t r = 0; r < ROWS; r++) {
        any |= discarded(frame, r);
        if (r == BAD) continue;
        if (discarded(frame, r)) weir__object(verdict, "row %d is discarded for row %d's sake", r, BAD);
        if (!weir__field_row_equal(&good->field[WEIR__Y], r, &bad->field[WEIR__Y], r) ||
            !weir__field_row_equal(&good->field[WEIR__LANE], r, &bad->field[WEIR__LANE], r))
            weir__object(verdict, "a bad row %d changes row %d", BAD, r);
    }
    if (any != (status == WEIR_DISCARD))
        weir__object(verdict, any ? "a row is marked, and the status is not DISCARD"
                                  : "the status is DISCARD, and no row is marked");
}

static void spoil_and_compare(weir__subject *subject, const weir__map *map, const weir__call *good,
                              weir__argument a, int32_t feature, double value, weir__verdict *verdict)
{
    weir__call *const bad = weir__call_like(subject, map, good, WEIR__PLAIN);
    if (!weir__have(verdict, bad)) return;
    spoil(bad, a, feature, value);
    weir_frame *const frame = weir__call_frame(subject, bad, &plain);
    if (!weir__have(verdict, frame)) return;
    const weir_status status = weir__call_run(subject, map, bad, frame);
    if (status > WEIR_DISCARD) {
        weir__object(verdict, "one bad row (%g) makes %s fail with status %d", value, map->name, status);
        return;
    }
    compare_others(good, bad, frame, status, verdict);
    if (a == WEIR__X && hidden(subject, bad, frame))
        weir__object(verdict, "the point %g gets a finite answer and is not discarded", value);
}

void weir__check_bad_rows(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const good = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, good)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, good), map->name)) return;
    for (int32_t a = WEIR__X; a <= WEIR__CONTEXT; a++) {
        if (map->size[a] <= 0) continue;
        spoil_and_compare(subject, map, good, (weir__argument)a, -1, NAN, verdict);
        spoil_and_compare(subject, map, good, (weir__argument)a, 0, NAN, verdict);
        spoil_and_compare(subject, map, good, (weir__argument)a, -1, INFINITY, verdict);
        spoil_and_compare(subject, map, good, (weir__argument)a, map->size[a] - 1, -INFINITY, verdict);
    }
}

/* What stands in for a discarded row has zero cotangents, and must then leave no trace in any gradient. */
void weir__check_silent_rows(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const a = weir__call_new(subject, map, ROWS);
    weir__call *const other = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, a, other)) return;
    spoil(a, WEIR__Y_BAR, -1, 0);
    if (weir__field_there(&a->field[WEIR__LANE_BAR])) spoil(a, WEIR__LANE_BAR, -1, 0);
    weir__call *const b = weir__call_like(subject, map, a, WEIR__PLAIN);
    if (!weir__have(verdict, b)) return;
    for (int32_t k = WEIR__X; k <= WEIR__CONTEXT; k++)
        for (int32_t f = 0; f < map->size[k]; f++)
            weir__field_set(&b->field[k], f, BAD, weir__field_get(&other->field[k], f, 0));
    const weir_status first = weir__differentiate(subject, map, a);
    double *const of_a = weir__gradient_now(subject);
    const weir_status second = weir__differentiate(subject, map, b);
    double *const of_b = weir__gradient_now(subject);
    if (weir__have(verdict, of_a, of_b) && weir__served(verdict, subject, first, map->name) &&
        weir__served(verdict, subject, second, map->name)) {
        weir__measure(verdict, weir__gradient_distance(subject, of_a, of_b, 1));
        for (int32_t r = 0; r < ROWS; r++)
            if (r != BAD) compare_row(map, a, r, b, r, verdict);
    }
    free(of_a);
    free(of_b);
}
