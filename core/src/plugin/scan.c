/* scan.c - looking through the folders: which files are plugins, which may be used, and what they hold.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/scan.h"

#include "plugin/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

weir_status weir__scan_names(weir__registry *r, weir__plugin *p, int warn, weir_error *error)
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

static void skip(weir__registry *r, const char *path, const char *line)
{
    weir__refusals_add(&r->refusals, path, line, 0, NULL);
    weir__report(&r->reporter, WEIR__WARNING, "%s; skipped", line);
}

/* Before anything of a file runs, be it in the probe. No warning: a lock may name four files of eighty, and whoever asks
 * for a module of another is told. */
static int is_locked_out(weir__registry *r, const char *path, const struct stat *st, weir__listing **said)
{
    weir_error why;
    if (!r->lock || weir__lock_check(r->lock, path, st, &why) == WEIR_OK) return 0;
    if (!*said) *said = weir__examiner_recall(&r->examiner, path, st);
    weir__report(&r->reporter, WEIR__INFO, "%s", why.message);
    weir__refusals_add(&r->refusals, path, why.message, 1, *said);
    *said = NULL;
    return 1;
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
        skip(r, path, why.message);
        return WEIR_OK;
    }
    weir__listing *listing = weir__vouch_find(manifest, name, &st);
    if (is_locked_out(r, path, &st, &listing)) return WEIR_OK;
    if (!listing && weir__examine(&r->examiner, path, &st, &listing, &why) != WEIR_OK) {
        skip(r, path, why.message);
        return WEIR_OK;
    }
    weir_status status = weir__shelf_add(&r->shelf, path, &st, listing, &made, error);
    if (!status) status = weir__scan_names(r, made, 1, error);
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

weir_status weir__scan(weir__registry *r, const char *plugin_path, const char *lock, weir_error *error)
{
    const char *const chosen = lock && *lock ? lock : secure_getenv("WEIR_LOCK");
    weir_status status = chosen && *chosen ? weir__lock_open(chosen, &r->lock, error) : WEIR_OK;
    if (!status) status = weir__search_folders(plugin_path, &r->reporter, &r->folders, error);
    for (int64_t i = 0; i < r->folders.count && !status; i++) status = scan(r, r->folders.paths[i], error);
    if (!status) weir__examiner_save(&r->examiner);
    return status;
}
