/* load.c - dlopen, handshake, descriptors.
 *
 * SPDX-License-Identifier: MIT
 *
 * RTLD_NOW: a missing symbol is found here, not in the middle of a run. RTLD_LOCAL: two plugins may use the same names.
 * RTLD_DEEPBIND was not used: it breaks sanitizers and allocators that interpose. Nothing is ever dlclosed.
 */
#include "plugin/load.h"

#include "plugin/descriptor.h"
#include "plugin/fpstate.h"
#include "plugin/handshake.h"
#include "plugin/image.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 4096

/* dlerror starts with the path, which the caller names anyway. */
static const char *dl_reason(const char *path)
{
    const char *const text = dlerror();
    const size_t n = strlen(path);
    if (!text) return "unknown reason";
    return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static weir_status open_root(const char *path, const weir_root **root, weir_error *error)
{
    void *const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return weir__fail(error, WEIR_INVALID, "cannot be loaded: %s", dl_reason(path));
    void *const symbol = dlsym(handle, WEIR_PLUGIN_SYMBOL);
    if (!symbol)
        return weir__fail(error, WEIR_INVALID,
                          "not a plugin: it does not export the function %s; build it with weir_add_plugin",
                          WEIR_PLUGIN_SYMBOL);
    weir__image_remember(symbol, path);
    weir_plugin_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    const weir_root *const given = entry();
    const weir_status status = weir__handshake(given, error);
    if (!status) *root = given;
    return status;
}

static weir_status take_module(weir__loaded *out, int64_t i, weir_error *error)
{
    const weir_module *const f32 = out->root->module((int32_t)i, WEIR_F32);
    const weir_module *const f64 = out->root->module((int32_t)i, WEIR_F64);
    weir_status status = WEIR_OK;
    if (!f32 && !f64)
        return weir__fail(error, WEIR_INVALID,
                          "module %d is offered in no precision; build it for f32, f64 or both", (int)i);
    if (f32) status = weir__descriptor_check(f32, WEIR_F32, error);
    if (f64 && !status) status = weir__descriptor_check(f64, WEIR_F64, error);
    if (f32 && f64 && !status) status = weir__descriptor_agree(f32, f64, error);
    out->f32[i] = f32;
    out->f64[i] = f64;
    return status;
}

static const char *id_at(const weir__loaded *loaded, int64_t i)
{
    return (loaded->f32[i] ? loaded->f32[i] : loaded->f64[i])->id;
}

static weir_status take_modules(weir__loaded *out, weir_error *error)
{
    const int32_t count = out->root->module_count();
    if (count < 1 || count > MODULES_MAX)
        return weir__fail(error, WEIR_INVALID, "module_count gives %d, 1 to %d are possible", (int)count,
                          MODULES_MAX);
    out->f32 = calloc((size_t)count, sizeof *out->f32);
    out->f64 = calloc((size_t)count, sizeof *out->f64);
    if (!out->f32 || !out->f64) return weir__no_memory(error, "the modules of a plugin");
    out->count = count;
    for (int64_t i = 0; i < count; i++) {
        const weir_status status = take_module(out, i, error);
        if (status) return status;
        for (int64_t j = 0; j < i; j++)
            if (strcmp(id_at(out, i), id_at(out, j)) == 0)
                return weir__fail(error, WEIR_INVALID, "module %s is there twice; rename one", id_at(out, i));
    }
    return WEIR_OK;
}

static void report_disturbance(const weir__reporter *reporter, const char *path, const weir__loaded *loaded,
                               const char *what)
{
    if (reporter && what)
        weir__report(
            reporter, WEIR__WARNING,
            "%s: plugin %s changed %s while it was loaded; it was put back; link it without -ffast-math",
            path, loaded->root ? loaded->root->name : "(refused)", what);
}

weir_status weir__load(const char *path, const weir__reporter *reporter, weir__loaded *loaded,
                       weir_error *error)
{
    weir__fpstate state;
    memset(loaded, 0, sizeof *loaded);
    weir__fpstate_save(&state);
    weir_status status = open_root(path, &loaded->root, error);
    if (!status) status = take_modules(loaded, error);
    report_disturbance(reporter, path, loaded, weir__fpstate_restore(&state));
    if (status) weir__loaded_clear(loaded);
    return status;
}

void weir__loaded_clear(weir__loaded *loaded)
{
    free(loaded->f32);
    free(loaded->f64);
    memset(loaded, 0, sizeof *loaded);
}

static int fill_listing(const weir__loaded *loaded, weir__listing *out)
{
    const char *const needs = loaded->root->needs;
    out->plugin = strdup(loaded->root->name);
    out->version = strdup(loaded->root->version);
    out->needs = strdup(needs ? needs : "");
    out->modules = calloc((size_t)loaded->count, sizeof *out->modules);
    if (!out->plugin || !out->version || !out->needs || !out->modules) return 0;
    out->count = loaded->count;
    for (int64_t i = 0; i < loaded->count; i++) {
        weir__listed *const m = &out->modules[i];
        m->has32 = loaded->f32[i] != NULL;
        m->has64 = loaded->f64[i] != NULL;
        m->kind = (m->has32 ? loaded->f32[i] : loaded->f64[i])->kind;
        if (!(m->id = strdup(id_at(loaded, i)))) return 0;
    }
    return 1;
}

weir__listing *weir__loaded_listing(const weir__loaded *loaded)
{
    weir__listing *const listing = calloc(1, sizeof *listing);
    if (listing && fill_listing(loaded, listing)) return listing;
    weir__listing_free(listing);
    return NULL;
}
