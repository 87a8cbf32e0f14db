/* arena.c - which build of the passes serves this processor. */
#include "train/arena.h"

const weir__arena *weir__arena_passes(int32_t precision)
{
    const int single = precision == WEIR_F32;
#if WEIR__X86_64
    if (weir__math_has_avx2()) return single ? &weir__arena_avx2_f32 : &weir__arena_avx2_f64;
#endif
    return single ? &weir__arena_base_f32 : &weir__arena_base_f64;
}
