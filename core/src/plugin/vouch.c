/* vouch.c - remembered contents of files that have not changed since.
 *
 * SPDX-License-Identifier: MIT
 *
 * Only good news is remembered. A crash, a hang or a missing library may be the machine's doing, and is tried again: a
 * crash costs a few milliseconds, and a remembered one would have to be explained to whoever has cured it.
 */
#include "plugin/vouch.h"

#include "file/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT     1
#define SIZE_LIMIT (16 << 20)
#define FILES_MAX  2000

struct weir__vouch {
    char *path;
    json_t *files;
    int with_inode;
    int changed;
};

static void abi_text(char *text, size_t size)
{
    snprintf(text, size, "%d.%d.%d", WEIR_ABI_MAJOR, WEIR_ABI_MINOR, WEIR_ABI_DRAFT);
}

static int64_t nanoseconds(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int may_be_believed(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !(st.st_mode & S_IWOTH);
}

static json_t *read_files(const char *path)
{
    unsigned char *data = NULL;
    int64_t size = 0;
    char abi[40];
    if (!may_be_believed(path) || weir__file_read(path, SIZE_LIMIT, &data, &size, NULL) != WEIR_OK)
        return NULL;
    json_t *const root = json_loadb((const char *)data, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
    free(data);
    abi_text(abi, sizeof abi);
    const char *const made_for = json_string_value(json_object_get(root, "abi"));
    const int ours = json_integer_value(json_object_get(root, "format")) == FORMAT && made_for &&
                     strcmp(made_for, abi) == 0;
    json_t *const files = ours ? json_object_get(root, "files") : NULL;
    json_t *const kept = json_is_object(files) ? json_incref(files) : NULL;
    json_decref(root);
    return kept;
}

weir__vouch *weir__vouch_open(const char *path, int with_inode)
{
    weir__vouch *const v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->with_inode = with_inode;
    v->path = strdup(path);
    v->files = v->path ? read_files(path) : NULL;
    if (!v->files) v->files = json_object();
    if (v->path && v->files) return v;
    weir__vouch_close(v);
    return NULL;
}

void weir__vouch_close(weir__vouch *v)
{
    if (!v) return;
    json_decref(v->files);
    free(v->path);
    free(v);
}

/* Archives and packages keep whole seconds of a time: a manifest made before packing stays good. */
static int same_time(const weir__vouch *v, int64_t remembered, const struct stat *st)
{
    if (remembered == nanoseconds(st)) return 1;
    return !v->with_inode && st->st_mtim.tv_nsec == 0 &&
           remembered / 1000000000 == (int64_t)st->st_mtim.tv_sec;
}

static int is_same(const weir__vouch *v, const json_t *entry, const struct stat *st)
{
    const json_t *const size = json_object_get(entry, "size"), *const time =
                                                                   json_object_get(entry, "mtime_ns");
    const json_t *const inode = json_object_get(entry, "inode");
    if (!json_is_integer(size) || !json_is_integer(time)) return 0;
    if (v->with_inode && (!json_is_integer(inode) || json_integer_value(inode) != (json_int_t)st->st_ino))
        return 0;
    return json_integer_value(size) == (json_int_t)st->st_size && same_time(v, json_integer_value(time), st);
}

weir__listing *weir__vouch_find(const weir__vouch *v, const char *name, const struct stat *st)
{
    const json_t *const entry = json_object_get(v->files, name);
    weir__listing *const listing = entry && is_same(v, entry, st) ? weir__listing_parse(entry, NULL) : NULL;
    if (listing) listing->checked = v->with_inode ? WEIR__CHECKED_BEFORE : WEIR__CHECKED_MANIFEST;
    return listing;
}

void weir__vouch_put(weir__vouch *v, const char *name, const struct stat *st, const weir__listing *listing)
{
    json_t *const entry = weir__listing_json(listing);
    if (!entry) return;
    json_object_set_new(entry, "size", json_integer((json_int_t)st->st_size));
    json_object_set_new(entry, "mtime_ns", json_integer((json_int_t)nanoseconds(st)));
    if (v->with_inode) json_object_set_new(entry, "inode", json_integer((json_int_t)st->st_ino));
    if (json_object_set_new(v->files, name, entry) == 0) v->changed = 1;
}

void weir__vouch_clear(weir__vouch *v)
{
    json_object_clear(v->files);
    v->changed = 1;
}

/* A cache keyed by path must not grow for ever: entries of files that are gone go too. */
static void forget_missing(weir__vouch *v)
{
    const char *name;
    json_t *entry;
    void *next;
    json_object_foreach_safe(v->files, next, name, entry)
    {
        struct stat st;
        if (stat(name, &st) != 0 || !is_same(v, entry, &st)) json_object_del(v->files, name);
    }
    if (json_object_size(v->files) > FILES_MAX) json_object_clear(v->files);
}

static weir_status write_text(const char *path, const char *text, weir_error *error)
{
    weir__writer *writer = NULL;
    const weir_status status = weir__writer_open(path, &writer, error);
    if (status) return status;
    weir__writer_put(writer, text, (int64_t)strlen(text));
    weir__writer_put(writer, "\n", 1);
    return weir__writer_commit(writer, error);
}

weir_status weir__vouch_save(weir__vouch *v, weir_error *error)
{
    char abi[40];
    if (!v->changed) return WEIR_OK;
    if (v->with_inode) forget_missing(v);
    abi_text(abi, sizeof abi);
    json_t *const root = json_pack("{s:i, s:s, s:O}", "format", FORMAT, "abi", abi, "files", v->files);
    char *const text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    json_decref(root);
    if (!text) return weir__no_memory(error, v->path);
    const weir_status status = write_text(v->path, text, error);
    free(text);
    if (!status) v->changed = 0;
    return status;
}
