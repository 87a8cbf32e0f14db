/* factor.h - what a matrix is made of: a product of one to three factors, each of a kind that the table below describes.
 *
 * To add a parameterization: write its factor's seven functions in a file of its own, declare its table here, and name
 * it in parameterizations of linear.c.
 */
#ifndef LINEAR_FACTOR_H
#define LINEAR_FACTOR_H

#include "start.h"

typedef struct factor factor;

/** What one kind of factor F does. Tiles never overlap. */
typedef struct factor_ops {
    /** Declares tensors that start as `from` says; may refuse, with a reason. */
    weir_status (*declare)(factor *self, weir_builder *build, const start *from);
    /** out = F in, or F^T in */
    weir_status (*multiply)(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                            const weir_tile *out);
    /** out = F^-1 in, or F^-T in */
    weir_status (*solve)(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                         const weir_tile *out);
    /** F's cotangent += sign * left right^T, summed over the rows that count; for parameters, or for derived tensors that
     *  prepare_vjp chains back. NULL: nothing to train. */
    weir_status (*outer)(const factor *self, weir_frame *frame, double sign, const weir_tile *left,
                         const weir_tile *right);
    /** Computes derived tensors, and adds log |det F| to *log_volume. NULL: nothing to do, and the determinant is 1 or -1. */
    weir_status (*prepare)(const factor *self, weir_frame *frame, double *log_volume);
    /** log_volume_bar: the cotangent of log |det F|. NULL when prepare is. */
    weir_status (*prepare_vjp)(const factor *self, weir_frame *frame, double log_volume_bar);
    /** 1: |det F| = 1 whatever the parameters. */
    int keeps_volume;
} factor_ops;

#define FACTOR_LOWER  1 /**< triangular: below the diagonal, else above */
#define FACTOR_UNIT   2 /**< triangular: ones on the diagonal */
#define FACTOR_SIGNED 4 /**< triangular: the diagonal has fixed signs, a buffer */

/** One factor of an instance. What the handles stand for is its kind's affair; unused ones stay 0. */
struct factor {
    const factor_ops *ops;
    const char *name;                        /**< of its main tensor */
    int32_t flags;                           /**< FACTOR_* */
    int32_t features;                        /**< n: F is n x n */
    int32_t size;                            /**< how many reflections; the rank */
    weir_handle main, other, diagonal, sign; /**< parameters and buffers */
    weir_handle dense, scale;                /**< derived */
};

extern const factor_ops WEIR_NAME(full_factor), WEIR_NAME(diagonal_factor), WEIR_NAME(triangular_factor),
    WEIR_NAME(permutation_factor), WEIR_NAME(reflections_factor), WEIR_NAME(exponential_factor),
    WEIR_NAME(cayley_factor), WEIR_NAME(low_rank_factor);

#endif
