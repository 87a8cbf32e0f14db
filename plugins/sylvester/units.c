/* units.c - see units.h; the formulas are in sylvester's doc. */
#include "units.h"

#include <weir/roots.h>

int WEIR_NAME(units_take)(const sylvester *self, weir_frame *frame, units *at)
{
    const int32_t m = self->hidden;
    return weir_take_tile(frame, m, &at->a) && weir_take_tile(frame, m, &at->h) &&
           weir_take_tile(frame, m, &at->slope) && weir_take_tile(frame, m, &at->psi) &&
           weir_take_tile(frame, m, &at->curve);
}

/* 1 - h' is tanh^2, so neither term of psi is a difference. h'' = -2 h h'. */
static void evaluate(weir_frame *frame, weir_real q, const weir_real *a, weir_real *h, weir_real *slope,
                     weir_real *psi, weir_real *curve)
{
    const weir_real bend = 2 * (1 - q);
    frame->math->tanh(frame->width, a, h);
    for (int32_t r = 0; r < frame->width; r++) {
        slope[r] = (1 - h[r]) * (1 + h[r]);
        psi[r] = h[r] * h[r] + slope[r] * q;
        curve[r] = bend * h[r] * slope[r] / psi[r];
    }
}

void WEIR_NAME(units_evaluate)(const sylvester *self, weir_frame *frame, const units *at)
{
    const weir_real *const q = weir_tensor(frame, self->q);
    for (int32_t i = 0; i < self->hidden; i++)
        evaluate(frame, q[i], weir_lane(&at->a, i), weir_lane(&at->h, i), weir_lane(&at->slope, i),
                 weir_lane(&at->psi, i), weir_lane(&at->curve, i));
}

void WEIR_NAME(units_add_log_det)(const sylvester *self, weir_frame *frame, const units *at, weir_real sign,
                                  weir_real *log_det)
{
    for (int32_t i = 0; i < self->hidden; i++) {
        weir_real *const logs = weir_lane(&at->a, i);
        frame->math->log(frame->width, weir_lane(&at->psi, i), logs);
        for (int32_t r = 0; r < frame->width; r++) log_det[r] += sign * logs[r];
    }
}

/* ---- solves ---------------------------------------------------------------------------------------------------- */

/* to -= factor from */
static void subtract(const weir_frame *frame, weir_real factor, const weir_real *restrict from,
                     weir_real *restrict to)
{
    for (int32_t r = 0; r < frame->width; r++) to[r] -= factor * from[r];
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

static weir_status solve_one(weir_frame *frame, weir_real q, const weir_tile *work, weir_real *c)
{
    weir_real *const low = weir_lane(work, 0), *const high = weir_lane(work, 1);
    weir_real *const size = weir_lane(work, 2), *const at = weir_lane(work, 3);
    for (int32_t r = 0; r < frame->width; r++) size[r] = c[r] < 0 ? -c[r] : c[r];
    bracket(frame->width, q, size, low, high, at);
    const equation e = {q, size};
    const weir_status status = weir_find_roots(frame, frame->width, bent_line, &e, low, high, at);
    for (int32_t r = 0; r < frame->width; r++) c[r] = c[r] < 0 ? -at[r] : at[r];
    return status;
}

weir_status WEIR_NAME(units_solve)(const sylvester *self, weir_frame *frame, const units *at)
{
    const int32_t m = self->hidden;
    const weir_real *const t = weir_tensor(frame, self->product), *const q = weir_tensor(frame, self->q);
    weir_status status = WEIR_OK;
    weir_tile work;
    if (!weir_take_tile(frame, 4, &work)) return WEIR_ERROR;
    for (int32_t i = m - 1; i >= 0; i--) {
        weir_real *const c = weir_lane(&at->a, i);
        for (int32_t j = m - 1; j > i; j--) subtract(frame, t[(int64_t)i * m + j], weir_lane(&at->h, j), c);
        WEIR_TRY(status, solve_one(frame, q[i], &work, c));
        frame->math->tanh(frame->width, c, weir_lane(&at->h, i));
    }
    return status;
}

void WEIR_NAME(units_pull)(const sylvester *self, const weir_frame *frame, const units *at,
                           const weir_real *l_bar, int numeric, const weir_tile *k)
{
    const int32_t m = self->hidden;
    const weir_real *const t = weir_tensor(frame, self->product);
    for (int32_t i = 0; i < m; i++) {
        const weir_real *const slope = weir_lane(&at->slope, i), *const curve = weir_lane(&at->curve, i);
        const weir_real *const psi = weir_lane(&at->psi, i);
        weir_real *const own = weir_lane(k, i);
        for (int32_t j = 0; numeric && j < i; j++)
            subtract(frame, t[(int64_t)j * m + i], weir_lane(k, j), own);
        for (int32_t r = 0; r < frame->width; r++) {
            own[r] = slope[r] * own[r] + (l_bar ? l_bar[r] * curve[r] : 0);
            if (numeric) own[r] /= psi[r];
        }
    }
}
