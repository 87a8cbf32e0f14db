/* density.c - a density integrates to one, and its sampler draws from it: with one feature and with two, where quadrature
 * is exact enough to tell. */
#include "check/checks.h"
#include "check/grid.h"

#include <math.h>
#include <stdlib.h>

#define ROWS  64
#define DRAWS 4096

void weir__check_normalised(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    (void)map;
    if (!weir__grid_fits(subject)) {
        weir__skip(verdict);
        return;
    }
    weir__grid *const grid = weir__grid_make(subject, verdict);
    if (grid) weir__measure(verdict, fabs(weir__grid_total(grid) - 1));
    weir__grid_free(grid);
}

/* ---- the sampler ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* DRAWS samples, feature by feature; every tile has rows of its own numbers. */
static double *draw(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    uint64_t ids[ROWS];
    const int32_t features = subject->setting.features;
    double *const values = calloc((size_t)features * DRAWS, sizeof *values);
    weir__call *const call = weir__call_new(subject, map, ROWS);
    int good = weir__have(verdict, values, call);
    if (good) weir__grid_context(call);
    for (int32_t first = 0; good && first < DRAWS; first += ROWS) {
        for (int32_t r = 0; r < ROWS; r++) ids[r] = (uint64_t)first + (uint64_t)r;
        const weir__manner manner = {.row_ids = ids, .seed = subject->candidate->seed + 1};
        weir_frame *const frame = weir__call_frame(subject, call, &manner);
        const weir_status status = frame ? weir__call_run(subject, map, call, frame) : WEIR_ERROR;
        good = weir__served(verdict, subject, status, "sample");
        for (int32_t f = 0; good && f < features; f++)
            for (int32_t r = 0; r < ROWS; r++)
                values[f * DRAWS + first + r] = weir__field_get(&call->field[WEIR__Y], f, r);
    }
    if (good) return values;
    free(values);
    return NULL;
}

/* Largest distance between the two distribution functions (Kolmogorov-Smirnov); values[DRAWS] are sorted. */
static double distance(const double *node, const double *mass, int32_t points, const double *values)
{
    double below = 0, worst = 0;
    int32_t drawn = 0;
    for (int32_t i = 0; i < points; i++) {
        while (drawn < DRAWS && values[drawn] < node[i]) drawn++;
        worst = fmax(worst, fabs(below + mass[i] / 2 - (double)drawn / DRAWS));
        below += mass[i];
    }
    return worst;
}

static double far_from_uniform(double *values)
{
    double worst = 0;
    qsort(values, DRAWS, sizeof *values, by_value);
    for (int32_t i = 0; i < DRAWS; i++) worst = fmax(worst, fabs(values[i] - (i + 0.5) / DRAWS));
    return worst;
}

/* Features that are right one by one may be wrong together. So the draws are turned into what should be pairs of independent
 * uniform numbers; then the second of a pair is uniform, and so are sum and difference, but for whole numbers. */
static void check_dependence(const weir__grid *grid, const double *values, weir__verdict *verdict)
{
    double *const second = calloc(3 * (size_t)DRAWS, sizeof *second);
    if (!weir__have(verdict, second)) return;
    double *const sum = second + DRAWS, *const difference = sum + DRAWS;
    for (int32_t i = 0; i < DRAWS; i++) {
        double u[2];
        weir__grid_uniforms(grid, values[i], values[DRAWS + i], u);
        second[i] = u[1];
        sum[i] = u[0] + u[1] - floor(u[0] + u[1]);
        difference[i] = u[0] - u[1] - floor(u[0] - u[1]);
    }
    weir__measure(verdict, far_from_uniform(second));
    weir__measure(verdict, far_from_uniform(sum));
    weir__measure(verdict, far_from_uniform(difference));
    if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "how feature 2 depends on feature 1");
    free(second);
}

static void check_marginal(const weir__grid *grid, int32_t feature, double *values, weir__verdict *verdict)
{
    double *const mass = calloc((size_t)grid->points, sizeof *mass);
    if (!weir__have(verdict, mass)) return;
    weir__grid_marginal(grid, feature, mass);
    qsort(values, DRAWS, sizeof *values, by_value);
    weir__measure(verdict, distance(grid->node[feature], mass, grid->points, values));
    if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "feature %d", (int)feature + 1);
    free(mass);
}

/* Samples lie where their own density is finite. */
static void check_support(weir__subject *subject, const weir__map *sample, weir__verdict *verdict)
{
    const weir__map *const log_density = &subject->maps[0];
    weir__call *const drawn = weir__call_new(subject, sample, ROWS);
    weir__call *const call = weir__call_new(subject, log_density, ROWS);
    if (!weir__have(verdict, drawn, call)) return;
    weir__field_copy(&drawn->field[WEIR__CONTEXT], &call->field[WEIR__CONTEXT]);
    if (!weir__served(verdict, subject, weir__evaluate(subject, sample, drawn), "sample")) return;
    weir__field_copy(&call->field[WEIR__X], &drawn->field[WEIR__Y]);
    if (!weir__served(verdict, subject, weir__evaluate(subject, log_density, call), "log_density")) return;
    for (int32_t r = 0; r < ROWS; r++)
        if (!weir__field_row_finite(&call->field[WEIR__LANE], r))
            weir__object(verdict, "a sample has no finite log-density");
}

void weir__check_sampler(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    map = weir__subject_map(subject, "sample");
    if (!map) {
        weir__skip(verdict);
        return;
    }
    check_support(subject, map, verdict);
    if (verdict->skipped || !weir__grid_fits(subject)) return;
    weir__grid *const grid = weir__grid_make(subject, verdict);
    double *const values = grid ? draw(subject, map, verdict) : NULL;
    if (values && grid->features == 2) check_dependence(grid, values, verdict);
    for (int32_t f = 0; values && f < grid->features; f++)
        check_marginal(grid, f, values + f * DRAWS, verdict);
    weir__grid_free(grid);
    free(values);
}
