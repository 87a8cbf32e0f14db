/* weir/module.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_MODULE_H
#define WEIR_MODULE_H
#include <weir/frame.h>
WEIR_BEGIN_DECLS
typedef struct weir_builder weir_builder;
#define WEIR_LAYER               1
#define WEIR_UNIVARIATE          2
#define WEIR_NETWORK             3
#define WEIR_DENSITY             4
#define WEIR_MODULE_INDEXED_OK   1u
#define WEIR_MODULE_IN_PLACE_OK  2u
#define WEIR_MODULE_STOCHASTIC   4u
#define WEIR_MODULE_OBSERVE_ONCE 8u
#define WEIR_MODULE_OBSERVE_STEP 16u
#define WEIR_MODULE_ALLOCATES    32u
#define WEIR_REENTRANT           0
#define WEIR_PER_WORKER          1
#define WEIR_SERIAL              2
#define WEIR_INTEGER             1
#define WEIR_NUMBER              2
#define WEIR_BOOLEAN             3
#define WEIR_STRING              4
#define WEIR_INTEGERS            5
#define WEIR_NUMBERS             6
typedef struct weir_option {
    uint32_t struct_size;
    int32_t type;
    const char *name;
    const char *default_json;
    double minimum, maximum;
    const char *choices;
    const char *summary;
} weir_option;
typedef struct weir_slot {
    uint32_t struct_size;
    int32_t kind;
    const char *name;
    const char *default_id;
    int32_t optional;
    int32_t reserved;
    const char *summary;
} weir_slot;
#define WEIR_DOMAIN_UNSTATED     0
#define WEIR_DOMAIN_INTERVAL     1
#define WEIR_DOMAIN_INTEGER      2
#define WEIR_DOMAIN_CIRCLE       3
#define WEIR_DOMAIN_SIMPLEX      4
#define WEIR_DOMAIN_ORDERED      5
#define WEIR_DOMAIN_PSD          6
#define WEIR_DOMAIN_SPHERE       7
#define WEIR_DOMAIN_CORRELATION  8
#define WEIR_MEASURE_COORDINATES 0
#define WEIR_MEASURE_SURFACE     1
typedef struct weir_domain {
    uint32_t struct_size;
    int32_t kind;
    int32_t first, count;
    int32_t measure;
    int32_t reserved;
    double lower, upper;
} weir_domain;
typedef struct weir_layer_ops {
    uint32_t struct_size;
    uint32_t reserved;
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                           void *log_det) WEIR_NOEXCEPT;
    weir_status (*inverse)(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                           void *log_det) WEIR_NOEXCEPT;
    weir_status (*forward_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                               const weir_tile *z_bar, const void *log_det_bar,
                               const weir_tile *x_bar) WEIR_NOEXCEPT;
    weir_status (*inverse_vjp)(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                               const weir_tile *x_bar, const void *log_det_bar,
                               const weir_tile *z_bar) WEIR_NOEXCEPT;
    int64_t (*observe_size)(const void *self) WEIR_NOEXCEPT;
    weir_status (*observe)(const void *self, weir_frame *frame, int32_t inverse, const weir_tile *tile,
                           void *partial) WEIR_NOEXCEPT;
    weir_status (*merge)(const void *self, void *into, const void *from) WEIR_NOEXCEPT;
    weir_status (*observe_finish)(const void *self, weir_frame *frame, int32_t inverse,
                                  const void *total) WEIR_NOEXCEPT;
    weir_status (*observe_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                               const weir_tile *z_bar, const void *log_det_bar, void *partial) WEIR_NOEXCEPT;
    weir_status (*observe_vjp_finish)(const void *self, weir_frame *frame, const void *total) WEIR_NOEXCEPT;
    weir_status (*dual)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                        const weir_tile *z, const weir_tile *z_dot) WEIR_NOEXCEPT;
    weir_status (*dual_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                            const weir_tile *z, const weir_tile *z_dot, const weir_tile *z_bar,
                            const weir_tile *z_dot_bar, const weir_tile *x_bar,
                            const weir_tile *x_dot_bar) WEIR_NOEXCEPT;
    weir_status (*sample_points)(const void *self, weir_frame *frame, uint32_t stream,
                                 const weir_tile *x) WEIR_NOEXCEPT;
} weir_layer_ops;
typedef struct weir_univariate_ops {
    uint32_t struct_size;
    uint32_t reserved;
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *params,
                           const weir_tile *y, void *log_det) WEIR_NOEXCEPT;
    weir_status (*inverse)(const void *self, weir_frame *frame, const weir_tile *y, const weir_tile *params,
                           const weir_tile *x, void *log_det) WEIR_NOEXCEPT;
    weir_status (*forward_vjp)(const void *self, weir_frame *frame, const weir_tile *x,
                               const weir_tile *params, const weir_tile *y, const weir_tile *y_bar,
                               const void *log_det_bar, const weir_tile *x_bar,
                               const weir_tile *params_bar) WEIR_NOEXCEPT;
    weir_status (*inverse_vjp)(const void *self, weir_frame *frame, const weir_tile *y,
                               const weir_tile *params, const weir_tile *x, const weir_tile *x_bar,
                               const void *log_det_bar, const weir_tile *y_bar,
                               const weir_tile *params_bar) WEIR_NOEXCEPT;
} weir_univariate_ops;
typedef struct weir_network_ops {
    uint32_t struct_size;
    uint32_t reserved;
    weir_status (*forward)(const void *self, weir_frame *frame, const weir_tile *x,
                           const weir_tile *y) WEIR_NOEXCEPT;
    weir_status (*vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                       const weir_tile *y_bar, const weir_tile *x_bar) WEIR_NOEXCEPT;
    weir_status (*begin)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                         void **state) WEIR_NOEXCEPT;
    weir_status (*step)(const void *self, weir_frame *frame, void *state, int32_t d, const weir_tile *x,
                        const weir_tile *y) WEIR_NOEXCEPT;
    weir_status (*begin_vjp)(const void *self, weir_frame *frame, const void *state, const weir_tile *x,
                             const weir_tile *y, void **work) WEIR_NOEXCEPT;
    weir_status (*step_vjp)(const void *self, weir_frame *frame, const void *state, void *work, int32_t d,
                            const weir_tile *x, const weir_tile *y, const weir_tile *y_bar,
                            const weir_tile *x_bar) WEIR_NOEXCEPT;
    weir_status (*end_vjp)(const void *self, weir_frame *frame, const void *state, void *work,
                           const weir_tile *x, const weir_tile *y, const weir_tile *y_bar) WEIR_NOEXCEPT;
    weir_status (*dual)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                        const weir_tile *y, const weir_tile *y_dot) WEIR_NOEXCEPT;
    weir_status (*dual_vjp)(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *x_dot,
                            const weir_tile *y, const weir_tile *y_dot, const weir_tile *y_bar,
                            const weir_tile *y_dot_bar, const weir_tile *x_bar,
                            const weir_tile *x_dot_bar) WEIR_NOEXCEPT;
} weir_network_ops;
typedef struct weir_density_ops {
    uint32_t struct_size;
    uint32_t reserved;
    weir_status (*log_density)(const void *self, weir_frame *frame, const weir_tile *z,
                               void *log_p) WEIR_NOEXCEPT;
    weir_status (*vjp)(const void *self, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                       const weir_tile *z_bar) WEIR_NOEXCEPT;
    weir_status (*sample)(const void *self, weir_frame *frame, const weir_tile *z) WEIR_NOEXCEPT;
    weir_status (*sample_vjp)(const void *self, weir_frame *frame, const weir_tile *z,
                              const weir_tile *z_bar) WEIR_NOEXCEPT;
} weir_density_ops;
typedef void (*weir_method_function)(void) WEIR_NOEXCEPT;
typedef struct weir_method {
    uint32_t struct_size;
    uint32_t reserved;
    const char *name;
    const char *signature;
    const char *summary;
    weir_method_function call;
} weir_method;
typedef struct weir_module {
    uint32_t struct_size;
    int32_t kind;
    int32_t precision;
    uint32_t flags;
    int32_t concurrency;
    int32_t reserved;
    const char *id;
    const char *version;
    const char *summary;
    const char *doc;
    const weir_option *options;
    int32_t option_count;
    int32_t option_stride;
    const weir_slot *slots;
    int32_t slot_count;
    int32_t slot_stride;
    weir_status (*create)(weir_builder *build, void **self) WEIR_NOEXCEPT;
    void (*destroy)(void *self) WEIR_NOEXCEPT;
    weir_status (*prepare)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;
    weir_status (*prepare_vjp)(const void *self, weir_frame *frame) WEIR_NOEXCEPT;
    const void *ops;
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
    const weir_method *methods;
    int32_t method_count;
    int32_t method_stride;
    const char *file_ending;
    weir_status (*describe_file)(const char *path, char *text, int64_t capacity) WEIR_NOEXCEPT;
} weir_module;
WEIR_END_DECLS
#endif
