/* around.c - see around.h. */
#include "train/around.h"

#include <string.h>

#if defined(__x86_64__)

#include <emmintrin.h>

int weir__around_pays(void)
{
    return __builtin_cpu_is("amd") != 0;
}

void weir__copy_around(int64_t bytes, const void *from, void *to)
{
    const int64_t whole = bytes / 16;
    const __m128i *const source = from;
    __m128i *const target = to;
    for (int64_t i = 0; i < whole; i++) _mm_stream_si128(target + i, _mm_load_si128(source + i));
    memcpy(target + whole, source + whole, (size_t)(bytes - 16 * whole));
    _mm_sfence();
}

#else

int weir__around_pays(void)
{
    return 0;
}

void weir__copy_around(int64_t bytes, const void *from, void *to)
{
    memcpy(to, from, (size_t)bytes);
}

#endif
