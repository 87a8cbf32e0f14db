/* univariate.c - a bijection of the line is monotone. */
#include "check/checks.h"

#include <math.h>

#define GRID 64

/* Every row of a feature gets the parameters of row 3, one that is far from the identity when trained, and the context of
 * that row, so that a lane is the graph of one function. */
static void same_in_all_rows(weir__field *field)
{
    for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
        for (int32_t r = 0; r < field->tile.width; r++)
            weir__field_set(field, f, r, weir__field_get(field, f, 3));
}

/* A grid inside the domain, and 12 wide where that has no other end. */
static double grid_point(const weir_domain *domain, int32_t r)
{
    const int stated = domain && domain->kind != WEIR_DOMAIN_UNSTATED;
    const int lower = stated && isfinite(domain->lower), upper = stated && isfinite(domain->upper);
    const double t = (r + 0.5) / GRID;
    if (lower && upper) return domain->lower + (domain->upper - domain->lower) * t;
    if (lower) return domain->lower + 12 * t;
    return upper ? domain->upper - 12 * (1 - t) : -6 + 12.0 * r / (GRID - 1);
}

/* The image of a grid of the line goes on in one direction. */
static int goes_on(const weir__field *y, int32_t f)
{
    const double rise = weir__field_get(y, f, GRID - 1) - weir__field_get(y, f, 0);
    for (int32_t r = 1; r < GRID; r++)
        if ((weir__field_get(y, f, r) - weir__field_get(y, f, r - 1)) * rise <= 0) return 0;
    return 1;
}

/* That of a grid of the circle goes round once at most, seen in the direction in which it goes: a step back counts as
 * nearly a whole turn. */
static int goes_round(const weir__field *y, int32_t f, double period)
{
    double up = 0, down = 0;
    for (int32_t r = 1; r < GRID; r++) {
        const double step = weir__field_get(y, f, r) - weir__field_get(y, f, r - 1);
        if (!isfinite(step) || step == 0) return 0;
        up += step - period * floor(step / period);
        down += period * ceil(step / period) - step;
    }
    return up < period || down < period;
}

void weir__check_monotone(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, GRID);
    if (!weir__have(verdict, call)) return;
    weir__field *const x = &call->field[WEIR__X], *const y = &call->field[WEIR__Y];
    const weir_child *const child = subject->child;
    const weir_domain *const domain = map->source ? child->codomain : child->domain;
    const weir_domain *const image = map->source ? child->domain : child->codomain;
    same_in_all_rows(&call->field[WEIR__PARAMS]);
    same_in_all_rows(&call->field[WEIR__CONTEXT]);
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < GRID; r++) weir__field_set(x, f, r, grid_point(domain, r));
    const weir_status status = weir__evaluate(subject, map, call);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t f = 0; f < map->size[WEIR__X]; f++) {
        const int good =
            image->kind == WEIR_DOMAIN_CIRCLE ? goes_round(y, f, image->upper - image->lower) : goes_on(y, f);
        if (!good) weir__measure(verdict, verdict->figure + 1);
    }
}
