/* runtime.c - opening and closing the library, and the list of what is installed. */
#include "container/container.h"
#include "math/math.h"
#include "method/signature.h"
#include "model/option.h"
#include "plugin/companion.h"
#include "run/model.h"

#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(n)  TEXT_OF_(n)
#define TEXT_OF_(n) #n

const char *weir_version(void)
{
    return TEXT_OF(WEIR_VERSION_MAJOR) "." TEXT_OF(WEIR_VERSION_MINOR) "." TEXT_OF(WEIR_VERSION_PATCH);
}

const char *weir_kernels(void)
{
    return weir__math_name();
}

void weir_free(void *memory)
{
    free(memory);
}

static void log_to_stderr(void *user, int32_t level, const char *line)
{
    (void)user;
    if (level >= 2) fprintf(stderr, "weir: %s\n", line);
}

/* Workers log too. The lock is recursive: what hears a line may call the library. */
static void log_in_turn(void *runtime, int32_t level, const char *line)
{
    static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    const weir_runtime *const rt = runtime;
    pthread_mutex_lock(&turn);
    rt->listener(rt->user, level, line);
    pthread_mutex_unlock(&turn);
}

void weir__runtime_log(const weir_runtime *runtime, int32_t level, const char *line)
{
    log_in_turn((void *)(uintptr_t)runtime, level, line);
}

static int32_t processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set)) return 1;
    const int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > 256 ? 256 : count;
}

/* The settings as this library knows them: what an older program's struct lacks is zero. */
static weir_status complete(const weir_settings *given, weir_settings *full, weir_error *error)
{
    const size_t first = offsetof(weir_settings, lock);
    memset(full, 0, sizeof *full);
    if (!given) return WEIR_OK;
    if (given->struct_size < first)
        return weir__fail(error, WEIR_INVALID,
                          "weir_settings.struct_size is %u; set it to sizeof(weir_settings)",
                          (unsigned)given->struct_size);
    memcpy(full, given, given->struct_size < sizeof *full ? given->struct_size : sizeof *full);
    return WEIR_OK;
}

weir_status weir_open(const weir_settings *given, weir_runtime **runtime, weir_error *error)
{
    weir_settings settings;
    const weir_status refused = complete(given, &settings, error);
    if (refused) return refused;
    const int32_t threads = settings.threads > 0 ? settings.threads : processors();
    if (threads > 1024) return weir__fail(error, WEIR_INVALID, "%d threads: at most 1024", (int)threads);
    weir_runtime *const rt = calloc(1, sizeof *rt);
    if (!rt) return weir__no_memory(error, "the runtime");
    rt->listener = settings.log ? settings.log : log_to_stderr;
    rt->interrupted = settings.interrupted;
    rt->user = settings.user;
    const weir_status status =
        weir__registry_open(settings.plugin_path, settings.lock, log_in_turn, rt, &rt->registry, error);
    if (status) return free(rt), status;
    rt->pool = weir__pool_new(threads);
    if (!rt->pool) {
        weir_close(rt);
        return weir__no_memory(error, "the thread pool");
    }
    *runtime = rt;
    return WEIR_OK;
}

void weir_close(weir_runtime *runtime)
{
    if (!runtime) return;
    weir__pool_free(runtime->pool);
    weir__registry_close(runtime->registry);
    free(runtime);
}

int32_t weir_threads(const weir_runtime *runtime)
{
    return weir__pool_threads(runtime->pool);
}

/* ---- the list of modules ---------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"", "layer", "univariate", "network", "density"};
static const char *const types[] = {"", "integer", "number", "boolean", "string", "integers", "numbers"};

static json_t *option_json(const weir_option *o)
{
    json_t *const usual = o->default_json ? json_loads(o->default_json, JSON_DECODE_ANY, NULL) : NULL;
    json_t *const out = json_pack("{s:s, s:s, s:s, s:b}", "name", o->name, "type", types[o->type], "summary",
                                  o->summary ? o->summary : "", "required", o->default_json == NULL);
    json_object_set_new(out, "default", usual ? usual : json_null());
    if (o->minimum < o->maximum && o->type != WEIR_BOOLEAN && o->type != WEIR_STRING) {
        json_object_set_new(out, "minimum", json_real(o->minimum));
        json_object_set_new(out, "maximum", json_real(o->maximum));
    }
    if (o->choices) {
        json_t *const list = json_array();
        for (const char *at = o->choices; *at;) {
            const size_t length = strcspn(at, "|");
            json_array_append_new(list, json_stringn(at, length));
            at += length + (at[length] == '|');
        }
        json_object_set_new(out, "choices", list);
    }
    return out;
}

static json_t *slot_json(const weir_slot *s)
{
    json_t *const out = json_pack("{s:s, s:s, s:b, s:s}", "name", s->name, "kind", kinds[s->kind], "optional",
                                  s->optional != 0, "summary", s->summary ? s->summary : "");
    json_object_set_new(out, "default", s->default_id ? json_string(s->default_id) : json_null());
    return out;
}

static int lacks(const weir_module *m, json_t *list)
{
    if (m->kind == WEIR_LAYER) {
        const weir_layer_ops *const o = m->ops;
        if (!o->inverse) json_array_append_new(list, json_string("inverse"));
        if (!o->inverse_vjp) json_array_append_new(list, json_string("inverse_vjp"));
    } else if (m->kind == WEIR_UNIVARIATE) {
        const weir_univariate_ops *const o = m->ops;
        if (!o->inverse) json_array_append_new(list, json_string("inverse"));
        if (!o->inverse_vjp) json_array_append_new(list, json_string("inverse_vjp"));
    }
    return 0;
}

static json_t *methods_json(const weir_module *m)
{
    json_t *const list = json_array();
    for (int32_t i = 0; i < weir__method_count(m); i++) {
        const weir_method *const method = weir__method_at(m, i);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", method->name, "signature",
                                              method->signature, "summary", method->summary));
    }
    return list;
}

/* A file of another module of the same ending is left out. */
static void add_file(const weir_module *module, const char *path, json_t *list)
{
    char about[500] = "";
    const char *const slash = strrchr(path, '/');
    const weir_status status = module->describe_file(path, about, (int64_t)sizeof about);
    weir_error line;
    if (status == WEIR_UNSUPPORTED) return;
    about[sizeof about - 1] = '\0';
    weir__fail(&line, status, "%s", about); /* one clean line, whatever the file made of it */
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", slash ? slash + 1 : path, "path",
                                          path, "about", line.message, "good", status == WEIR_OK));
}

static json_t *files_json(const weir_runtime *rt, const weir_module *m)
{
    weir__companions files;
    json_t *const list = json_array();
    if (!WEIR_HAS(m, describe_file) || !m->file_ending) return list;
    if (weir__companion_list(rt->registry, m->file_ending, &files, NULL) != WEIR_OK) return list;
    for (int64_t i = 0; i < files.count; i++) add_file(m, files.paths[i], list);
    weir__companions_clear(&files);
    return list;
}

static json_t *module_json(const weir_module *m, const weir__entry *entry)
{
    json_t *const options = json_array(), *const slots = json_array(), *const supplied = json_array();
    json_t *const dtypes = json_array();
    for (int32_t i = 0; i < m->option_count; i++)
        json_array_append_new(options, option_json(weir__option_at(m, i)));
    for (int32_t i = 0; i < m->slot_count; i++) json_array_append_new(slots, slot_json(weir__slot_at(m, i)));
    lacks(m, supplied);
    if (!entry || entry->f32) json_array_append_new(dtypes, json_string("f32"));
    if (!entry || entry->f64) json_array_append_new(dtypes, json_string("f64"));
    json_t *const out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", m->id, "kind", kinds[m->kind],
                  "version", m->version, "summary", m->summary, "doc", m->doc ? m->doc : "", "options",
                  options, "children", slots, "supplied_by_host", supplied, "dtypes", dtypes);
    json_object_set_new(out, "methods", methods_json(m));
    json_object_set_new(out, "plugin", entry ? json_string(entry->plugin) : json_string("host"));
    json_object_set_new(out, "file", entry ? json_string(entry->file) : json_null());
    return out;
}

static weir_status list_one(weir_runtime *rt, const char *id, json_t *list, int with_files, weir_error *error)
{
    const weir_module *const own = weir__container(id, WEIR_F32);
    const weir__entry *entry = NULL;
    if (!own) {
        const weir_status status = weir__registry_find(rt->registry, id, &entry, error);
        if (status) return status;
    }
    const weir_module *const module = own ? own : weir__entry_module(entry, WEIR_F32);
    json_t *const described = module_json(module, entry);
    if (with_files) json_object_set_new(described, "files", files_json(rt, module));
    json_array_append_new(list, described);
    return WEIR_OK;
}

/* A plugin that cannot be loaded is left out of the whole list, with a warning; asked for by name it is an error. */
weir_status weir_modules(weir_runtime *rt, const char *id, char **json, weir_error *error)
{
    json_t *const list = json_array();
    weir_status status = WEIR_OK;
    if (!list) return weir__no_memory(error, "the list of modules");
    if (id) status = list_one(rt, id, list, 1, error);
    for (int32_t i = 0; !id && i < weir__container_count(); i++)
        list_one(rt, weir__container_at(i, WEIR_F32)->id, list, 0, error);
    for (int64_t i = 0; !id && i < weir__registry_count(rt->registry); i++) {
        weir_error skipped = {0};
        if (list_one(rt, weir__registry_id(rt->registry, i), list, 0, &skipped))
            weir__runtime_log(rt, 2, skipped.message);
    }
    if (!status && !(*json = json_dumps(list, JSON_COMPACT)))
        status = weir__no_memory(error, "the list of modules");
    json_decref(list);
    return status;
}
