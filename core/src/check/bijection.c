/* bijection.c - a bijection and its log-det: there and back, and against dense Jacobians.
 *
 * Used for layers and univariates. The VJPs that build the Jacobians are checked on their own, in taylor.c.
 */
#include "check/batch.h"
#include "check/chart.h"
#include "check/checks.h"
#include "check/dense.h"
#include "check/open.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 16

static weir__call *onward(weir__subject *subject, const weir__map *map, const weir__call *from)
{
    weir__call *const call = weir__call_new(subject, map, from->rows);
    if (!call) return NULL;
    weir__field_copy(&call->field[WEIR__X], &from->field[WEIR__Y]);
    weir__field_copy(&call->field[WEIR__PARAMS], &from->field[WEIR__PARAMS]);
    weir__field_copy(&call->field[WEIR__CONTEXT], &from->field[WEIR__CONTEXT]);
    return call;
}

/* The error of each row over what it may have, 1e-10 (1 + |x|) or 64 eps kappa, in units of the limit. Where the map is
 * flatter than any number, kappa is infinite and nothing comes back; that it is flat is log_det's to judge. */
static void compare(const weir__subject *subject, const weir__map *map, const weir__call *out,
                    const weir__call *back, const double *kappa, weir__verdict *verdict)
{
    const weir__field *const x = &out->field[WEIR__X], *const again = &back->field[WEIR__Y];
    for (int32_t r = 0; r < out->rows; r++)
        for (int32_t f = 0; f < x->tile.features; f++) {
            const double was = weir__field_get(x, f, r), is = weir__field_get(again, f, r);
            const double relative = verdict->limit * (1 + fabs(was));
            const double conditioned = kappa && !isnan(kappa[r]) ? 64 * subject->rounding * kappa[r] : 0;
            const double gap = weir__lane_gap(weir__lane_domain(subject, map, WEIR__X, f), was, is);
            weir__measure(verdict, verdict->limit * gap / fmax(relative, conditioned));
        }
}

static void there_and_back(weir__subject *subject, const weir__map *first, const weir__map *second,
                           weir__verdict *verdict)
{
    weir__call *const out = weir__call_new(subject, first, ROWS);
    if (!weir__have(verdict, out)) return;
    double *const kappa = weir__inverse_norms(subject, first, out);
    if (weir__served(verdict, subject, weir__evaluate(subject, first, out), first->name)) {
        weir__call *const back = onward(subject, second, out);
        if (weir__have(verdict, back) &&
            weir__served(verdict, subject, weir__evaluate(subject, second, back), second->name))
            compare(subject, first, out, back, kappa, verdict);
    }
    free(kappa);
}

void weir__check_round_trip(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir__map *const inverse = weir__subject_map(subject, "inverse");
    (void)map;
    if (inverse)
        there_and_back(subject, &subject->maps[0], inverse, verdict);
    else
        weir__skip(verdict);
}

void weir__check_round_trip_back(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir__map *const inverse = weir__subject_map(subject, "inverse");
    (void)map;
    if (inverse && !(subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY))
        there_and_back(subject, inverse, &subject->maps[0], verdict);
    else
        weir__skip(verdict);
}

/* At the point that the inverse gave, not at the one that it was to find again: where the map is flat these differ by more
 * than any limit, and both log-dets are right. */
void weir__check_log_det_sum(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir__map *const forward = &subject->maps[0], *const inverse =
                                                            weir__subject_map(subject, "inverse");
    (void)map;
    if (!inverse || subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY) {
        weir__skip(verdict);
        return;
    }
    weir__call *const out = weir__call_new(subject, forward, ROWS);
    if (!weir__have(verdict, out)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, forward, out), "forward")) return;
    weir__call *const back = onward(subject, inverse, out);
    if (!weir__have(verdict, back)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, inverse, back), "inverse")) return;
    weir__call *const again = onward(subject, forward, back);
    if (!weir__have(verdict, again)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, forward, again), "forward")) return;
    for (int32_t r = 0; r < ROWS; r++) {
        const double l = weir__field_get(&again->field[WEIR__LANE], 0, r);
        weir__measure(verdict, fabs(l + weir__field_get(&back->field[WEIR__LANE], 0, r)) / (1 + fabs(l)));
    }
}

/* Logarithm of what is on its way to underflow. */
#define LEAST_LOG (-600)

/* Differences are good to fewer digits than VJPs: what they find counts a thousandth. A log-det may be right where the
 * determinant itself has underflown: it must be as small then. */
void weir__check_log_det(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int32_t n = map->size[WEIR__X];
    const double trust = map->vjp ? 1 : 1e-3;
    const int steps = map->source ? (subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY) != 0
                                  : !map->vjp && subject->points == WEIR__POINTS_INTEGERS;
    weir_status status;
    if (n != map->size[WEIR__Y]) {
        weir__check_log_volume(subject, map, verdict);
        return;
    }
    if (steps) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    double *const jacobians = map->vjp ? weir__jacobians(subject, map, call, &status)
                                       : weir__jacobians_by_differences(subject, map, call, &status);
    if (!weir__served(verdict, subject, status, map->name)) return;
    for (int32_t r = 0; r < ROWS; r++) {
        const double l = weir__field_get(&call->field[WEIR__LANE], 0, r);
        const double dense = weir__log_abs_det(jacobians + (int64_t)r * n * n, n);
        const int underflown = map->vjp && dense == -INFINITY && l < LEAST_LOG;
        weir__measure(verdict, underflown ? 0 : trust * fabs(l - dense) / (1 + fabs(dense)));
    }
    free(jacobians);
}

/* With the statistics of a step held fixed. They are left in a fresh module, whose next prepare would put them away. */
void weir__check_batch_log_det(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject fresh;
    (void)map;
    if (!weir__is_batch_coupled(subject)) {
        weir__skip(verdict);
        return;
    }
    if (!weir__open_again(&fresh, subject, verdict)) return;
    const weir__map step = weir__batch_map(&fresh), held = weir__held_map(&fresh);
    weir__call *const call = weir__call_new(&fresh, &step, WEIR__BATCH_ROWS);
    if (weir__have(verdict, call) &&
        weir__served(verdict, &fresh, weir__evaluate(&fresh, &step, call), step.name))
        weir__check_log_det(&fresh, &held, verdict);
    weir__subject_close(&fresh);
}

void weir__check_volume(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    if (!(subject->child->traits & WEIR_TRAIT_VOLUME_PRESERVING)) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, call), map->name)) return;
    for (int32_t r = 0; r < ROWS; r++)
        weir__measure(verdict, fabs(weir__field_get(&call->field[WEIR__LANE], 0, r)));
}

void weir__check_elementwise(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int32_t n = map->size[WEIR__X];
    weir_status status;
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    double *const jacobians = weir__jacobians(subject, map, call, &status);
    if (!weir__served(verdict, subject, status, map->name)) return;
    for (int64_t i = 0; i < (int64_t)ROWS * n * n; i++)
        if (i / n % n != i % n) weir__measure(verdict, fabs(jacobians[i]));
    free(jacobians);
}
