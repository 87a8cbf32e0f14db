/* safetensors_write.c - writing model files, the same bytes for the same input.
 *
 * SPDX-License-Identifier: MIT
 *
 * No gap is allowed between tensors, yet each must lie at a multiple of its element size: so those of larger elements
 * come first. The header keeps the caller's order; readers go by the offsets.
 */
#include "array.h"
#include "file.h"
#include "safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 100000000 /* what every reader accepts */

/* The order of data: 8-byte elements, then 4, 2, 1; the caller's order among equals. */
typedef struct layout {
    int64_t *order, *begin; /* begin: of tensor i, by the caller's index */
    int64_t size;
} layout;

static int64_t bytes_of(const weir__st_tensor *t)
{
    return weir__dims_bytes(t->rank, t->dims, weir__dtype_bytes(t->dtype));
}

static weir_status check_tensor(const char *path, const weir__st_tensor *t, weir_error *error)
{
    const bool fits = t->rank >= 0 && t->rank <= WEIR__RANK_MAX && weir__st_dtype_name(t->dtype);
    if (fits && bytes_of(t) >= 0 && bytes_of(t) == t->count * weir__dtype_bytes(t->dtype)) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "%s: tensor '%s' has an impossible dtype or shape; nothing was written", path, t->name);
}

static weir_status lay_out(const char *path, const weir__st_tensor *tensors, int64_t count, layout *l,
                           weir_error *error)
{
    *l = (layout){.order = calloc((size_t)count + 1, sizeof(int64_t)),
                  .begin = calloc((size_t)count + 1, sizeof(int64_t))};
    if (!l->order || !l->begin) return weir__no_memory(error, path);
    int64_t placed = 0;
    for (int64_t item = 8; item > 0; item /= 2)
        for (int64_t i = 0; i < count; i++) {
            if (weir__dtype_bytes(tensors[i].dtype) != item) continue;
            l->order[placed++] = i;
            l->begin[i] = l->size;
            if (__builtin_add_overflow(l->size, bytes_of(&tensors[i]), &l->size))
                return weir__fail(error, WEIR_INVALID,
                                  "%s: the tensors are too large for a file; nothing was written", path);
        }
    return WEIR_OK;
}

/* ---- header ----------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A copy with sorted keys: two equal objects may have been filled in different orders. NULL: not all strings, or no
 * memory. */
static json_t *sorted_metadata(const json_t *metadata)
{
    json_t *const plain = json_deep_copy(metadata), *const sorted = json_object(), *value;
    const char **const keys = calloc(json_object_size(plain) + 1, sizeof *keys);
    const char *key;
    size_t count = 0;
    bool ok = json_is_object(plain) && sorted && keys;
    if (ok) json_object_foreach(plain, key, value) keys[count++] = key;
    if (ok) qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; ok && i < count; i++) {
        value = json_object_get(plain, keys[i]);
        ok = json_is_string(value) && !json_object_set(sorted, keys[i], value);
    }
    free(keys);
    json_decref(plain);
    if (ok) return sorted;
    json_decref(sorted);
    return NULL;
}

static json_t *describe(const weir__st_tensor *t, int64_t begin)
{
    const json_int_t first = begin, last = begin + bytes_of(t);
    json_t *const shape = json_array();
    for (int32_t i = 0; i < t->rank; i++) json_array_append_new(shape, json_integer(t->dims[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", weir__st_dtype_name(t->dtype), "shape", shape,
                     "data_offsets", first, last);
}

static weir_status add_tensors(json_t *header, const char *path, const weir__st_tensor *tensors,
                               int64_t count, const layout *l, weir_error *error)
{
    for (int64_t i = 0; i < count; i++) {
        const char *const name = tensors[i].name;
        if (!strcmp(name, "__metadata__") || json_object_get(header, name))
            return weir__fail(error, WEIR_INVALID,
                              "%s: tensor name '%s' is taken already; nothing was written", path, name);
        if (json_object_set_new(header, name, describe(&tensors[i], l->begin[i])))
            return weir__fail(error, WEIR_INVALID, "%s: tensor name '%s' is not UTF-8; nothing was written",
                              path, name);
    }
    return WEIR_OK;
}

static weir_status make_header(const char *path, const json_t *metadata, const weir__st_tensor *tensors,
                               int64_t count, const layout *l, char **text, weir_error *error)
{
    json_t *const header = json_object();
    if (!header) return weir__no_memory(error, path);
    weir_status status = WEIR_OK;
    if (metadata && json_object_set_new(header, "__metadata__", sorted_metadata(metadata)))
        status = weir__fail(error, WEIR_INVALID,
                            "%s: metadata must be an object of strings; nothing was written", path);
    if (!status) status = add_tensors(header, path, tensors, count, l, error);
    if (!status && !(*text = json_dumps(header, JSON_COMPACT))) status = weir__no_memory(error, path);
    json_decref(header);
    return status;
}

/* ---- the file --------------------------------------------------------------------------------- */

/* Padded with blanks so that the data begin at a multiple of 8. */
static void put_header(weir__writer *w, const char *text, size_t length)
{
    const size_t padded = (length + 7) / 8 * 8;
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i & 255);
    weir__writer_put(w, prefix, sizeof prefix);
    weir__writer_put(w, text, (int64_t)length);
    weir__writer_put(w, "       ", (int64_t)(padded - length));
}

static weir_status write_file(const char *path, const char *text, const weir__st_tensor *tensors,
                              int64_t count, const layout *l, weir_error *error)
{
    weir__writer *w;
    const size_t length = strlen(text);
    if (length > HEADER_MAX - 8)
        return weir__fail(
            error, WEIR_INVALID,
            "%s: names and metadata need more than the 100 MB a header may have; nothing was written", path);
    const weir_status status = weir__writer_open(path, &w, error);
    if (status) return status;
    put_header(w, text, length);
    for (int64_t i = 0; i < count; i++)
        weir__writer_put(w, tensors[l->order[i]].data, bytes_of(&tensors[l->order[i]]));
    return weir__writer_commit(w, error);
}

weir_status weir__st_write(const char *path, const json_t *metadata, const weir__st_tensor *tensors,
                           int64_t count, weir_error *error)
{
    weir_status status = WEIR_OK;
    layout l = {0};
    char *text = NULL;
    for (int64_t i = 0; !status && i < count; i++) status = check_tensor(path, &tensors[i], error);
    if (!status) status = lay_out(path, tensors, count, &l, error);
    if (!status) status = make_header(path, metadata, tensors, count, &l, &text, error);
    if (text) status = write_file(path, text, tensors, count, &l, error);
    free(text);
    free(l.order);
    free(l.begin);
    return status;
}
