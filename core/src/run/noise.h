/* noise.h - lanes of random numbers, row after row from the blocks of philox.h.
 *
 * Each function exists for several instruction sets, and all give the same bits: its own logarithm and sine are made of
 * rounded operations in a fixed order, nothing is fused. A number depends on its key, row and draw alone. */
#ifndef WEIR__NOISE_H
#define WEIR__NOISE_H

#include <stdint.h>

/** Normals of a stream's key for n rows, by Box and Muller (1958) on the two halves of a row's block. In double for both
 *  precisions: the tails of a float uniform would end at 5.6 sigma. The largest is 8.6. Errors: a few ulp. */
#define WEIR__NOISE_NORMAL(name)                                                                             \
    void name(uint64_t key, uint32_t draw, int32_t n, const uint64_t *rows, int32_t single, void *lane)
/** The first 64 bits of the block of each of n rows. */
#define WEIR__NOISE_BITS(name)                                                                               \
    void name(uint64_t key, uint32_t draw, int32_t n, const uint64_t *rows, uint64_t *bits)

/** Into floats (single) or doubles, by the best build for this processor. */
WEIR__NOISE_NORMAL(weir__noise_normal);
/** The same, uniform in (0, 1), both ends excluded. */
void weir__noise_uniform(uint64_t key, uint32_t draw, int32_t n, const uint64_t *rows, int32_t single,
                         void *lane);

WEIR__NOISE_NORMAL(weir__noise_normal_base);
WEIR__NOISE_BITS(weir__noise_bits_base);
#if defined(__x86_64__)
WEIR__NOISE_NORMAL(weir__noise_normal_avx2);
WEIR__NOISE_BITS(weir__noise_bits_avx2);
#endif

#endif
