/* weir/build.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BUILD_H
#define WEIR_BUILD_H
#include <weir/module.h>
WEIR_BEGIN_DECLS
#define WEIR_INIT_ZERO     0
#define WEIR_INIT_CONSTANT 1
#define WEIR_INIT_UNIFORM  2
#define WEIR_INIT_NORMAL   3
#define WEIR_INIT_VALUES   4
typedef struct weir_init {
    uint32_t struct_size;
    int32_t kind;
    double a, b;
    const double *values;
} weir_init;
#define WEIR_TENSOR_NO_DECAY       1u
#define WEIR_ACTIVATION_NONE       0
#define WEIR_ACTIVATION_RELU       1
#define WEIR_ACTIVATION_LEAKY_RELU 2
#define WEIR_ACTIVATION_TANH       3
#define WEIR_ACTIVATION_SIGMOID    4
#define WEIR_ACTIVATION_ELU        5
#define WEIR_ACTIVATION_SOFTPLUS   6
#define WEIR_LINEAR_NO_BIAS        1u
typedef struct weir_linear_spec {
    uint32_t struct_size;
    int32_t activation;
    const char *name;
    int32_t in, out;
    uint32_t flags;
    int32_t reserved;
    const int32_t *extent;
    const weir_init *weight;
    const weir_init *bias;
} weir_linear_spec;
typedef struct weir_child {
    uint32_t struct_size;
    int32_t kind;
    const void *self;
    const weir_layer_ops *layer;
    const weir_univariate_ops *univariate;
    const weir_network_ops *network;
    const weir_density_ops *density;
    int32_t in, out;
    int32_t params;
    uint32_t traits;
    const double *identity;
    const weir_domain *domain, *codomain;
} weir_child;
typedef struct weir_network_spec {
    uint32_t struct_size;
    int32_t in, out;
    int32_t autoregressive;
    const double *output_bias;
} weir_network_spec;
#define WEIR_TRAIT_INVERSE_SEQUENTIAL 1u
#define WEIR_TRAIT_INVERSE_NUMERIC    2u
#define WEIR_TRAIT_NO_INVERSE         4u
#define WEIR_TRAIT_VOLUME_PRESERVING  8u
#define WEIR_TRAIT_AUTOREGRESSIVE     16u
#define WEIR_TRAIT_INVERSE_LOSSY      32u
struct weir_builder {
    uint32_t struct_size;
    int32_t precision;
    void *host;
    int32_t features;
    int32_t context;
    int32_t channels, height, width;
    const weir_network_spec *network;
    uint32_t stream;
    uint32_t reserved;
    int64_t (*integer)(weir_builder *, const char *name) WEIR_NOEXCEPT;
    double (*number)(weir_builder *, const char *name) WEIR_NOEXCEPT;
    int32_t (*boolean)(weir_builder *, const char *name) WEIR_NOEXCEPT;
    const char *(*string)(weir_builder *, const char *name)WEIR_NOEXCEPT;
    int32_t (*integers)(weir_builder *, const char *name, int64_t *values, int32_t capacity) WEIR_NOEXCEPT;
    int32_t (*numbers)(weir_builder *, const char *name, double *values, int32_t capacity) WEIR_NOEXCEPT;
    int32_t (*given)(weir_builder *, const char *name) WEIR_NOEXCEPT;
    weir_handle (*parameter)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                             const weir_init *init, uint32_t flags) WEIR_NOEXCEPT;
    weir_handle (*derived)(weir_builder *, const char *name, int32_t rank, const int64_t *dims) WEIR_NOEXCEPT;
    weir_handle (*buffer)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                          const weir_init *init) WEIR_NOEXCEPT;
    weir_handle (*integer_buffer)(weir_builder *, const char *name, int32_t rank, const int64_t *dims,
                                  const int64_t *values) WEIR_NOEXCEPT;
    weir_handle (*linear)(weir_builder *, const weir_linear_spec *spec) WEIR_NOEXCEPT;
    int32_t (*has_child)(weir_builder *, const char *slot) WEIR_NOEXCEPT;
    const weir_child *(*child_layer)(weir_builder *, const char *slot, int32_t features)WEIR_NOEXCEPT;
    const weir_child *(*child_univariate)(weir_builder *, const char *slot)WEIR_NOEXCEPT;
    const weir_child *(*child_network)(weir_builder *, const char *slot,
                                       const weir_network_spec *spec)WEIR_NOEXCEPT;
    const weir_child *(*child_density)(weir_builder *, const char *slot, int32_t features)WEIR_NOEXCEPT;
    void (*input_domain)(weir_builder *, int32_t lane, weir_domain *domain) WEIR_NOEXCEPT;
    weir_status (*require)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    weir_status (*output)(weir_builder *, int32_t features, int32_t channels, int32_t height,
                          int32_t width) WEIR_NOEXCEPT;
    weir_status (*produce)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    weir_status (*params)(weir_builder *, int32_t count, const double *identity) WEIR_NOEXCEPT;
    void (*traits)(weir_builder *, uint32_t traits) WEIR_NOEXCEPT;
    void (*fail)(weir_builder *, const char *text) WEIR_NOEXCEPT;
    int32_t (*failed)(weir_builder *) WEIR_NOEXCEPT;
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
    weir_status (*feed)(weir_builder *, const weir_domain *domain) WEIR_NOEXCEPT;
    uint64_t seed;
    const void *original;
    weir_status (*calls)(weir_builder *, const void *ops) WEIR_NOEXCEPT;
};
WEIR_END_DECLS
#endif
