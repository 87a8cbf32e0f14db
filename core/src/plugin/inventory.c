/* inventory.c - what is found where, as JSON.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/inventory.h"

#include "plugin/names.h"
#include "plugin/sha256.h"

#include <stdlib.h>
#include <string.h>

/* File names may be any bytes; those that are no text become '?', as in errors. */
static json_t *text_json(const char *text)
{
    json_t *made = json_string(text);
    char *const copy = made ? NULL : strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    if (copy) made = json_string(copy);
    free(copy);
    return made;
}

static void put_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? text_json(text) : json_null());
}

static json_t *digest_json(const char *path)
{
    char digest[WEIR__SHA256_TEXT];
    return weir__lock_digest(path, digest, NULL) == WEIR_OK ? json_string(digest) : json_null();
}

/* `shelf` NULL: the file is not used, and none of its modules wins. */
static json_t *module_json(const weir__shelf *shelf, const weir__plugin *p, const weir__listed *m)
{
    json_t *const out =
        json_pack("{s:s, s:s, s:o}", "id", m->id, "kind", weir__kind_name(m->kind), "dtypes", json_array());
    json_t *const dtypes = json_object_get(out, "dtypes");
    if (m->has32) json_array_append_new(dtypes, json_string("f32"));
    if (m->has64) json_array_append_new(dtypes, json_string("f64"));
    const weir__plugin *const owner = shelf ? weir__shelf_owner(shelf, m->id) : NULL;
    json_object_set_new(out, "used", json_boolean(owner == p && p));
    put_text(out, "used_from", owner && owner != p ? owner->path : NULL);
    return out;
}

static json_t *modules_json(const weir__shelf *shelf, const weir__plugin *p, const weir__listing *listing)
{
    json_t *const list = json_array();
    for (int64_t i = 0; listing && i < listing->count; i++)
        json_array_append_new(list, module_json(shelf, p, &listing->modules[i]));
    return list;
}

static json_t *file_json(const char *path, const char *state, const char *reason,
                         const weir__listing *listing)
{
    json_t *const out = json_pack("{s:s, s:o}", "state", state, "sha256", digest_json(path));
    put_text(out, "file", path);
    put_text(out, "reason", reason);
    put_text(out, "plugin", listing ? listing->plugin : NULL);
    put_text(out, "version", listing ? listing->version : NULL);
    put_text(out, "needs", listing ? listing->needs : NULL);
    put_text(out, "checked", listing && strcmp(state, "refused") ? listing->checked : NULL);
    return out;
}

static json_t *plugin_json(const weir__shelf *shelf, const weir__plugin *p)
{
    const int refused = p->refusal.status != WEIR_OK;
    json_t *const out = file_json(p->path,
                                  refused      ? "refused"
                                  : p->entries ? "loaded"
                                               : "found",
                                  refused ? p->refusal.message : NULL, p->listing);
    json_object_set_new(out, "modules", modules_json(shelf, p, p->listing));
    return out;
}

static json_t *refusal_json(const weir__refusal *r)
{
    json_t *const out = file_json(r->path, "refused", weir__refusal_reason(r), r->listing);
    json_object_set_new(out, "modules", modules_json(NULL, NULL, r->listing));
    return out;
}

json_t *weir__inventory(const weir__folders *folders, const weir__lock *lock, const weir__shelf *shelf,
                        const weir__refusals *refusals)
{
    json_t *const searched = json_array(), *const plugins = json_array();
    for (int64_t i = 0; i < folders->count; i++)
        json_array_append_new(searched, text_json(folders->paths[i]));
    for (int64_t i = 0; i < shelf->plugin_count; i++)
        json_array_append_new(plugins, plugin_json(shelf, shelf->plugins[i]));
    for (int64_t i = 0; i < refusals->count; i++)
        json_array_append_new(plugins, refusal_json(&refusals->items[i]));
    json_t *const out = json_pack("{s:o, s:o}", "folders", searched, "plugins", plugins);
    put_text(out, "lock", lock ? weir__lock_path(lock) : NULL);
    return out;
}

static weir_status check_name(const char *path, const char **name, weir_error *error)
{
    const char *const slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (weir__is_text(*name, 255, 0)) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: a file of this name cannot be locked; rename it", path);
}

weir_status weir__inventory_file(const char *path, json_t **entry, weir_error *error)
{
    struct stat st;
    char digest[WEIR__SHA256_TEXT];
    const char *name;
    weir_status status = check_name(path, &name, error);
    if (!status) status = weir__lock_digest(path, digest, error);
    if (!status && stat(path, &st) != 0)
        status = weir__fail(error, WEIR_INVALID, "%s: is gone; start again", path);
    if (status) return status;
    *entry = json_pack("{s:s, s:I, s:s}", "file", name, "size", (json_int_t)st.st_size, "sha256", digest);
    return *entry ? WEIR_OK : weir__no_memory(error, path);
}

/* The digest must be of what this process knows, and has perhaps loaded, not of what lies there now. */
weir_status weir__inventory_entry(const weir__plugin *p, json_t **entry, weir_error *error)
{
    struct stat st;
    json_t *made = NULL;
    const weir_status status = weir__inventory_file(p->path, &made, error);
    if (status) return status;
    if (stat(p->path, &st) != 0 || !weir__plugin_is(p, &st)) {
        json_decref(made);
        return weir__fail(error, WEIR_INVALID, "%s: was replaced since it was found; start again", p->path);
    }
    json_t *const modules = json_array();
    for (int64_t i = 0; i < p->listing->count; i++)
        json_array_append_new(modules, json_string(p->listing->modules[i].id));
    json_object_set_new(made, "plugin", json_string(p->listing->plugin));
    json_object_set_new(made, "version", json_string(p->listing->version));
    json_object_set_new(made, "modules", modules);
    *entry = made;
    return WEIR_OK;
}
