/* map.h - one view of all kinds of module: differentiable maps with the same list of arguments.
 *
 * A layer has the maps `forward` and `inverse`, a univariate the same with parameters per element, a network
 * `forward`, a density `log_density` and `sample`. So a promise that every call makes (write rules, VJPs, rows, tape)
 * is checked by one function, whatever the kind.
 */
#ifndef WEIR__MAP_H
#define WEIR__MAP_H

#include "check/field.h"

#include <weir/build.h>

typedef enum weir__argument {
    WEIR__X,       /* the point: x of forward, z of inverse and of log_density */
    WEIR__PARAMS,  /* univariate: parameters per element */
    WEIR__CONTEXT, /* through the frame */
    WEIR__Y,       /* result */
    WEIR__LANE,    /* log-det or log-p, added to */
    WEIR__Y_BAR,
    WEIR__LANE_BAR,
    WEIR__X_BAR,
    WEIR__PARAMS_BAR,
    WEIR__CONTEXT_BAR, /* added to */
    WEIR__ARGUMENTS
} weir__argument;

#define WEIR__BIT(argument) (1u << (argument))

/** "the point" */
const char *weir__argument_name(int32_t argument);

/** The arguments of a call, each in guarded memory. Those in `omit` are passed as NULL. */
typedef struct weir__call {
    weir__field field[WEIR__ARGUMENTS];
    int32_t rows;
    uint32_t omit;
    struct weir__call *next;  /* the subject's list */
    struct weir__tail *tails; /* NULL, or its tiles with something behind them */
    int longer;               /* of which their struct_size tells */
} weir__call;

/** From now on there is `pattern` in each byte behind the structs of the call's tiles, which say that this is a part of them
 *  when `longer`; pattern below 0: as usual. */
void weir__call_tail(weir__call *call, int pattern, int longer);

typedef weir_status (*weir__map_fn)(const weir_child *child, weir_frame *frame, const weir__call *call);

typedef struct weir__map {
    const char *name;              /* "forward", "inverse", "log_density", "sample" */
    int32_t size[WEIR__ARGUMENTS]; /* features of each argument; -1: it has no such argument */
    weir__map_fn run;
    weir__map_fn vjp;               /* NULL: not offered */
    const struct weir__map *source; /* not NULL: points of X are results of that map */
} weir__map;

#define WEIR__MAPS 2

/** Fills maps[WEIR__MAPS] with what a child offers and returns how many. features: of the tile (a univariate takes any
 *  number); context: of the model. */
int32_t weir__maps_of(const weir_child *child, int32_t features, int32_t context, weir__map *maps);

#endif
