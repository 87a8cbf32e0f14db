/* listing.c - a plugin's contents to and from JSON.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/listing.h"

#include "plugin/names.h"

#include <weir/module.h>

#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 4096

static const char *const kinds[] = {[WEIR_LAYER] = "layer",
                                    [WEIR_UNIVARIATE] = "univariate",
                                    [WEIR_NETWORK] = "network",
                                    [WEIR_DENSITY] = "density"};

const char *weir__kind_name(int32_t kind)
{
    return kind >= WEIR_LAYER && kind <= WEIR_DENSITY ? kinds[kind] : NULL;
}

static int32_t kind_of(const char *name)
{
    for (int32_t kind = WEIR_LAYER; name && kind <= WEIR_DENSITY; kind++)
        if (strcmp(kinds[kind], name) == 0) return kind;
    return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static weir_status parse_precisions(const json_t *list, weir__listed *out, weir_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_int_t bits = json_integer_value(json_array_get(list, i));
        if (bits == WEIR_F32) out->has32 = 1;
        if (bits == WEIR_F64) out->has64 = 1;
    }
    if (out->has32 || out->has64) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "module without a precision");
}

static weir_status parse_module(const json_t *object, weir__listed *out, weir_error *error)
{
    const char *const id = text_of(object, "id");
    if (!weir__is_id(id)) return weir__fail(error, WEIR_INVALID, "module without a well-formed id");
    out->kind = kind_of(text_of(object, "kind"));
    if (!out->kind) return weir__fail(error, WEIR_INVALID, "module without a kind");
    if (!(out->id = strdup(id))) return weir__no_memory(error, "a list of modules");
    return parse_precisions(json_object_get(object, "precisions"), out, error);
}

static weir_status parse_modules(const json_t *list, weir__listing *out, weir_error *error)
{
    const size_t count = json_array_size(list);
    if (count == 0 || count > MODULES_MAX)
        return weir__fail(error, WEIR_INVALID, "no \"modules\", or more than %d", MODULES_MAX);
    out->modules = calloc(count, sizeof *out->modules);
    if (!out->modules) return weir__no_memory(error, "a list of modules");
    out->count = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        const weir_status status = parse_module(json_array_get(list, i), &out->modules[i], error);
        if (status) return status;
    }
    return WEIR_OK;
}

static weir_status parse(const json_t *object, weir__listing *out, weir_error *error)
{
    const char *const plugin = text_of(object, "plugin"), *const version = text_of(object, "version");
    const char *const needs = text_of(object, "needs");
    if (!weir__is_name(plugin)) return weir__fail(error, WEIR_INVALID, "no well-formed \"plugin\"");
    if (!weir__is_version(version)) return weir__fail(error, WEIR_INVALID, "no well-formed \"version\"");
    if (needs && *needs && !weir__is_text(needs, WEIR__NEEDS_MAX, 0))
        return weir__fail(error, WEIR_INVALID, "\"needs\" is not printable text");
    out->plugin = strdup(plugin);
    out->version = strdup(version);
    out->needs = strdup(needs ? needs : "");
    if (!out->plugin || !out->version || !out->needs) return weir__no_memory(error, "a list of modules");
    return parse_modules(json_object_get(object, "modules"), out, error);
}

weir__listing *weir__listing_parse(const json_t *object, weir_error *error)
{
    weir__listing *const listing = calloc(1, sizeof *listing);
    if (!listing) {
        weir__no_memory(error, "a list of modules");
        return NULL;
    }
    if (parse(object, listing, error) == WEIR_OK) return listing;
    weir__listing_free(listing);
    return NULL;
}

static json_t *module_json(const weir__listed *m)
{
    json_t *const bits = json_array();
    if (m->has32) json_array_append_new(bits, json_integer(WEIR_F32));
    if (m->has64) json_array_append_new(bits, json_integer(WEIR_F64));
    return json_pack("{s:s, s:s, s:o}", "id", m->id, "kind", weir__kind_name(m->kind), "precisions", bits);
}

json_t *weir__listing_json(const weir__listing *listing)
{
    json_t *const modules = json_array();
    for (int64_t i = 0; modules && i < listing->count; i++)
        if (json_array_append_new(modules, module_json(&listing->modules[i])) != 0) {
            json_decref(modules);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:s, s:o}", "plugin", listing->plugin, "version", listing->version, "needs",
                     listing->needs, "modules", modules);
}

void weir__listing_free(weir__listing *listing)
{
    if (!listing) return;
    for (int64_t i = 0; i < listing->count; i++) free(listing->modules[i].id);
    free(listing->modules);
    free(listing->plugin);
    free(listing->version);
    free(listing->needs);
    free(listing);
}
