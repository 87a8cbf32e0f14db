/* limit.h - what this machine can do: the ceilings that the benchmark's figures are fractions of. */
#ifndef WEIR_BENCH_LIMIT_H
#define WEIR_BENCH_LIMIT_H

#include "work.h"

/** Fused multiply-adds in registers, all threads together, in FLOP/s (one multiply-add is two). */
double limit_peak(int threads, double seconds);

/** Bytes a second that memcpy reads and writes, in blocks of `bytes`. */
double limit_copy(int threads, int64_t bytes, double seconds);

/** The host's vector functions on lanes of 64 rows that stay in the first-level cache: nanoseconds a number. */
#define FUNCTIONS 3
extern const char *const limit_function_names[FUNCTIONS];
double limit_function(int which, double seconds);

/** The instruction set of the host's kernels: "avx512", ... */
const char *limit_kernels(void);

/** The products a dense layer is made of: Y = W X, X_bar = W^T Y_bar, W_bar = Y_bar X^T. */
typedef enum product { FORWARD, PULL_INPUT, PULL_WEIGHT, PRODUCTS } product;
extern const char *const product_names[PRODUCTS];

/** One product of one layer over tiles of `rows` rows, weights and tiles laid out as the host does: FLOP/s by the host's own
 *  kernel and by BLIS. Each thread has tiles of its own. */
typedef struct gemm_figure {
    double own, blis;
} gemm_figure;
gemm_figure limit_gemm(const dense *layer, product which, int32_t rows, int threads, double seconds);

/** The ceiling of an operation in FLOP/s if its products were all it did: each at its best figure in table[layer][product]. 0
 *  for a work without products. */
double limit_of(const work *w, operation op, gemm_figure (*table)[PRODUCTS]);

#endif
