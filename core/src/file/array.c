/* array.c - arrays in memory, and what a caller sees of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "array.h"

#include <stdbool.h>
#include <stdlib.h>

int64_t weir__dtype_bytes(int32_t dtype)
{
    static const int8_t bytes[] = {
        [WEIR_DTYPE_F32] = 4, [WEIR_DTYPE_F64] = 8, [WEIR_DTYPE_U8] = 1,  [WEIR_DTYPE_I32] = 4,
        [WEIR_DTYPE_I64] = 8, [WEIR_DTYPE_I8] = 1,  [WEIR_DTYPE_U16] = 2, [WEIR_DTYPE_I16] = 2,
        [WEIR_DTYPE_U32] = 4, [WEIR_DTYPE_BOOL] = 1};
    return dtype > 0 && (size_t)dtype < sizeof bytes ? bytes[dtype] : 0;
}

/* A zero among the dims makes the product zero whatever the others are, yet each must be a possible extent, or a
 * later product of only some of them would overflow: so overflow is looked for with zeros taken as ones. */
int64_t weir__dims_bytes(int32_t rank, const int64_t *dims, int64_t item)
{
    int64_t bytes = item;
    bool empty = false;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 0) return -1;
        if (dims[i] == 0) empty = true;
        if (__builtin_mul_overflow(bytes, dims[i] ? dims[i] : 1, &bytes)) return -1;
    }
    return empty ? 0 : bytes;
}

weir_status weir__array_new(int32_t dtype, int32_t rank, const int64_t *dims, const char *name,
                            weir_array **array, weir_error *error)
{
    const int64_t item = weir__dtype_bytes(dtype), bytes = weir__dims_bytes(rank, dims, item);
    weir_array *const a = bytes < 0 || item == 0 ? NULL : calloc(1, sizeof *a);
    if (!a) return weir__no_memory(error, name);
    a->dtype = dtype;
    a->rank = rank;
    for (int32_t i = 0; i < rank; i++) a->dims[i] = dims[i];
    a->count = bytes / item;
    a->data = malloc(bytes ? (size_t)bytes : 1);
    if (!a->data) {
        free(a);
        return weir__no_memory(error, name);
    }
    *array = a;
    return WEIR_OK;
}

void weir_array_free(weir_array *array)
{
    if (!array) return;
    free(array->data);
    free(array->columns);
    free(array);
}

int32_t weir_array_dtype(const weir_array *array)
{
    return array->dtype;
}

int32_t weir_array_rank(const weir_array *array)
{
    return array->rank;
}

int64_t weir_array_dim(const weir_array *array, int32_t axis)
{
    return axis >= 0 && axis < array->rank ? array->dims[axis] : -1;
}

void *weir_array_data(weir_array *array)
{
    return array->data;
}

const char *weir_array_column(const weir_array *array, int64_t j)
{
    return j >= 0 && j < array->column_count ? array->columns[j] : NULL;
}
