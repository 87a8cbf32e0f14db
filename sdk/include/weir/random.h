/* weir/random.h - orders and rotations that a key decides, drawn once while a module is created and then kept in a buffer.
 *
 * SPDX-License-Identifier: MIT
 *
 * Tile calls draw from the frame's services instead. Everything here is in double, so that both precisions of a module
 * start from the same numbers.
 */
#ifndef WEIR_RANDOM_H
#define WEIR_RANDOM_H

#include <weir/reflections.h>

/** SplitMix64 (Steele et al. 2014): the next number of the stream in *state, which starts at any key. */
WEIR_INLINE uint64_t weir_random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** The key of a module's draws: its integer option "seed" where that is given, else the model's seed and the module's own
 *  stream together. */
WEIR_INLINE uint64_t weir_random_key(weir_builder *build)
{
    if (build->given(build, "seed")) return (uint64_t)build->integer(build, "seed");
    uint64_t state = WEIR_HAS(build, seed) ? build->seed : 0;
    return weir_random_bits(&state) + build->stream;
}

/** In (0, 1), both ends excluded. */
WEIR_INLINE double weir_random_uniform(uint64_t *state)
{
    return ((double)(weir_random_bits(state) >> 11) + 0.5) * (1.0 / 9007199254740992.0);
}

WEIR_INLINE double weir_random_normal(uint64_t *state)
{
    const double radius = sqrt(-2 * log(weir_random_uniform(state)));
    return radius * cos(6.283185307179586 * weir_random_uniform(state));
}

/** 0 .. n - 1 in an order that the key decides (Fisher and Yates; the remainder's bias is below n / 2^64). */
WEIR_INLINE void weir_random_order(int32_t n, uint64_t key, int64_t *order)
{
    for (int32_t i = 0; i < n; i++) order[i] = i;
    for (int32_t i = n - 1; i > 0; i--) {
        const int32_t j = (int32_t)(weir_random_bits(&key) % ((uint64_t)i + 1));
        const int64_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/** An orthogonal n x n matrix without a preferred direction, as reflections along normal vectors of growing length
 *  (Stewart 1980); `work` holds 2 n numbers. Costs 4 n^3. */
WEIR_INLINE void weir_random_rotation(int32_t n, uint64_t key, double *a, double *work)
{
    double *const u = work, *const row = work + n;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) a[(int64_t)i * n + j] = i == j;
    for (int32_t first = n - 1; first >= 0; first--) {
        double square = 0;
        for (int32_t i = 0; i < n; i++) {
            u[i] = i < first ? 0 : weir_random_normal(&key);
            square += u[i] * u[i];
        }
        for (int32_t i = first; i < n; i++) u[i] /= sqrt(square);
        weir_reflect(n, n, u, a, row);
    }
}

#endif
