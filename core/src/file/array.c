/* array.c - arrays out of files: which format it is, and what the caller sees of the result.
 *
 * SPDX-License-Identifier: MIT
 *
 * The content decides, because endings lie; only text has no mark of its own, and there the ending helps.
 */
#include "array.h"
#include "file.h"
#include "inflate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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

/* ---- which format ----------------------------------------------------------------------------- */

#define TEXT_PROBE 4096

static bool starts(const unsigned char *data, int64_t size, const char *magic, int64_t length)
{
    return size >= length && !memcmp(data, magic, (size_t)length);
}

static bool tail_is(const char *text, size_t length, const char *tail)
{
    const size_t t = strlen(tail);
    return length > t && !strncasecmp(text + length - t, tail, t);
}

/* The ending beneath a .gz, if there is one. */
static bool ends(const char *name, const char *ending)
{
    const size_t length = strlen(name);
    return tail_is(name, tail_is(name, length, ".gz") ? length - 3 : length, ending);
}

static bool is_gzip(const unsigned char *data, int64_t size)
{
    return starts(data, size, "\x1f\x8b", 2);
}

/* Two zero bytes, a known type of element, and at least one axis. */
static bool is_idx(const unsigned char *data, int64_t size)
{
    return size >= 4 && !data[0] && !data[1] && data[2] >= 0x08 && data[2] <= 0x0e && data[3] > 0;
}

static bool is_text(const unsigned char *data, int64_t size)
{
    return size == 0 || !memchr(data, 0, (size_t)(size < TEXT_PROBE ? size : TEXT_PROBE));
}

/* A file cut within its magic still has its ending: let the parser say what is wrong. */
static weir_status parse_by_ending(const unsigned char *data, int64_t size, const char *name,
                                   weir_array **array, weir_error *error)
{
    if (ends(name, ".npy")) return weir__npy_parse(data, size, name, array, error);
    if (ends(name, ".npz")) return weir__npz_parse(data, size, name, NULL, array, error);
    if (ends(name, "ubyte") || ends(name, ".idx")) return weir__idx_parse(data, size, name, array, error);
    const bool csv = ends(name, ".csv") || ends(name, ".tsv") || ends(name, ".txt") || ends(name, ".dat");
    if (csv || is_text(data, size)) return weir__csv_parse(data, size, name, array, error);
    return weir__fail(error, WEIR_INVALID,
                      "%s: is none of the formats this program reads; give it a .npy, .npz, .csv or IDX file",
                      name);
}

static weir_status parse_plain(const unsigned char *data, int64_t size, const char *name, const char *member,
                               weir_array **array, weir_error *error)
{
    if (starts(data, size, "PK\3\4", 4) || starts(data, size, "PK\5\6", 4))
        return weir__npz_parse(data, size, name, member, array, error);
    if (member)
        return weir__fail(error, WEIR_INVALID,
                          "%s: is not an .npz archive, so it has no array named '%s'; leave the name out",
                          name, member);
    if (starts(data, size, "\x93NUMPY", 6)) return weir__npy_parse(data, size, name, array, error);
    if (is_idx(data, size)) return weir__idx_parse(data, size, name, array, error);
    return parse_by_ending(data, size, name, array, error);
}

/* A few bytes of gzip can claim any amount of memory: half of what the machine has is the most they get. */
static int64_t memory_limit(void)
{
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? pages / 2 * page : INT32_MAX;
}

weir_status weir__array_parse(const unsigned char *data, int64_t size, const char *name, const char *member,
                              weir_array **array, weir_error *error)
{
    if (!is_gzip(data, size)) {
        if (!tail_is(name, strlen(name), ".gz")) return parse_plain(data, size, name, member, array, error);
        return weir__fail(error, WEIR_INVALID,
                          "%s: is named .gz but is no gzip file; rename it, or copy it again", name);
    }
    unsigned char *plain = NULL;
    int64_t plain_size = 0;
    weir_status status = weir__gunzip(data, size, memory_limit(), name, &plain, &plain_size, error);
    if (!status) status = parse_plain(plain, plain_size, name, member, array, error);
    free(plain);
    return status;
}

weir_status weir_array_read(const char *path, const char *member, weir_array **array, weir_error *error)
{
    unsigned char *data;
    int64_t size;
    if (!path || !array)
        return weir__fail(error, WEIR_INVALID, "weir_array_read: path and array must not be NULL");
    weir_status status = weir__file_read(path, memory_limit(), &data, &size, error);
    if (status) return status;
    status = weir__array_parse(data, size, path, member, array, error);
    free(data);
    return status;
}
