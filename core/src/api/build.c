/* build.c - a model from its description. */
#include "api/api.h"
#include "model/making.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES_MOST (1 << 22)

static weir_status check_keys(const json_t *root, weir_error *error)
{
    static const char *const known[] = {"flow",  "base",  "features", "context",
                                        "image", "dtype", "seed",     "metadata"};
    const int64_t count = (int64_t)(sizeof known / sizeof *known);
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return weir__fail(error, WEIR_INVALID, "a model description must be a JSON object");
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        int found = 0;
        for (int64_t i = 0; i < count; i++) found |= strcmp(known[i], key) == 0;
        if (found) continue;
        const char *const near = weir__nearest(key, known, count);
        return weir__fail(error, WEIR_INVALID, "model description: unknown key \"%s\"%s%s%s", key,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return WEIR_OK;
}

/* A whole number in [low, high], `usual` when the key is missing. */
static weir_status whole(const json_t *root, const char *key, int64_t low, int64_t high, int64_t usual,
                         int64_t *out, weir_error *error)
{
    const json_t *const value = json_object_get(root, key);
    *out = usual;
    if (!value || json_is_null(value)) return WEIR_OK;
    const double number = json_is_number(value) ? json_number_value(value) : (double)NAN;
    if (!(number >= (double)low && number <= (double)high) || number != floor(number))
        return weir__fail(error, WEIR_INVALID,
                          "model description: %s must be a whole number from %lld to %lld", key,
                          (long long)low, (long long)high);
    *out = json_is_integer(value) ? (int64_t)json_integer_value(value) : (int64_t)number;
    return WEIR_OK;
}

static weir_status read_image(weir_model *m, const json_t *image, weir_error *error)
{
    int64_t sides[3] = {0};
    if (!image || json_is_null(image)) return WEIR_OK;
    int good = json_is_array(image) && json_array_size(image) == 3;
    for (size_t i = 0; good && i < 3; i++) {
        const double side = json_number_value(json_array_get(image, i));
        good = side >= 1 && side <= 65536 && side == floor(side);
        sides[i] = good ? (int64_t)side : 0;
    }
    if (!good || sides[0] * sides[1] > INT32_MAX || sides[0] * sides[1] * sides[2] != m->features)
        return weir__fail(error, WEIR_INVALID,
                          "model description: image must be [channels, height, width] with product %d",
                          (int)m->features);
    m->channels = (int32_t)sides[0];
    m->height = (int32_t)sides[1];
    m->width = (int32_t)sides[2];
    return WEIR_OK;
}

static weir_status read_sizes(weir_model *m, const json_t *root, int32_t *precision, uint64_t *seed,
                              weir_error *error)
{
    int64_t features, context, number;
    weir_status status = check_keys(root, error);
    if (!status) status = whole(root, "features", 1, FEATURES_MOST, -1, &features, error);
    if (!status) status = whole(root, "context", 0, FEATURES_MOST, 0, &context, error);
    if (!status) status = whole(root, "seed", 0, INT64_C(1) << 53, 0, &number, error);
    if (status) return status;
    if (features < 0)
        return weir__fail(error, WEIR_INVALID,
                          "model description: features (columns of the data) is missing");
    m->features = (int32_t)features;
    m->context = (int32_t)context;
    *seed = (uint64_t)number;
    const json_t *const dtype = json_object_get(root, "dtype");
    const char *const name = dtype ? json_string_value(dtype) : "f32";
    if (!name || (strcmp(name, "f32") && strcmp(name, "f64")))
        return weir__fail(error, WEIR_INVALID, "model description: dtype must be \"f32\" or \"f64\"");
    *precision = strcmp(name, "f64") ? WEIR_F32 : WEIR_F64;
    return read_image(m, json_object_get(root, "image"), error);
}

static weir_status build_flow(weir_model *m, const json_t *node, weir_error *error)
{
    weir__space in = {0};
    weir_status status = weir__space_init(&in, m->features, "the data", error);
    if (status) return status;
    in.channels = m->channels;
    in.height = m->height;
    in.width = m->width;
    const weir__request request = {
        .node = node, .path = "flow", .kind = WEIR_LAYER, .in = &in, .context = m->context};
    status = weir__build(&m->net, &request, &m->flow, error);
    weir__space_clear(&in);
    return status;
}

static weir_status build_base(weir_model *m, const json_t *node, weir_error *error)
{
    if (!node)
        return weir__fail(error, WEIR_INVALID,
                          "model description: base is missing: {\"type\": ID of a density}");
    const weir__request request = {
        .node = node, .path = "base", .kind = WEIR_DENSITY, .in = &m->flow->out, .context = m->context};
    return weir__build(&m->net, &request, &m->base, error);
}

/* Data over integers, as the first layer demands them: their number makes bits per dimension meaningful. */
static int64_t integer_levels(const weir__space *required)
{
    const weir_domain *const d = &required->lanes[0];
    for (int32_t f = 0; f < required->features; f++)
        if (required->lanes[f].kind != WEIR_DOMAIN_INTEGER) return 0;
    return (int64_t)(d->upper - d->lower) + 1;
}

weir_status weir__model_from_json(weir_runtime *runtime, json_t *root, const weir__st_file *file,
                                  weir_model **model, weir_error *error)
{
    int32_t precision = WEIR_F32;
    uint64_t seed = 0;
    weir_model *const m = calloc(1, sizeof *m);
    if (!m) return weir__no_memory(error, "the model");
    m->runtime = runtime;
    pthread_mutex_init(&m->lock, NULL);
    weir_status status = read_sizes(m, root, &precision, &seed, error);
    if (!status) status = weir__net_init(&m->net, runtime->registry, precision, seed);
    json_t *const chain = json_pack("{s:s}", "type", "chain");
    const json_t *const flow = json_object_get(root, "flow") ? json_object_get(root, "flow") : chain;
    if (!status) status = build_flow(m, flow, error);
    json_decref(chain);
    if (!status) status = build_base(m, json_object_get(root, "base"), error);
    if (!status && file) status = weir__model_fits(m, NULL, file, "", error);
    if (!status) status = weir__net_allocate(&m->net, error);
    if (!status && !file) weir__net_initialize(&m->net);
    const json_t *const metadata = json_object_get(root, "metadata");
    if (!status && metadata && !json_is_object(metadata))
        status = weir__fail(error, WEIR_INVALID, "model description: metadata must be an object");
    if (status) return weir_model_close(m), status;
    m->latent = m->flow->out.features;
    m->levels = integer_levels(&m->flow->required);
    m->metadata = metadata ? json_deep_copy(metadata) : json_object();
    m->description = json_deep_copy(root);
    json_object_del(m->description, "metadata");
    if (!m->metadata || !m->description) return weir_model_close(m), weir__no_memory(error, "the model");
    *model = m;
    return WEIR_OK;
}

weir_status weir_model_build(weir_runtime *runtime, const char *json, int64_t length, weir_model **model,
                             weir_error *error)
{
    json_error_t where;
    json_t *const root =
        json_loadb(json, length < 0 ? strlen(json) : (size_t)length, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return weir__fail(error, WEIR_INVALID, "model description: line %d, column %d: %s", where.line,
                          where.column, where.text);
    const weir_status status = weir__model_from_json(runtime, root, NULL, model, error);
    json_decref(root);
    return status;
}

void weir_model_close(weir_model *model)
{
    if (!model) return;
    while (model->idle) {
        weir__worker *const worker = model->idle;
        model->idle = worker->next;
        weir__worker_free(worker);
    }
    weir__net_clear(&model->net);
    json_decref(model->description);
    json_decref(model->metadata);
    pthread_mutex_destroy(&model->lock);
    free(model);
}
