/* math.c - which table serves this processor. */
#include "math/tables.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if WEIR__X86_64
enum level { LEVEL_PLAIN, LEVEL_SSE2, LEVEL_AVX2, LEVEL_AVX512, LEVELS };
static const char *const names[LEVELS] = {"plain", "sse2", "avx2", "avx512"};
#elif WEIR__AARCH64
enum level { LEVEL_PLAIN, LEVEL_NEON, LEVELS };
static const char *const names[LEVELS] = {"plain", "neon"};
#else
enum level { LEVEL_PLAIN, LEVELS };
static const char *const names[LEVELS] = {"plain"};
#endif

static const weir_math *const tables[LEVELS][2] = {
    {&weir__math_plain_f32, &weir__math_plain_f64},
#if WEIR__X86_64
    {&weir__math_sse2_f32, &weir__math_sse2_f64},
    {&weir__math_avx2_f32, &weir__math_avx2_f64},
    {&weir__math_avx512_f32, &weir__math_avx512_f64},
#elif WEIR__AARCH64
    {&weir__math_neon_f32, &weir__math_neon_f64},
#endif
};

static int best_level(void)
{
#if WEIR__X86_64
    __builtin_cpu_init();
    const int fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fma && __builtin_cpu_supports("avx512f")) return LEVEL_AVX512;
    return fma ? LEVEL_AVX2 : LEVEL_SSE2;
#else
    return LEVELS - 1; /* NEON is part of every 64-bit Arm */
#endif
}

/* The environment can only lower the choice: a name above what the processor has, or no name at all, changes nothing. */
static int wanted_level(int most)
{
    const char *const name = getenv("WEIR_MATH");
    for (int level = 0; name && level < most; level++) {
        if (strcmp(name, names[level]) == 0) return level;
    }
    return most;
}

/* Decided once, so that a later change of the environment cannot mix two tables in one run. Threads that race here
 * come to the same answer. */
static int chosen_level(void)
{
    static _Atomic int chosen = -1;
    int level = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (level < 0) {
        level = wanted_level(best_level());
        atomic_store_explicit(&chosen, level, memory_order_relaxed);
    }
    return level;
}

const weir_math *weir__math(int32_t precision)
{
    return tables[chosen_level()][precision == WEIR_F64];
}

const weir_math *weir__math_plain(int32_t precision)
{
    return tables[LEVEL_PLAIN][precision == WEIR_F64];
}

const char *weir__math_name(void)
{
    return names[chosen_level()];
}

int weir__math_has_avx2(void)
{
#if WEIR__X86_64
    return chosen_level() >= LEVEL_AVX2;
#else
    return 0;
#endif
}
