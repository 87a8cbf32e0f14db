/* gemm_tile.h - settings that the kernels of all instruction sets share; included by gemm_tile_*.c alone. */
#ifndef WEIR__GEMM_TILE_H
#define WEIR__GEMM_TILE_H

#include "math/activation.h"
#include "math/gemm_finished.h"

#include <string.h>

/* Steps of k in one go: a panel of B of this depth fits the first-level cache. */
#define DEPTH 256
/* Where all three sizes are larger, packing both matrices as BLIS does is worth it. */
#define LARGE 400

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif

/* Without full unrolling, gcc keeps the accumulators in memory. With a check around every access, unrolled kernels take
 * minutes to compile: there they stay loops. */
#if defined(INSTRUMENTED) && defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(disable)")
#elif defined(INSTRUMENTED)
#define UNROLL _Pragma("GCC unroll 1")
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#endif
