/* subject.h - the module under check: one instance in one setting, its weights and its points. */
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
    int32_t full;     /* level */
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
    int32_t walled; /* arguments of calls lie between walls */
    int32_t turns;  /* calls made so far: which walls the next one's arguments touch */
} weir__subject;

/** How another instance like the subject's is opened. */
weir__solo_spec weir__subject_spec(const weir__subject *subject);
/** Gives `to` (of another precision) the parameters and buffers of `from`. */
weir_status weir__subject_copy_state(weir__subject *to, const weir__subject *from, weir_error *error);
const weir__map *weir__subject_map(const weir__subject *subject, const char *name);

/* ---- parameters as one vector; NULL-safe when there are none ---- */

int64_t weir__parameters_count(const weir__subject *subject);
void weir__parameters_read(const weir__subject *subject, double *values);
/** Also prepares. */
weir_status weir__parameters_write(weir__subject *subject, const double *values);
void weir__gradient_read(const weir__subject *subject, double *values);
/** Bytes of every tensor that tile calls must leave alone, folded into one number. */
uint64_t weir__tensors_digest(const weir__subject *subject);

#endif
