/* weir/module.h - what a module is: its descriptor, its options and the calls of its kind.
 *
 * SPDX-License-Identifier: MIT
 *
 * Four kinds of module share one ABI (in brackets the literature's name):
 *   layer       a bijection between vectors (flow layer, bijector)
 *   univariate  a bijection of the line with parameters per element (transformer)
 *   network     a function with gradients (conditioner)
 *   density     a log-density, mostly with a sampler (base distribution, target)
 *
 * Rules of every call below:
 *   - `self` is what create gave; it is constant after creation, so any number of workers may use it at
 *     once (unless the descriptor's concurrency says otherwise). No hidden state: a VJP knows only its
 *     arguments, the frame and the tape.
 *   - y, z and cotangents of inputs are OVERWRITTEN for every row; log-det, log-p and the gradients of
 *     parameters, derived tensors and context are ADDED TO. Work is asked for by non-NULL pointers.
 *   - a lane (void *) has frame->width elements in the frame's precision.
 *   - nothing unwinds across the border: no exception, panic, longjmp, exit or abort.
 *   - locale, signals, working directory, rounding mode and flush-to-zero are left as found.
 *   - no allocation (unless WEIR_MODULE_ALLOCATES), lock, file or log in tile calls.
 *
 * Notation in the comments: J = dz/dx, l(x) = log |det J|; `_bar` is a cotangent, the derivative of the
 * scalar being differentiated with respect to that quantity.
 */
#ifndef WEIR_MODULE_H
#define WEIR_MODULE_H

#include <weir/frame.h>

WEIR_BEGIN_DECLS

typedef struct weir_builder weir_builder; /* weir/build.h */

/* ---- kinds, flags --------------------------------------------------------------------------- */

#define WEIR_LAYER      1
#define WEIR_UNIVARIATE 2
#define WEIR_NETWORK    3
#define WEIR_DENSITY    4

/* weir_module.flags */
#define WEIR_MODULE_INDEXED_OK   1u  /**< sees tiles with a lane index */
#define WEIR_MODULE_IN_PLACE_OK  2u  /**< output tile may be the input tile (forward and inverse) */
#define WEIR_MODULE_STOCHASTIC   4u  /**< draws random numbers in forward or inverse */
#define WEIR_MODULE_OBSERVE_ONCE 8u  /**< wants data-dependent initialisation (observe, merge, finish) */
#define WEIR_MODULE_OBSERVE_STEP 16u /**< batch-coupled: observes every training batch (see weir_layer_ops) */
#define WEIR_MODULE_ALLOCATES    32u /**< tile calls may allocate: an interpreter, or a library that does */

/* weir_module.concurrency */
#define WEIR_REENTRANT 0 /**< any worker may run the one instance; the default */
/** Every worker has an instance for itself, made after the first one (weir_builder.original), over the same tensors and
 *  children: tile calls may use memory of the instance, which nobody else touches meanwhile. What they leave there must
 *  not change a result. prepare, prepare_vjp and calls without a frame go to the first instance, alone. */
#define WEIR_PER_WORKER 1
/** One call at a time in the whole process, over all modules that say so; one of them may call another as its child. */
#define WEIR_SERIAL 2

/* ---- options -------------------------------------------------------------------------------- */

#define WEIR_INTEGER  1 /**< int64_t */
#define WEIR_NUMBER   2 /**< double, finite */
#define WEIR_BOOLEAN  3
#define WEIR_STRING   4 /**< UTF-8; `choices` restricts it */
#define WEIR_INTEGERS 5 /**< list of int64_t; minimum and maximum hold for each */
#define WEIR_NUMBERS  6 /**< list of double */

/** One option of a module. The host checks what a user gives against this before create runs, so that
 *  create reads only values of the right type and range. All strings are the plugin's, constant. */
typedef struct weir_option {
    uint32_t struct_size;
    int32_t type;             /**< WEIR_INTEGER, ... */
    const char *name;         /**< [a-z][a-z0-9_]* */
    const char *default_json; /**< JSON text such as "8", "[64,64]", "\"tanh\""; NULL: the user must give it;
                                   "null": optional, create finds it absent */
    double minimum, maximum;  /**< inclusive; ignored for BOOLEAN and STRING. For lists: of each entry */
    const char *choices;      /**< "relu|tanh|elu" or NULL: any text */
    const char *summary;      /**< meaning and unit, one line */
} weir_option;

/** A place for children. The host builds them on request (weir_builder.child_*). */
typedef struct weir_slot {
    uint32_t struct_size;
    int32_t kind;           /**< WEIR_LAYER, ... */
    const char *name;       /**< "univariate", "network", ... */
    const char *default_id; /**< module id used when the user names none; NULL: the user must */
    int32_t optional;       /**< 1: may be left empty */
    int32_t reserved;
    const char *summary; /**< what stands there, one line */
} weir_slot;

/* ---- domains -------------------------------------------------------------------------------- */

#define WEIR_DOMAIN_UNSTATED 0 /**< nothing is known or required; fits everything */
#define WEIR_DOMAIN_INTERVAL 1 /**< [lower, upper], ends may be infinite; the whole line is (-inf, inf) */
#define WEIR_DOMAIN_INTEGER  2 /**< integers lower .. upper */
#define WEIR_DOMAIN_CIRCLE   3 /**< an angle in [lower, upper], whose ends are one point */
#define WEIR_DOMAIN_SIMPLEX  4 /**< joint: positive, sum 1 */
#define WEIR_DOMAIN_ORDERED  5 /**< joint: increasing */
#define WEIR_DOMAIN_PSD      6 /**< joint: vech of a positive definite matrix, row by row */
#define WEIR_DOMAIN_SPHERE   7 /**< joint: unit vector */
#define WEIR_DOMAIN_CORRELATION                                                                              \
    8 /**< joint: Cholesky factor of a correlation matrix, row by row, diagonal included */

#define WEIR_MEASURE_COORDINATES                                                                             \
    0                          /**< density with respect to the free coordinates (all but the dependent) */
#define WEIR_MEASURE_SURFACE 1 /**< density with respect to the surface, 1/2 log det J^T J */

/** What values the lanes [first, first + count) take. Kinds marked joint are one object over the block;
 *  the others hold for each lane. Frozen: it never grows, because arrays of it cross. */
typedef struct weir_domain {
    uint32_t struct_size;
    int32_t kind;         /**< WEIR_DOMAIN_* */
    int32_t first, count; /**< the lanes */
    int32_t measure;      /**< WEIR_MEASURE_*, of joint kinds */
    int32_t reserved;
    double lower, upper; /**< of INTERVAL, INTEGER and CIRCLE */
} weir_domain;

/* ---- layer ---------------------------------------------------------------------------------- */

/** Calls of a layer: x has the input space's features, z the output space's. */
typedef struct weir_layer_ops {
    uint32_t struct_size;
    uint32_t reserved;

    /* REQUIRED */

    /** z = f(x); adds log |det dz/dx| to log_det unless it is NULL. [worker] */
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                           void *log_det) WEIR_NOEXCEPT;

    /* OPTIONAL, the host supplies what is NULL where mathematics allows */

    /** x = f^-1(z); adds log |det dx/dz| to log_det unless NULL. Default: Newton iterations. [worker] */
    weir_status (*inverse)(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                           void *log_det) WEIR_NOEXCEPT;
    /** After a forward with tape, at the same x and z: x_bar = J^T z_bar + log_det_bar dl/dx; adds to the
     *  gradients of parameters, derived tensors and context. log_det_bar NULL: zero. x_bar NULL: not
     *  wanted. No default: without it the layer cannot train. [worker] */
    weir_status (*forward_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                               const weir_tile *z_bar, const void *log_det_bar,
                               const weir_tile *x_bar) WEIR_NOEXCEPT;
    /** After an inverse with tape: the same for the map z -> (x, log |det dx/dz|). Default: by the implicit
     *  function theorem from forward_vjp. [worker] */
    weir_status (*inverse_vjp)(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                               const weir_tile *x_bar, const void *log_det_bar,
                               const weir_tile *z_bar) WEIR_NOEXCEPT;

    /* OPTIONAL, data-dependent initialisation and batch statistics (WEIR_MODULE_OBSERVE_*).
     *
     * OBSERVE_ONCE: before training the layer sees the data once and sets its parameters and buffers from them.
     * OBSERVE_STEP: it is batch-coupled, the map of a row depends on the whole batch. In a training step on data the host
     * takes all tiles to the layer, and then, in this order: observe for every tile; merge; observe_finish; forward for
     * every tile. On the way back, with the cotangents of all tiles at hand: observe_vjp for every tile; merge;
     * observe_vjp_finish; then, tile by tile, forward with tape and forward_vjp. A row that is discarded, anywhere in the
     * flow, is in none of it. What tile calls of this step need, the two finishes leave in DERIVED tensors: after the step
     * the host calls prepare, which sets them to what evaluation uses (running averages, say, and no gradient through
     * them). No prepare is called between. What they write to parameters and buffers stays if the step is taken, and is put
     * back if it is not. Evaluation, sampling, reverse KL and the passes of initialisation know nothing of all this: they
     * find the layer as prepare left it. The host trains such a layer where it stands in the flow's own chain, or in chain
     * and repeat inside it, and refuses it elsewhere. */

    /** Bytes of one partial statistic; the host zeroes it before use and aligns it to 64. Large enough for those of observe
     *  and of observe_vjp. [any] */
    int64_t (*observe_size)(const void *self) WEIR_NOEXCEPT;
    /** Adds the first frame->rows rows of a tile to `partial`. inverse = 0: the tile is x, the input of
     *  forward; inverse = 1: it is z, the input of inverse, and what is learned must make inverse behave
     *  as forward would have on x. [worker] */
    weir_status (*observe)(const void *self, weir_frame *frame, int32_t inverse, const weir_tile *tile,
                           void *partial) WEIR_NOEXCEPT;
    /** into += from, both of observe or both of observe_vjp; one that is zero has seen no rows. The host merges in row
     *  order, over fixed chunks: the result does not depend on the number of threads. [worker] */
    weir_status (*merge)(const void *self, void *into, const void *from) WEIR_NOEXCEPT;
    /** Turns the total into state: may write this module's parameters, buffers and derived tensors through the frame's
     *  tensors. frame->mode is WEIR_MODE_EVALUATE in data-dependent initialisation, where the total replaces what was
     *  learned before, and WEIR_MODE_TRAIN in a step, where it is one batch's. [main] */
    weir_status (*observe_finish)(const void *self, weir_frame *frame, int32_t inverse,
                                  const void *total) WEIR_NOEXCEPT;
    /** Batch-coupled layers: like observe and observe_finish, for the sums over the batch that the VJP of
     *  the statistics needs (of z_bar, of z_bar * x_hat and of log_det_bar: every row's log-det depends on the
     *  statistics). The frame has no tape to read. The total reaches forward_vjp through a derived tensor. [worker], [main] */
    weir_status (*observe_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                               const weir_tile *z_bar, const void *log_det_bar, void *partial) WEIR_NOEXCEPT;
    weir_status (*observe_vjp_finish)(const void *self, weir_frame *frame, const void *total) WEIR_NOEXCEPT;

    /* OPTIONAL, no default */

    /** z = f(x) and z_dot = J x_dot. [worker] */
    weir_status (*dual)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                        const weir_tile *z, const weir_tile *z_dot) WEIR_NOEXCEPT;
    /** After a dual with tape: x_bar = J^T z_bar + d(z_dot_bar . J x_dot)/dx and x_dot_bar = J^T z_dot_bar
     *  (either may be NULL); adds the parameters' gradients. [worker] */
    weir_status (*dual_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                            const weir_tile *z, const weir_tile *z_dot, const weir_tile *z_bar,
                            const weir_tile *z_dot_bar, const weir_tile *x_bar,
                            const weir_tile *x_dot_bar) WEIR_NOEXCEPT;
    /** Fills x with valid random points of the input space, for tests of layers whose input is not all of
     *  R^n. Draws from `stream`. [worker] */
    weir_status (*sample_points)(const void *self, weir_frame *frame, uint32_t stream,
                                 const weir_tile *x) WEIR_NOEXCEPT;
} weir_layer_ops;

/* ---- univariate ----------------------------------------------------------------------------- */

/** Calls of a univariate: every feature of the tile is mapped by itself, with its own parameters, given
 *  row by row. Parameter p (of P) of feature f is lane f * P + p of `params`, which is NULL when P = 0 and is
 *  never indexed. */
typedef struct weir_univariate_ops {
    uint32_t struct_size;
    uint32_t reserved;

    /* REQUIRED */

    /** y = u(x; params), increasing or decreasing in x; adds the sum over features of log |du/dx| to
     *  log_det unless NULL. [worker] */
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *params,
                           const weir_tile *y, void *log_det) WEIR_NOEXCEPT;

    /* OPTIONAL, the host supplies what is NULL */

    /** x = u^-1(y; params); adds the sum of log |dx/dy|. Default: a bracketed root. [worker] */
    weir_status (*inverse)(const void *self, weir_frame *frame, const weir_tile *y, const weir_tile *params,
                           const weir_tile *x, void *log_det) WEIR_NOEXCEPT;
    /** After a forward with tape: cotangents of x and of params from those of (y, log_det). params_bar and
     *  x_bar are overwritten; NULL: not wanted. log_det_bar NULL: zero. No default. [worker] */
    weir_status (*forward_vjp)(const void *self, weir_frame *frame, const weir_tile *x,
                               const weir_tile *params, const weir_tile *y, const weir_tile *y_bar,
                               const void *log_det_bar, const weir_tile *x_bar,
                               const weir_tile *params_bar) WEIR_NOEXCEPT;
    /** After an inverse with tape: the same for the map y -> (x, log |dx/dy|). Default: the implicit
     *  function theorem, from forward_vjp. [worker] */
    weir_status (*inverse_vjp)(const void *self, weir_frame *frame, const weir_tile *y,
                               const weir_tile *params, const weir_tile *x, const weir_tile *x_bar,
                               const void *log_det_bar, const weir_tile *y_bar,
                               const weir_tile *params_bar) WEIR_NOEXCEPT;
} weir_univariate_ops;

/* ---- network -------------------------------------------------------------------------------- */

/** Calls of a network: y = g(x, context). x may have no features: then y depends on the context (if any)
 *  and on biases only. */
typedef struct weir_network_ops {
    uint32_t struct_size;
    uint32_t reserved;

    /* REQUIRED */

    /** [worker] */
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x,
                           const weir_tile *y) WEIR_NOEXCEPT;
    /** After a forward with tape; adds to the gradients of parameters and context. x_bar NULL: not
     *  wanted. [worker] */
    weir_status (*vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                       const weir_tile *y_bar, const weir_tile *x_bar) WEIR_NOEXCEPT;

    /* OPTIONAL, incremental evaluation of an autoregressive network; default: one whole pass per feature.
     * With P = outputs per feature, the outputs of feature d are y's lanes [d * P, (d + 1) * P) and depend
     * on inputs < d (and on the context) only. All five or none. */

    /** Starts a sweep over x and y, whose lanes fill up as it goes. *state is memory from the tape when
     *  the frame has one, else from scratch; it lives until end_vjp, or until the caller releases. [worker] */
    weir_status (*begin)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                         void **state) WEIR_NOEXCEPT;
    /** Inputs < d are decided: computes the outputs of feature d. Called for d = 0, 1, ... in turn. [worker] */
    weir_status (*step)(const void *self, weir_frame *frame, void *state, int32_t d, const weir_tile *x,
                        const weir_tile *y) WEIR_NOEXCEPT;
    /** Starts the way back over a sweep that had a tape. x_bar gets the part of the inputs' cotangents that
     *  comes through the network: overwritten, lane by lane, by step_vjp. Working memory comes from scratch
     *  and is kept in *work until end_vjp; nothing is popped yet. [worker] */
    weir_status (*begin_vjp)(const void *self, weir_frame *frame, const void *state, const weir_tile *x,
                             const weir_tile *y, void **work) WEIR_NOEXCEPT;
    /** Called for d = D - 1, ..., 0. The cotangents of the outputs of features >= d stand in y_bar; writes
     *  lane d - 1 of x_bar when d > 0, complete, and at d = D - 1 lane D - 1 too (zero). [worker] */
    weir_status (*step_vjp)(const void *self, weir_frame *frame, const void *state, void *work, int32_t d,
                            const weir_tile *x, const weir_tile *y, const weir_tile *y_bar,
                            const weir_tile *x_bar) WEIR_NOEXCEPT;
    /** Adds all gradients of parameters and context, then pops from the tape what begin pushed. [worker] */
    weir_status (*end_vjp)(const void *self, weir_frame *frame, const void *state, void *work,
                           const weir_tile *x, const weir_tile *y, const weir_tile *y_bar) WEIR_NOEXCEPT;

    /* OPTIONAL, no default */

    /** y = g(x) and y_dot = (dg/dx) x_dot. [worker] */
    weir_status (*dual)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                        const weir_tile *y, const weir_tile *y_dot) WEIR_NOEXCEPT;
    /** After a dual with tape; see weir_layer_ops.dual_vjp. [worker] */
    weir_status (*dual_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                            const weir_tile *y, const weir_tile *y_dot, const weir_tile *y_bar,
                            const weir_tile *y_dot_bar, const weir_tile *x_bar,
                            const weir_tile *x_dot_bar) WEIR_NOEXCEPT;
} weir_network_ops;

/* ---- density -------------------------------------------------------------------------------- */

/** Calls of a density over vectors z. */
typedef struct weir_density_ops {
    uint32_t struct_size;
    uint32_t reserved;

    /* REQUIRED */

    /** Adds log p(z) to log_p. Outside the support: -infinity, and the row is not discarded. [worker] */
    weir_status (*log_density)(const void *self, weir_frame *frame, const weir_tile *z,
                               void *log_p) WEIR_NOEXCEPT;
    /** After a log_density with tape: z_bar = log_p_bar d log p / dz (overwritten; NULL: not wanted); adds
     *  the parameters' gradients. [worker] */
    weir_status (*vjp)(const void *self, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                       const weir_tile *z_bar) WEIR_NOEXCEPT;

    /* OPTIONAL, no default: without a sampler the model can be evaluated, not sampled */

    /** z ~ p, drawn from the module's own stream. [worker] */
    weir_status (*sample)(const void *self, weir_frame *frame, const weir_tile *z) WEIR_NOEXCEPT;
    /** After a sample with tape, for samplers that reparameterise (z = h(noise; parameters)): adds the
     *  parameters' gradients, given z_bar. [worker] */
    weir_status (*sample_vjp)(const void *self, weir_frame *frame, const weir_tile *z,
                              const weir_tile *z_bar) WEIR_NOEXCEPT;
} weir_density_ops;

/* ---- methods -------------------------------------------------------------------------------- */

/** Any C function, cast: the signature beside it says what it takes. */
typedef void (*weir_method_function)(void) WEIR_NOEXCEPT;

/** A function that a module offers beside the calls of its kind, for programs and scripts that ask about an instance: the
 *  knots of a spline, the matrix of a linear layer. The host calls it by its signature, a text such as
 *
 *      (real theta[params]) -> real x[bins + 1], real y[bins + 1]
 *      (integer feature) -> number mean, real factor[in][in]
 *
 *  "(" arguments ")" "->" results; there may be no arguments, there is at least one result. Each is a type, a name
 *  [a-z][a-z0-9_]*, and up to four sizes in brackets:
 *
 *      integer   int64_t; with sizes const int64_t *         number   double, without sizes
 *      real      with sizes: const weir_real *, row-major    text     const char *, UTF-8, an argument without sizes
 *
 *  A size is made of numbers, names, + - and *. Names are in, out, params and context (features of the instance, parameters
 *  per element, columns of the context), SLOT.in, SLOT.out and SLOT.params of a child, integer arguments and integer options.
 *  Any other name alone in a size of an argument is the length that the caller gives: `real x[n]`, and then stands for it.
 *  The function in C is
 *
 *      weir_status (*)(const void *self, weir_frame *frame, arguments in order, a pointer for each result in order)
 *
 *  where results are int64_t *, double * and, with sizes, memory of as many elements, zeroed. WEIR_OK says that all of them
 *  are written; any other status fails with what frame->services->fail was told. The frame has no rows, tape or gradients;
 *  derived tensors are up to date. [main] */
typedef struct weir_method {
    uint32_t struct_size;
    uint32_t reserved;
    const char *name;          /**< [a-z][a-z0-9_]* */
    const char *signature;     /**< checked when the plugin is loaded, the same in both precisions */
    const char *summary;       /**< what it answers, one line */
    weir_method_function call; /**< see above; weir/plugin.h has WEIR_METHOD */
} weir_method;

/* ---- the descriptor ------------------------------------------------------------------------- */

/** One module in one precision. Constant, owned by the plugin. The id is the major version: the same id
 *  means the same parameters, names, shapes and meaning for ever; additions have defaults that keep old
 *  models what they were. */
typedef struct weir_module {
    uint32_t struct_size;
    int32_t kind;        /**< WEIR_LAYER, ... */
    int32_t precision;   /**< WEIR_F32 or WEIR_F64: the type that `ops` compute in */
    uint32_t flags;      /**< WEIR_MODULE_* */
    int32_t concurrency; /**< WEIR_REENTRANT, ... */
    int32_t reserved;
    const char *id;      /**< "rq_spline"; third parties prefix theirs: "vendor.name" */
    const char *version; /**< "1.0.0" */
    const char *summary; /**< one line */
    const char *doc;     /**< formula, shapes, units, errors, source; plain text */

    const weir_option *options; /**< NULL when option_count == 0 */
    int32_t option_count;       /**< how many options */
    int32_t option_stride;      /**< sizeof(weir_option) as the plugin was compiled */
    const weir_slot *slots;     /**< places for children; NULL when slot_count == 0 */
    int32_t slot_count;         /**< how many slots */
    int32_t slot_stride;        /**< sizeof(weir_slot) as the plugin was compiled */

    /** Makes an instance: reads options, declares tensors, linear objects, children and the output space
     *  through `build`, which is valid during this call only. On any status but OK nothing may be left
     *  behind; say why with build->fail. Allocates with malloc or what it likes; destroy frees. [main] */
    weir_status (*create)(weir_builder *build, void **self) WEIR_NOEXCEPT;
    /** [main] after the last call on the instance */
    void (*destroy)(void *self) WEIR_NOEXCEPT;

    /** Computes derived tensors from parameters, once per version of the parameters, before any tile of
     *  that version. NULL: nothing to do. [worker], alone with this instance */
    weir_status (*prepare)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;
    /** Chains the gradients of derived tensors (complete now) back to the parameters, once per step: reads
     *  gradients[derived], adds to gradients[parameter]. Must be there when prepare is. [worker], alone */
    weir_status (*prepare_vjp)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;

    /** weir_layer_ops, weir_univariate_ops, weir_network_ops or weir_density_ops, by kind. Never NULL. */
    const void *ops;
    /** A table known by a string id, or NULL. The member may be NULL. [any] */
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;

    const weir_method *methods; /**< further functions of an instance; NULL when method_count == 0 */
    int32_t method_count;       /**< how many methods */
    int32_t method_stride;      /**< sizeof(weir_method) as the plugin was compiled */
    /** Ending of the files that an instance may be made of (weir/files.h), such as ".foreign.json", for modules that have
     *  describe_file: `weir layers ID` lists those in the plugin folders. NULL: none. */
    const char *file_ending;
    /** Writes one line about such a file: WEIR_OK, and what it holds; WEIR_INVALID, and what is wrong with it; or
     *  WEIR_UNSUPPORTED: it is for another module. `text` has room for `capacity` bytes and must end with a zero. [main] */
    weir_status (*describe_file)(const char *path, char *text, int64_t capacity) WEIR_NOEXCEPT;
} weir_module;

WEIR_END_DECLS

#endif
