/* registry.c - which modules exist: scanning folders, and answering what is asked for by id.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/registry.h"

#include "plugin/examine.h"
#include "plugin/place.h"
#include "plugin/search.h"
#include "plugin/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weir__registry {
    pthread_mutex_t lock;
    weir__reporter reporter;
    weir__examiner examiner;
    weir__folders folders;
    weir__shelf shelf;
    int64_t skipped; /* files that were refused */
};

const weir_module *weir__entry_module(const weir__entry *entry, int32_t precision)
{
    if (precision == WEIR_F32) return entry->f32 ? entry->f32 : entry->f64;
    return entry->f64 ? entry->f64 : entry->f32;
}

/* ---- folders ------------------------------------------------------------------------------------ */

static weir_status name_modules(weir__registry *r, weir__plugin *p, int warn, weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < p->listing->count && !status; i++) {
        const char *const id = p->listing->modules[i].id;
        const weir__plugin *const other = weir__shelf_owner(&r->shelf, id);
        if (other && warn)
            weir__report(&r->reporter, WEIR__WARNING,
                         "%s: module %s is already in %s, which is used; remove one of them", p->path, id,
                         other->path);
        status = weir__shelf_name(&r->shelf, id, p, error);
    }
    return status;
}

static void skip(weir__registry *r, const char *line)
{
    r->skipped++;
    weir__report(&r->reporter, WEIR__WARNING, "%s; skipped", line);
}

static weir_status consider(weir__registry *r, const weir__vouch *manifest, const char *name,
                            const char *path, weir_error *error)
{
    struct stat st;
    weir__plugin *made;
    weir_error why;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || weir__shelf_file(&r->shelf, &st)) return WEIR_OK;
    if (st.st_mode & S_IWOTH) {
        weir__fail(&why, WEIR_INVALID, "%s: everybody may write to this file; chmod o-w it", path);
        skip(r, why.message);
        return WEIR_OK;
    }
    weir__listing *listing = weir__vouch_find(manifest, name, &st);
    if (!listing && weir__examine(&r->examiner, path, &st, &listing, &why) != WEIR_OK) {
        skip(r, why.message);
        return WEIR_OK;
    }
    weir_status status = weir__shelf_add(&r->shelf, path, &st, listing, &made, error);
    if (!status) status = name_modules(r, made, 1, error);
    return status;
}

static int is_plugin_name(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);
    return n > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 3, ".so") == 0;
}

static weir_status consider_all(weir__registry *r, const char *folder, const weir__vouch *manifest,
                                struct dirent *const *names, int count, weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int i = 0; i < count && !status; i++) {
        char *const given = weir__place_join(folder, names[i]->d_name);
        char *const path = given ? realpath(given, NULL) : NULL;
        if (path) status = consider(r, manifest, names[i]->d_name, path, error);
        free(given);
        free(path);
    }
    return status;
}

/* In the order of names, so that which of two equal ids wins does not depend on the file system. */
static weir_status scan(weir__registry *r, const char *folder, weir_error *error)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_plugin_name, alphasort);
    if (count < 0) {
        weir__report(&r->reporter, WEIR__WARNING, "%s: cannot be listed: %s", folder, strerror(errno));
        return WEIR_OK;
    }
    char *const path = weir__place_join(folder, "manifest.json");
    weir__vouch *const manifest = path ? weir__vouch_open(path, 0) : NULL;
    const weir_status status = manifest ? consider_all(r, folder, manifest, names, count, error)
                                        : weir__no_memory(error, "a plugin folder's manifest");
    weir__vouch_close(manifest);
    free(path);
    for (int i = 0; i < count; i++) free(names[i]);
    free(names);
    return status;
}

/* ---- opening and closing ------------------------------------------------------------------------ */

static weir_status scan_all(weir__registry *r, const char *plugin_path, weir_error *error)
{
    weir_status status = weir__search_folders(plugin_path, &r->reporter, &r->folders, error);
    for (int64_t i = 0; i < r->folders.count && !status; i++) status = scan(r, r->folders.paths[i], error);
    if (!status) weir__examiner_save(&r->examiner);
    return status;
}

weir_status weir__registry_open(const char *plugin_path, void (*log)(void *, int32_t, const char *),
                                void *user, weir__registry **registry, weir_error *error)
{
    weir__registry *const r = calloc(1, sizeof *r);
    if (!r || pthread_mutex_init(&r->lock, NULL) != 0) {
        free(r);
        return weir__no_memory(error, "the plugin registry");
    }
    r->reporter = (weir__reporter){log, user};
    weir__examiner_open(&r->examiner, &r->reporter);
    const weir_status status = scan_all(r, plugin_path, error);
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
    pthread_mutex_destroy(&r->lock);
    free(r);
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
    if (r->skipped) snprintf(skipped, sizeof skipped, "; files skipped: %lld", (long long)r->skipped);
    return weir__fail(error, WEIR_INVALID, "unknown module \"%.64s\"; %s%s%s (searched %s%s)", id,
                      nearest ? "did you mean \"" : "correct the name or install its plugin",
                      nearest ? nearest : "", nearest ? "\"?" : "",
                      *where ? where : "no folder: set WEIR_PLUGIN_PATH", skipped);
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
    if (!weir__plugin_is(p, &st)) {
        const weir_status status = weir__examine(&r->examiner, p->path, &st, &listing, error);
        weir__listing_free(listing);
        if (status) return status;
        weir__plugin_renew(p, &st);
    }
    return weir__plugin_load(p, &r->reporter, error);
}

static weir_status find(weir__registry *r, const char *id, const weir__entry **entry, weir_error *error)
{
    weir__plugin *const p = weir__shelf_owner(&r->shelf, id);
    if (!p) return unknown(r, id, error);
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
    pthread_mutex_lock(&r->lock);
    const weir_status status = find(r, id, entry, error);
    pthread_mutex_unlock(&r->lock);
    return status;
}

int64_t weir__registry_count(weir__registry *r)
{
    pthread_mutex_lock(&r->lock);
    const int64_t count = r->shelf.id_count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

const char *weir__registry_id(weir__registry *r, int64_t index)
{
    pthread_mutex_lock(&r->lock);
    const char *const id = index >= 0 && index < r->shelf.id_count ? r->shelf.ids[index].id : NULL;
    pthread_mutex_unlock(&r->lock);
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
    weir_status status = weir__examine(&r->examiner, path, &st, &listing, error);
    if (!status) status = weir__shelf_add(&r->shelf, path, &st, listing, out, error);
    if (!status) status = name_modules(r, *out, 0, error);
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
    pthread_mutex_lock(&r->lock);
    weir_status status = take_file(r, real, &p, error);
    if (!status) status = load(r, p, error);
    if (!status) {
        *entries = p->list;
        *count = p->count;
    }
    pthread_mutex_unlock(&r->lock);
    free(real);
    return status;
}
