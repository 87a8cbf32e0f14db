/* inflate.h - decompression with bounds on what comes out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__INFLATE_H
#define WEIR__INFLATE_H

#include "error.h"

/** A raw deflate stream that must fill exactly `out_size` bytes and use exactly `size`. */
weir_status weir__inflate(const unsigned char *data, int64_t size, unsigned char *out, int64_t out_size,
                          const char *name, weir_error *error);
/** One gzip file (of one or more members) into malloc'ed memory with a zero byte behind it; at most `limit` bytes. */
weir_status weir__gunzip(const unsigned char *data, int64_t size, int64_t limit, const char *name,
                         unsigned char **out, int64_t *out_size, weir_error *error);

#endif
