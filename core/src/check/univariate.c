/* univariate.c - a bijection of the line is monotone, and starts near the identity. */
#include "check/checks.h"
#include "check/dense.h"

#include <math.h>
#include <stdlib.h>

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

/* A grid, its image and, unless NULL, the Jacobians there. */
typedef struct graph {
    const weir__field *x, *y;
    const double *jacobians;
    int32_t features;
    double rounding;
} graph;

static double slope_at(const graph *g, int32_t f, int32_t r)
{
    return fabs(g->jacobians[((int64_t)r * g->features + f) * g->features + f]);
}

/* The map is so flat from one point of the grid to the next that y cannot show the rise, and its derivative says so too. */
static int is_level(const graph *g, int32_t f, int32_t r)
{
    const double from = weir__field_get(g->y, f, r - 1), to = weir__field_get(g->y, f, r);
    const double unit = g->rounding * (1 + fabs(to));
    const double step = weir__field_get(g->x, f, r) - weir__field_get(g->x, f, r - 1);
    if (!g->jacobians || !(fabs(to - from) <= 4 * unit)) return 0;
    return fmin(slope_at(g, f, r - 1), slope_at(g, f, r)) * fabs(step) <= 4 * unit;
}

/* The image of a grid of the line goes on in one direction. */
static int goes_on(const graph *g, int32_t f)
{
    const weir__field *const y = g->y;
    const double rise = weir__field_get(y, f, GRID - 1) - weir__field_get(y, f, 0);
    if (rise == 0) return 0; /* level from end to end: a constant */
    for (int32_t r = 1; r < GRID; r++) {
        const double step = weir__field_get(y, f, r) - weir__field_get(y, f, r - 1);
        if (!(step * rise > 0) && !is_level(g, f, r)) return 0;
    }
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
    weir_status status;
    double *const jacobians = map->vjp ? weir__jacobians(subject, map, call, &status) : NULL;
    if (!jacobians) status = weir__evaluate(subject, map, call);
    const graph seen = {x, y, jacobians, map->size[WEIR__X], subject->rounding};
    if (status == WEIR_DISCARD || weir__served(verdict, subject, status, map->name)) {
        for (int32_t f = 0; f < map->size[WEIR__X]; f++) {
            const int good = image->kind == WEIR_DOMAIN_CIRCLE ? goes_round(y, f, image->upper - image->lower)
                                                               : goes_on(&seen, f);
            if (!good) weir__measure(verdict, verdict->figure + 1);
        }
    }
    free(jacobians);
}

/* ---- the start ---- */

static int same_interval(const weir_domain *a, const weir_domain *b)
{
    return a && b && a->kind == b->kind && a->lower == b->lower && a->upper == b->upper;
}

/* Of the parameters that it publishes, in all rows. */
static void start_there(const weir_child *child, weir__field *params)
{
    for (int32_t f = 0; weir__field_there(params) && f < params->tile.features; f++)
        for (int32_t r = 0; r < params->tile.rows; r++)
            weir__field_set(params, f, r, child->identity[f % child->params]);
    weir__field_pad(params, 0);
}

/* The points lie in no order. */
static int falls(const weir__field *x, const weir__field *y, int32_t f)
{
    double rise = 0;
    for (int32_t r = 1; r < GRID; r++)
        rise += (weir__field_get(y, f, r) - weir__field_get(y, f, 0)) *
                (weir__field_get(x, f, r) - weir__field_get(x, f, 0));
    return rise < 0;
}

/* One that goes from one interval to another is not asked, nor what a context makes of it; one that falls is far from the
 * identity whatever its parameters. */
void weir__check_identity(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir_child *const child = subject->child;
    const weir__map *const forward = weir__subject_map(subject, "forward");
    (void)map;
    if (subject->weights != WEIR__INITIAL || subject->setting.context > 0 || child->params == 0 ||
        !same_interval(child->domain, child->codomain)) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, forward, GRID);
    if (!weir__have(verdict, call)) return;
    start_there(child, &call->field[WEIR__PARAMS]);
    if (!weir__served(verdict, subject, weir__evaluate(subject, forward, call), "forward")) return;
    const weir__field *const x = &call->field[WEIR__X], *const y = &call->field[WEIR__Y];
    for (int32_t f = 0; f < x->tile.features; f++) {
        if (falls(x, y, f)) continue;
        for (int32_t r = 0; r < GRID; r++) {
            const double at = weir__field_get(x, f, r);
            weir__measure(verdict, fabs(weir__field_get(y, f, r) - at) / (1 + fabs(at)));
        }
    }
}
