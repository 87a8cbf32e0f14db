/* net.h - the modules and tensors of one model, as plain data.
 *
 * Invariants: handles index `tensors` and `linears` and never change after building. Instances stand in the order in
 * which they were finished, so children come before parents: prepare runs in this order, prepare_vjp against it. Every
 * parameter lies in `parameters`, every float buffer in `buffers`, in the net's precision; integer buffers lie in
 * `integers`. Tensors declared by a module of the other precision have, beside their master copy, a shadow in that
 * precision (`other`), refreshed before its prepare. Derived tensors live only in their module's precision. */
#ifndef WEIR__NET_H
#define WEIR__NET_H

#include "error.h"
#include "math/linear.h"
#include "model/space.h"
#include "plugin/registry.h"
#include "run/run.h"

#include <jansson.h>

#define WEIR__PARAMETER 1
#define WEIR__BUFFER    2
#define WEIR__DERIVED   3

typedef struct weir__tensor {
    char *name;        /* full path: "flow.3.network.hidden0.weight" */
    int32_t kind;      /* WEIR__PARAMETER, ... */
    int32_t integer;   /* 1: int64_t */
    int32_t precision; /* of the module that declared it */
    int32_t rank;
    int64_t dims[4];
    int64_t count;
    uint32_t flags; /* WEIR_TENSOR_* */
    int32_t frozen;
    int64_t offset;       /* bytes into its arena */
    int64_t other_offset; /* bytes into the shadow arena; -1: none */
    int32_t linear;       /* the linear object whose weight it is, or -1 */
    int32_t init;         /* WEIR_INIT_* */
    double a, b;
    double *values;    /* WEIR_INIT_VALUES */
    int64_t *integers; /* initial values of an integer buffer, or NULL */
} weir__tensor;

typedef struct weir__instance {
    char *path; /* "flow.3.network" */
    const weir_module *module;
    const weir__entry *entry; /* NULL: one of the host's own modules */
    void *self;
    weir_child child;  /* as a parent sees it: shims filled in */
    weir_child own;    /* the module's own ops; NULL members where it has none */
    uint32_t supplied; /* WEIR__SUPPLIED_*: what the host added */
    void *shim;        /* memory of those, owned */
    weir__space in, out;
    weir__space required; /* what it demanded of its input, lane by lane */
    int32_t context;
    const void *calls; /* NULL, or what create gave in place of the descriptor's ops */
    double *identity;  /* univariate: child.identity */
    uint32_t stream;
    json_t *options; /* as used, defaults filled in */
    struct weir__instance **children;
    char **slots; /* slot of each child */
    int32_t child_count;
    int32_t first_tensor, tensor_count; /* its own declarations, in order */
    int32_t replica;                    /* WEIR_PER_WORKER: its place in weir__run.replicas; else -1 */
    weir_handle
        observed; /* integer buffer of one flag: data-dependent initialisation is done; -1: needs none */
} weir__instance;

#define WEIR__SUPPLIED_INVERSE     1u
#define WEIR__SUPPLIED_INVERSE_VJP 2u
#define WEIR__SUPPLIED_INCREMENTAL 4u
#define WEIR__SUPPLIED_PRECISION   8u

/** Tensors that a shared node declared first, for the next node of the same name to take over. */
typedef struct weir__share {
    char *name;
    const weir_module *module;
    weir_handle *handles;
    int32_t count;
} weir__share;

typedef struct weir__net {
    weir__registry *registry;
    int32_t precision;
    uint64_t seed;
    char **files; /* paths of the companions that its modules asked for, each once */
    int32_t file_count;
    weir__tensor *tensors;
    int32_t tensor_count, tensor_capacity;
    weir__linear **linears;
    int32_t linear_count;
    weir__instance **instances;
    int32_t instance_count;
    int32_t replica_count; /* instances that every worker has one of its own for */
    weir__share *shares;
    int32_t share_count;
    uint32_t streams;

    unsigned char *parameters, *buffers, *derived, *other; /* arenas */
    int64_t *integers;
    int64_t parameter_bytes, buffer_bytes, derived_bytes, other_bytes, integer_bytes;
    void **table;       /* tensors[h] for frames of the net's precision */
    void **other_table; /* and of the other one */
    int32_t mixed;      /* 1: some module has the other precision */
    uint64_t version;   /* bumped by every write to parameters or buffers */
    uint64_t prepared;  /* version that derived tensors belong to */
} weir__net;

weir_status weir__net_init(weir__net *net, weir__registry *registry, int32_t precision, uint64_t seed);
void weir__net_clear(weir__net *net);

/** Lays out the arenas, fills the tables and sets every tensor to its initial value. Once, after building. */
weir_status weir__net_allocate(weir__net *net, weir_error *error);

/** Refreshes shadows and derived tensors when parameters have changed since. Alone with the net. */
weir_status weir__net_prepare(weir__net *net, weir__run *run, weir_error *error);
/** Chains gradients of derived tensors back, adds shadows' gradients to their masters, and masks linear objects. `tables`
 *  and `other_tables` are gradient tables as frames have them. */
weir_status weir__net_prepare_vjp(weir__net *net, weir__run *run, void *const *gradients,
                                  void *const *other_gradients, weir_error *error);

/** Copies the shadows of one instance's tensors back to their masters, after a module of the other precision wrote them. */
void weir__net_collect(weir__net *net, const weir__instance *instance);

/** A list that doubles whenever this says so, 2 * (count + 1) long then, never runs over: lengths 0, 1, 3, 7, ... */
static inline int weir__full(int32_t count)
{
    return (count & (count + 1)) == 0;
}

/* ---- building ------------------------------------------------------------------------------------------------ */

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

/** Makes own calls of a module that is not reentrant pick the worker's replica, or wait for their turn. */
weir_status weir__supply_concurrency(weir__instance *instance, weir_error *error);
/** Fills instance->child from instance->own: the module's own calls where they serve, the host's where not. */
weir_status weir__supply(weir__instance *instance, int32_t caller_precision, weir_error *error);
void weir__supply_free(weir__instance *instance);

/* ---- the builder that a module's create sees; the host's own containers reach behind it ------------------------- */

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

/** The functions of every builder, without those for children; the rest of the struct is filled for each module. */
const weir_builder *weir__builder_table(void);
/** Fills the builder from the instance and the request of `making`. */
void weir__builder_begin(weir__making *making);

/** A child of a container: node `node` of slot `slot`, over `in`. Records it in the instance. */
weir_status weir__make_child(weir__making *making, const char *slot, const json_t *node, int32_t kind,
                             const weir__space *in, const weir_network_spec *network, weir__instance **child);

/* ---- options -------------------------------------------------------------------------------------------------- */

/** Checks `given` (object or NULL) against a module's schema; returns a new object with every option that has a value. */
weir_status weir__options_check(const weir_module *module, const json_t *given, const char *path,
                                json_t **options, weir_error *error);
/** The i-th option or slot of a module, through its stride. */
const weir_option *weir__option_at(const weir_module *module, int32_t index);
const weir_slot *weir__slot_at(const weir_module *module, int32_t index);

/* ---- the host's own modules -------------------------------------------------------------------------------------- */

/** chain, inverse, slice, repeat, embedding; NULL for any other id. */
const weir_module *weir__container(const char *id, int32_t precision);
int32_t weir__container_count(void);
const weir_module *weir__container_at(int32_t index, int32_t precision);

#endif
