/* safetensors.h - the file format of models and checkpoints: an 8-byte length, a JSON header, the tensors' bytes. */
#ifndef WEIR__SAFETENSORS_H
#define WEIR__SAFETENSORS_H

#include "error.h"

#include <jansson.h>

/** One tensor of a file in memory. dtype: WEIR_DTYPE_*. data points into the file's bytes, which may be unaligned. */
typedef struct weir__st_tensor {
    const char *name;
    int32_t dtype;
    int32_t rank;
    int64_t dims[4];
    int64_t count;
    const unsigned char *data;
} weir__st_tensor;

typedef struct weir__st_file weir__st_file;

/** Reads and checks everything: header length, JSON depth, names, dtypes, overflow, offsets inside the file, no overlap, no
 *  gap. Says path and byte or tensor on failure. */
weir_status weir__st_read(const char *path, weir__st_file **file, weir_error *error);
/** The same from memory, which stays the caller's and must outlive the file. `name` is for messages. */
weir_status weir__st_parse(const unsigned char *data, int64_t size, const char *name, weir__st_file **file,
                           weir_error *error);
void weir__st_free(weir__st_file *file);
int64_t weir__st_count(const weir__st_file *file);
const weir__st_tensor *weir__st_at(const weir__st_file *file, int64_t index);
const weir__st_tensor *weir__st_find(const weir__st_file *file, const char *name);
/** Value of a key in __metadata__ (a string), or NULL. */
const char *weir__st_metadata(const weir__st_file *file, const char *key);

/** Writes tensors, listed in the order given and laid out by falling element size (which keeps every one aligned
 *  without gaps, and that order among equals), and metadata (an object of strings), header padded so that data are 8-byte aligned and
 *  each tensor starts at a multiple of its element size. The same input gives the same bytes. Atomic. */
weir_status weir__st_write(const char *path, const json_t *metadata, const weir__st_tensor *tensors,
                           int64_t count, weir_error *error);

/** "F32" and so on: NULL or 0 for what is unknown. */
const char *weir__st_dtype_name(int32_t dtype);
int32_t weir__st_dtype(const char *name);

#endif
