/* read.c - arrays out of files: which format it is.
 *
 * SPDX-License-Identifier: MIT
 *
 * The content decides, because endings lie; only text has no mark of its own, and there the ending helps.
 */
#include "file.h"
#include "inflate.h"
#include "parsers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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
