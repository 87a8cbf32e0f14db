/* chart.c - see chart.h. */
#include "check/chart.h"

#include "check/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 16

const weir_domain *weir__lane_domain(const weir__subject *subject, const weir__map *map, weir__argument which,
                                     int32_t feature)
{
    const weir_child *const child = subject->child;
    const int32_t lane = child->kind == WEIR_UNIVARIATE ? 0 : feature;
    if (child->kind != WEIR_LAYER && child->kind != WEIR_UNIVARIATE) return NULL;
    const int latent = (which == WEIR__Y) != (map->source != NULL);
    const weir_domain *const lanes = latent ? child->codomain : child->domain;
    return lanes ? lanes + lane : NULL;
}

double weir__lane_gap(const weir_domain *domain, double a, double b)
{
    if (!domain || domain->kind != WEIR_DOMAIN_CIRCLE) return fabs(a - b);
    return fabs(remainder(a - b, domain->upper - domain->lower));
}

/* ---- the chart ------------------------------------------------------------------------------------------------------ */

static const weir__map *way_back(const weir__subject *subject, const weir__map *map)
{
    return map->source ? map->source : weir__subject_map(subject, "inverse");
}

const weir__map *weir__chart_of(const weir__subject *subject, const weir__map *map)
{
    if (subject->child->kind != WEIR_LAYER || map->size[WEIR__X] <= map->size[WEIR__Y]) return NULL;
    const weir__map *const chart = way_back(subject, map);
    return chart && chart->vjp ? chart : NULL;
}

weir_status weir__path_open(weir__subject *subject, const weir__map *map, weir__call *call, weir__path *path)
{
    *path = (weir__path){.chart = weir__chart_of(subject, map)};
    if (!path->chart) return WEIR_OK;
    weir__call *const there = weir__call_like(subject, map, call, WEIR__PLAIN);
    path->at = weir__call_new(subject, path->chart, call->rows);
    path->moved = path->at ? weir__call_like(subject, path->chart, path->at, WEIR__PLAIN) : NULL;
    if (!there || !path->moved) return WEIR_ERROR;
    weir_status status = weir__evaluate(subject, map, there);
    if (status != WEIR_OK) return status;
    weir__field_copy(&path->at->field[WEIR__X], &there->field[WEIR__Y]);
    weir__field_copy(&path->at->field[WEIR__CONTEXT], &call->field[WEIR__CONTEXT]);
    weir__field_copy(&path->moved->field[WEIR__CONTEXT], &call->field[WEIR__CONTEXT]);
    return weir__path_point(subject, path, 0, &call->field[WEIR__X]);
}

weir_status weir__path_direction(weir__subject *subject, weir__path *path, weir__field *direction)
{
    weir_status status;
    const int32_t in = path->chart->size[WEIR__X], out = path->chart->size[WEIR__Y];
    weir__call *const velocity = weir__call_like(subject, path->chart, path->at, WEIR__PLAIN);
    double *const jacobians = velocity ? weir__jacobians(subject, path->chart, path->at, &status) : NULL;
    if (!jacobians) return velocity ? status : WEIR_ERROR;
    for (int32_t r = 0; r < velocity->rows; r++)
        for (int32_t k = 0; k < in; k++)
            weir__field_set(&velocity->field[WEIR__X], k, r, weir__dice_normal(&subject->dice));
    for (int32_t r = 0; r < velocity->rows; r++)
        for (int32_t f = 0; f < out; f++) {
            double sum = 0;
            for (int32_t k = 0; k < in; k++)
                sum += jacobians[((int64_t)r * out + f) * in + k] *
                       weir__field_get(&velocity->field[WEIR__X], k, r);
            weir__field_set(direction, f, r, sum);
        }
    weir__field_pad(direction, 0);
    free(jacobians);
    path->velocity = velocity;
    return WEIR_OK;
}

weir_status weir__path_point(weir__subject *subject, const weir__path *path, double step, weir__field *point)
{
    const weir__field *const from = &path->at->field[WEIR__X];
    for (int32_t f = 0; step != 0 && f < from->tile.features; f++)
        for (int32_t r = 0; r < from->tile.rows; r++)
            weir__field_set(&path->moved->field[WEIR__X], f, r,
                            weir__field_get(from, f, r) +
                                step * weir__field_get(&path->velocity->field[WEIR__X], f, r));
    if (step == 0) weir__field_copy(&path->moved->field[WEIR__X], from);
    weir__field_pad(&path->moved->field[WEIR__X], 0);
    const weir_status status = weir__evaluate(subject, path->chart, path->moved);
    if (status == WEIR_OK) weir__field_copy(point, &path->moved->field[WEIR__Y]);
    if (status == WEIR_OK) weir__field_pad(point, 0);
    return status;
}

/* ---- dependent coordinates -------------------------------------------------------------------------------------------- */

static int is_surface(const weir__subject *subject, const weir__map *wide, int32_t feature)
{
    const weir_domain *const domain = weir__lane_domain(subject, wide, WEIR__X, feature);
    return domain && domain->kind != WEIR_DOMAIN_UNSTATED && domain->measure == WEIR_MEASURE_SURFACE;
}

static int column_is_zero(const double *jacobians, int32_t rows, int32_t out, int32_t in, int32_t column)
{
    for (int64_t i = 0; i < (int64_t)rows * out; i++)
        if (jacobians[i * in + column] != 0) return 0;
    return 1;
}

/* Marks the dependent coordinates of the wide side: those, in blocks measured by coordinates, on which nothing depends. Of
 * `wide`, the map from that side, `jacobians` holds the Jacobians. Objects when there are fewer or more than the layer drops. */
static void find_dependent(const weir__subject *subject, const weir__map *wide, const double *jacobians,
                           int32_t *dependent, weir__verdict *verdict)
{
    const int32_t in = wide->size[WEIR__X], out = wide->size[WEIR__Y];
    int32_t found = 0, surface = 0;
    for (int32_t f = 0; f < in; f++) {
        const int on_surface = is_surface(subject, wide, f);
        dependent[f] = !on_surface && column_is_zero(jacobians, ROWS, out, in, f);
        found += dependent[f];
        surface += on_surface;
    }
    if (!surface && found != in - out)
        weir__object(verdict, "%d features of %d are dependent, and %d have no gradient", (int)(in - out),
                     (int)in, (int)found);
}

/* The log-det has no gradient to them either. */
static void check_silent(weir__subject *subject, const weir__map *wide, weir__call *call,
                         const int32_t *dependent, weir__verdict *verdict)
{
    if (!weir__served(verdict, subject, weir__differentiate(subject, wide, call), wide->name)) return;
    for (int32_t f = 0; f < wide->size[WEIR__X]; f++)
        for (int32_t r = 0; dependent[f] && r < call->rows; r++)
            if (weir__field_get(&call->field[WEIR__X_BAR], f, r) != 0)
                weir__object(verdict, "the log-det has a gradient to dependent feature %d", (int)f + 1);
}

/* ---- volumes ------------------------------------------------------------------------------------------------------------ */

/* The Jacobian of one row as vectors, one for each feature of the narrow side, without the dependent entries. */
static void narrow_vectors(const double *jacobian, int32_t wide, int32_t narrow, int transposed,
                           const int32_t *dependent, double *vectors)
{
    for (int32_t k = 0; k < narrow; k++)
        for (int32_t f = 0; f < wide; f++)
            vectors[k * wide + f] = dependent[f] ? 0
                                    : transposed ? jacobian[f * narrow + k]
                                                 : jacobian[k * wide + f];
}

static void compare_volumes(const weir__subject *subject, const weir__map *map, const weir__call *call,
                            const double *jacobians, const int32_t *dependent, double *vectors,
                            weir__verdict *verdict)
{
    const int32_t in = map->size[WEIR__X], out = map->size[WEIR__Y];
    const int32_t wide = in > out ? in : out, narrow = in > out ? out : in;
    for (int32_t r = 0; r < call->rows; r++) {
        narrow_vectors(jacobians + (int64_t)r * in * out, wide, narrow, in < out, dependent, vectors);
        const double volume = weir__log_volume(vectors, narrow, wide);
        const double l = weir__field_get(&call->field[WEIR__LANE], 0, r);
        weir__measure(verdict, fabs(l - volume) / (1 + fabs(volume)));
    }
    if (!(verdict->figure <= verdict->limit) && in > out && is_surface(subject, map, 0))
        weir__remark(verdict, "the log-det is wrong, or a gradient on the surface is not tangent");
}

/* jacobians, of the map from the wide side, tell what is dependent; those of the map under check, what its volume is. */
static void check_volumes(weir__subject *subject, const weir__map *map, const weir__map *wide,
                          weir__verdict *verdict)
{
    const int32_t in = wide->size[WEIR__X];
    weir_status status;
    int32_t *const dependent = calloc((size_t)in + 1, sizeof *dependent);
    double *const vectors = calloc((size_t)in * (size_t)in + 1, sizeof *vectors);
    double *of_wide = NULL, *of_map = NULL;
    weir__call *const from_wide = weir__call_new(subject, wide, ROWS);
    weir__call *const call = map == wide ? from_wide : weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, dependent, vectors, from_wide, call)) goto done;
    of_wide = weir__jacobians(subject, wide, from_wide, &status);
    if (!weir__served(verdict, subject, status, wide->name)) goto done;
    find_dependent(subject, wide, of_wide, dependent, verdict);
    if (map == wide) {
        compare_volumes(subject, map, call, of_wide, dependent, vectors, verdict);
        check_silent(subject, wide, from_wide, dependent, verdict);
        goto done;
    }
    of_map = weir__jacobians(subject, map, call, &status);
    if (weir__served(verdict, subject, status, map->name))
        compare_volumes(subject, map, call, of_map, dependent, vectors, verdict);
done:
    free(dependent);
    free(vectors);
    free(of_wide);
    free(of_map);
}

void weir__check_log_volume(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir__map *const wide = map->size[WEIR__X] > map->size[WEIR__Y] ? map : way_back(subject, map);
    if (map->vjp && wide && wide->vjp)
        check_volumes(subject, map, wide, verdict);
    else
        weir__skip(verdict);
}
