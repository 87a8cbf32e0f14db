/* philox.c - see philox.h. */
#include "run/philox.h"

static inline void round_once(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    const uint64_t p0 = (uint64_t)UINT32_C(0xD2511F53) * c[0];
    const uint64_t p1 = (uint64_t)UINT32_C(0xCD9E8D57) * c[2];
    const uint32_t c1 = c[1], c3 = c[3];
    c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c[1] = (uint32_t)p1;
    c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c[3] = (uint32_t)p0;
}

void weir__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < 4; i++) out[i] = counter[i];
    for (int i = 0; i < 10; i++) {
        round_once(out, k0, k1);
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
}

/* The finaliser of SplitMix64 (Steele et al. 2014): a bijection of 64 bits, so that distinct inputs stay distinct. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t weir__stream_key(uint64_t seed, uint64_t step, uint32_t stream)
{
    const uint64_t a = mix(seed + UINT64_C(0x9E3779B97F4A7C15));
    const uint64_t b = mix(a ^ mix(step + UINT64_C(0xD1B54A32D192ED03)));
    return mix(b + stream);
}

uint64_t weir__random_bits(uint64_t key, uint64_t row, uint32_t draw, uint64_t *second)
{
    const uint32_t counter[4] = {(uint32_t)row, (uint32_t)(row >> 32), draw, 0};
    const uint32_t words[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    uint32_t out[4];
    weir__philox(counter, words, out);
    *second = (uint64_t)out[2] << 32 | out[3];
    return (uint64_t)out[0] << 32 | out[1];
}

double weir__unit_f64(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

float weir__unit_f32(uint64_t bits)
{
    return ((float)(uint32_t)(bits >> 41) + 0.5f) * 0x1p-23f;
}
