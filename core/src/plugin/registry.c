/* registry.c - which modules exist: answering what is asked for by id.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/companion.h"
#include "plugin/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const weir_module *weir__entry_module(const weir__entry *entry, int32_t precision)
{
    if (precision == WEIR_F32) return entry->f32 ? entry->f32 : entry->f64;
    return entry->f64 ? entry->f64 : entry->f32;
}

/* ---- opening and closing ------------------------------------------------------------------------ */

weir_status weir__registry_open(const char *plugin_path, const char *lock,
                                void (*log)(void *, int32_t, const char *), void *user,
                                weir__registry **registry, weir_error *error)
{
    weir__registry *const r = calloc(1, sizeof *r);
    if (!r || pthread_mutex_init(&r->mutex, NULL) != 0) {
        free(r);
        return weir__no_memory(error, "the plugin registry");
    }
    r->reporter = (weir__reporter){log, user};
    weir__examiner_open(&r->examiner, &r->reporter);
    const weir_status status = weir__scan(r, plugin_path, lock, error);
    if (status)
        weir__registry_close(r);
    else
        *registry = r;
    return status;
}

void weir__registry_close(weir__registry *r)
{
    if (!r) return;
    weir__shelf_clear(&r->shelf);
    weir__examiner_close(&r->examiner);
    weir__search_free(&r->folders);
    weir__refusals_clear(&r->refusals);
    weir__lock_close(r->lock);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

void weir__registry_log(const weir__registry *r, int32_t level, const char *text)
{
    weir__report(&r->reporter, level, "%s", text);
}

/* ---- asking ------------------------------------------------------------------------------------- */

/* "A, B" of the folders searched, cut when it does not fit. */
static void list_folders(const weir__registry *r, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < r->folders.count; i++) {
        const size_t n = strlen(r->folders.paths[i]);
        if (used + n + 3 > size) return;
        if (used) used = (size_t)(stpcpy(text + used, ", ") - text);
        used = (size_t)(stpcpy(text + used, r->folders.paths[i]) - text);
    }
}

static weir_status unknown(const weir__registry *r, const char *id, weir_error *error)
{
    char where[600], skipped[60] = "";
    const char *const nearest = weir__shelf_nearest(&r->shelf, id);
    list_folders(r, where, sizeof where);
    const long long count = (long long)r->refusals.count;
    if (count) snprintf(skipped, sizeof skipped, "; files skipped: %lld, see weir plugins", count);
    return weir__fail(error, WEIR_INVALID, "unknown module \"%.64s\"; %s%s%s (searched %s%s)", id,
                      nearest ? "did you mean \"" : "correct the name or install its plugin",
                      nearest ? nearest : "", nearest ? "\"?" : "",
                      *where ? where : "no folder: set WEIR_PLUGIN_PATH", skipped);
}

/* What the lock has to do with a module that is not to be found. */
static weir_status locked_out(const weir__registry *r, const char *id, weir_error *error)
{
    char where[600], wanted[400];
    const weir__refusal *const refused = weir__refusals_of_module(&r->refusals, id);
    if (refused) return weir__fail(error, WEIR_INVALID, "module \"%.64s\": %s", id, refused->message);
    if (!weir__lock_wants(r->lock, id, wanted, sizeof wanted)) {
        unknown(r, id, error);
        return weir__fail_in(error, "lock %s", weir__lock_path(r->lock));
    }
    list_folders(r, where, sizeof where);
    return weir__fail(error, WEIR_INVALID,
                      "module \"%.64s\": the lock %s names %s, and no such file is in %s; install it", id,
                      weir__lock_path(r->lock), wanted, *where ? where : "the search path");
}

/* Between listing and loading there may be hours: a file that was replaced meanwhile is examined as a new one would be,
 * for instance because only half of it has been copied so far. */
static weir_status load(weir__registry *r, weir__plugin *p, weir_error *error)
{
    struct stat st;
    weir__listing *listing = NULL;
    if (p->entries) return WEIR_OK;
    if (stat(p->path, &st) != 0)
        return weir__fail(error, WEIR_INVALID, "%s: %s, though it was there before", p->path,
                          strerror(errno));
    weir_status status = r->lock ? weir__lock_check(r->lock, p->path, &st, error) : WEIR_OK;
    if (status) return status;
    if (!weir__plugin_is(p, &st)) {
        status = weir__examine(&r->examiner, p->path, &st, &listing, error);
        weir__listing_free(listing);
        if (status) return status;
        weir__plugin_renew(p, &st);
    }
    return weir__plugin_load(p, &r->reporter, error);
}

static weir_status find(weir__registry *r, const char *id, const weir__entry **entry, weir_error *error)
{
    weir__plugin *const p = weir__shelf_owner(&r->shelf, id);
    if (!p) return r->lock ? locked_out(r, id, error) : unknown(r, id, error);
    const weir_status status = load(r, p, error);
    if (status) return status;
    for (int64_t i = 0; i < p->count; i++) {
        if (strcmp(p->entries[i].id, id) != 0) continue;
        *entry = &p->entries[i];
        return WEIR_OK;
    }
    return weir__fail(
        error, WEIR_INVALID,
        "%s: holds no module %s, though its manifest says so; run weir-probe --manifest on its folder",
        p->path, id);
}

weir_status weir__registry_find(weir__registry *r, const char *id, const weir__entry **entry,
                                weir_error *error)
{
    pthread_mutex_lock(&r->mutex);
    const weir_status status = find(r, id, entry, error);
    pthread_mutex_unlock(&r->mutex);
    return status;
}

int64_t weir__registry_count(weir__registry *r)
{
    pthread_mutex_lock(&r->mutex);
    const int64_t count = r->shelf.id_count;
    pthread_mutex_unlock(&r->mutex);
    return count;
}

const char *weir__registry_id(weir__registry *r, int64_t index)
{
    pthread_mutex_lock(&r->mutex);
    const char *const id = index >= 0 && index < r->shelf.id_count ? r->shelf.ids[index].id : NULL;
    pthread_mutex_unlock(&r->mutex);
    return id;
}

/* ---- one file ----------------------------------------------------------------------------------- */

/* A module that the search path already has keeps its meaning there; the file's own is reached by its list only. */
static weir_status take_file(weir__registry *r, const char *path, weir__plugin **out, weir_error *error)
{
    struct stat st;
    weir__listing *listing = NULL;
    if (stat(path, &st) != 0) return weir__fail(error, WEIR_INVALID, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return weir__fail(error, WEIR_INVALID, "%s: not a regular file; a plugin is a shared object", path);
    if ((*out = weir__shelf_file(&r->shelf, &st))) return WEIR_OK;
    weir_status status = r->lock ? weir__lock_check(r->lock, path, &st, error) : WEIR_OK;
    if (!status) status = weir__examine(&r->examiner, path, &st, &listing, error);
    if (!status) status = weir__shelf_add(&r->shelf, path, &st, listing, out, error);
    if (!status) status = weir__scan_names(r, *out, 0, error);
    if (!status) weir__examiner_save(&r->examiner);
    return status;
}

weir_status weir__registry_load_file(weir__registry *r, const char *path, const weir__entry *const **entries,
                                     int64_t *count, weir_error *error)
{
    char *const real = realpath(path, NULL);
    weir__plugin *p = NULL;
    if (!real)
        return weir__fail(error, WEIR_INVALID, "%s: %s; name a plugin's .so file", path, strerror(errno));
    pthread_mutex_lock(&r->mutex);
    weir_status status = take_file(r, real, &p, error);
    if (!status) status = load(r, p, error);
    if (!status) {
        *entries = p->list;
        *count = p->count;
    }
    pthread_mutex_unlock(&r->mutex);
    free(real);
    return status;
}

/* ---- what there is ------------------------------------------------------------------------------ */

int weir__registry_why_refused(weir__registry *r, const char *plugin, weir_error *error)
{
    pthread_mutex_lock(&r->mutex);
    const weir__refusal *const refused = weir__refusals_of_plugin(&r->refusals, plugin);
    if (refused) weir__fail(error, WEIR_INVALID, "%s", refused->message);
    pthread_mutex_unlock(&r->mutex);
    return refused != NULL;
}

json_t *weir__registry_inventory(weir__registry *r)
{
    pthread_mutex_lock(&r->mutex);
    json_t *const out = weir__inventory(&r->folders, r->lock, &r->shelf, &r->refusals);
    pthread_mutex_unlock(&r->mutex);
    return out;
}

static int is_wanted(const weir__shelf *shelf, const weir__plugin *p, const weir__lock_wish *wish)
{
    for (int64_t i = 0; i < wish->entry_count && wish->entries; i++)
        if (wish->entries[i]->file == p->path) return 1;
    for (int64_t i = 0; i < p->listing->count && !wish->entries; i++)
        if (weir__shelf_owner(shelf, p->listing->modules[i].id) == p) return 1;
    return 0;
}

static weir_status list_plugins(const weir__shelf *shelf, const weir__lock_wish *wish, json_t *list,
                                weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < shelf->plugin_count && !status; i++) {
        json_t *entry = NULL;
        if (!is_wanted(shelf, shelf->plugins[i], wish)) continue;
        status = weir__inventory_entry(shelf->plugins[i], &entry, error);
        if (!status) json_array_append_new(list, entry);
    }
    return status;
}

static weir_status list_files(char *const *files, int64_t count, json_t *list, weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        json_t *entry = NULL;
        status = weir__inventory_file(files[i], &entry, error);
        if (!status) json_array_append_new(list, entry);
    }
    return status;
}

static weir_status list_all_files(const weir__registry *r, json_t *list, weir_error *error)
{
    weir__companions all;
    weir_status status = weir__companion_list(r, NULL, &all, error);
    if (status) return status;
    status = list_files(all.paths, all.count, list, error);
    weir__companions_clear(&all);
    return status;
}

weir_status weir__registry_lock(weir__registry *r, const weir__lock_wish *wish, const char *path,
                                weir_error *error)
{
    json_t *const plugins = json_array(), *const files = json_array();
    weir_status status = plugins && files ? WEIR_OK : weir__no_memory(error, path);
    pthread_mutex_lock(&r->mutex);
    if (!status) status = list_plugins(&r->shelf, wish, plugins, error);
    pthread_mutex_unlock(&r->mutex);
    if (!status && wish->entries) status = list_files(wish->files, wish->file_count, files, error);
    if (!status && !wish->entries) status = list_all_files(r, files, error);
    if (!status) return weir__lock_write(path, plugins, files, error);
    json_decref(plugins);
    json_decref(files);
    return status;
}
