/* density.c - a density integrates to one, and its sampler draws from it. */
#include "check/checks.h"

#include <math.h>
#include <stdlib.h>

/* The line is mapped from (-1, 1) by x = t / (1 - t^2); log-p is evaluated NODES at a time. */
#define NODES  64
#define TILES  256
#define POINTS (NODES * TILES)
#define DRAWS  4096

static int one_dimensional(const weir__subject *subject)
{
    return subject->setting.features == 1 && subject->setting.context == 0;
}

static double node(int32_t i)
{
    const double t = -1 + 2 * (i + 0.5) / POINTS;
    return t / (1 - t * t);
}

static double node_weight(int32_t i)
{
    const double t = -1 + 2 * (i + 0.5) / POINTS, u = 1 - t * t;
    return 2.0 / POINTS * (1 + t * t) / (u * u);
}

/* mass[i]: the probability between the ends of cell i, by the midpoint rule. NULL when a call failed. */
static double *masses(weir__subject *subject, weir__verdict *verdict)
{
    const weir__map *const map = &subject->maps[0];
    double *const mass = calloc(POINTS, sizeof *mass);
    weir__call *const call = weir__call_new(subject, map, NODES);
    if (!weir__have(verdict, mass, call)) {
        free(mass);
        return NULL;
    }
    for (int32_t first = 0; first < POINTS; first += NODES) {
        for (int32_t r = 0; r < NODES; r++) weir__field_set(&call->field[WEIR__X], 0, r, node(first + r));
        if (!weir__served(verdict, subject, weir__evaluate(subject, map, call), "log_density")) {
            free(mass);
            return NULL;
        }
        for (int32_t r = 0; r < NODES; r++)
            mass[first + r] = exp(weir__field_get(&call->field[WEIR__LANE], 0, r)) * node_weight(first + r);
    }
    return mass;
}

void weir__check_normalised(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    double sum = 0;
    (void)map;
    if (!one_dimensional(subject)) {
        weir__skip(verdict);
        return;
    }
    double *const mass = masses(subject, verdict);
    if (!mass) return;
    for (int32_t i = 0; i < POINTS; i++) sum += mass[i];
    weir__measure(verdict, fabs(sum - 1));
    free(mass);
}

/* ---- the sampler ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* DRAWS samples of feature 0, sorted; every tile has rows of its own numbers. */
static double *draw(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    uint64_t ids[NODES];
    double *const values = calloc(DRAWS, sizeof *values);
    weir__call *const call = weir__call_new(subject, map, NODES);
    int good = weir__have(verdict, values, call);
    for (int32_t first = 0; good && first < DRAWS; first += NODES) {
        for (int32_t r = 0; r < NODES; r++) ids[r] = (uint64_t)first + (uint64_t)r;
        const weir__manner manner = {.row_ids = ids, .seed = subject->candidate->seed + 1};
        weir_frame *const frame = weir__call_frame(subject, call, &manner);
        const weir_status status = frame ? weir__call_run(subject, map, call, frame) : WEIR_ERROR;
        good = weir__served(verdict, subject, status, "sample");
        for (int32_t r = 0; good && r < NODES; r++)
            values[first + r] = weir__field_get(&call->field[WEIR__Y], 0, r);
    }
    if (good) qsort(values, DRAWS, sizeof *values, by_value);
    if (good) return values;
    free(values);
    return NULL;
}

/* Largest distance between the two distribution functions (Kolmogorov-Smirnov). */
static double distance(const double *mass, const double *values)
{
    double below = 0, worst = 0;
    int32_t drawn = 0;
    for (int32_t i = 0; i < POINTS; i++) {
        while (drawn < DRAWS && values[drawn] < node(i)) drawn++;
        worst = fmax(worst, fabs(below + mass[i] / 2 - (double)drawn / DRAWS));
        below += mass[i];
    }
    return worst;
}

/* Samples lie where their own density is finite. */
static void check_support(weir__subject *subject, const weir__map *sample, weir__verdict *verdict)
{
    const weir__map *const log_density = &subject->maps[0];
    weir__call *const drawn = weir__call_new(subject, sample, NODES);
    weir__call *const call = weir__call_new(subject, log_density, NODES);
    if (!weir__have(verdict, drawn, call)) return;
    weir__field_copy(&drawn->field[WEIR__CONTEXT], &call->field[WEIR__CONTEXT]);
    if (!weir__served(verdict, subject, weir__evaluate(subject, sample, drawn), "sample")) return;
    weir__field_copy(&call->field[WEIR__X], &drawn->field[WEIR__Y]);
    if (!weir__served(verdict, subject, weir__evaluate(subject, log_density, call), "log_density")) return;
    for (int32_t r = 0; r < NODES; r++)
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
    if (!one_dimensional(subject)) return;
    double *const mass = masses(subject, verdict);
    double *const values = mass ? draw(subject, map, verdict) : NULL;
    if (values) weir__measure(verdict, distance(mass, values));
    free(mass);
    free(values);
}
