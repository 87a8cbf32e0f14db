/* edges.c - bijections at the ends of the number range: a right finite answer, or the row is given up. */
#include "check/chart.h"
#include "check/checks.h"
#include "check/dense.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Beyond HUGE_POINT a result may overflow, if it shows. */
#define HUGE_POINT 1e100

static const double points[] = {-DBL_MAX,  -1e300,  -1e30, -8, -3, -1, -1e-30, -DBL_MIN, -0x1p-1074, -0.0, 0,
                                0x1p-1074, DBL_MIN, 1e-30, 1,  3,  8,  1e30,   1e300,    DBL_MAX};
#define EDGES ((int32_t)(sizeof points / sizeof points[0]))

static const weir__manner plain = {.tape = 0};

static int is_discarded(const weir_frame *frame, int32_t row)
{
    return (int)(frame->discard[row >> 6] >> (row & 63) & 1);
}

static int row_fine(const weir__call *call, int32_t row)
{
    return weir__field_row_finite(&call->field[WEIR__Y], row) &&
           weir__field_row_finite(&call->field[WEIR__LANE], row);
}

/* A univariate gets the edge in every feature, a layer in one and valid points in the others. */
static int has_edge(const weir__subject *subject, const weir__call *call, int32_t feature, int32_t row)
{
    return subject->child->kind == WEIR_UNIVARIATE || feature == row % call->field[WEIR__X].tile.features;
}

/* The lanes that make up a whole with this one: all parts, a vector, a row of a Cholesky factor. False when none do. */
static int whole_of(const weir_domain *d, int32_t feature, int32_t *first, int32_t *end)
{
    *first = d ? d->first : feature;
    *end = d ? d->first + d->count : feature;
    if (!d || d->kind < WEIR_DOMAIN_SIMPLEX) return 0;
    if (d->kind == WEIR_DOMAIN_SIMPLEX || d->kind == WEIR_DOMAIN_SPHERE) return 1;
    *end = *first + 1;
    for (int32_t length = 2; *end <= feature; length++) {
        *first = *end;
        *end += length;
    }
    return d->kind == WEIR_DOMAIN_CORRELATION;
}

/* The others of a whole shrink or grow so that the edge is a point of the space. */
static void settle(const weir__subject *subject, const weir__map *map, weir__call *call, int32_t feature,
                   int32_t row)
{
    const weir_domain *const d = weir__lane_domain(subject, map, WEIR__X, feature);
    const double edge = weir__field_get(&call->field[WEIR__X], feature, row);
    int32_t first, end;
    if (!whole_of(d, feature, &first, &end) || !(fabs(edge) <= 1)) return;
    const int parts = d->kind == WEIR_DOMAIN_SIMPLEX;
    double others = 0;
    for (int32_t f = first; f < end; f++) {
        const double x = weir__field_get(&call->field[WEIR__X], f, row);
        if (f != feature) others += parts ? x : x * x;
    }
    const double by = parts ? (1 - edge) / others : sqrt((1 - edge * edge) / others);
    for (int32_t f = first; f < end; f++)
        if (f != feature)
            weir__field_set(&call->field[WEIR__X], f, row,
                            by * weir__field_get(&call->field[WEIR__X], f, row));
}

static void set_edges(const weir__subject *subject, const weir__map *map, weir__call *call)
{
    for (int32_t f = 0; f < call->field[WEIR__X].tile.features; f++)
        for (int32_t r = 0; r < EDGES; r++)
            if (has_edge(subject, call, f, r)) {
                weir__field_set(&call->field[WEIR__X], f, r, points[r]);
                settle(subject, map, call, f, r);
            }
    weir__field_pad(&call->field[WEIR__X], 0);
}

/* A call of `map` at the rows of `from` that are fine; the others keep a valid point. */
static weir__call *fine_call(weir__subject *subject, const weir__map *map, const weir__field *from,
                             const weir__call *out, const int *fine)
{
    weir__call *const call = weir__call_new(subject, map, EDGES);
    if (!call) return NULL;
    weir__field_copy(&call->field[WEIR__PARAMS], &out->field[WEIR__PARAMS]);
    weir__field_copy(&call->field[WEIR__CONTEXT], &out->field[WEIR__CONTEXT]);
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < EDGES; r++)
            if (fine[r]) weir__field_set(&call->field[WEIR__X], f, r, weir__field_get(from, f, r));
    weir__field_pad(&call->field[WEIR__X], 0);
    return call;
}

/* What rounding of the row's results explains on the way back; infinite where the map is flat. */
static double explained(const weir__subject *subject, const weir__call *out, const double *kappa, int32_t row)
{
    double largest = 1;
    for (int32_t f = 0; f < out->field[WEIR__Y].tile.features; f++)
        largest = fmax(largest, fabs(weir__field_get(&out->field[WEIR__Y], f, row)));
    const double error = 64 * subject->rounding * largest * (kappa ? kappa[row] : 1);
    return isnan(error) ? INFINITY : error;
}

/* Where a layer's features add up, a huge one drowns the others: there only moderate points come back. */
static double largest_compared(const weir__subject *subject)
{
    return subject->child->kind == WEIR_UNIVARIATE ? HUGE_POINT : 10;
}

static void compare(const weir__subject *subject, const weir__map *map, const weir__call *out,
                    const weir__call *back, const int *fine, const double *kappa, weir__verdict *verdict)
{
    for (int32_t f = 0; f < out->field[WEIR__X].tile.features; f++)
        for (int32_t r = 0; r < EDGES; r++) {
            const double x = weir__field_get(&out->field[WEIR__X], f, r);
            const double again = weir__field_get(&back->field[WEIR__Y], f, r);
            const double allowed = verdict->limit * (1 + fabs(x)) + explained(subject, out, kappa, r);
            if (!fine[r] || fabs(points[r]) > largest_compared(subject) || isinf(allowed)) continue;
            weir__measure(verdict, verdict->limit *
                                       weir__lane_gap(weir__lane_domain(subject, map, WEIR__X, f), again, x) /
                                       allowed);
            if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "%g comes back as %g", x, again);
        }
}

static void compare_way_back(weir__subject *subject, const weir__map *map, weir__call *out, int *fine,
                             weir__verdict *verdict)
{
    const weir__map *const other = map->source ? map->source : weir__subject_map(subject, "inverse");
    if (!other || (map->source && subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY)) return;
    weir__call *const back = fine_call(subject, other, &out->field[WEIR__Y], out, fine);
    weir__call *const again = fine_call(subject, map, &out->field[WEIR__X], out, fine);
    if (!weir__have(verdict, back, again)) return;
    double *const kappa = weir__inverse_norms(subject, map, again);
    weir_frame *const frame = weir__call_frame(subject, back, &plain);
    const weir_status status = frame ? weir__call_run(subject, other, back, frame) : WEIR_ERROR;
    for (int32_t r = 0; frame && r < EDGES; r++) fine[r] = fine[r] && !is_discarded(frame, r);
    if (status == WEIR_DISCARD || weir__served(verdict, subject, status, other->name))
        compare(subject, map, out, back, fine, kappa, verdict);
    free(kappa);
}

void weir__check_edges(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int strict = subject->child->kind == WEIR_UNIVARIATE;
    int fine[sizeof points / sizeof points[0]];
    weir__call *const call = weir__call_new(subject, map, EDGES);
    if (!weir__have(verdict, call)) return;
    set_edges(subject, map, call);
    weir_frame *const frame = weir__call_frame(subject, call, &plain);
    if (!weir__have(verdict, frame)) return;
    const weir_status status = weir__call_run(subject, map, call, frame);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t r = 0; r < EDGES; r++) {
        fine[r] = !is_discarded(frame, r) && row_fine(call, r);
        if (strict && !is_discarded(frame, r) && !fine[r] && fabs(points[r]) <= HUGE_POINT)
            weir__object(verdict, "%g has no finite answer and is not discarded", points[r]);
    }
    compare_way_back(subject, map, call, fine, verdict);
}
