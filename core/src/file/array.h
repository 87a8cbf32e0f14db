/* array.h - an array in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__ARRAY_H
#define WEIR__ARRAY_H

#include "error.h"

#define WEIR__RANK_MAX 4

struct weir_array {
    int32_t dtype; /* WEIR_DTYPE_* */
    int32_t rank;  /* 0: a single number */
    int64_t dims[WEIR__RANK_MAX];
    int64_t count;  /* product of dims */
    void *data;     /* row-major, native byte order; never NULL */
    char **columns; /* names, `column_count` of them, in one block with their text; NULL: none */
    int64_t column_count;
};

/** Bytes of one element, 0 for an unknown dtype. */
int64_t weir__dtype_bytes(int32_t dtype);
/** Product of non-negative dims and `item`, or -1 when it does not fit in memory's address range. */
int64_t weir__dims_bytes(int32_t rank, const int64_t *dims, int64_t item);
/** An array with uninitialised data. The dims have been checked. `name` is the file, for the message. */
weir_status weir__array_new(int32_t dtype, int32_t rank, const int64_t *dims, const char *name,
                            weir_array **array, weir_error *error);

#endif
