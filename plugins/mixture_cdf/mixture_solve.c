/* mixture_solve.c - see mixture.h: the inverse.
 *
 * Solved on the line, whatever the codomain: there the map is close to linear far out, and Newton's steps reach. No bracket has
 * to be searched for: at the point x_k where component k alone has the wanted CDF, every F_j(x) with x_j >= x_k has at most
 * that value. So the root lies between the smallest and the largest x_k = m_k + (Y - b_k) / a_k.
 */
#include "mixture.h"

#include <weir/roots.h>

typedef struct wanted {
    const mixture *m;
    const mixture_point *at;
    const weir_real *target;
} wanted;

static void miss(const void *context, weir_frame *frame, int32_t n, const weir_real *x, weir_real *value,
                 weir_real *slope)
{
    const wanted *const q = context;
    const mixture_point *const at = q->at;
    const int there = WEIR_NAME(mixture_evaluate)(q->m, frame, x, at);
    for (int32_t i = 0; i < n; i++) {
        value[i] = there ? weir_roots_miss(at->side[i] * at->at[i], q->target[i], 4) : WEIR_C(NAN);
        slope[i] = at->rate[i] * at->mills[i];
    }
}

/** The point of the line that belongs to y in (0, 1); not a number elsewhere. */
static int to_line(const mixture *m, weir_frame *frame, const weir_real *y, weir_real *line)
{
    weir_real *const log_tail = weir_take_lane(frame), *const mills = weir_take_lane(frame);
    weir_real *const other = weir_take_lane(frame);
    if (!log_tail || !mills || !other) return 0;
    for (int32_t i = 0; i < m->n; i++) other[i] = -y[i];
    frame->math->log1p(m->n, other, other);
    frame->math->log(m->n, y, log_tail);
    for (int32_t i = 0; i < m->n; i++) log_tail[i] = y[i] > WEIR_C(0.5) ? other[i] : log_tail[i];
    if (!m->family->quantile(frame, m->n, log_tail, line, mills)) return 0;
    for (int32_t i = 0; i < m->n; i++) line[i] = y[i] > WEIR_C(0.5) ? line[i] : -line[i];
    return 1;
}

static void bracket(const mixture *m, const weir_real *restrict target, weir_real *restrict low,
                    weir_real *restrict high, weir_real *restrict x)
{
    for (int32_t k = 0; k < m->count; k++)
        for (int32_t i = 0; i < m->n; i++) {
            const int64_t j = (int64_t)k * m->n + i;
            const weir_real own = m->centre[j] + (target[i] - m->offset[j]) / m->slope[j];
            low[i] = k == 0 || own < low[i] ? own : low[i];
            high[i] = k == 0 || own > high[i] ? own : high[i];
            x[i] = (k == 0 ? 0 : x[i]) + m->weight[j] * own;
        }
    for (int32_t i = 0; i < m->n; i++)
        if (!(x[i] > low[i] && x[i] < high[i])) x[i] = low[i] + (high[i] - low[i]) / 2;
}

weir_status WEIR_NAME(mixture_solve)(const mixture *m, weir_frame *frame, const weir_real *y,
                                     const mixture_point *at, weir_real *x)
{
    mixture line = *m;
    line.unit = 0;
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    weir_real *const target = m->unit ? weir_take_lane(frame) : NULL;
    if (!low || !high || (m->unit && (!target || !to_line(m, frame, y, target)))) return WEIR_ERROR;
    const wanted q = {&line, at, m->unit ? target : y};
    bracket(m, q.target, low, high, x);
    const weir_status status = weir_find_roots(frame, m->n, miss, &q, low, high, x);
    if (status > WEIR_DISCARD) return status;
    return WEIR_NAME(mixture_evaluate)(m, frame, x, at) ? status : WEIR_ERROR;
}
