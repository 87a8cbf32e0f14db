/* lock.c - reading, asking and writing a lock file.
 *
 * SPDX-License-Identifier: MIT
 *
 * The digest covers the file itself. It does not cover the shared libraries that the file needs, and a file that its
 * owner replaces between the check and dlopen is not noticed: folders that others may write are not searched at all.
 */
#include "plugin/lock.h"

#include "file/file.h"
#include "plugin/names.h"
#include "plugin/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT      1
#define SIZE_LIMIT  (16 << 20)
#define FILE_LIMIT  ((int64_t)1 << 30)
#define WRITE_ANEW  "write it anew with weir plugins --lock"
#define FILE_LENGTH 255

struct weir__lock {
    char *path;
    json_t *plugins;
    json_t *all; /* the plugins, then the other files */
};

/* ---- reading ------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int is_digest(const char *text)
{
    return text && strlen(text) == WEIR__SHA256_TEXT - 1 &&
           strspn(text, "0123456789abcdef") == WEIR__SHA256_TEXT - 1;
}

static int is_file(const json_t *entry)
{
    return json_is_integer(json_object_get(entry, "size")) && is_digest(text_of(entry, "sha256")) &&
           weir__is_text(text_of(entry, "file"), FILE_LENGTH, 0);
}

static int is_plugin(const json_t *entry)
{
    const json_t *const modules = json_object_get(entry, "modules");
    int good = is_file(entry) && weir__is_name(text_of(entry, "plugin")) &&
               weir__is_version(text_of(entry, "version")) && json_is_array(modules);
    for (size_t i = 0; good && i < json_array_size(modules); i++)
        good = weir__is_id(json_string_value(json_array_get(modules, i)));
    return good;
}

static weir_status take_list(weir__lock *lock, const json_t *list, int (*is_good)(const json_t *),
                             weir_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!is_good(json_array_get(list, i)))
            return weir__fail(error, WEIR_INVALID, "%s: entry %zu is damaged; " WRITE_ANEW, lock->path,
                              json_array_size(lock->all) + 1);
        json_array_append(lock->all, json_array_get(list, i));
    }
    return WEIR_OK;
}

static weir_status take_lists(weir__lock *lock, const json_t *root, weir_error *error)
{
    json_t *const plugins = json_object_get(root, "plugins"), *const files = json_object_get(root, "files");
    if (json_integer_value(json_object_get(root, "format")) != FORMAT || !json_is_array(plugins) ||
        !json_is_array(files))
        return weir__fail(error, WEIR_INVALID, "%s: not a lock file of this Weir; " WRITE_ANEW, lock->path);
    lock->plugins = json_incref(plugins);
    lock->all = json_array();
    if (!lock->all) return weir__no_memory(error, lock->path);
    const weir_status status = take_list(lock, plugins, is_plugin, error);
    return status ? status : take_list(lock, files, is_file, error);
}

static weir_status read_lock(weir__lock *lock, weir_error *error)
{
    unsigned char *data = NULL;
    int64_t size = 0;
    struct stat st;
    json_error_t where;
    weir_status status = weir__file_read(lock->path, SIZE_LIMIT, &data, &size, error);
    if (status) return status;
    json_t *const root = json_loadb((const char *)data, (size_t)size, JSON_REJECT_DUPLICATES, &where);
    free(data);
    if (!root)
        status = weir__fail(error, WEIR_INVALID, "%s: line %d: %s; " WRITE_ANEW, lock->path, where.line,
                            where.text);
    else if (stat(lock->path, &st) != 0 || (st.st_mode & S_IWOTH))
        status = weir__fail(error, WEIR_INVALID, "%s: everybody may write to this lock file; chmod o-w it",
                            lock->path);
    else
        status = take_lists(lock, root, error);
    json_decref(root);
    return status;
}

weir_status weir__lock_open(const char *path, weir__lock **lock, weir_error *error)
{
    weir__lock *const made = calloc(1, sizeof *made);
    if (!made || !(made->path = strdup(path))) {
        free(made);
        return weir__no_memory(error, "a lock file");
    }
    const weir_status status = read_lock(made, error);
    if (status)
        weir__lock_close(made);
    else
        *lock = made;
    return status;
}

void weir__lock_close(weir__lock *lock)
{
    if (!lock) return;
    json_decref(lock->plugins);
    json_decref(lock->all);
    free(lock->path);
    free(lock);
}

const char *weir__lock_path(const weir__lock *lock)
{
    return lock->path;
}

/* ---- asking ------------------------------------------------------------------------------------- */

weir_status weir__lock_digest(const char *path, char *sha256, weir_error *error)
{
    unsigned char *data = NULL;
    int64_t size = 0;
    const weir_status status = weir__file_read(path, FILE_LIMIT, &data, &size, error);
    if (status) return status;
    weir__sha256(data, (size_t)size, sha256);
    free(data);
    return WEIR_OK;
}

static int has_digest(const weir__lock *lock, const char *sha256)
{
    for (size_t i = 0; i < json_array_size(lock->all); i++)
        if (strcmp(sha256, text_of(json_array_get(lock->all, i), "sha256")) == 0) return 1;
    return 0;
}

static int has_size(const weir__lock *lock, json_int_t size)
{
    for (size_t i = 0; i < json_array_size(lock->all); i++)
        if (json_integer_value(json_object_get(json_array_get(lock->all, i), "size")) == size) return 1;
    return 0;
}

static const json_t *entry_of_file(const weir__lock *lock, const char *path)
{
    const char *const slash = strrchr(path, '/'), *const name = slash ? slash + 1 : path;
    for (size_t i = 0; i < json_array_size(lock->all); i++) {
        const json_t *const entry = json_array_get(lock->all, i);
        if (strcmp(text_of(entry, "file"), name) == 0) return entry;
    }
    return NULL;
}

static weir_status not_named(const weir__lock *lock, const char *path, weir_error *error)
{
    const json_t *const other = entry_of_file(lock, path);
    if (!other)
        return weir__fail(error, WEIR_INVALID, "%s: not in the lock %s; if it may be used, " WRITE_ANEW " %s",
                          path, lock->path, lock->path);
    const char *const version = text_of(other, "version");
    const char *const plugin = version ? text_of(other, "plugin") : NULL;
    return weir__fail(error, WEIR_INVALID,
                      "%s: not the file that the lock %s names (%s%s%s%s%ssha256 %.12s...); put that one "
                      "back, or, if this one may be used, " WRITE_ANEW " %s",
                      path, lock->path, plugin ? "plugin " : "", plugin ? plugin : "", plugin ? " " : "",
                      plugin ? version : "", plugin ? ", " : "", text_of(other, "sha256"), lock->path);
}

/* A file whose size no entry has is not even read. */
weir_status weir__lock_check(const weir__lock *lock, const char *path, const struct stat *st,
                             weir_error *error)
{
    char digest[WEIR__SHA256_TEXT];
    if (!has_size(lock, (json_int_t)st->st_size)) return not_named(lock, path, error);
    const weir_status status = weir__lock_digest(path, digest, error);
    return status ? status : weir__lock_permits(lock, path, digest, error);
}

weir_status weir__lock_permits(const weir__lock *lock, const char *path, const char *sha256,
                               weir_error *error)
{
    return has_digest(lock, sha256) ? WEIR_OK : not_named(lock, path, error);
}

static int holds(const json_t *entry, const char *id)
{
    const json_t *const modules = json_object_get(entry, "modules");
    for (size_t i = 0; i < json_array_size(modules); i++)
        if (strcmp(json_string_value(json_array_get(modules, i)), id) == 0) return 1;
    return 0;
}

int weir__lock_wants(const weir__lock *lock, const char *id, char *text, size_t size)
{
    for (size_t i = 0; i < json_array_size(lock->plugins); i++) {
        const json_t *const entry = json_array_get(lock->plugins, i);
        if (!holds(entry, id)) continue;
        snprintf(text, size, "%s of plugin %s %s with sha256 %.12s...", text_of(entry, "file"),
                 text_of(entry, "plugin"), text_of(entry, "version"), text_of(entry, "sha256"));
        return 1;
    }
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static int by_file(const void *a, const void *b)
{
    const json_t *const x = *(json_t *const *)a, *const y = *(json_t *const *)b;
    const int order = strcmp(text_of(x, "file"), text_of(y, "file"));
    return order ? order : strcmp(text_of(x, "sha256"), text_of(y, "sha256"));
}

static json_t *sorted(const json_t *list)
{
    const size_t count = json_array_size(list);
    json_t **const entries = calloc(count + 1, sizeof(json_t *));
    json_t *const out = entries ? json_array() : NULL;
    for (size_t i = 0; out && i < count; i++) entries[i] = json_array_get(list, i);
    if (out) qsort(entries, count, sizeof(json_t *), by_file);
    for (size_t i = 0; out && i < count; i++) json_array_append(out, entries[i]);
    free(entries);
    return out;
}

weir_status weir__lock_write(const char *path, json_t *plugins, json_t *files, weir_error *error)
{
    json_t *const root =
        json_pack("{s:i, s:o, s:o}", "format", FORMAT, "plugins", sorted(plugins), "files", sorted(files));
    char *const text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    weir__writer *writer = NULL;
    json_decref(plugins);
    json_decref(files);
    json_decref(root);
    if (!text) return weir__no_memory(error, path);
    weir_status status = weir__writer_open(path, &writer, error);
    if (!status) {
        weir__writer_put(writer, text, (int64_t)strlen(text));
        weir__writer_put(writer, "\n", 1);
        status = weir__writer_commit(writer, error);
    }
    free(text);
    return status;
}
