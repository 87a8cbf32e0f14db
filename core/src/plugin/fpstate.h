/* fpstate.h - the floating-point control state of this thread: rounding, masks, flush-to-zero. */
#ifndef WEIR__FPSTATE_H
#define WEIR__FPSTATE_H

#include <fenv.h>
#include <stdint.h>

typedef struct weir__fpstate {
    uint32_t vector; /* x86-64: MXCSR; elsewhere the rounding mode */
    uint16_t x87;
    fenv_t environment;
} weir__fpstate;

void weir__fpstate_save(weir__fpstate *state);
/** Puts back what was saved. Returns what had been changed, in words ("flush-to-zero", ...), or NULL. */
const char *weir__fpstate_restore(const weir__fpstate *state);
/** What of the control state differs, in the same words, or NULL. */
const char *weir__fpstate_difference(const weir__fpstate *before, const weir__fpstate *after);

#endif
