/* parameterization.h - the forms that a matrix may be kept in, by name. */
#ifndef LINEAR_PARAMETERIZATION_H
#define LINEAR_PARAMETERIZATION_H

#include "product.h"

#define PARAMETERIZATION_REFLECTS 1 /**< has factors whose size is the number of reflections */
#define PARAMETERIZATION_RANKED   2 /**< has a factor whose size is the rank */
#define PARAMETERIZATION_ROTATES  4 /**< can hold any rotation, so may start at a random one */

typedef struct parameterization {
    const char *name;
    uint32_t flags;               /**< PARAMETERIZATION_* */
    int32_t count;                /**< of factors */
    factor factors[PRODUCT_MOST]; /**< ops, names and flags */
} parameterization;

#define PARAMETERIZATION_CHOICES "full|diagonal|triangular|lu|qr|svd|householder|exponential|cayley|low_rank"

/** One of the choices; NULL for any other name. */
const parameterization *WEIR_NAME(parameterization_named)(const char *name);

/** Declares the matrix in this form, and its bias under the given name (NULL: none). size: how many reflections, or the
 *  rank; 0 where the form has neither. */
weir_status WEIR_NAME(parameterization_declare)(const parameterization *form, weir_builder *build,
                                                int32_t size, int random, const char *bias, product *made);

#endif
