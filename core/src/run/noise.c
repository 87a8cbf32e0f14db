/* noise.c - which build of the noise serves this processor. */
#include "run/noise.h"

#include "math/tables.h"
#include "run/philox.h"

WEIR__NOISE_NORMAL(weir__noise_normal)
{
#if WEIR__X86_64
    if (weir__math_has_avx2()) {
        weir__noise_normal_avx2(key, draw, n, rows, single, lane);
        return;
    }
#endif
    weir__noise_normal_base(key, draw, n, rows, single, lane);
}

static WEIR__NOISE_BITS(bits_of_rows)
{
#if WEIR__X86_64
    if (weir__math_has_avx2()) {
        weir__noise_bits_avx2(key, draw, n, rows, bits);
        return;
    }
#endif
    weir__noise_bits_base(key, draw, n, rows, bits);
}

void weir__noise_uniform(uint64_t key, uint32_t draw, int32_t n, const uint64_t *rows, int32_t single,
                         void *lane)
{
    uint64_t bits[64];
    for (int32_t first = 0; first < n; first += 64) {
        const int32_t count = n - first < 64 ? n - first : 64;
        bits_of_rows(key, draw, count, rows + first, bits);
        for (int32_t i = 0; i < count; i++)
            if (single)
                ((float *)lane)[first + i] = weir__unit_f32(bits[i]);
            else
                ((double *)lane)[first + i] = weir__unit_f64(bits[i]);
    }
}
