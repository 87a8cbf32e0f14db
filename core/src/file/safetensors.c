/* safetensors.c - reading model files: an 8-byte little-endian length, a JSON header, the tensors' bytes.
 *
 * SPDX-License-Identifier: MIT
 *
 * The rules are those of the safetensors format: the header begins with '{', names are unique, "__metadata__" maps
 * strings to strings, and the tensors cover the bytes behind the header from the first to the last with neither gap
 * nor overlap. All of it is checked before anything is handed out. Files are little-endian, and so is every machine
 * that this code is built for: tensors are not copied.
 */
#include "safetensors.h"
#include "array.h"
#include "bytes.h"
#include "file.h"

#include <stdlib.h>

#define HEADER_MAX ((int64_t)100 << 20)
#define DEPTH_MAX  3 /* header, tensor, list */

_Static_assert(WEIR__LITTLE_ENDIAN, "safetensors files are little-endian");

struct weir__st_file {
    unsigned char *owned; /* NULL when the caller keeps the bytes */
    json_t *header;       /* names point into it */
    int64_t count;
    weir__st_tensor *tensors; /* in the header's order */
    int64_t *by_name;         /* indices, sorted */
};

int32_t weir__st_dtype(const char *name)
{
    for (int32_t dtype = 1; weir__st_dtype_name(dtype); dtype++)
        if (!strcmp(name, weir__st_dtype_name(dtype))) return dtype;
    return 0;
}

const char *weir__st_dtype_name(int32_t dtype)
{
    static const char *const names[] = {
        [WEIR_DTYPE_F32] = "F32",  [WEIR_DTYPE_F64] = "F64", [WEIR_DTYPE_U8] = "U8",
        [WEIR_DTYPE_I32] = "I32",  [WEIR_DTYPE_I64] = "I64", [WEIR_DTYPE_I8] = "I8",
        [WEIR_DTYPE_U16] = "U16",  [WEIR_DTYPE_I16] = "I16", [WEIR_DTYPE_U32] = "U32",
        [WEIR_DTYPE_BOOL] = "BOOL"};
    return dtype > 0 && (size_t)dtype < sizeof names / sizeof *names ? names[dtype] : NULL;
}

/* ---- one tensor ------------------------------------------------------------------------------- */

static weir_status bad_tensor(const char *file, const char *tensor, const char *problem, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "%s: tensor '%s': %s", file, tensor, problem);
}

/* NULL, or what is wrong. */
static const char *read_shape(const json_t *shape, weir__st_tensor *t)
{
    if (!json_is_array(shape)) return "has no shape; the file is damaged";
    if (json_array_size(shape) > WEIR__RANK_MAX) return "has more than 4 axes; reshape it";
    t->rank = (int32_t)json_array_size(shape);
    for (int32_t i = 0; i < t->rank; i++) {
        const json_t *const extent = json_array_get(shape, (size_t)i);
        t->dims[i] = json_is_integer(extent) ? json_integer_value(extent) : -1;
        if (t->dims[i] < 0) return "has an extent that is no number; the file is damaged";
    }
    return NULL;
}

static const char *read_offsets(const json_t *offsets, int64_t room, int64_t *begin, int64_t *end)
{
    const json_t *const first = json_array_get(offsets, 0), *const last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return "data_offsets are not two numbers; the file is damaged";
    *begin = json_integer_value(first);
    *end = json_integer_value(last);
    if (*begin < 0 || *end < *begin) return "data_offsets are impossible; the file is damaged";
    return *end > room ? "data lie behind the end of the file; it is cut" : NULL;
}

static weir_status read_tensor(const char *name, const char *key, const json_t *info,
                               const unsigned char *data, int64_t room, weir__st_tensor *t, weir_error *error)
{
    int64_t begin, end;
    if (!json_is_object(info) || json_object_size(info) != 3)
        return bad_tensor(name, key, "needs dtype, shape and data_offsets, no more and no less", error);
    const char *const dtype = json_string_value(json_object_get(info, "dtype"));
    *t = (weir__st_tensor){.name = key, .dtype = dtype ? weir__st_dtype(dtype) : 0};
    if (!t->dtype)
        return weir__fail(error, WEIR_INVALID, "%s: tensor '%s': dtype %s is not read; save it as F32 or F64",
                          name, key, dtype ? dtype : "(none)");
    const char *problem = read_shape(json_object_get(info, "shape"), t);
    if (!problem) problem = read_offsets(json_object_get(info, "data_offsets"), room, &begin, &end);
    if (problem) return bad_tensor(name, key, problem, error);
    const int64_t item = weir__dtype_bytes(t->dtype), bytes = weir__dims_bytes(t->rank, t->dims, item);
    if (bytes != end - begin)
        return bad_tensor(name, key, "shape and data_offsets disagree; the file is damaged", error);
    t->count = bytes / item;
    t->data = data + begin;
    return WEIR_OK;
}

/* ---- all of them ------------------------------------------------------------------------------ */

/* Empty tensors before the one that begins at the same byte. */
static int compare_places(const void *a, const void *b, void *tensors)
{
    const weir__st_tensor *const t = tensors, *const x = &t[*(const int64_t *)a],
                                 *const y = &t[*(const int64_t *)b];
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->count > 0) - (y->count > 0);
}

/* Sorted by place, each tensor must begin where the one before ended, and the last must end with the file. */
static weir_status check_cover(const weir__st_file *f, const unsigned char *data, int64_t room,
                               const char *name, weir_error *error)
{
    weir_status status = WEIR_OK;
    const unsigned char *at = data;
    int64_t *const order = calloc((size_t)f->count + 1, sizeof *order);
    if (!order) return weir__no_memory(error, name);
    for (int64_t i = 0; i < f->count; i++) order[i] = i;
    qsort_r(order, (size_t)f->count, sizeof *order, compare_places, f->tensors);
    for (int64_t i = 0; !status && i < f->count; i++) {
        const weir__st_tensor *const t = &f->tensors[order[i]];
        if (t->data != at)
            status = bad_tensor(
                name, t->name, "data overlap another's or leave a gap before it; the file is damaged", error);
        at = t->data + t->count * weir__dtype_bytes(t->dtype);
    }
    free(order);
    if (!status && at != data + room)
        status = weir__fail(error, WEIR_INVALID, "%s: %lld bytes follow the last tensor; the file is damaged",
                            name, (long long)(data + room - at));
    return status;
}

static int compare_names(const void *a, const void *b, void *tensors)
{
    const weir__st_tensor *const t = tensors;
    return strcmp(t[*(const int64_t *)a].name, t[*(const int64_t *)b].name);
}

static weir_status check_metadata(json_t *metadata, const char *name, weir_error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return weir__fail(error, WEIR_INVALID, "%s: __metadata__ is no object; the file is damaged", name);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return weir__fail(error, WEIR_INVALID, "%s: __metadata__ '%s' is no string; the file is damaged",
                              name, key);
    }
    return WEIR_OK;
}

static weir_status read_tensors(weir__st_file *f, const unsigned char *data, int64_t room, const char *name,
                                weir_error *error)
{
    const char *key;
    json_t *value;
    weir_status status = WEIR_OK;
    const size_t most = json_object_size(f->header) + 1;
    f->tensors = calloc(most, sizeof *f->tensors);
    f->by_name = calloc(most, sizeof *f->by_name);
    if (!f->tensors || !f->by_name) return weir__no_memory(error, name);
    json_object_foreach(f->header, key, value)
    {
        if (!strcmp(key, "__metadata__")) {
            status = check_metadata(value, name, error);
        } else {
            status = read_tensor(name, key, value, data, room, &f->tensors[f->count], error);
            f->by_name[f->count] = f->count;
            f->count++;
        }
        if (status) return status;
    }
    qsort_r(f->by_name, (size_t)f->count, sizeof *f->by_name, compare_names, f->tensors);
    return check_cover(f, data, room, name, error);
}

/* ---- the header ------------------------------------------------------------------------------- */

/* Nesting of JSON text, strings left out, before a parser that descends is let loose on it. */
static int depth_of(const char *text, int64_t size)
{
    int depth = 0, deepest = 0;
    for (int64_t i = 0; i < size && deepest <= DEPTH_MAX; i++) {
        if (text[i] == '"')
            for (i++; i < size && text[i] != '"'; i++) i += text[i] == '\\';
        else if (text[i] == '{' || text[i] == '[')
            deepest = ++depth > deepest ? depth : deepest;
        else if (text[i] == '}' || text[i] == ']')
            depth--;
    }
    return deepest;
}

static weir_status read_header(weir__st_file *f, const char *text, int64_t size, const char *name,
                               weir_error *error)
{
    json_error_t at;
    if (size == 0 || text[0] != '{' || depth_of(text, size) > DEPTH_MAX)
        return weir__fail(error, WEIR_INVALID,
                          "%s: its header is not that of a safetensors file; is it the right file?", name);
    f->header = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &at);
    if (f->header) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: header, byte %d: %s; the file is damaged", name,
                      8 + at.position, at.text);
}

weir_status weir__st_parse(const unsigned char *data, int64_t size, const char *name, weir__st_file **file,
                           weir_error *error)
{
    if (size < 8)
        return weir__fail(error, WEIR_INVALID,
                          "%s: is too short for a safetensors file; is it the right file?", name);
    const uint64_t length = weir__le64(data);
    if (length > (uint64_t)HEADER_MAX)
        return weir__fail(error, WEIR_INVALID,
                          "%s: its first 8 bytes are no header length; it is no safetensors file, or damaged",
                          name);
    if (length > (uint64_t)(size - 8))
        return weir__fail(error, WEIR_INVALID, "%s: ends within its header of %lld bytes; the file is cut",
                          name, (long long)length);
    weir__st_file *const f = calloc(1, sizeof *f);
    if (!f) return weir__no_memory(error, name);
    const int64_t head = 8 + (int64_t)length;
    weir_status status = read_header(f, (const char *)data + 8, (int64_t)length, name, error);
    if (!status) status = read_tensors(f, data + head, size - head, name, error);
    if (status)
        weir__st_free(f);
    else
        *file = f;
    return status;
}

weir_status weir__st_read(const char *path, weir__st_file **file, weir_error *error)
{
    unsigned char *data;
    int64_t size;
    weir_status status = weir__file_read(path, INT64_MAX - 1, &data, &size, error);
    if (status) return status;
    status = weir__st_parse(data, size, path, file, error);
    if (status)
        free(data);
    else
        (*file)->owned = data;
    return status;
}

void weir__st_free(weir__st_file *file)
{
    if (!file) return;
    json_decref(file->header);
    free(file->tensors);
    free(file->by_name);
    free(file->owned);
    free(file);
}

/* ---- looking up ------------------------------------------------------------------------------- */

int64_t weir__st_count(const weir__st_file *file)
{
    return file->count;
}

const weir__st_tensor *weir__st_at(const weir__st_file *file, int64_t index)
{
    return index >= 0 && index < file->count ? &file->tensors[index] : NULL;
}

const weir__st_tensor *weir__st_find(const weir__st_file *file, const char *name)
{
    int64_t low = 0, high = file->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const weir__st_tensor *const t = &file->tensors[file->by_name[middle]];
        const int order = strcmp(name, t->name);
        if (order == 0) return t;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *weir__st_metadata(const weir__st_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}
