/* shelf.c - the plugins that are known, by file and by the ids of their modules.
 *
 * SPDX-License-Identifier: MIT
 *
 * Plugins and entries are allocated one by one and never move or go before the shelf does: their addresses are given
 * out. Ids are kept sorted.
 */
#include "plugin/shelf.h"

#include "plugin/load.h"

#include <stdlib.h>
#include <string.h>

/* ---- files -------------------------------------------------------------------------------------- */

static void free_plugin(weir__plugin *p)
{
    if (!p) return;
    weir__listing_free(p->listing);
    free(p->entries);
    free(p->list);
    free(p->path);
    free(p);
}

static int same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int weir__plugin_is(const weir__plugin *p, const struct stat *st)
{
    const struct stat *const k = &p->known;
    return same_file(k, st) && k->st_size == st->st_size && k->st_mtim.tv_sec == st->st_mtim.tv_sec &&
           k->st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

void weir__plugin_renew(weir__plugin *p, const struct stat *st)
{
    p->known = *st;
    p->refusal.status = WEIR_OK;
}

weir__plugin *weir__shelf_file(const weir__shelf *shelf, const struct stat *st)
{
    for (int64_t i = 0; i < shelf->plugin_count; i++)
        if (same_file(&shelf->plugins[i]->known, st)) return shelf->plugins[i];
    return NULL;
}

weir_status weir__shelf_add(weir__shelf *shelf, const char *path, const struct stat *st,
                            weir__listing *listing, weir__plugin **made, weir_error *error)
{
    weir__plugin *const p = calloc(1, sizeof *p);
    weir__plugin **const longer = realloc(shelf->plugins, ((size_t)shelf->plugin_count + 1) * sizeof *longer);
    if (longer) shelf->plugins = longer;
    if (p) p->path = strdup(path);
    if (!p || !longer || !p->path) {
        free_plugin(p);
        weir__listing_free(listing);
        return weir__no_memory(error, path);
    }
    p->known = *st;
    p->listing = listing;
    shelf->plugins[shelf->plugin_count++] = p;
    *made = p;
    return WEIR_OK;
}

/* ---- ids ---------------------------------------------------------------------------------------- */

/* Where `id` is, or where it belongs. */
static int64_t place_of(const weir__shelf *shelf, const char *id, int *found)
{
    int64_t low = 0, high = shelf->id_count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(shelf->ids[middle].id, id);
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

weir__plugin *weir__shelf_owner(const weir__shelf *shelf, const char *id)
{
    int found;
    const int64_t at = place_of(shelf, id, &found);
    return found ? shelf->ids[at].owner : NULL;
}

weir_status weir__shelf_name(weir__shelf *shelf, const char *id, weir__plugin *owner, weir_error *error)
{
    int found;
    const int64_t at = place_of(shelf, id, &found);
    if (found) return WEIR_OK;
    weir__known_id *const longer = realloc(shelf->ids, ((size_t)shelf->id_count + 1) * sizeof *longer);
    if (!longer) return weir__no_memory(error, "the list of modules");
    shelf->ids = longer;
    memmove(longer + at + 1, longer + at, (size_t)(shelf->id_count - at) * sizeof *longer);
    longer[at] = (weir__known_id){id, owner};
    shelf->id_count++;
    return WEIR_OK;
}

const char *weir__shelf_nearest(const weir__shelf *shelf, const char *id)
{
    const char **const words = calloc((size_t)shelf->id_count + 1, sizeof *words);
    if (!words) return NULL;
    for (int64_t i = 0; i < shelf->id_count; i++) words[i] = shelf->ids[i].id;
    const char *const nearest = weir__nearest(id, words, shelf->id_count);
    free(words);
    return nearest;
}

/* ---- loading ------------------------------------------------------------------------------------ */

static int fill_entries(weir__plugin *p, const weir__loaded *loaded)
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

static weir_status load_now(weir__plugin *p, const weir__reporter *reporter, weir_error *error)
{
    weir__loaded loaded;
    weir_error why;
    const weir_status status = weir__load(p->path, reporter, &loaded, &why);
    if (status) return weir__fail(error, status, "%s: %s", p->path, why.message);
    const int filled = fill_entries(p, &loaded);
    weir__loaded_clear(&loaded);
    if (filled) return WEIR_OK;
    free(p->entries);
    p->entries = NULL;
    return weir__no_memory(error, p->path);
}

weir_status weir__plugin_load(weir__plugin *p, const weir__reporter *reporter, weir_error *error)
{
    if (p->entries) return WEIR_OK;
    if (!p->refusal.status) load_now(p, reporter, &p->refusal);
    if (!p->refusal.status) return WEIR_OK;
    return weir__fail(error, p->refusal.status, "%s", p->refusal.message);
}

void weir__shelf_clear(weir__shelf *shelf)
{
    for (int64_t i = 0; i < shelf->plugin_count; i++) free_plugin(shelf->plugins[i]);
    free(shelf->plugins);
    free(shelf->ids);
    memset(shelf, 0, sizeof *shelf);
}
