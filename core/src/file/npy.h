/* npy.h - what the .npy header says, shared by the reader and the writer.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__NPY_H
#define WEIR__NPY_H

#include "array.h"

#include <stdbool.h>

typedef struct weir__npy_header {
    char kind;    /* 'f', 'i', 'u' or 'b' */
    int item;     /* bytes of one element in the file */
    bool swapped; /* not the byte order of this machine */
    bool fortran; /* the first index runs fastest */
    int32_t rank;
    int64_t dims[WEIR__RANK_MAX];
} weir__npy_header;

/** Parses the dictionary text[0..size). NULL, or what is wrong, with the place in *at. */
const char *weir__npy_header_parse(const unsigned char *text, int64_t size, weir__npy_header *header,
                                   int64_t *at);
/** The type string of a dtype ("<f4"), or NULL. */
const char *weir__npy_descr(int32_t dtype);

#endif
