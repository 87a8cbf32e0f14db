/* subject.h - the module under check: one instance in one setting, its weights, its points and its calls.
 *
 * Calls made with weir__call_new belong to the subject and live until weir__calls_release.
 */
#ifndef WEIR__SUBJECT_H
#define WEIR__SUBJECT_H

#include "check/dice.h"
#include "check/map.h"
#include "model/solo.h"

/** Sizes a module is checked at. */
typedef struct weir__setting {
    int32_t features, context;
    int32_t autoregressive; /* networks: outputs per feature, or 0 */
    int32_t out;            /* networks: outputs */
} weir__setting;

/** What is being checked, the same for every setting. */
typedef struct weir__candidate {
    weir_runtime *runtime;
    const json_t *node;
    const weir__entry *entry; /* NULL: found by the node's type */
    uint64_t seed;
    int32_t points;   /* WEIR__POINTS_*: where to start looking */
    int32_t image[3]; /* channels, height, width; all 0: no image */
} weir__candidate;

#define WEIR__POINTS_LINE     0
#define WEIR__POINTS_UNIT     1
#define WEIR__POINTS_INTEGERS 2
#define WEIR__POINTS_OWN      3 /* the layer's sample_points */

#define WEIR__INITIAL 0
#define WEIR__TRAINED 1

typedef struct weir__subject {
    const weir__candidate *candidate;
    weir__setting setting;
    int32_t precision;
    int32_t weights; /* WEIR__INITIAL or WEIR__TRAINED */
    weir__solo *solo;
    const weir_child *child;
    const weir_module *module;
    double rounding;    /* of what the module computes in: the host may convert around it */
    int64_t parameters; /* numbers trained */
    int32_t points;
    weir__dice dice;
    weir__map maps[WEIR__MAPS];
    int32_t map_count;
    weir__call *calls;
} weir__subject;

/** Opens the module, lets it observe where it wants to, and finds which points it takes. */
weir_status weir__subject_open(weir__subject *subject, const weir__candidate *candidate,
                               const weir__setting *setting, int32_t precision, weir_error *error);
void weir__subject_close(weir__subject *subject);
/** How another instance like the subject's is opened. */
weir__solo_spec weir__subject_spec(const weir__subject *subject);
/** Perturbs every parameter by noise large enough to leave the identity. */
weir_status weir__subject_train(weir__subject *subject, weir_error *error);
/** Gives `to` (of another precision) the parameters and buffers of `from`. */
weir_status weir__subject_copy_state(weir__subject *to, const weir__subject *from, weir_error *error);
const weir__map *weir__subject_map(const weir__subject *subject, const char *name);

/* ---- parameters as one vector; NULL-safe when there are none ---- */

void weir__parameters_read(const weir__subject *subject, double *values);
/** Also prepares. */
weir_status weir__parameters_write(weir__subject *subject, const double *values);
void weir__gradient_read(const weir__subject *subject, double *values);
/** Bytes of every tensor that tile calls must leave alone, folded into one number. */
uint64_t weir__tensors_digest(const weir__subject *subject);

/* ---- calls ---- */

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
