/* weir/bound.h - soft bounds for what a network gives, so that no wild output makes an exponential overflow.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BOUND_H
#define WEIR_BOUND_H

#include <weir/plugin.h>

/** a = bound tanh(s / bound), |a| < bound, and, unless slope is NULL, da/ds; n elements each. bound <= 0: a = s. */
WEIR_INLINE void weir_soft_bound(const weir_frame *frame, weir_real bound, int32_t n, const weir_real *s,
                                 weir_real *a, weir_real *slope)
{
    if (bound <= 0) {
        memcpy(a, s, (size_t)n * sizeof *a);
        for (int32_t i = 0; slope && i < n; i++) slope[i] = 1;
        return;
    }
    for (int32_t i = 0; i < n; i++) a[i] = s[i] / bound;
    frame->math->tanh(n, a, a);
    for (int32_t i = 0; slope && i < n; i++) slope[i] = 1 - a[i] * a[i];
    for (int32_t i = 0; i < n; i++) a[i] *= bound;
}

#endif
