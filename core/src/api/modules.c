/* modules.c - the modules that a model file was written with, against those installed.
 *
 * A module's id is a promise for ever (rule 11 of sdk/ABI.md), and its version says how well: a newer minor version may
 * only add, so it is taken without a word; an older one may lack what the model uses; another major version admits that
 * the promise was broken, and is refused, because a density that is silently another is worse than none. The plugin's own
 * version is about the file as a whole, so there another major version is a warning.
 */
#include "api/api.h"
#include "plugin/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *weir__modules_used(const weir_model *model)
{
    json_t *const list = json_array();
    for (int32_t i = 0; i < model->net.instance_count; i++) {
        const weir__instance *const instance = model->net.instances[i];
        if (!instance->entry) continue;
        int seen = 0;
        for (size_t k = 0; k < json_array_size(list); k++)
            seen |= strcmp(json_string_value(json_object_get(json_array_get(list, k), "id")),
                           instance->module->id) == 0;
        if (seen) continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "id", instance->module->id, "version",
                                              instance->module->version, "plugin", instance->entry->plugin,
                                              "plugin_version", instance->entry->plugin_version));
    }
    return list;
}

/* ---- one module --------------------------------------------------------------------------------------------------------- */

/* What a file says of a module; NULL where it says nothing that can be used. */
typedef struct record {
    const char *id, *version, *plugin, *plugin_version;
} record;

static const char *text_of(const json_t *item, const char *key, int (*is_good)(const char *))
{
    const char *const text = json_string_value(json_object_get(item, key));
    return is_good(text) ? text : NULL;
}

static record record_of(const json_t *item)
{
    return (record){text_of(item, "id", weir__is_id), text_of(item, "version", weir__is_version),
                    text_of(item, "plugin", weir__is_name),
                    text_of(item, "plugin_version", weir__is_version)};
}

/* The three numbers of a well-formed version. */
static void read_version(const char *text, long numbers[3])
{
    char *at = (char *)(uintptr_t)text;
    for (int i = 0; i < 3; i++) numbers[i] = strtol(at + (i > 0), &at, 10);
}

/* Less than 0 when `found` is older than `written`, 0 when equal; *major: the first numbers differ. */
static int compare(const char *found, const char *written, int *major)
{
    long a[3], b[3];
    *major = 0;
    if (!found || !written) return 0;
    read_version(found, a);
    read_version(written, b);
    *major = a[0] != b[0];
    for (int i = 0; i < 3; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

static void warn(weir_runtime *runtime, const char *path, const record *r, const weir__entry *e,
                 const char *advice)
{
    weir_error line;
    const char *const version = weir__entry_module(e, WEIR_F64)->version;
    weir__fail(&line, WEIR_OK,
               "%s: written with module \"%s\" %s of plugin %s %s, found is %s of plugin %s %s (%s); %s",
               path, r->id, r->version ? r->version : "?", r->plugin ? r->plugin : "?",
               r->plugin_version ? r->plugin_version : "?", version, e->plugin, e->plugin_version, e->file,
               advice);
    weir__runtime_log(runtime, 2, line.message);
}

static weir_status check_version(weir_runtime *runtime, const char *path, const record *r,
                                 const weir__entry *e, weir_error *error)
{
    int other_module, other_plugin;
    const char *const version = weir__entry_module(e, WEIR_F64)->version;
    const int module_order = compare(version, r->version, &other_module);
    const int plugin_order = compare(e->plugin_version, r->plugin_version, &other_plugin);
    if (other_module)
        return weir__fail(
            error, WEIR_INVALID,
            "%s: written with module \"%s\" %s of plugin %s %s, found is %s (%s): another major "
            "version may compute something else; install one of the same major version",
            path, r->id, r->version, r->plugin ? r->plugin : "?", r->plugin_version ? r->plugin_version : "?",
            version, e->file);
    if (r->plugin && strcmp(r->plugin, e->plugin) != 0)
        warn(runtime, path, r, e, "check that both mean the same, or remove one of them");
    else if (module_order < 0 || plugin_order < 0)
        warn(runtime, path, r, e, "update the plugin: an older one may lack what the model uses");
    else if (other_plugin)
        warn(runtime, path, r, e, "check the results against earlier ones");
    return WEIR_OK;
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

/* ", and of "b", "c"": the ids after the first that are missing too, so that they can be installed in one go. */
static void list_others(weir_runtime *runtime, const json_t *modules, size_t first, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = first + 1; i < json_array_size(modules); i++) {
        const record r = record_of(json_array_get(modules, i));
        const weir__entry *entry;
        if (!r.id || weir__registry_find(runtime->registry, r.id, &entry, NULL) == WEIR_OK) continue;
        if (used + strlen(r.id) + 40 > size) return;
        used +=
            (size_t)snprintf(text + used, size - used, "%s\"%s\"", used ? ", " : "; also missing: ", r.id);
    }
}

static weir_status missing(weir_runtime *runtime, const char *path, const json_t *modules, size_t at,
                           const weir_error *why, weir_error *error)
{
    char others[300];
    weir_error refusal;
    const record r = record_of(json_array_get(modules, at));
    const int refused = r.plugin && weir__registry_why_refused(runtime->registry, r.plugin, &refusal);
    list_others(runtime, modules, at, others, sizeof others);
    return weir__fail(error, WEIR_INVALID, "%s: needs module \"%s\" of plugin %s %s: %s%s", path, r.id,
                      r.plugin ? r.plugin : "?", r.plugin_version ? r.plugin_version : "",
                      refused ? refusal.message : why->message, others);
}

weir_status weir__modules_check(weir_runtime *runtime, const char *path, const json_t *modules,
                                weir_error *error)
{
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const record r = record_of(json_array_get(modules, i));
        const weir__entry *entry;
        weir_error why = {0};
        if (!r.id) continue;
        if (weir__registry_find(runtime->registry, r.id, &entry, &why))
            return missing(runtime, path, modules, i, &why, error);
        const weir_status status = check_version(runtime, path, &r, entry, error);
        if (status) return status;
    }
    return WEIR_OK;
}
