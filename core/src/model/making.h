/* making.h - a module in the making: what it is built for, and what stands behind the builder that its create sees. */
#ifndef WEIR__MAKING_H
#define WEIR__MAKING_H

#include "model/net.h"

/** What a node is built for. */
typedef struct weir__request {
    const json_t *node;       /* {"type", "options", "children", "share", "frozen"} */
    const weir__entry *entry; /* NULL: looked up by type */
    const char *path;
    int32_t kind;          /* WEIR_LAYER, ... or 0: any */
    const weir__space *in; /* univariates: one unstated lane */
    int32_t context;
    const weir_network_spec *network; /* networks only */
    const char *share;                /* NULL, or inherited share name */
    int32_t frozen;                   /* inherited */
    int32_t caller;                   /* precision of the module that will call it; 0: the net's */
    int32_t plain;                    /* 1: no shims, child = own (conformance checks) */
} weir__request;

/** Builds a node and everything under it. The instance belongs to the net. */
weir_status weir__build(weir__net *net, const weir__request *request, weir__instance **instance,
                        weir_error *error);

typedef struct weir__making {
    weir_builder builder; /* must stay first */
    weir__net *net;
    weir__instance *instance;
    const weir__request *request;
    const json_t *children; /* object slot -> node or list, or NULL */
    int32_t *cursors;       /* per slot: the next of a list */
    weir_domain *fed;       /* what the next child's input holds: weir_builder.feed */
    int32_t fed_count;
    weir__space out; /* being stated */
    int32_t out_stated;
    int32_t passes_on;  /* 1: what `out` says is another module's statement, whose name stays on it */
    weir__share *share; /* NULL: not shared */
    int32_t share_first, share_next; /* share_first 1: this one fills the share */
    char share_name[160];
    int32_t child_context; /* context features of the children made from now on */
    int32_t failed;
    weir_error *error;
} weir__making;

static inline weir__making *weir__making_of(weir_builder *builder)
{
    return (weir__making *)(void *)builder;
}

/** Notes why the creation fails; the first reason counts, later ones follow from it. Returns WEIR_INVALID. */
weir_status weir__refuse(weir__making *making, const char *text);

/** Fills the builder from the instance and the request of `making`. */
void weir__builder_begin(weir__making *making);

/** A child of a container: node `node` of slot `slot`, over `in`. Records it in the instance. */
weir_status weir__make_child(weir__making *making, const char *slot, const json_t *node, int32_t kind,
                             const weir__space *in, const weir_network_spec *network, weir__instance **child);

/** create and destroy are called by one thread at a time, whatever models are in the making. */
weir_status weir__create(const weir_module *module, weir_builder *builder, void **self);
void weir__destroy(const weir_module *module, void *self);

#endif
