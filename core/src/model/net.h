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
    int32_t shared;       /* 1: several objects have it as their weight; `linear` is the last of them */
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
    struct weir__bound *methods;        /* those that were called (method/bound.h) */
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
    int64_t lanes;         /* of the inputs, and of stated outputs, of all modules */
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
/** An instance that no net lists. */
void weir__instance_free(weir__instance *instance);

/** Lays out the arenas, all zero, and fills the tables. Once, after building. */
weir_status weir__net_allocate(weir__net *net, weir_error *error);
/** Sets every tensor to its initial value: for a model that no file fills. */
void weir__net_initialize(weir__net *net);

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

/** Counts lanes of a space in the making, and refuses those of a model that has too many of them. */
weir_status weir__net_count_lanes(weir__net *net, int32_t lanes, const char *path, weir_error *error);

#endif
