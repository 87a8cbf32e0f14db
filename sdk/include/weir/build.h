/* weir/build.h - what a module may ask and declare while it is created.
 *
 * SPDX-License-Identifier: MIT
 *
 * All functions are [main] and valid only inside weir_module.create. Names and arrays passed in are
 * copied. When a call cannot be served (no memory, a child that fails, a name used twice) it returns -1
 * or NULL, the host remembers why, and create MUST clean up and return WEIR_INVALID; further calls stay
 * harmless, so a module may check once, at the end, with weir_builder.failed.
 */
#ifndef WEIR_BUILD_H
#define WEIR_BUILD_H

#include <weir/module.h>

WEIR_BEGIN_DECLS

/* ---- tensors -------------------------------------------------------------------------------- */

#define WEIR_INIT_ZERO     0
#define WEIR_INIT_CONSTANT 1 /**< a */
#define WEIR_INIT_UNIFORM  2 /**< on [a, b) */
#define WEIR_INIT_NORMAL   3 /**< mean a, standard deviation b */
#define WEIR_INIT_VALUES   4 /**< values[], one per element */

/** How a tensor starts. Random ones depend on the model's seed and the tensor's place only. */
typedef struct weir_init {
    uint32_t struct_size;
    int32_t kind;         /**< WEIR_INIT_* */
    double a, b;          /**< what the kind says */
    const double *values; /**< of WEIR_INIT_VALUES; copied */
} weir_init;

#define WEIR_TENSOR_NO_DECAY 1u /**< weight decay leaves it alone (biases, scales) */

/* ---- linear objects ------------------------------------------------------------------------- */

/** Activations a linear object can fuse; each has a derivative that follows from its output. */
#define WEIR_ACTIVATION_NONE       0
#define WEIR_ACTIVATION_RELU       1
#define WEIR_ACTIVATION_LEAKY_RELU 2 /**< slope 0.01 */
#define WEIR_ACTIVATION_TANH       3
#define WEIR_ACTIVATION_SIGMOID    4
#define WEIR_ACTIVATION_ELU        5 /**< e^x - 1 below zero */
#define WEIR_ACTIVATION_SOFTPLUS   6

#define WEIR_LINEAR_NO_BIAS 1u

/** y = activation(W x + b). Declares the parameters NAME.weight [out, in] and NAME.bias [out]. */
typedef struct weir_linear_spec {
    uint32_t struct_size;
    int32_t activation; /**< WEIR_ACTIVATION_* */
    const char *name;   /**< the NAME of its parameters */
    int32_t in, out;    /**< number of inputs and outputs; in may be 0 */
    uint32_t flags;     /**< WEIR_LINEAR_NO_BIAS */
    int32_t reserved;
    /** [out] or NULL. Block structure: output o sees inputs [0, extent[o]) and no other; the remaining
     *  weights are zero, stay zero and are not multiplied. Cheapest when extent does not decrease. */
    const int32_t *extent;
    const weir_init *weight; /**< NULL: uniform on +-1/sqrt(in) */
    const weir_init *bias;   /**< NULL: uniform on +-1/sqrt(in) */
} weir_linear_spec;

/* ---- children ------------------------------------------------------------------------------- */

/** A child, ready to be called. Filled by the host and alive as long as the parent: where the child lacks
 *  a call, has another precision or must not see an index, the pointers are the host's own and do what is
 *  needed. So a parent calls, and never looks at descriptors. Exactly one ops pointer is not NULL; in it
 *  every member that has a default is set, the others may be NULL. */
typedef struct weir_child {
    uint32_t struct_size;
    int32_t kind;                          /**< WEIR_LAYER, ... */
    const void *self;                      /**< first argument of its calls */
    const weir_layer_ops *layer;           /**< calls of a layer, else NULL */
    const weir_univariate_ops *univariate; /**< calls of a univariate, else NULL */
    const weir_network_ops *network;       /**< calls of a network, else NULL */
    const weir_density_ops *density;       /**< calls of a density, else NULL */
    int32_t in, out;                       /**< features; of a univariate 1 and 1 */
    int32_t params;                        /**< univariate: P, parameters per element; else 0 */
    uint32_t traits;                       /**< WEIR_TRAIT_* */
    const double *identity; /**< univariate: [P] parameters that make it the identity or close to it */
    /** The values it takes and those it gives, as its create required and produced them: one entry for each lane of the
     *  input and of the output, kind WEIR_DOMAIN_UNSTATED where it said nothing. A parent hands them on
     *  (weir_univariate_lane, weir_child_lanes). codomain is NULL for densities, both are for networks. */
    const weir_domain *domain, *codomain;
} weir_child;

/** What a parent asks of a network. */
typedef struct weir_network_spec {
    uint32_t struct_size;
    int32_t in, out;        /**< in may be 0 */
    int32_t autoregressive; /**< 0, or P: outputs of feature d (lanes d*P ..) depend on inputs < d only */
    /** [out] or NULL: where the outputs start. A network makes its last layer start at (or near) zero
     *  weights and this bias, so that models start near the identity. */
    const double *output_bias;
} weir_network_spec;

/* ---- traits of an instance ------------------------------------------------------------------- */

#define WEIR_TRAIT_INVERSE_SEQUENTIAL 1u  /**< the inverse takes one step per feature */
#define WEIR_TRAIT_INVERSE_NUMERIC    2u  /**< the inverse iterates */
#define WEIR_TRAIT_NO_INVERSE         4u  /**< there is none */
#define WEIR_TRAIT_VOLUME_PRESERVING  8u  /**< log-det is always 0 */
#define WEIR_TRAIT_AUTOREGRESSIVE     16u /**< network: honours weir_network_spec.autoregressive */
#define WEIR_TRAIT_INVERSE_LOSSY      32u /**< forward(inverse(z)) = z need not hold (dequantisation) */

/* ---- the builder ---------------------------------------------------------------------------- */

struct weir_builder {
    uint32_t struct_size;
    int32_t precision; /**< of the instance being made */
    void *host;        /**< the host's own */

    /** Features of the input space (layer, density: of x or z; network: in; univariate: 1), and of the
     *  context (0: none). channels * height * width = features when the input is an image, else all 0. */
    int32_t features;
    int32_t context;
    int32_t channels, height, width;
    /** Network only: what the parent asked for; NULL otherwise. */
    const weir_network_spec *network;
    /** Key of this module's random streams; never 0, different for every module of a model. */
    uint32_t stream;
    uint32_t reserved;

    /* Options: values as given or as the schema's defaults, already checked. Asking for a name or type that
     * the schema lacks is an error of the plugin and fails the creation. */
    int64_t (*integer)(weir_builder *, const char *name) WEIR_NOEXCEPT; /**< of an INTEGER */
    double (*number)(weir_builder *, const char *name) WEIR_NOEXCEPT;   /**< of a NUMBER */
    int32_t (*boolean)(weir_builder *, const char *name) WEIR_NOEXCEPT; /**< 0 or 1 */
    /** Valid until create returns. */
    const char *(*string)(weir_builder *, const char *name)WEIR_NOEXCEPT;
    /** The list's length; when values is not NULL writes min(length, capacity) entries. */
    int32_t (*integers)(weir_builder *, const char *name, int64_t *values, int32_t capacity) WEIR_NOEXCEPT;
    int32_t (*numbers)(weir_builder *, const char *name, double *values, int32_t capacity) WEIR_NOEXCEPT;
    /** 1 when the option has a value (given or default), 0 when it is optional and absent. */
    int32_t (*given)(weir_builder *, const char *name) WEIR_NOEXCEPT;

    /* Tensors: dense, row-major, rank 0 to 4. dims has `rank` entries, each >= 0. */
    /** A trained tensor, in the model's precision. init NULL: zero. flags WEIR_TENSOR_*. */
    weir_handle (*parameter)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                             const weir_init *init, uint32_t flags) WEIR_NOEXCEPT;
    /** Computed from parameters in prepare; not saved. */
    weir_handle (*derived)(weir_builder *, const char *name, int32_t rank, const int64_t *dims) WEIR_NOEXCEPT;
    /** Saved, not trained, in the model's precision. */
    weir_handle (*buffer)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                          const weir_init *init) WEIR_NOEXCEPT;
    /** Saved, not trained, int64_t. values NULL: zero. */
    weir_handle (*integer_buffer)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                                  const int64_t *values) WEIR_NOEXCEPT;
    weir_handle (*linear)(weir_builder *, const weir_linear_spec *spec) WEIR_NOEXCEPT; /**< see the spec */

    /** Children, by slot name. NULL: failed, or (has_child says which) the optional slot is empty. */
    int32_t (*has_child)(weir_builder *, const char *slot) WEIR_NOEXCEPT;
    const weir_child *(*child_layer)(weir_builder *, const char *slot, int32_t features)WEIR_NOEXCEPT;
    const weir_child *(*child_univariate)(weir_builder *, const char *slot)WEIR_NOEXCEPT;
    const weir_child *(*child_network)(weir_builder *, const char *slot,
                                       const weir_network_spec *spec)WEIR_NOEXCEPT;
    const weir_child *(*child_density)(weir_builder *, const char *slot, int32_t features)WEIR_NOEXCEPT;

    /* Spaces. Without these calls the output has as many features as the input, domain unstated. */
    /** The input's domain as far as the model knows it; overwrites *domain's fields but struct_size.
     *  Lanes are asked one by one; a joint block answers for each of its lanes. */
    void (*input_domain)(weir_builder *, int32_t lane, weir_domain *domain) WEIR_NOEXCEPT;
    /** Refuses the composition, naming both neighbours, unless the input's domain lies within this one. */
    weir_status (*require)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    /** Changes the number of output features (layers), or the image shape that goes with it (0, 0, 0: none). */
    weir_status (*output)(weir_builder *, int32_t features, int32_t channels, int32_t height,
                          int32_t width) WEIR_NOEXCEPT;
    /** States the domain of output lanes. */
    weir_status (*produce)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    /** Univariate: parameters per element and the [count] values nearest to the identity map. */
    weir_status (*params)(weir_builder *, int32_t count, const double *identity) WEIR_NOEXCEPT;
    /** WEIR_TRAIT_* of this instance. */
    void (*traits)(weir_builder *, uint32_t traits) WEIR_NOEXCEPT;

    /** Notes why create is about to fail. */
    void (*fail)(weir_builder *, const char *text) WEIR_NOEXCEPT;
    /** 1 when an earlier call on this builder failed. */
    int32_t (*failed)(weir_builder *) WEIR_NOEXCEPT;
    /** A table known by a string id, or NULL. */
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;

    /** States what lanes of the next child's input hold, before that child is asked for (child_layer, child_density): it
     *  is refused where it requires something else. Lanes that nobody spoke of are unstated, and so are all of them
     *  again for the child after that. */
    weir_status (*feed)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    /** The model's seed, for constants that are drawn while the module is made (orders, rotations): together with
     *  `stream` it gives every module its own. */
    uint64_t seed;

    /** WEIR_PER_WORKER only: the instance that was made first, while one for a further worker is made; else NULL. Such a
     *  create reads options as usual, takes handles and children from the first, which outlives it, and declares no
     *  tensors, linear objects or children of its own (the host refuses them). What it says of spaces, parameters per
     *  element and traits is not heard again. It may run on any thread, but [main] holds: one create at a time. */
    const void *original;
    /** The calls of this instance in place of the descriptor's `ops`, for a module that learns only in create which of
     *  them it has: a table of its kind, whose required members are set; it lives as long as the instance. */
    weir_status (*calls)(weir_builder *, const void *ops) WEIR_NOEXCEPT;
};

WEIR_END_DECLS

#endif
