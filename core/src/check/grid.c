/* grid.c - see grid.h. */
#include "check/grid.h"

#include <math.h>
#include <stdlib.h>

#define ROWS      64
#define LINE      16384 /* points with one feature */
#define SQUARE    320   /* points on each axis with two */
#define HALF_PI   1.57079632679489661923
#define REACH     4.0 /* of the even division: ends of the line at 1e18, of a half-line at 1e-18 and 1e18 */
#define REACH_BOX 3.0 /* an interval's nodes stay apart from its ends: 1e-14 of its length */

/* ---- the axes ---- */

typedef struct axis {
    double at, slope;
} axis;

/* Of t in (-1, 1); from the nearer end, so that no node falls on it. */
static axis in_interval(double t, double lower, double upper)
{
    const double v = 2 * HALF_PI * sinh(REACH_BOX * t), side = 1 / (1 + exp(fabs(v)));
    const double length = upper - lower;
    return (axis){v < 0 ? lower + length * side : upper - length * side,
                  length * side * (1 - side) * 2 * HALF_PI * cosh(REACH_BOX * t) * REACH_BOX};
}

static axis on_half_line(double t, double end, int rising)
{
    const double v = exp(HALF_PI * sinh(REACH * (rising ? t : -t)));
    return (axis){rising ? end + v : end - v, v * HALF_PI * cosh(REACH * t) * REACH};
}

static axis on_line(double t)
{
    const double v = HALF_PI * sinh(REACH * t);
    return (axis){sinh(v), cosh(v) * HALF_PI * cosh(REACH * t) * REACH};
}

static axis place(const weir_domain *domain, double t)
{
    const double low = domain->kind == WEIR_DOMAIN_UNSTATED ? -INFINITY : domain->lower;
    const double high = domain->kind == WEIR_DOMAIN_UNSTATED ? INFINITY : domain->upper;
    if (isfinite(low) && isfinite(high)) return in_interval(t, low, high);
    if (isfinite(low)) return on_half_line(t, low, 1);
    return isfinite(high) ? on_half_line(t, high, 0) : on_line(t);
}

/* ---- the masses ---- */

int weir__grid_fits(const weir__subject *subject)
{
    const weir_domain *const domain = subject->child->domain;
    if (subject->setting.features < 1 || subject->setting.features > 2 || !domain) return 0;
    for (int32_t f = 0; f < subject->setting.features; f++)
        if (domain[f].kind > WEIR_DOMAIN_INTERVAL && domain[f].kind != WEIR_DOMAIN_CIRCLE) return 0;
    return 1;
}

void weir__grid_context(weir__call *call)
{
    weir__field *const context = &call->field[WEIR__CONTEXT];
    for (int32_t f = 0; weir__field_there(context) && f < context->tile.features; f++)
        for (int32_t r = 0; r < context->tile.width; r++) weir__field_set(context, f, r, 0.4 * f - 0.3);
}

void weir__grid_free(weir__grid *grid)
{
    if (!grid) return;
    free(grid->node[0]);
    free(grid->node[1]);
    free(grid->mass);
    free(grid->first);
    free(grid);
}

static weir__grid *new_grid(int32_t features)
{
    weir__grid *const grid = calloc(1, sizeof *grid);
    if (!grid) return NULL;
    grid->features = features;
    grid->points = features == 1 ? LINE : SQUARE;
    const size_t points = (size_t)grid->points;
    grid->node[0] = calloc(points, sizeof(double));
    grid->node[1] = calloc(points, sizeof(double));
    grid->mass = calloc(features == 1 ? points : points * points, sizeof(double));
    grid->first = calloc(points, sizeof(double));
    if (grid->node[0] && grid->node[1] && grid->mass && grid->first) return grid;
    weir__grid_free(grid);
    return NULL;
}

/* Nodes of every axis, and for now each cell's length or area as its mass. */
static void lay_out(weir__grid *grid, const weir_domain *domain)
{
    for (int32_t f = 0; f < grid->features; f++)
        for (int32_t i = 0; i < grid->points; i++) {
            const axis a = place(&domain[f], -1 + 2 * (i + 0.5) / grid->points);
            const double length = a.slope * 2 / grid->points;
            grid->node[f][i] = a.at;
            for (int32_t j = 0; j < (grid->features == 1 ? 1 : grid->points); j++) {
                const int32_t cell = grid->features == 1 ? i
                                     : f == 0            ? i * grid->points + j
                                                         : j * grid->points + i;
                grid->mass[cell] = f == 0 ? length : grid->mass[cell] * length;
            }
        }
}

static void set_point(const weir__grid *grid, weir__call *call, int32_t row, int32_t cell)
{
    const int32_t first = grid->features == 1 ? cell : cell / grid->points;
    weir__field_set(&call->field[WEIR__X], 0, row, grid->node[0][first]);
    if (grid->features == 2)
        weir__field_set(&call->field[WEIR__X], 1, row, grid->node[1][cell % grid->points]);
}

static int weigh(weir__grid *grid, weir__subject *subject, weir__call *call, weir__verdict *verdict)
{
    const int32_t cells = grid->features == 1 ? grid->points : grid->points * grid->points;
    for (int32_t first = 0; first < cells; first += ROWS) {
        for (int32_t r = 0; r < ROWS; r++) set_point(grid, call, r, first + r);
        const weir_status status = weir__evaluate(subject, &subject->maps[0], call);
        if (!weir__served(verdict, subject, status, "log_density")) return 0;
        for (int32_t r = 0; r < ROWS; r++)
            grid->mass[first + r] *= exp(weir__field_get(&call->field[WEIR__LANE], 0, r));
    }
    return 1;
}

weir__grid *weir__grid_make(weir__subject *subject, weir__verdict *verdict)
{
    weir__grid *const grid = new_grid(subject->setting.features);
    weir__call *const call = weir__call_new(subject, &subject->maps[0], ROWS);
    if (weir__have(verdict, grid, call)) {
        weir__grid_context(call);
        lay_out(grid, subject->child->domain);
        const int good = weigh(grid, subject, call, verdict);
        weir__grid_marginal(grid, 0, grid->first);
        if (good) return grid;
    }
    weir__grid_free(grid);
    return NULL;
}

/* ---- what they add up to ---- */

double weir__grid_total(const weir__grid *grid)
{
    const int32_t cells = grid->features == 1 ? grid->points : grid->points * grid->points;
    double sum = 0;
    for (int32_t i = 0; i < cells; i++) sum += grid->mass[i];
    return sum;
}

void weir__grid_marginal(const weir__grid *grid, int32_t feature, double *masses)
{
    const int32_t n = grid->points;
    for (int32_t i = 0; i < n; i++) {
        masses[i] = grid->features == 1 ? grid->mass[i] : 0;
        for (int32_t j = 0; grid->features == 2 && j < n; j++)
            masses[i] += grid->mass[feature == 0 ? i * n + j : j * n + i];
    }
}

/* The index of the last node that is not above x, at most points - 2, and how far x is on the way to the next. */
static int32_t find(const double *node, int32_t points, double x, double *part)
{
    int32_t low = 0, high = points - 1;
    while (high - low > 1) {
        const int32_t middle = (low + high) / 2;
        if (node[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    *part = fmin(fmax((x - node[low]) / (node[high] - node[low]), 0), 1);
    return low;
}

/* P(the second < the place `part` of the way from node `row` to the next), for masses[points]. */
static double share_below(const double *masses, int32_t points, int32_t row, double part)
{
    double below = 0, all = 0;
    for (int32_t j = 0; j < points; j++) {
        const double share = j < row ? 1 : j == row ? 0.5 + part / 2 : j == row + 1 ? part / 2 : 0;
        below += share * masses[j];
        all += masses[j];
    }
    return all > 0 ? below / all : 0;
}

void weir__grid_uniforms(const weir__grid *grid, double x, double y, double uniforms[2])
{
    double across, along;
    const int32_t n = grid->points, column = find(grid->node[0], n, x, &across);
    const int32_t row = find(grid->node[1], n, y, &along);
    const double *const masses = grid->mass + (int64_t)column * n;
    uniforms[0] = share_below(grid->first, n, column, across);
    uniforms[1] =
        (1 - across) * share_below(masses, n, row, along) + across * share_below(masses + n, n, row, along);
}
