/* univariate.c - a bijection of the line: monotone, and sane at the ends of the number range. */
#include "check/checks.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define GRID 64

/* Every row of a feature gets the parameters of row 0, so that a lane is the graph of one function. */
static void same_params(weir__call *call)
{
    weir__field *const params = &call->field[WEIR__PARAMS];
    for (int32_t f = 0; weir__field_there(params) && f < params->tile.features; f++)
        for (int32_t r = 1; r < params->tile.width; r++)
            weir__field_set(params, f, r, weir__field_get(params, f, 0));
}

void weir__check_monotone(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, GRID);
    if (!weir__have(verdict, call)) return;
    weir__field *const x = &call->field[WEIR__X], *const y = &call->field[WEIR__Y];
    same_params(call);
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < GRID; r++) weir__field_set(x, f, r, -6 + 12.0 * r / (GRID - 1));
    const weir_status status = weir__evaluate(subject, map, call);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t f = 0; f < map->size[WEIR__X]; f++) {
        const double rise = weir__field_get(y, f, GRID - 1) - weir__field_get(y, f, 0);
        for (int32_t r = 1; r < GRID; r++)
            if ((weir__field_get(y, f, r) - weir__field_get(y, f, r - 1)) * rise <= 0)
                weir__measure(verdict, verdict->figure + 1);
    }
}

/* In rising order. Beyond HUGE a result may overflow, if it shows. */
static const double edge_points[] = {-DBL_MAX, -1e300,     -1e30, -8,   -3,        -1,      -1e-30,
                                     -DBL_MIN, -0x1p-1074, -0.0,  0,    0x1p-1074, DBL_MIN, 1e-30,
                                     1,        3,          8,     1e30, 1e300,     DBL_MAX};
#define EDGES      ((int32_t)(sizeof edge_points / sizeof edge_points[0]))
#define HUGE_POINT 1e100

static int is_discarded(const weir_frame *frame, int32_t row)
{
    return (int)(frame->discard[row >> 6] >> (row & 63) & 1);
}

static int row_fine(const weir__call *call, int32_t row)
{
    return weir__field_row_finite(&call->field[WEIR__Y], row) &&
           weir__field_row_finite(&call->field[WEIR__LANE], row);
}

/* What comes back from the finite answers; rows without one get a harmless point. */
static weir__call *way_back(weir__subject *subject, const weir__map *other, const weir__call *out)
{
    weir__call *const back = weir__call_new(subject, other, EDGES);
    if (!back) return NULL;
    weir__field_copy(&back->field[WEIR__PARAMS], &out->field[WEIR__PARAMS]);
    for (int32_t f = 0; f < other->size[WEIR__X]; f++)
        for (int32_t r = 0; r < EDGES; r++)
            weir__field_set(&back->field[WEIR__X], f, r,
                            row_fine(out, r) ? weir__field_get(&out->field[WEIR__Y], f, r) : 0);
    weir__field_pad(&back->field[WEIR__X], 0);
    return back;
}

static void check_way_back(weir__subject *subject, const weir__map *map, const weir__call *out,
                           const int *fine, weir__verdict *verdict)
{
    const weir__map *const other = map->source ? map->source : weir__subject_map(subject, "inverse");
    weir__call *const back = other ? way_back(subject, other, out) : NULL;
    if (!other || !weir__have(verdict, back)) return;
    const weir_status status = weir__evaluate(subject, other, back);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, other->name)) return;
    for (int32_t f = 0; f < other->size[WEIR__X]; f++)
        for (int32_t r = 0; r < EDGES; r++) {
            const double x = edge_points[r], again = weir__field_get(&back->field[WEIR__Y], f, r);
            if (!fine[r] || fabs(x) > HUGE_POINT) continue;
            weir__measure(verdict, fabs(again - x) / (1 + fabs(x)));
            if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "%g comes back as %g", x, again);
        }
}

void weir__check_edges(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const weir__manner plain = {.tape = 0};
    int fine[EDGES];
    weir__call *const call = weir__call_new(subject, map, EDGES);
    if (!weir__have(verdict, call)) return;
    same_params(call);
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < EDGES; r++) weir__field_set(&call->field[WEIR__X], f, r, edge_points[r]);
    weir__field_pad(&call->field[WEIR__X], 0);
    weir_frame *const frame = weir__call_frame(subject, call, &plain);
    if (!weir__have(verdict, frame)) return;
    const weir_status status = weir__call_run(subject, map, call, frame);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t r = 0; r < EDGES; r++) {
        const int discarded = is_discarded(frame, r);
        fine[r] = !discarded && row_fine(call, r);
        if (!discarded && !fine[r] && fabs(edge_points[r]) <= HUGE_POINT)
            weir__object(verdict, "%g has no finite answer and is not discarded", edge_points[r]);
    }
    check_way_back(subject, map, call, fine, verdict);
}
