/* space.c - see space.h. */
#include "model/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

weir_status weir__space_init(weir__space *space, int32_t features, const char *made_by, weir_error *error)
{
    *space = (weir__space){.features = features};
    snprintf(space->made_by, sizeof space->made_by, "%s", made_by);
    space->lanes = calloc(features > 0 ? (size_t)features : 1, sizeof *space->lanes);
    if (!space->lanes) return weir__no_memory(error, "a space");
    for (int32_t f = 0; f < features; f++)
        space->lanes[f] = (weir_domain){.struct_size = (uint32_t)sizeof(weir_domain), .first = f, .count = 1};
    return WEIR_OK;
}

weir_status weir__space_copy(weir__space *to, const weir__space *from, weir_error *error)
{
    if (weir__space_init(to, from->features, from->made_by, error)) return error ? error->status : WEIR_ERROR;
    memcpy(to->lanes, from->lanes, (size_t)from->features * sizeof *to->lanes);
    to->channels = from->channels;
    to->height = from->height;
    to->width = from->width;
    return WEIR_OK;
}

void weir__space_clear(weir__space *space)
{
    free(space->lanes);
    space->lanes = NULL;
}

static int bounded(int32_t kind)
{
    return kind == WEIR_DOMAIN_INTERVAL || kind == WEIR_DOMAIN_INTEGER || kind == WEIR_DOMAIN_CIRCLE;
}

static weir_status check_block(const weir__space *space, const weir_domain *d, weir_error *error)
{
    if (d->first < 0 || d->count < 0 || d->first > space->features - d->count)
        return weir__fail(error, WEIR_INVALID, "a domain for lanes %d to %d of a space with %d features",
                          (int)d->first + 1, (int)(d->first + d->count), (int)space->features);
    if (d->kind < WEIR_DOMAIN_UNSTATED || d->kind > WEIR_DOMAIN_CORRELATION)
        return weir__fail(error, WEIR_INVALID, "domain kind %d is not known", (int)d->kind);
    if (bounded(d->kind) &&
        !(d->lower < d->upper || (d->kind == WEIR_DOMAIN_INTEGER && d->lower == d->upper)))
        return weir__fail(error, WEIR_INVALID, "a domain from %g to %g is empty", d->lower, d->upper);
    return WEIR_OK;
}

weir_status weir__space_state(weir__space *space, const weir_domain *domain, weir_error *error)
{
    const weir_status status = check_block(space, domain, error);
    if (status) return status;
    for (int32_t i = 0; i < domain->count; i++) {
        space->lanes[domain->first + i] = *domain;
        space->lanes[domain->first + i].struct_size = (uint32_t)sizeof(weir_domain);
    }
    return WEIR_OK;
}

/* As few digits as tell it from any other number: a bound of 3.14159 is not one of pi. */
static const char *number(double value, char *text, size_t size)
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return text;
}

static void describe(const weir_domain *d, char *text, size_t size)
{
    static const char *const joint[] = {"a simplex", "an increasing vector", "a positive definite matrix",
                                        "a unit vector", "the Cholesky factor of a correlation matrix"};
    char lower[32], upper[32];
    number(d->lower, lower, sizeof lower);
    number(d->upper, upper, sizeof upper);
    if (d->kind == WEIR_DOMAIN_INTERVAL && isinf(d->lower) && isinf(d->upper))
        snprintf(text, size, "the whole line");
    else if (d->kind == WEIR_DOMAIN_INTERVAL)
        snprintf(text, size, "the interval %s to %s", lower, upper);
    else if (d->kind == WEIR_DOMAIN_INTEGER)
        snprintf(text, size, "the integers %s to %s", lower, upper);
    else if (d->kind == WEIR_DOMAIN_CIRCLE)
        snprintf(text, size, "the circle %s to %s", lower, upper);
    else if (d->kind == WEIR_DOMAIN_UNSTATED)
        snprintf(text, size, "anything");
    else
        snprintf(text, size, "%s of %d lanes", joint[d->kind - WEIR_DOMAIN_SIMPLEX], (int)d->count);
}

static int same_ends(const weir_domain *a, const weir_domain *b)
{
    return a->lower == b->lower && a->upper == b->upper;
}

/* An angle fits where that very circle, or the interval that it is cut open to, is needed: what is wider would have room
 * that no angle fills, a density there would not integrate to 1. Numbers of an interval that lies in the circle are angles.
 * Integers lie within an interval that holds them, but a continuous density on them is a mistake: dequantize first. */
static int lies_within(const weir_domain *have, const weir_domain *need)
{
    if (have->kind == WEIR_DOMAIN_UNSTATED || need->kind == WEIR_DOMAIN_UNSTATED) return 1;
    if (have->kind == WEIR_DOMAIN_CIRCLE &&
        (need->kind == WEIR_DOMAIN_CIRCLE || need->kind == WEIR_DOMAIN_INTERVAL))
        return same_ends(have, need);
    const int cut = have->kind == WEIR_DOMAIN_INTERVAL && need->kind == WEIR_DOMAIN_CIRCLE;
    if (have->kind != need->kind && !cut) return 0;
    if (bounded(need->kind)) return have->lower >= need->lower && have->upper <= need->upper;
    return have->first == need->first && have->count == need->count;
}

weir_status weir__space_require(const weir__space *space, const weir_domain *domain, const char *needed_by,
                                weir_error *error)
{
    const weir_status status = check_block(space, domain, error);
    if (status) return status;
    for (int32_t i = 0; i < domain->count; i++) {
        const weir_domain *const have = &space->lanes[domain->first + i];
        if (lies_within(have, domain)) continue;
        char wanted[96], given[96];
        describe(domain, wanted, sizeof wanted);
        describe(have, given, sizeof given);
        return weir__fail(error, WEIR_INVALID, "%s needs lane %d in %s, but %s gives %s", needed_by,
                          (int)(domain->first + i + 1), wanted, space->made_by, given);
    }
    return WEIR_OK;
}
