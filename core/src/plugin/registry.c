/* registry.c - which modules exist: finding files, naming what they hold, loading what is asked for.
 *
 * SPDX-License-Identifier: MIT
 *
 * A plugin here is a file whose contents are known; it becomes loaded when one of its modules is asked for. Plugins and
 * entries are allocated one by one and never move or go before the registry does: their addresses are given out.
 */
#include "plugin/registry.h"

#include "file/file.h"
#include "plugin/elf.h"
#include "plugin/load.h"
#include "plugin/place.h"
#include "plugin/probe.h"
#include "plugin/report.h"
#include "plugin/search.h"
#include "plugin/vouch.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((int64_t)1 << 30)

typedef struct plugin {
    char *path; /* absolute, links resolved */
    dev_t device;
    ino_t inode;
    weir__listing *listing;
    weir__entry *entries; /* NULL until loaded */
    const weir__entry **list;
    int64_t count;
    weir_error refusal; /* why loading failed; status WEIR_OK: it has not */
} plugin;

typedef struct known_id {
    const char *id; /* the listing's */
    plugin *owner;
} known_id;

struct weir__registry {
    pthread_mutex_t lock;
    weir__reporter reporter;
    weir__folders folders;
    plugin **plugins;
    int64_t plugin_count;
    known_id *ids; /* sorted by id */
    int64_t id_count;
    int64_t skipped; /* files that were refused */
    weir__vouch *cache;
    char *helper;
    int helper_reported;
};

/* ---- ids ---------------------------------------------------------------------------------------- */

/* Where `id` is, or where it belongs. */
static int64_t place_of(const weir__registry *r, const char *id, int *found)
{
    int64_t low = 0, high = r->id_count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(r->ids[middle].id, id);
        if (order == 0) {
            *found = 1;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = 0;
    return low;
}

static weir_status add_id(weir__registry *r, const char *id, plugin *owner, weir_error *error)
{
    int found;
    const int64_t at = place_of(r, id, &found);
    if (found) {
        weir__report(&r->reporter, WEIR__WARNING,
                     "%s: module %s is already in %s, which is used; remove one of them", owner->path, id,
                     r->ids[at].owner->path);
        return WEIR_OK;
    }
    known_id *const longer = realloc(r->ids, ((size_t)r->id_count + 1) * sizeof *longer);
    if (!longer) return weir__no_memory(error, "the list of modules");
    r->ids = longer;
    memmove(longer + at + 1, longer + at, (size_t)(r->id_count - at) * sizeof *longer);
    longer[at] = (known_id){id, owner};
    r->id_count++;
    return WEIR_OK;
}

/* ---- plugins ------------------------------------------------------------------------------------ */

static void free_plugin(plugin *p)
{
    if (!p) return;
    weir__listing_free(p->listing);
    free(p->entries);
    free(p->list);
    free(p->path);
    free(p);
}

static plugin *known_file(const weir__registry *r, const struct stat *st)
{
    for (int64_t i = 0; i < r->plugin_count; i++)
        if (r->plugins[i]->device == st->st_dev && r->plugins[i]->inode == st->st_ino) return r->plugins[i];
    return NULL;
}

/* Takes `listing`. */
static weir_status add_plugin(weir__registry *r, const char *path, const struct stat *st,
                              weir__listing *listing, plugin **made, weir_error *error)
{
    plugin *const p = calloc(1, sizeof *p);
    plugin **const longer = realloc(r->plugins, ((size_t)r->plugin_count + 1) * sizeof *longer);
    if (longer) r->plugins = longer;
    if (p) p->path = strdup(path);
    if (!p || !longer || !p->path) {
        free_plugin(p);
        weir__listing_free(listing);
        return weir__no_memory(error, path);
    }
    p->device = st->st_dev;
    p->inode = st->st_ino;
    p->listing = listing;
    r->plugins[r->plugin_count++] = p;
    *made = p;
    return WEIR_OK;
}

static weir_status add_ids(weir__registry *r, plugin *p, weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < p->listing->count && !status; i++)
        status = add_id(r, p->listing->modules[i].id, p, error);
    return status;
}

/* ---- what a file holds -------------------------------------------------------------------------- */

static weir_status check_bytes(const char *path, weir_error *error)
{
    unsigned char *data = NULL;
    int64_t size = 0;
    weir_error why;
    if (weir__file_read(path, FILE_LIMIT, &data, &size, error) != WEIR_OK) return WEIR_INVALID;
    weir_status status = weir__elf_check(data, size, &why);
    free(data);
    return status ? weir__fail(error, status, "%s: %s", path, why.message) : WEIR_OK;
}

/* Without a helper the file is loaded here: less safe, but plugins work. */
static weir_status list_here(const char *path, weir__listing **listing, weir_error *error)
{
    weir__loaded loaded;
    weir_status status = weir__load(path, &loaded, error);
    if (status) return status;
    *listing = weir__loaded_listing(&loaded);
    weir__loaded_clear(&loaded);
    return *listing ? WEIR_OK : weir__no_memory(error, path);
}

static void report_helper(weir__registry *r, const char *why)
{
    if (!r->helper_reported)
        weir__report(&r->reporter, WEIR__WARNING,
                     "%s; new plugins are loaded without being tried in another process", why);
    r->helper_reported = 1;
}

static weir_status probe_file(weir__registry *r, const char *path, weir__listing **listing, weir_error *error)
{
    weir_error why = {.status = WEIR_OK};
    weir_status status = WEIR_UNSUPPORTED;
    if (!r->helper)
        report_helper(r, "weir-probe was not found beside libweir");
    else if ((status = weir__probe(r->helper, path, WEIR__PROBE_TIMEOUT, listing, &why)) == WEIR_UNSUPPORTED)
        report_helper(r, why.message);
    if (status == WEIR_UNSUPPORTED) status = list_here(path, listing, &why);
    return status ? weir__fail(error, status, "%s: %s", path, why.message) : WEIR_OK;
}

/* The contents of a file that no manifest vouches for. */
static weir_status examine(weir__registry *r, const char *path, const struct stat *st,
                           weir__listing **listing, weir_error *error)
{
    if ((*listing = r->cache ? weir__vouch_find(r->cache, path, st) : NULL)) return WEIR_OK;
    weir_status status = check_bytes(path, error);
    if (!status) status = probe_file(r, path, listing, error);
    if (!status && r->cache) weir__vouch_put(r->cache, path, st, *listing);
    return status;
}

/* ---- folders ------------------------------------------------------------------------------------ */

static void skip(weir__registry *r, const char *line)
{
    r->skipped++;
    weir__report(&r->reporter, WEIR__WARNING, "%s; skipped", line);
}

static weir_status consider(weir__registry *r, const weir__vouch *manifest, const char *name,
                            const char *path, weir_error *error)
{
    struct stat st;
    plugin *made;
    weir_error why;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || known_file(r, &st)) return WEIR_OK;
    if (st.st_mode & S_IWOTH) {
        weir__fail(&why, WEIR_INVALID, "%s: everybody may write to this file; chmod o-w it", path);
        skip(r, why.message);
        return WEIR_OK;
    }
    weir__listing *listing = weir__vouch_find(manifest, name, &st);
    if (!listing && examine(r, path, &st, &listing, &why) != WEIR_OK) {
        skip(r, why.message);
        return WEIR_OK;
    }
    weir_status status = add_plugin(r, path, &st, listing, &made, error);
    if (!status) status = add_ids(r, made, error);
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

/* ---- loading ------------------------------------------------------------------------------------ */

static int fill_entries(plugin *p, const weir__loaded *loaded)
{
    p->entries = calloc((size_t)loaded->count, sizeof *p->entries);
    p->list = calloc((size_t)loaded->count, sizeof *p->list);
    if (!p->entries || !p->list) return 0;
    p->count = loaded->count;
    for (int64_t i = 0; i < loaded->count; i++) {
        const weir_module *const any = loaded->f32[i] ? loaded->f32[i] : loaded->f64[i];
        p->entries[i] = (weir__entry){.id = any->id,
                                      .kind = any->kind,
                                      .plugin = loaded->root->name,
                                      .plugin_version = loaded->root->version,
                                      .file = p->path,
                                      .f32 = loaded->f32[i],
                                      .f64 = loaded->f64[i]};
        p->list[i] = &p->entries[i];
    }
    return 1;
}

static weir_status load_now(weir__registry *r, plugin *p, weir_error *error)
{
    weir__loaded loaded;
    weir_error why;
    const weir_status status = weir__load(p->path, &loaded, &why);
    if (loaded.disturbed)
        weir__report(
            &r->reporter, WEIR__WARNING,
            "%s: plugin %s changed %s while it was loaded; it was put back; link it without -ffast-math",
            p->path, p->listing->plugin, loaded.disturbed);
    if (status) return weir__fail(error, status, "%s: %s", p->path, why.message);
    const int filled = fill_entries(p, &loaded);
    weir__loaded_clear(&loaded);
    if (filled) return WEIR_OK;
    free(p->entries);
    p->entries = NULL;
    return weir__no_memory(error, p->path);
}

static weir_status ensure_loaded(weir__registry *r, plugin *p, weir_error *error)
{
    if (p->entries) return WEIR_OK;
    if (!p->refusal.status) load_now(r, p, &p->refusal);
    if (!p->refusal.status) return WEIR_OK;
    return weir__fail(error, p->refusal.status, "%s", p->refusal.message);
}

const weir_module *weir__entry_module(const weir__entry *entry, int32_t precision)
{
    if (precision == WEIR_F32) return entry->f32 ? entry->f32 : entry->f64;
    return entry->f64 ? entry->f64 : entry->f32;
}

/* ---- opening and closing ------------------------------------------------------------------------ */

static weir_status scan_all(weir__registry *r, const char *plugin_path, weir_error *error)
{
    weir_status status = weir__search_folders(plugin_path, &r->reporter, &r->folders, error);
    for (int64_t i = 0; i < r->folders.count && !status; i++) status = scan(r, r->folders.paths[i], error);
    if (!status && r->cache) weir__vouch_save(r->cache, NULL);
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
    r->helper = weir__place_probe();
    char *const cache = weir__place_cache();
    r->cache = cache ? weir__vouch_open(cache, 1) : NULL;
    free(cache);
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
    for (int64_t i = 0; i < r->plugin_count; i++) free_plugin(r->plugins[i]);
    free(r->plugins);
    free(r->ids);
    free(r->helper);
    weir__vouch_close(r->cache);
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

static const char *nearest_id(const weir__registry *r, const char *id)
{
    const char **const words = calloc((size_t)r->id_count + 1, sizeof *words);
    if (!words) return NULL;
    for (int64_t i = 0; i < r->id_count; i++) words[i] = r->ids[i].id;
    const char *const nearest = weir__nearest(id, words, r->id_count);
    free(words);
    return nearest;
}

static weir_status unknown(const weir__registry *r, const char *id, weir_error *error)
{
    char where[600], skipped[60] = "";
    const char *const nearest = nearest_id(r, id);
    list_folders(r, where, sizeof where);
    if (r->skipped) snprintf(skipped, sizeof skipped, " (%lld files skipped)", (long long)r->skipped);
    return weir__fail(error, WEIR_INVALID, "unknown module \"%.64s\"%s%s%s; searched %s%s", id,
                      nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
                      *where ? where : "no folder: set WEIR_PLUGIN_PATH", skipped);
}

static weir_status find(weir__registry *r, const char *id, const weir__entry **entry, weir_error *error)
{
    int found;
    const int64_t at = place_of(r, id, &found);
    if (!found) return unknown(r, id, error);
    plugin *const p = r->ids[at].owner;
    const weir_status status = ensure_loaded(r, p, error);
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
    const int64_t count = r->id_count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

const char *weir__registry_id(weir__registry *r, int64_t index)
{
    pthread_mutex_lock(&r->lock);
    const char *const id = index >= 0 && index < r->id_count ? r->ids[index].id : NULL;
    pthread_mutex_unlock(&r->lock);
    return id;
}

/* ---- one file ----------------------------------------------------------------------------------- */

/* A module that the search path already has keeps its meaning there; the file's own is reached by its list only. */
static weir_status add_new_ids(weir__registry *r, plugin *p, weir_error *error)
{
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < p->listing->count && !status; i++) {
        int found;
        place_of(r, p->listing->modules[i].id, &found);
        if (!found) status = add_id(r, p->listing->modules[i].id, p, error);
    }
    return status;
}

static weir_status take_file(weir__registry *r, const char *path, plugin **out, weir_error *error)
{
    struct stat st;
    weir__listing *listing = NULL;
    if (stat(path, &st) != 0) return weir__fail(error, WEIR_INVALID, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return weir__fail(error, WEIR_INVALID, "%s: not a regular file; a plugin is a shared object", path);
    if ((*out = known_file(r, &st))) return WEIR_OK;
    weir_status status = examine(r, path, &st, &listing, error);
    if (!status) status = add_plugin(r, path, &st, listing, out, error);
    if (!status) status = add_new_ids(r, *out, error);
    if (!status && r->cache) weir__vouch_save(r->cache, NULL);
    return status;
}

weir_status weir__registry_load_file(weir__registry *r, const char *path, const weir__entry *const **entries,
                                     int64_t *count, weir_error *error)
{
    char *const real = realpath(path, NULL);
    plugin *p = NULL;
    if (!real)
        return weir__fail(error, WEIR_INVALID, "%s: %s; name a plugin's .so file", path, strerror(errno));
    pthread_mutex_lock(&r->lock);
    weir_status status = take_file(r, real, &p, error);
    if (!status) status = ensure_loaded(r, p, error);
    if (!status) {
        *entries = p->list;
        *count = p->count;
    }
    pthread_mutex_unlock(&r->lock);
    free(real);
    return status;
}
