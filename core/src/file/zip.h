/* zip.h - the members of a zip archive in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__ZIP_H
#define WEIR__ZIP_H

#include "error.h"

typedef struct weir__zip {
    const unsigned char *data; /* the whole file */
    int64_t size;
    const unsigned char *at, *end; /* the rest of the central directory */
    const char *name;              /* of the file, for messages */
} weir__zip;

typedef struct weir__zip_entry {
    const char *name; /* not zero-terminated */
    int32_t name_length;
    int32_t method;       /* 0 stored, 8 deflate */
    int32_t encrypted;    /* 1: it is */
    uint32_t crc;         /* of the contents */
    int64_t packed, size; /* bytes in the archive and unpacked */
    int64_t offset;       /* of the local header */
} weir__zip_entry;

weir_status weir__zip_open(const unsigned char *data, int64_t size, const char *name, weir__zip *zip,
                           weir_error *error);
/** The next entry, in *found 1; 0 at the end. */
weir_status weir__zip_next(weir__zip *zip, weir__zip_entry *entry, int32_t *found, weir_error *error);
/** The contents, checked against size and CRC: *bytes points into the archive (then *block is NULL) or to *block, which
 *  is the caller's to free. `label` names the member in messages. */
weir_status weir__zip_contents(const weir__zip *zip, const weir__zip_entry *entry, const char *label,
                               const unsigned char **bytes, unsigned char **block, weir_error *error);

#endif
