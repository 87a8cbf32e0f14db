/* weir/frame.h - what a running call gets: tensors, tape, scratch, random numbers, mathematics.
 *
 * SPDX-License-Identifier: MIT
 *
 * Handles (int32_t) are given out while a module is created (weir/build.h) and are plain indices into
 * the frame's tables: no lookup by name ever happens in a call.
 */
#ifndef WEIR_FRAME_H
#define WEIR_FRAME_H

#include <weir/tile.h>

WEIR_BEGIN_DECLS

/** Index of a tensor or of a linear object. -1 stands for "none". */
typedef int32_t weir_handle;

typedef struct weir_frame weir_frame;
typedef struct weir_tape weir_tape;       /**< opaque, the host's */
typedef struct weir_scratch weir_scratch; /**< opaque, the host's */

#define WEIR_MODE_EVALUATE 0 /**< parameters and buffers are read-only; noise is fixed */
#define WEIR_MODE_TRAIN    1 /**< noise is fresh in every epoch */

/* ---- vectorised mathematics ----------------------------------------------------------------- */

/** The one-argument functions the host vectorises: name, formula. y[i] = f(x[i]) for i < n; y may be
 *  x. Results do not depend on n or on the position of an element. Errors: at most 4 ulp in f32,
 *  2 ulp in f64, on every processor; special values as in C's <math.h>, but a result beyond 0.9999
 *  of the largest number may be infinity. The list is closed, because gemm stands behind it in weir_math: what comes later is
 *  a member of its own at the end. */
#define WEIR_MATH_LIST(X)                                                                                    \
    X(exp, "e^x")                                                                                            \
    X(expm1, "e^x - 1")                                                                                      \
    X(log, "natural logarithm")                                                                              \
    X(log1p, "log(1 + x)")                                                                                   \
    X(tanh, "hyperbolic tangent")                                                                            \
    X(sigmoid, "1 / (1 + e^-x)")                                                                             \
    X(softplus, "log(1 + e^x), no overflow")                                                                 \
    X(sin, "sine")                                                                                           \
    X(cos, "cosine")                                                                                         \
    X(erf, "error function")

/** Mathematics in one precision (that of the frame it is reached from). All functions are [any],
 *  allocate nothing and never fail. */
typedef struct weir_math {
    uint32_t struct_size;
    int32_t precision; /**< WEIR_F32 or WEIR_F64: what x, y, a, b and c point to */
#define WEIR_MATH_MEMBER(name, text) void (*name)(int64_t n, const void *x, void *y) WEIR_NOEXCEPT;
    WEIR_MATH_LIST(WEIR_MATH_MEMBER)
#undef WEIR_MATH_MEMBER
    /** C = beta C + alpha A B, where A is m x k, B is k x n, C is m x n and element (i, j) of A is at
     *  a[i * a_row + j * a_col]. beta = 0 never reads C. m, n or k may be 0. Rows of A, B, C may lie
     *  anywhere but C overlaps neither A nor B. Fast when one of the two strides of each matrix is 1. */
    void (*gemm)(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row, int64_t a_col,
                 const void *b, int64_t b_row, int64_t b_col, double beta, void *c, int64_t c_row,
                 int64_t c_col) WEIR_NOEXCEPT;
} weir_math;

/* ---- linear objects: dense layers that the host owns ----------------------------------------- */

/** Add to what the output tile holds instead of overwriting it (before the activation). */
#define WEIR_LINEAR_ADD 1u

/* ---- services ------------------------------------------------------------------------------- */

/** Functions of the host for a running call. All are [worker] and take the frame of the call. */
typedef struct weir_services {
    uint32_t struct_size;
    uint32_t reserved;

    /** Tape. A forward pass pushes what its VJP needs; the VJP pops in the opposite order, with the
     *  same sizes, and MUST leave the bytes as they were: the host may rewind and run another VJP.
     *  Only when frame->tape is not NULL. Memory is 64-byte aligned, uninitialised, stays where it is
     *  until popped and rewound: after a pop it is the module's until it calls a child, which may push
     *  over it (recompute mode, supplied calls). Returns NULL when memory is exhausted or, for pop, when
     *  the sizes do not match; then the module returns WEIR_ERROR (the host has noted why). bytes may be 0. */
    void *(*tape_push)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;
    void *(*tape_pop)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;

    /** Scratch. 64-byte aligned, uninitialised, valid until whoever called the module releases it:
     *  a module need not release what it took, but one that calls children marks before and releases
     *  after (weir/plugin.h's wrappers do). NULL when memory is exhausted, never for 0 bytes. */
    void *(*scratch_take)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;
    int64_t (*scratch_mark)(weir_frame *frame) WEIR_NOEXCEPT;
    void (*scratch_release)(weir_frame *frame, int64_t mark) WEIR_NOEXCEPT;

    /** Counter-based random numbers (Philox4x32-10, Salmon et al. 2011), keyed by the frame's seed and
     *  step, the row's own number, the module's `stream` (weir/build.h) and `draw`, which the module
     *  counts for itself (feature index, iteration, ...). The same key gives the same number for any
     *  tiling, thread count or repetition, so a VJP or a recomputation calls it again. Writes
     *  frame->width elements; padding rows repeat a row. Uniform is in (0, 1), both ends excluded. */
    void (*random_uniform)(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane) WEIR_NOEXCEPT;
    void (*random_normal)(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane) WEIR_NOEXCEPT;

    /** Linear objects, y = activation(W x + b), declared by weir_builder.linear. Inputs and outputs may
     *  be indexed tiles, whatever the module declared.
     *  forward: computes outputs [first, first + count) of y from x; count < 0 means all of them. An input that the
     *    block structure hides from every output of the call is not read and may hold anything; one that only some of
     *    them see must be finite (the others multiply it by a zero weight).
     *    flags WEIR_LINEAR_ADD: y holds an addend to W x + b.
     *  vjp_activation: multiplies y_bar, in place, by the activation's derivative, found from the output
     *    y (every activation offered allows that), for outputs [first, first + count).
     *  vjp_input: for inputs [first, first + count): x_bar = W^T y_bar (or added, with WEIR_LINEAR_ADD);
     *    y_bar is the cotangent before the activation. Outputs hidden from those inputs are not read.
     *  vjp_weights: adds y_bar x^T to the gradient of W and the row sums of y_bar to that of b, from the
     *    same y_bar; nothing for a frozen tensor. */
    weir_status (*linear_forward)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                  const weir_tile *x, const weir_tile *y, uint32_t flags) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_activation)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                         const weir_tile *y, const weir_tile *y_bar) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_input)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                    const weir_tile *y_bar, const weir_tile *x_bar,
                                    uint32_t flags) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_weights)(weir_frame *frame, weir_handle linear, const weir_tile *x,
                                      const weir_tile *y_bar) WEIR_NOEXCEPT;

    /** Notes why a call is about to fail; the text is copied at once and the host adds the module's
     *  place in the model. The last text before the return counts. */
    void (*fail)(weir_frame *frame, const char *text) WEIR_NOEXCEPT;

    /** Adds a line to the host's log. level: 0 debug, 1 information, 2 warning. */
    void (*log)(weir_frame *frame, int32_t level, const char *text) WEIR_NOEXCEPT;

    /** A table known by a string id, or NULL. */
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
} weir_services;

/* ---- reports of numeric solvers --------------------------------------------------------------- */

/** Filled by modules that iterate, one entry per row. Any member may be NULL: not wanted. */
typedef struct weir_report {
    uint32_t struct_size;
    uint32_t reserved;
    int32_t *iterations; /**< [width], added to */
    double *residual;    /**< [width], the larger of the old and the new is kept */
} weir_report;

/* ---- the frame ------------------------------------------------------------------------------ */

/** Everything a call may use beside its arguments. Owned by the host, alive during the call, used by
 *  one thread at a time. A module passes the frame it got to its children unchanged. */
struct weir_frame {
    uint32_t struct_size;
    int32_t precision; /**< WEIR_F32 or WEIR_F64: the type behind every void * of the call */
    int32_t mode;      /**< WEIR_MODE_* */
    int32_t worker;    /**< which of the host's workers runs this, from 0 */
    int32_t rows;      /**< of every tile of this call */
    int32_t width;     /**< of every tile of this call */
    int64_t stride; /**< elements per lane that the host advises for new tiles: >= width, not a power of 2 */

    const weir_services *services; /**< never NULL */
    const weir_math *math;         /**< never NULL */

    /** Tensor `h` (parameter, derived tensor or buffer) is at tensors[h], 64-byte aligned, dense, row-major,
     *  in the frame's precision (integer buffers: int64_t). Read-only in tile calls. prepare may write
     *  derived tensors; observe_finish its own parameters, buffers and derived tensors, observe_vjp_finish its own
     *  derived tensors. */
    void *const *tensors;
    /** Where the gradient of tensor h is ADDED, private to this worker's lane of accumulation.
     *  gradients == NULL: none is wanted. gradients[h] == NULL: this tensor is frozen or a buffer. */
    void *const *gradients;

    weir_tape *tape;       /**< NULL: nothing may be pushed, no VJP will follow */
    weir_scratch *scratch; /**< never NULL */

    const weir_tile *context;     /**< conditioning features of the same rows; NULL: the model has none */
    const weir_tile *context_bar; /**< cotangent of context, ADDED to; NULL: not wanted */

    const uint64_t *row_ids; /**< [width] each row's own number: keys of the random streams */
    uint64_t seed;           /**< of the run */
    uint64_t step;           /**< epoch number when training, 0 when evaluating */

    /** Bit r of word r / 64 is set by a module (weir_discard) when row r met the edge of a domain or did
     *  not converge; the call then returns WEIR_DISCARD. All other rows must be right. [(width + 63) / 64] */
    uint64_t *discard;
    weir_report *report; /**< NULL: not wanted */
    void *host;          /**< the host's own; not for modules */
};

WEIR_END_DECLS

#endif
