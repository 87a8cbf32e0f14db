/* supply.h - what the host adds to a module so that its parent can call it without looking.
 *
 * Two layers. "Missing" fills calls the module lacks: a univariate's inverse by bracketed roots, a layer's inverse by
 * Newton's method, both inverse VJPs by the implicit function theorem, an autoregressive network's incremental calls by
 * whole passes. "Adapter" changes what arrives: tiles with a lane index are gathered for modules that must not see one,
 * and calls from the other precision are converted. An adapter at the very bottom gives each worker its own instance of a
 * module that wants that, and lets the calls of one that is serial take turns. */
#ifndef WEIR__SUPPLY_H
#define WEIR__SUPPLY_H

#include "model/net.h"

/** The largest number of features for which the host builds a dense Jacobian for every row. */
#define WEIR__DENSE_MOST 64

/** The child that a supplied call works for: the self of the supplied ops. */
typedef struct weir__supplied {
    weir_child inner;
    int32_t precision; /* the inner module's */
    int32_t indexed;   /* 1: the inner module may see an index */
    int32_t replica;   /* >= 0: every worker calls its own, at this place of its run */
    int32_t serial;    /* 1: calls take turns */
    weir_layer_ops layer;
    weir_univariate_ops univariate;
    weir_network_ops network;
    weir_density_ops density;
    struct weir__supplied *below; /* one more layer, freed with this one */
} weir__supplied;

/** Sets the members of `s` (inner is set) that the module lacks, and points *child (ops and self) at them. Returns WEIR__SUPPLIED_*. */
uint32_t weir__fill_layer(weir__supplied *s, weir_child *child);
uint32_t weir__fill_univariate(weir__supplied *s, weir_child *child);
uint32_t weir__fill_network(weir__supplied *s, weir_child *child);
/** Wraps every call in an adapter. */
void weir__adapt(weir__supplied *s, weir_child *child);

/** Gradients and the context's cotangent switched off for a while, in both frames of a run. */
typedef struct weir__quiet {
    void *const *gradients[2];
    const weir_tile *context_bar[2];
} weir__quiet;
void weir__quiet_begin(weir_frame *frame, weir__quiet *quiet);
void weir__quiet_end(weir_frame *frame, const weir__quiet *quiet);

/** The worker's tape, also in evaluation, for calls that need a VJP inside: sets it and returns its position. */
int64_t weir__lend_tape(weir_frame *frame, weir_tape **before);
void weir__return_tape(weir_frame *frame, weir_tape *before, int64_t mark);

/** Makes own calls of a module that is not reentrant pick the worker's replica, or wait for their turn. */
weir_status weir__supply_concurrency(weir__instance *instance, weir_error *error);
/** Fills instance->child from instance->own: the module's own calls where they serve, the host's where not. */
weir_status weir__supply(weir__instance *instance, int32_t caller_precision, weir_error *error);
void weir__supply_free(weir__instance *instance);

#endif
