/* call.h - calls of the module under check: arguments in guarded memory, frames, runs.
 *
 * Calls made with weir__call_new belong to the subject and live until weir__calls_release.
 */
#ifndef WEIR__CHECK_CALL_H
#define WEIR__CHECK_CALL_H

#include "check/subject.h"

/** Arguments of `map` for `rows` rows: NULL when memory is exhausted. Inputs are valid random points, cotangents are
 *  normal, results hold NaN. The same subject state gives the same points. */
weir__call *weir__call_new(weir__subject *subject, const weir__map *map, int32_t rows);
/** The same with another layout for X, Y and their cotangents, and the values of `like`. */
weir__call *weir__call_like(weir__subject *subject, const weir__map *map, const weir__call *like,
                            weir__layout layout);
/** Values of all arguments; cotangent results too. */
void weir__call_copy(weir__call *to, const weir__call *from);
void weir__calls_release(weir__subject *subject);

/** How a call is run. Zero: evaluation without tape, step 0, rows numbered from 0. */
typedef struct weir__manner {
    int32_t mode, tape, gradients;
    uint64_t seed, step;
    const uint64_t *row_ids;
} weir__manner;

/** A frame for the call; results are poisoned with NaN and accumulators set to zero first. */
weir_frame *weir__call_frame(weir__subject *subject, weir__call *call, const weir__manner *manner);
/** One run of the map or of its VJP in a frame: scratch is released after. */
weir_status weir__call_run(weir__subject *subject, const weir__map *map, weir__call *call, weir_frame *frame);
weir_status weir__call_vjp(weir__subject *subject, const weir__map *map, weir__call *call, weir_frame *frame);

/** Without tape, in a frame of its own. */
weir_status weir__evaluate(weir__subject *subject, const weir__map *map, weir__call *call);
/** A VJP's gradients of all parameters, finished; NULL when memory is exhausted. Caller frees. */
double *weir__gradient_now(weir__subject *subject);
/** max |a - factor b| / (1 + max |b|) over the parameters. */
double weir__gradient_distance(const weir__subject *subject, const double *a, const double *b, double factor);
/** Zero gradients, run with tape, VJP, gradients finished. */
weir_status weir__differentiate(weir__subject *subject, const weir__map *map, weir__call *call);

#endif
