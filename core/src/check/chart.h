/* chart.h - spaces with a shape: what values a map's points take, and layers between spaces of different dimension.
 *
 * Such a layer has a wide side, constrained (a simplex of K parts), and a narrow one, free (R^(K-1)). Its chart is the map
 * from the narrow side to the wide one; the other way back leaves the chart's image by no step, so that derivatives there
 * are taken along the chart.
 */
#ifndef WEIR__CHART_H
#define WEIR__CHART_H

#include "check/verdict.h"

/** What the values of a map's WEIR__X or WEIR__Y are, in that feature; NULL when nothing is said (networks, samplers). */
const weir_domain *weir__lane_domain(const weir__subject *subject, const weir__map *map, weir__argument which,
                                     int32_t feature);
/** |a - b|; on a circle, whose ends are one point, the way round that is shorter. */
double weir__lane_gap(const weir_domain *domain, double a, double b);
/** The chart of a layer, for its map from the wide side; NULL for any other map, or when it has no VJP. */
const weir__map *weir__chart_of(const weir__subject *subject, const weir__map *map);
/** Points of the wide side that move along the chart. */
typedef struct weir__path {
    const weir__map *chart;     /* NULL: no path, any step is allowed */
    weir__call *at, *moved;     /* of the chart */
    const weir__call *velocity; /* its WEIR__X: how the free numbers move */
} weir__path;

/** A path through the points of `call`, of the map from the wide side; puts them exactly on the chart's image. Leaves `path`
 *  empty for any other map. */
weir_status weir__path_open(weir__subject *subject, const weir__map *map, weir__call *call, weir__path *path);
/** Draws how the free numbers move, and writes what that is in `direction`, of the wide side. */
weir_status weir__path_direction(weir__subject *subject, weir__path *path, weir__field *direction);
/** Where the points are after a step. */
weir_status weir__path_point(weir__subject *subject, const weir__path *path, double step, weir__field *point);
/** log_det of a map between unlike dimensions: against the volume that its Jacobian spans, in the free coordinates or on the
 *  surface; and that dependent coordinates have no gradient. */
void weir__check_log_volume(weir__subject *subject, const weir__map *map, weir__verdict *verdict);

#endif
