/* units.c - see units.h; the formulas are in sylvester's doc. */
#include "units.h"

#include "bend.h"

int WEIR_NAME(units_take)(const sylvester *self, weir_frame *frame, units *at)
{
    const int32_t m = self->hidden;
    return weir_take_tile(frame, m, &at->a) && weir_take_tile(frame, m, &at->h) &&
           weir_take_tile(frame, m, &at->slope) && weir_take_tile(frame, m, &at->psi) &&
           weir_take_tile(frame, m, &at->curve);
}

void WEIR_NAME(units_evaluate)(const sylvester *self, weir_frame *frame, const units *at)
{
    const weir_real *const q = weir_tensor(frame, self->q);
    for (int32_t i = 0; i < self->hidden; i++) WEIR_NAME(bend_evaluate)
    (frame, q[i], weir_lane(&at->a, i), weir_lane(&at->h, i), weir_lane(&at->slope, i),
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

weir_status WEIR_NAME(units_solve)(const sylvester *self, weir_frame *frame, const units *at)
{
    const int32_t m = self->hidden;
    const weir_real *const t = weir_tensor(frame, self->product), *const q = weir_tensor(frame, self->q);
    weir_status status = WEIR_OK;
    for (int32_t i = m - 1; i >= 0; i--) {
        weir_real *const c = weir_lane(&at->a, i);
        for (int32_t j = m - 1; j > i; j--) subtract(frame, t[(int64_t)i * m + j], weir_lane(&at->h, j), c);
        WEIR_TRY(status, WEIR_NAME(bend_solve)(frame, q[i], c));
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
