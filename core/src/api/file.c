/* file.c - models as safetensors files. */
#include "api/api.h"

#include "file/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define KEY_MODEL    "weir_model"
#define KEY_MODULES  "weir_modules"
#define KEY_METADATA "weir_metadata"
#define KEY_CHECKSUM "weir_crc32"

static uLong add_text(uLong crc, const char *text)
{
    return crc32_z(crc, (const Bytef *)text, strlen(text) + 1);
}

uint32_t weir__checksum(const char *model, const char *modules, const char *metadata,
                        const weir__st_tensor *tensors, int64_t count)
{
    uLong crc = crc32_z(0, NULL, 0);
    crc = add_text(add_text(add_text(crc, model), modules), metadata);
    for (int64_t i = 0; i < count; i++) {
        crc = add_text(crc, tensors[i].name);
        crc =
            crc32_z(crc, tensors[i].data, (z_size_t)(tensors[i].count * weir__dtype_bytes(tensors[i].dtype)));
    }
    return (uint32_t)crc;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

json_t *weir__model_header(const weir_model *model, const weir__st_tensor *tensors, int64_t count)
{
    json_t *const modules = weir__modules_used(model);
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    char *const description = json_dumps(model->description, flags), *const list = json_dumps(modules, flags);
    char *const metadata = json_dumps(model->metadata, flags);
    json_t *out = NULL;
    json_decref(modules);
    if (description && list && metadata) {
        char crc[16];
        snprintf(crc, sizeof crc, "%08x", weir__checksum(description, list, metadata, tensors, count));
        out = json_pack("{s:s, s:s, s:s, s:s, s:s}", "format", "weir", KEY_MODEL, description, KEY_MODULES,
                        list, KEY_METADATA, metadata, KEY_CHECKSUM, crc);
    }
    free(description);
    free(list);
    free(metadata);
    return out;
}

weir_status weir_model_save(const weir_model *model, const char *path, weir_error *error)
{
    weir__st_tensor *tensors = NULL;
    int64_t count = 0;
    weir_status status = weir__model_tensors(model, &tensors, &count, error);
    if (status) return status;
    json_t *const header = weir__model_header(model, tensors, count);
    status = header ? weir__st_write(path, header, tensors, count, error)
                    : weir__no_memory(error, "the file's header");
    json_decref(header);
    free(tensors);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

/* The model's own tensors; a checkpoint has a sum of its own for the others. Files without one (made by other tools) are
 * taken as they are. */
weir_status weir__model_check_sum(const char *path, const weir__st_file *file, weir_error *error)
{
    const char *const wanted = weir__st_metadata(file, KEY_CHECKSUM);
    if (!wanted) return WEIR_OK;
    const int64_t total = weir__st_count(file);
    weir__st_tensor *const list = calloc((size_t)total + 1, sizeof *list);
    if (!list) return weir__no_memory(error, "the list of tensors");
    int64_t count = 0;
    for (int64_t i = 0; i < total; i++) {
        const weir__st_tensor *const t = weir__st_at(file, i);
        if (strncmp(t->name, "flow.", 5) == 0 || strncmp(t->name, "base.", 5) == 0) list[count++] = *t;
    }
    const char *const modules = weir__st_metadata(file, KEY_MODULES);
    const char *const metadata = weir__st_metadata(file, KEY_METADATA);
    char found[16];
    snprintf(found, sizeof found, "%08x",
             weir__checksum(weir__st_metadata(file, KEY_MODEL), modules ? modules : "",
                            metadata ? metadata : "", list, count));
    free(list);
    if (strcmp(found, wanted) == 0) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: the file was altered or damaged (checksum %s, expected %.8s)",
                      path, found, wanted);
}

weir_status weir__model_from_file(weir_runtime *runtime, const char *path, const weir__st_file *file,
                                  weir_model **model, weir_error *error)
{
    const char *const text = weir__st_metadata(file, KEY_MODEL), *const list =
                                                                     weir__st_metadata(file, KEY_MODULES);
    const char *const metadata = weir__st_metadata(file, KEY_METADATA);
    if (!text)
        return weir__fail(error, WEIR_INVALID, "%s: not a Weir model: it has no model description", path);
    weir_status status = weir__model_check_sum(path, file, error);
    if (status) return status;
    json_t *const modules = list ? json_loads(list, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (modules) status = weir__modules_check(runtime, path, modules, error);
    json_decref(modules);
    if (status) return status;
    json_t *const root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_t *const user = metadata ? json_loads(metadata, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!json_is_object(root)) {
        status = weir__fail(error, WEIR_INVALID, "%s: its model description is not JSON", path);
    } else {
        if (json_is_object(user)) json_object_set(root, "metadata", user);
        status = weir__model_from_json(runtime, root, file, model, error);
        if (status) weir__fail_in(error, "%s", path);
    }
    json_decref(root);
    json_decref(user);
    return status;
}

weir_status weir_model_load(weir_runtime *runtime, const char *path, weir_model **model, weir_error *error)
{
    weir__st_file *file = NULL;
    weir_model *made = NULL;
    weir_status status = weir__st_read(path, &file, error);
    if (status) return status;
    status = weir__model_from_file(runtime, path, file, &made, error);
    if (!status) status = weir__model_fill(made, path, file, "", error);
    weir__st_free(file);
    /* Now, not at the first call: a module that cannot work with what was loaded says so in prepare. */
    if (!status && (status = weir__model_prepare(made, error))) weir__fail_in(error, "%s", path);
    if (status) return weir_model_close(made), status;
    *model = made;
    return WEIR_OK;
}
