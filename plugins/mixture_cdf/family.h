/* family.h - the distributions whose CDFs are mixed: both symmetric about 0, so the upper tail says everything.
 *
 * T(u) = 1 - F(u) is the tail, phi the density, h = phi / T the hazard and R = 1 / h Mills' ratio. Tails and hazards are kept
 * by their logarithm: they never round to 0.
 */
#ifndef MIXTURE_CDF_FAMILY_H
#define MIXTURE_CDF_FAMILY_H

#include <weir/plugin.h>

typedef struct family {
    /** log T, T, log F and log h at `count` points u >= 0. The arrays do not overlap. */
    void (*tails)(weir_frame *frame, int64_t count, const weir_real *u, weir_real *log_tail, weir_real *tail,
                  weir_real *log_other, weir_real *log_hazard);
    /** The point where log T is log_tail <= log 1/2 (a little more is served), and R there. 0: no memory. */
    int (*quantile)(weir_frame *frame, int32_t n, const weir_real *log_tail, weir_real *at, weir_real *mills);
    int32_t normal; /**< 1: (log phi)' = -u; 0: it is 2 T - 1 */
} family;

extern const family WEIR_NAME(logistic_family);
extern const family WEIR_NAME(normal_family);

/** (log phi)' at u, where the tail is `tail`. */
WEIR_INLINE weir_real family_bend(const family *self, weir_real u, weir_real tail)
{
    return self->normal ? -u : 2 * tail - 1;
}

#endif
