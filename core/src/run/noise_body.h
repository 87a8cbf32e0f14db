/* noise_body.h - lanes of noise for one instruction set; included by noise_*.c. Needs NAME(f). Loops over rows, one simple
 * step each, so that compilers make vectors of them. */
#include <math.h>
#include <string.h>

/* Rows at once: what lies between two loops stays in the nearest cache. */
#define PIECE 64

typedef struct blocks {
    uint32_t c0[PIECE], c1[PIECE], c2[PIECE], c3[PIECE];
} blocks;

/* One round of philox.c's for all rows. */
static void turn(blocks *b, int32_t n, uint32_t k0, uint32_t k1)
{
    for (int32_t i = 0; i < n; i++) {
        const uint64_t p0 = (uint64_t)UINT32_C(0xD2511F53) * b->c0[i];
        const uint64_t p1 = (uint64_t)UINT32_C(0xCD9E8D57) * b->c2[i];
        b->c0[i] = (uint32_t)(p1 >> 32) ^ b->c1[i] ^ k0;
        b->c1[i] = (uint32_t)p1;
        b->c2[i] = (uint32_t)(p0 >> 32) ^ b->c3[i] ^ k1;
        b->c3[i] = (uint32_t)p0;
    }
}

/* n <= PIECE */
static void fill(blocks *b, uint64_t key, uint32_t draw, int32_t n, const uint64_t *rows)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int32_t i = 0; i < n; i++) {
        b->c0[i] = (uint32_t)rows[i];
        b->c1[i] = (uint32_t)(rows[i] >> 32);
        b->c2[i] = draw;
        b->c3[i] = 0;
    }
    for (int i = 0; i < 10; i++) {
        turn(b, n, k0, k1);
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
}

static inline double number(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* weir__unit_f64, without a conversion from 64-bit integers, which few processors have for vectors: 52 bits behind the
 * point of 1, and 1 - 2^-53 taken off, which is exact. */
static inline double unit(uint32_t high, uint32_t low)
{
    const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    return number(bits | UINT64_C(0x3FF0000000000000)) - (1 - 0x1p-53);
}

/* log u for u in [2^-53, 1): u = 2^(e - 64) (1 + f), 1 + f from 1/sqrt 2 to sqrt 2, log(1 + f) = 2 artanh(s) with
 * s = f / (2 + f), |s| < 0.172, as its Taylor series: the next term is below 2^-57 of the sum. log 2 in two parts. */
static inline double log_unit(double u)
{
    const uint64_t half_root = UINT64_C(0x3FE6A09E667F3BCD), one = UINT64_C(1) << 52;
    const uint64_t bits = bits_of(u), e = (bits - half_root + 64 * one) >> 52;
    const double f = number(bits - e * one + 64 * one) - 1, s = f / (2 + f), z = s * s;
    const double power = number(e | UINT64_C(0x4330000000000000)) - (0x1p52 + 64);
    const double series =
        z * (2 / 3.0 +
             z * (2 / 5.0 +
                  z * (2 / 7.0 +
                       z * (2 / 9.0 +
                            z * (2 / 11.0 +
                                 z * (2 / 13.0 +
                                      z * (2 / 15.0 + z * (2 / 17.0 + z * (2 / 19.0 + z * (2 / 21.0))))))))));
    return power * 0x1.62e42feep-1 + (2 * s + (s * series + power * 0x1.a39ef35793c76p-33));
}

/* cos(2 pi v) for v in (0, 1) is sin(x) for x = 2 pi (|v - 1/2| - 1/4), both differences exact, |x| <= pi/2: its Taylor
 * series, whose next term is below 2^-59. */
static inline double cos_turns(double v)
{
    const double x = 6.283185307179586476925 * (fabs(v - 0.5) - 0.25), z = -x * x;
    double sum = 1 / (20.0 * 21);
    sum = 1 / (18.0 * 19) * (1 + z * sum);
    sum = 1 / (16.0 * 17) * (1 + z * sum);
    sum = 1 / (14.0 * 15) * (1 + z * sum);
    sum = 1 / (12.0 * 13) * (1 + z * sum);
    sum = 1 / (10.0 * 11) * (1 + z * sum);
    sum = 1 / (8.0 * 9) * (1 + z * sum);
    sum = 1 / (6.0 * 7) * (1 + z * sum);
    sum = 1 / (4.0 * 5) * (1 + z * sum);
    sum = 1 / (2.0 * 3) * (1 + z * sum);
    return x + x * (z * sum);
}

static void normals(const blocks *b, int32_t n, double *restrict out)
{
    for (int32_t i = 0; i < n; i++) {
        const double radius = sqrt(-2 * log_unit(unit(b->c0[i], b->c1[i])));
        out[i] = radius * cos_turns(unit(b->c2[i], b->c3[i]));
    }
}

WEIR__NOISE_NORMAL(NAME(weir__noise_normal))
{
    blocks b;
    double piece[PIECE];
    for (int32_t first = 0; first < n; first += PIECE) {
        const int32_t count = n - first < PIECE ? n - first : PIECE;
        fill(&b, key, draw, count, rows + first);
        normals(&b, count, piece);
        if (single)
            for (int32_t i = 0; i < count; i++) ((float *)lane)[first + i] = (float)piece[i];
        else
            memcpy((double *)lane + first, piece, (size_t)count * sizeof *piece);
    }
}

WEIR__NOISE_BITS(NAME(weir__noise_bits))
{
    blocks b;
    for (int32_t first = 0; first < n; first += PIECE) {
        const int32_t count = n - first < PIECE ? n - first : PIECE;
        fill(&b, key, draw, count, rows + first);
        for (int32_t i = 0; i < count; i++) bits[first + i] = (uint64_t)b.c0[i] << 32 | b.c1[i];
    }
}
