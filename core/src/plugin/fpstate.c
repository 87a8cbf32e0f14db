/* fpstate.c - saving and restoring the floating-point control state.
 *
 * SPDX-License-Identifier: MIT
 *
 * A shared object linked with -ffast-math brings a constructor that switches the loading thread, and every thread
 * started from it later, to flush-to-zero. Only control bits are compared: the sticky exception flags are anybody's.
 */
#include "plugin/fpstate.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

#define MXCSR_CONTROL  0xffc0u /* flush-to-zero, rounding, masks, denormals-are-zero */
#define MXCSR_ROUNDING 0x6000u
#define MXCSR_FLUSH    0x8040u
#define X87_CONTROL    0x0f3fu /* rounding, precision, masks */

static uint16_t x87_control(void)
{
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

void weir__fpstate_save(weir__fpstate *state)
{
    state->vector = _mm_getcsr();
    state->x87 = x87_control();
}

const char *weir__fpstate_difference(const weir__fpstate *before, const weir__fpstate *after)
{
    const uint32_t vector = (after->vector ^ before->vector) & MXCSR_CONTROL;
    const unsigned x87 = (unsigned)(after->x87 ^ before->x87) & X87_CONTROL;
    if (vector & MXCSR_FLUSH) return "flush-to-zero";
    if (vector & MXCSR_ROUNDING) return "the rounding mode";
    if (vector) return "floating-point traps";
    return x87 ? "the x87 control word" : NULL;
}

const char *weir__fpstate_restore(const weir__fpstate *state)
{
    weir__fpstate now;
    weir__fpstate_save(&now);
    _mm_setcsr(state->vector);
    if ((now.x87 ^ state->x87) & X87_CONTROL) __asm__ volatile("fldcw %0" : : "m"(state->x87));
    return weir__fpstate_difference(state, &now);
}

#else
void weir__fpstate_save(weir__fpstate *state)
{
    state->vector = (uint32_t)fegetround();
    state->x87 = 0;
    fegetenv(&state->environment);
}

const char *weir__fpstate_difference(const weir__fpstate *before, const weir__fpstate *after)
{
#if defined(__aarch64__)
    const int control = before->environment.__fpcr != after->environment.__fpcr;
#else
    const int control = 0;
#endif
    if (before->vector != after->vector) return "the rounding mode";
    return control ? "flush-to-zero or floating-point traps" : NULL;
}

const char *weir__fpstate_restore(const weir__fpstate *state)
{
    weir__fpstate now;
    weir__fpstate_save(&now);
    fesetenv(&state->environment);
    return weir__fpstate_difference(state, &now);
}
#endif
