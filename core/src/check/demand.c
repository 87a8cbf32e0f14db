/* demand.c - see demand.h. */
#include "check/demand.h"
#include "check/subject.h"

#include <string.h>

#define PATIENCE       20.0 /* seconds: the slowest test of the slowest module takes one, on an idle machine */
#define LEAST_PATIENCE 0.1
#define MOST_PATIENCE  86400.0

static weir_status read_integer(const json_t *object, const char *key, int64_t least, int64_t most,
                                int64_t otherwise, int64_t *value, weir_error *error)
{
    const json_t *const given = json_object_get(object, key);
    *value = otherwise;
    if (!given) return WEIR_OK;
    if (!json_is_integer(given) || json_integer_value(given) < least || json_integer_value(given) > most)
        return weir__fail(error, WEIR_INVALID, "check: \"%s\" must be an integer from %lld to %lld", key,
                          (long long)least, (long long)most);
    *value = json_integer_value(given);
    return WEIR_OK;
}

static weir_status read_points(const json_t *object, int32_t *points, weir_error *error)
{
    static const char *const names[] = {"line", "unit", "integers"};
    const json_t *const given = json_object_get(object, "points");
    *points = WEIR__POINTS_LINE;
    if (!given) return WEIR_OK;
    for (int32_t i = 0; i < 3; i++)
        if (json_is_string(given) && strcmp(json_string_value(given), names[i]) == 0) {
            *points = i;
            return WEIR_OK;
        }
    return weir__fail(error, WEIR_INVALID, "check: \"points\" must be \"line\", \"unit\" or \"integers\"");
}

/* The sides say the number of features too. */
static weir_status read_image(weir__demand *wanted, weir_error *error)
{
    const json_t *const given = json_object_get(wanted->object, "image");
    int64_t product = 1;
    if (!given) return WEIR_OK;
    for (size_t i = 0; i < 3; i++) {
        const json_t *const side = json_array_get(given, i);
        const int64_t value = json_is_integer(side) ? (int64_t)json_integer_value(side) : 0;
        wanted->image[i] = value >= 1 && value <= 64 ? (int32_t)value : 0;
        product *= wanted->image[i];
    }
    if (json_array_size(given) != 3 || product < 1 || product > 64)
        return weir__fail(error, WEIR_INVALID,
                          "check: \"image\" must be [channels, height, width] with a product up to 64");
    if (wanted->features >= 0 && wanted->features != product)
        return weir__fail(error, WEIR_INVALID, "check: the image has %lld features, \"features\" says %lld",
                          (long long)product, (long long)wanted->features);
    wanted->features = product;
    return WEIR_OK;
}

static int is_word(const json_t *value, const char *word)
{
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

/* How the checks are run: level, isolate, timeout, only. */
static weir_status read_manner(weir__demand *wanted, weir_error *error)
{
    const json_t *const level = json_object_get(wanted->object, "level");
    const json_t *const isolate = json_object_get(wanted->object, "isolate");
    const json_t *const timeout = json_object_get(wanted->object, "timeout");
    const json_t *const only = json_object_get(wanted->object, "only");
    if (level && !is_word(level, "quick") && !is_word(level, "full"))
        return weir__fail(error, WEIR_INVALID, "check: \"level\" must be \"quick\" or \"full\"");
    if (isolate && !json_is_boolean(isolate))
        return weir__fail(error, WEIR_INVALID, "check: \"isolate\" must be true or false");
    if (only && !json_is_string(only))
        return weir__fail(error, WEIR_INVALID, "check: \"only\" must be the name of a check");
    wanted->full = level && is_word(level, "full");
    wanted->isolated = !isolate || json_is_true(isolate);
    wanted->only = json_string_value(only);
    wanted->patience = timeout ? json_number_value(timeout) : PATIENCE;
    if (wanted->patience >= LEAST_PATIENCE && wanted->patience <= MOST_PATIENCE) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "check: \"timeout\" must be a number of seconds from %g to %g",
                      LEAST_PATIENCE, MOST_PATIENCE);
}

static weir_status check_keys(json_t *object, weir_error *error)
{
    static const char *const known[] = {"options", "children", "features", "context", "image", "seed",
                                        "points",  "level",    "isolate",  "timeout", "only"};
    const int64_t count = (int64_t)(sizeof known / sizeof known[0]);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        int found = 0;
        for (int64_t i = 0; i < count; i++) found |= strcmp(key, known[i]) == 0;
        if (found) continue;
        const char *const near = weir__nearest(key, known, count);
        return weir__fail(error, WEIR_INVALID, "check: unknown key \"%s\"%s%s%s", key,
                          near ? "; do you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return WEIR_OK;
}

weir_status weir__demand_read(const char *options_json, weir__demand *wanted, weir_error *error)
{
    json_error_t fault;
    *wanted = (weir__demand){.points = WEIR__POINTS_LINE};
    wanted->object = options_json ? json_loads(options_json, JSON_REJECT_DUPLICATES, &fault) : json_object();
    if (!wanted->object)
        return options_json
                   ? weir__fail(error, WEIR_INVALID, "check: the options are no JSON object: %s", fault.text)
                   : weir__no_memory(error, "options");
    if (!json_is_object(wanted->object))
        return weir__fail(error, WEIR_INVALID, "check: the options must be a JSON object");
    weir_status status = check_keys(wanted->object, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "features", 0, 64, -1, &wanted->features, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "context", 0, 64, -1, &wanted->context, error);
    if (status == WEIR_OK)
        status = read_integer(wanted->object, "seed", 0, INT64_MAX, 1, &wanted->seed, error);
    if (status == WEIR_OK) status = read_image(wanted, error);
    if (status == WEIR_OK) status = read_points(wanted->object, &wanted->points, error);
    return status == WEIR_OK ? read_manner(wanted, error) : status;
}

void weir__demand_clear(weir__demand *wanted)
{
    json_decref(wanted->object);
    wanted->object = NULL;
}
