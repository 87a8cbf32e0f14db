/* array.h - an array in memory, and the parsers that make one from the bytes of a file.
 *
 * SPDX-License-Identifier: MIT
 *
 * Parsers never touch the file system: they take bytes and a name for messages, so that a fuzzer can drive them. What
 * they read is hostile: no size is believed before it was compared with the bytes that are there, and nothing larger
 * than the data themselves is allocated on a header's word.
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

weir_status weir__npy_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error);
/** member: with or without its ".npy"; NULL: the only one. */
weir_status weir__npz_parse(const unsigned char *data, int64_t size, const char *name, const char *member,
                            weir_array **array, weir_error *error);
/** data[size] must be readable and zero, as weir__file_read leaves it: numbers are scanned up to that sentinel. */
weir_status weir__csv_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error);
weir_status weir__idx_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error);
/** Any of them, by content, then by the ending of `name`; gzip'ed too. data[size] as for CSV. */
weir_status weir__array_parse(const unsigned char *data, int64_t size, const char *name, const char *member,
                              weir_array **array, weir_error *error);

#endif
