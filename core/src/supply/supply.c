/* supply.c - decides what a module needs. */
#include "supply/supply.h"

#include <stdlib.h>

static weir__supplied *new_layer(weir__instance *instance, const weir_child *inner)
{
    weir__supplied *const s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->inner = *inner;
    s->precision = instance->module->precision;
    s->indexed = (instance->module->flags & WEIR_MODULE_INDEXED_OK) != 0;
    s->replica = -1;
    s->below = instance->shim;
    instance->shim = s;
    return s;
}

void weir__supply_free(weir__instance *instance)
{
    for (weir__supplied *s = instance->shim; s;) {
        weir__supplied *const below = s->below;
        free(s);
        s = below;
    }
    instance->shim = NULL;
}

static int is_complete(const weir_child *c)
{
    if (c->layer) return c->layer->inverse && (c->layer->inverse_vjp || !c->layer->forward_vjp);
    if (c->univariate)
        return c->univariate->inverse && (c->univariate->inverse_vjp || !c->univariate->forward_vjp);
    if (c->network) return !(c->traits & WEIR_TRAIT_AUTOREGRESSIVE) || c->network->begin;
    return 1;
}

weir_status weir__supply_concurrency(weir__instance *instance, weir_error *error)
{
    const int32_t concurrency = instance->module->concurrency;
    if (concurrency == WEIR_REENTRANT) return WEIR_OK;
    weir__supplied *const s = new_layer(instance, &instance->own);
    if (!s) return weir__no_memory(error, "supplied calls");
    s->replica = instance->replica;
    s->serial = concurrency == WEIR_SERIAL;
    weir__adapt(s, &instance->own);
    return WEIR_OK;
}

weir_status weir__supply(weir__instance *instance, int32_t caller_precision, weir_error *error)
{
    weir_child *const child = &instance->child;
    *child = instance->own;
    if (!is_complete(child)) {
        weir__supplied *const s = new_layer(instance, child);
        if (!s) return weir__no_memory(error, "supplied calls");
        instance->supplied |= child->layer        ? weir__fill_layer(s, child)
                              : child->univariate ? weir__fill_univariate(s, child)
                                                  : weir__fill_network(s, child); /* also set child->self */
    }
    const int convert = instance->module->precision != caller_precision;
    const int gather = !(instance->module->flags & WEIR_MODULE_INDEXED_OK);
    if (!convert && !gather) return WEIR_OK;
    weir__supplied *const s = new_layer(instance, child);
    if (!s) return weir__no_memory(error, "supplied calls");
    weir__adapt(s, child); /* also sets child->self */
    if (convert) instance->supplied |= WEIR__SUPPLIED_PRECISION;
    return WEIR_OK;
}
