/* weir/frame.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_FRAME_H
#define WEIR_FRAME_H
#include <weir/tile.h>
WEIR_BEGIN_DECLS
typedef int32_t weir_handle;
typedef struct weir_frame weir_frame;
typedef struct weir_tape weir_tape;
typedef struct weir_scratch weir_scratch;
#define WEIR_MODE_EVALUATE 0
#define WEIR_MODE_TRAIN    1
#define WEIR_MATH_LIST(X)                                                                                    \
    X(exp, "e^x")                                                                                            \
    X(expm1, "e^x - 1")                                                                                      \
    X(log, "natural logarithm")                                                                              \
    X(log1p, "log(1 + x)")                                                                                   \
    X(tanh, "hyperbolic tangent")                                                                            \
    X(sigmoid, "1 / (1 + e^-x)")                                                                             \
    X(softplus, "log(1 + e^x), no overflow")                                                                 \
    X(sin, "sine")                                                                                           \
    X(cos, "cosine")                                                                                         \
    X(erf, "error function")
typedef struct weir_math {
    uint32_t struct_size;
    int32_t precision;
#define WEIR_MATH_MEMBER(name, text) void (*name)(int64_t n, const void *x, void *y) WEIR_NOEXCEPT;
    WEIR_MATH_LIST(WEIR_MATH_MEMBER)
#undef WEIR_MATH_MEMBER
    void (*gemm)(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row, int64_t a_col,
                 const void *b, int64_t b_row, int64_t b_col, double beta, void *c, int64_t c_row,
                 int64_t c_col) WEIR_NOEXCEPT;
} weir_math;
#define WEIR_LINEAR_ADD 1u
typedef struct weir_services {
    uint32_t struct_size;
    uint32_t reserved;
    void *(*tape_push)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;
    void *(*tape_pop)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;
    void *(*scratch_take)(weir_frame *frame, int64_t bytes)WEIR_NOEXCEPT;
    int64_t (*scratch_mark)(weir_frame *frame) WEIR_NOEXCEPT;
    void (*scratch_release)(weir_frame *frame, int64_t mark) WEIR_NOEXCEPT;
    void (*random_uniform)(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane) WEIR_NOEXCEPT;
    void (*random_normal)(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane) WEIR_NOEXCEPT;
    weir_status (*linear_forward)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                  const weir_tile *x, const weir_tile *y, uint32_t flags) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_activation)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                         const weir_tile *y, const weir_tile *y_bar) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_input)(weir_frame *frame, weir_handle linear, int32_t first, int32_t count,
                                    const weir_tile *y_bar, const weir_tile *x_bar,
                                    uint32_t flags) WEIR_NOEXCEPT;
    weir_status (*linear_vjp_weights)(weir_frame *frame, weir_handle linear, const weir_tile *x,
                                      const weir_tile *y_bar) WEIR_NOEXCEPT;
    void (*fail)(weir_frame *frame, const char *text) WEIR_NOEXCEPT;
    void (*log)(weir_frame *frame, int32_t level, const char *text) WEIR_NOEXCEPT;
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
} weir_services;
typedef struct weir_report {
    uint32_t struct_size;
    uint32_t reserved;
    int32_t *iterations;
    double *residual;
} weir_report;
struct weir_frame {
    uint32_t struct_size;
    int32_t precision;
    int32_t mode;
    int32_t worker;
    int32_t rows;
    int32_t width;
    int64_t stride;
    const weir_services *services;
    const weir_math *math;
    void *const *tensors;
    void *const *gradients;
    weir_tape *tape;
    weir_scratch *scratch;
    const weir_tile *context;
    const weir_tile *context_bar;
    const uint64_t *row_ids;
    uint64_t seed;
    uint64_t step;
    uint64_t *discard;
    weir_report *report;
    void *host;
};
WEIR_END_DECLS
#endif
