/* gemm_tile.h - settings that the kernels of all instruction sets share; included by gemm_tile_*.c alone. */
#ifndef WEIR__GEMM_TILE_H
#define WEIR__GEMM_TILE_H

#include "math/tables.h"

/* Steps of k in one go: a panel of B of this depth fits the first-level cache. */
#define DEPTH 256
/* Where all three sizes are larger, packing both matrices as BLIS does is worth it. */
#define LARGE 400

/* Without full unrolling, gcc keeps the accumulators in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#endif
