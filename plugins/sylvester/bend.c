/* bend.c - see bend.h. */
#include "bend.h"

#include <weir/roots.h>

/* 1 - h' is tanh^2, so neither term of psi is a difference. h'' = -2 h h'. */
WEIR_CLONES static void derive(int32_t n, weir_real q, const weir_real *restrict h, weir_real *restrict slope,
                               weir_real *restrict psi)
{
    for (int32_t r = 0; r < n; r++) {
        slope[r] = (1 - h[r]) * (1 + h[r]);
        psi[r] = h[r] * h[r] + slope[r] * q;
    }
}

WEIR_CLONES static void derive_twice(int32_t n, weir_real q, const weir_real *restrict h,
                                     const weir_real *restrict slope, const weir_real *restrict psi,
                                     weir_real *restrict curve)
{
    const weir_real bend = 2 * (1 - q);
    for (int32_t r = 0; r < n; r++) curve[r] = bend * h[r] * slope[r] / psi[r];
}

void WEIR_NAME(bend_evaluate)(weir_frame *frame, weir_real q, const weir_real *a, weir_real *h,
                              weir_real *slope, weir_real *psi, weir_real *curve)
{
    frame->math->tanh(frame->width, a, h);
    derive(frame->width, q, h, slope, psi);
    if (curve) derive_twice(frame->width, q, h, slope, psi, curve);
}

typedef struct equation {
    weir_real q;
    const weir_real *target;
} equation;

static void bent_line(const void *context, weir_frame *frame, int32_t n, const weir_real *at,
                      weir_real *value, weir_real *slope)
{
    const equation *const e = context;
    const weir_real q = e->q;
    frame->math->tanh(n, at, value);
    for (int32_t i = 0; i < n; i++) {
        const weir_real h = value[i];
        slope[i] = h * h + (1 - h) * (1 + h) * q;
        value[i] = at[i] + (q - 1) * h - e->target[i];
    }
}

/* The function is odd, so the root of |c| is sought: it lies between |c| and |c| / q, and nearer to |c| than |q - 1|.
 * Convex for q < 1 and concave for q > 1: Newton from the end on the far side from |c| never overshoots. */
static void bracket(int32_t n, weir_real q, const weir_real *c, weir_real *low, weir_real *high,
                    weir_real *at)
{
    for (int32_t i = 0; i < n; i++) {
        const weir_real near = c[i], share = c[i] / q, shifted = c[i] + (1 - q);
        if (q < 1) {
            low[i] = near;
            at[i] = high[i] = share < shifted ? share : shifted;
        } else {
            at[i] = low[i] = share > shifted ? share : shifted;
            high[i] = near;
        }
    }
}

weir_status WEIR_NAME(bend_solve)(weir_frame *frame, weir_real q, weir_real *c)
{
    const int32_t n = frame->width;
    const int64_t mark = frame->services->scratch_mark(frame);
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    weir_real *const size = weir_take_lane(frame), *const at = weir_take_lane(frame);
    if (!low || !high || !size || !at) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) size[i] = c[i] < 0 ? -c[i] : c[i];
    bracket(n, q, size, low, high, at);
    const equation e = {q, size};
    const weir_status status = weir_find_roots(frame, n, bent_line, &e, low, high, at);
    for (int32_t i = 0; i < n; i++) c[i] = c[i] < 0 ? -at[i] : at[i];
    frame->services->scratch_release(frame, mark);
    return status;
}
