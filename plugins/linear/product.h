/* product.h - the map y = F_1 F_2 ... F_k x + b that lu_linear, linear and affine_gaussian share. */
#ifndef LINEAR_PRODUCT_H
#define LINEAR_PRODUCT_H

#include "factor.h"

#define PRODUCT_MOST 3

typedef struct product {
    int32_t features, count;
    int biased;
    factor factors[PRODUCT_MOST]; /* the last one meets x first */
    weir_handle bias;             /* parameter, when biased */
    weir_handle log_volume;       /* derived: log |det| of all factors */
} product;

/** Declares all tensors, the bias last under this name (NULL: none). The factors' ops, names, flags and sizes are set. */
weir_status WEIR_NAME(product_declare)(product *self, weir_builder *build, const char *bias,
                                       const start *from);

/** Members of a weir_module and its ops; self is a product, or a struct that starts with one. `run` goes from x to y. */
weir_status WEIR_NAME(product_prepare)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(product_prepare_vjp)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(product_run)(const void *self, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *y, void *log_det);
weir_status WEIR_NAME(product_run_vjp)(const void *self, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *y, const weir_tile *y_bar, const void *log_det_bar,
                                       const weir_tile *x_bar);
weir_status WEIR_NAME(product_solve)(const void *self, weir_frame *frame, const weir_tile *y,
                                     const weir_tile *x, void *log_det);
weir_status WEIR_NAME(product_solve_vjp)(const void *self, weir_frame *frame, const weir_tile *y,
                                         const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                         const weir_tile *y_bar);

/** The method `matrix`: w [features, features], row-major, without the bias. */
#define PRODUCT_MATRIX_SIGNATURE "() -> real w[out][in]"
weir_status WEIR_NAME(product_matrix)(const void *self, weir_frame *frame, weir_real *w);

#endif
