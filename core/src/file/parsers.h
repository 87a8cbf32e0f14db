/* parsers.h - the parsers that make an array from the bytes of a file.
 *
 * SPDX-License-Identifier: MIT
 *
 * Parsers never touch the file system: they take bytes and a name for messages, so that a fuzzer can drive them. What
 * they read is hostile: no size is believed before it was compared with the bytes that are there, and nothing larger
 * than the data themselves is allocated on a header's word.
 */
#ifndef WEIR__PARSERS_H
#define WEIR__PARSERS_H

#include "array.h"

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
