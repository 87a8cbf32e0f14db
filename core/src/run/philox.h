/* philox.h - counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3", SC11). */
#ifndef WEIR__PHILOX_H
#define WEIR__PHILOX_H

#include <stdint.h>

/** The ten rounds. */
void weir__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/** The key of a stream: a 64-bit mix of the run's seed, its step and the module's stream. */
uint64_t weir__stream_key(uint64_t seed, uint64_t step, uint32_t stream);

/** The first 64 bits of block (row, draw) of a key. */
uint64_t weir__random_bits(uint64_t key, uint64_t row, uint32_t draw, uint64_t *second);

/** In (0, 1), both ends excluded in double and, by the 23-bit form, in float. */
double weir__unit_f64(uint64_t bits);
float weir__unit_f32(uint64_t bits);

#endif
