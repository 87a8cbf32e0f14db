/* univariate.c - a bijection of the line is monotone. */
#include "check/checks.h"

#include <math.h>

#define GRID 64

/* Every row of a feature gets the parameters of row 3, one that is far from the identity when trained, so that a lane is
 * the graph of one function. */
static void same_params(weir__call *call)
{
    weir__field *const params = &call->field[WEIR__PARAMS];
    for (int32_t f = 0; weir__field_there(params) && f < params->tile.features; f++)
        for (int32_t r = 0; r < params->tile.width; r++)
            weir__field_set(params, f, r, weir__field_get(params, f, 3));
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

void weir__check_monotone(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, GRID);
    if (!weir__have(verdict, call)) return;
    weir__field *const x = &call->field[WEIR__X], *const y = &call->field[WEIR__Y];
    const weir_domain *const domain = map->source ? subject->child->codomain : subject->child->domain;
    same_params(call);
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < GRID; r++) weir__field_set(x, f, r, grid_point(domain, r));
    const weir_status status = weir__evaluate(subject, map, call);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t f = 0; f < map->size[WEIR__X]; f++) {
        const double rise = weir__field_get(y, f, GRID - 1) - weir__field_get(y, f, 0);
        for (int32_t r = 1; r < GRID; r++)
            if ((weir__field_get(y, f, r) - weir__field_get(y, f, r - 1)) * rise <= 0)
                weir__measure(verdict, verdict->figure + 1);
    }
}
