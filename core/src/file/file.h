/* file.h - reading whole files and replacing them atomically. */
#ifndef WEIR__FILE_H
#define WEIR__FILE_H

#include "error.h"

/** Reads a regular file into malloc'ed memory (one zero byte follows the contents). Refuses more than `limit` bytes. */
weir_status weir__file_read(const char *path, int64_t limit, unsigned char **data, int64_t *size,
                            weir_error *error);

/** A file being replaced: written to a temporary in the same folder, synced and renamed by commit. */
typedef struct weir__writer weir__writer;
weir_status weir__writer_open(const char *path, weir__writer **writer, weir_error *error);
/** Errors stick: commit reports the first. */
void weir__writer_put(weir__writer *writer, const void *data, int64_t size);
weir_status weir__writer_commit(weir__writer *writer, weir_error *error); /* frees */
void weir__writer_abandon(weir__writer *writer);                          /* frees, removes the temporary */

#endif
