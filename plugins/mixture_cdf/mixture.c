/* mixture.c - see mixture.h: weights, shares and the value. */
#include "mixture.h"

int WEIR_NAME(mixture_take)(weir_frame *frame, mixture *m, mixture_point *at)
{
    weir_real **const wide[] = {&m->weight, &m->log_weight, &m->slope, &m->log_slope,
                                &m->centre, &m->offset,     &at->u,    &at->tail,
                                &at->share, &at->log_share, &at->part, &at->log_part};
    weir_real **const lanes[] = {&at->side, &at->log_rest, &at->at,  &at->mills,
                                 &at->rate, &at->log_rate, &at->lane};
    const int64_t wides = (int64_t)(sizeof wide / sizeof *wide),
                  narrow = (int64_t)(sizeof lanes / sizeof *lanes);
    weir_real *next = weir_take(frame, (wides * m->count + narrow) * m->n * (int64_t)sizeof *next);
    if (!next) return 0;
    for (int64_t j = 0; j < wides; j++, next += (int64_t)m->count * m->n) *wide[j] = next;
    for (int64_t j = 0; j < narrow; j++, next += m->n) *lanes[j] = next;
    return 1;
}

/* ---- sums over components ------------------------------------------------------------------------------------- */

/** top = the largest of `count` arrays, row by row. */
static void largest(int32_t n, int32_t count, const weir_real *restrict from, weir_real *restrict top)
{
    memcpy(top, from, (size_t)n * sizeof *top);
    for (int32_t k = 1; k < count; k++)
        for (int32_t i = 0; i < n; i++) {
            const weir_real value = from[(int64_t)k * n + i];
            top[i] = value > top[i] ? value : top[i];
        }
}

/** sum = sum_k of `count` arrays. */
static void total(int32_t n, int32_t count, const weir_real *restrict from, weir_real *restrict sum)
{
    memcpy(sum, from, (size_t)n * sizeof *sum);
    for (int32_t k = 1; k < count; k++)
        for (int32_t i = 0; i < n; i++) sum[i] += from[(int64_t)k * n + i];
}

/** shares = softmax of `logs`, log sum_k e^logs_k, and `logs` become the logarithms of the shares; `lane` is working memory. */
static void soften(weir_frame *frame, int32_t n, int32_t count, weir_real *restrict logs,
                   weir_real *restrict shares, weir_real *restrict log_sum, weir_real *restrict lane)
{
    largest(n, count, logs, log_sum);
    for (int32_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) logs[(int64_t)k * n + i] -= log_sum[i];
    frame->math->exp((int64_t)count * n, logs, shares);
    total(n, count, shares, lane);
    for (int32_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) shares[(int64_t)k * n + i] /= lane[i];
    frame->math->log(n, lane, lane);
    for (int32_t k = 0; k < count; k++)
        for (int32_t i = 0; i < n; i++) logs[(int64_t)k * n + i] -= lane[i];
    for (int32_t i = 0; i < n; i++) log_sum[i] += lane[i];
}

void WEIR_NAME(mixture_weigh)(const mixture *m, weir_frame *frame, const weir_real *p, int64_t s,
                              const mixture_point *at)
{
    const int32_t n = m->n;
    for (int32_t k = 0; k < m->count; k++)
        memcpy(m->log_weight + (int64_t)k * n, p + k * s, (size_t)n * sizeof *p);
    soften(frame, n, m->count, m->log_weight, m->weight, at->side, at->lane);
}

/* ---- a point ------------------------------------------------------------------------------------------------------ */

static void standardize(const mixture *m, const weir_real *restrict x, weir_real *restrict z,
                        weir_real *restrict size)
{
    for (int32_t k = 0; k < m->count; k++) {
        const int64_t from = (int64_t)k * m->n;
        const weir_real *restrict const a = m->slope + from, *restrict const b = m->offset + from;
        const weir_real *restrict const c = m->centre + from;
        weir_real *restrict const here = z + from, *restrict const there = size + from;
        for (int32_t i = 0; i < m->n; i++) {
            here[i] = a[i] * (x[i] - c[i]) + b[i];
            there[i] = here[i] < 0 ? -here[i] : here[i];
        }
    }
}

/** side = 1 where F >= 1/2. tail holds T(|z|). */
static void choose_side(const mixture *m, const weir_real *restrict z, const weir_real *restrict tail,
                        weir_real *restrict side)
{
    memset(side, 0, (size_t)m->n * sizeof *side);
    for (int32_t k = 0; k < m->count; k++)
        for (int32_t i = 0; i < m->n; i++) {
            const int64_t j = (int64_t)k * m->n + i;
            const weir_real up = z[j] > 0;
            side[i] += m->weight[j] * (tail[j] + up * (1 - 2 * tail[j]));
        }
    for (int32_t i = 0; i < m->n; i++) side[i] = side[i] >= WEIR_C(0.5) ? WEIR_C(1) : WEIR_C(-1);
}

/** From |z| to u = side z: for u < 0 the tail is 1 - T(|u|), whose logarithm is in log_other. */
static void mirror(int32_t n, const weir_real *restrict side, const weir_real *restrict log_other,
                   weir_real *restrict u, weir_real *restrict log_tail, weir_real *restrict tail,
                   weir_real *restrict log_hazard)
{
    for (int32_t i = 0; i < n; i++) {
        u[i] *= side[i];
        const weir_real flat = log_tail[i] + log_hazard[i] - log_other[i];
        log_hazard[i] = u[i] < 0 ? flat : log_hazard[i];
        log_tail[i] = u[i] < 0 ? log_other[i] : log_tail[i];
        tail[i] = u[i] < 0 ? 1 - tail[i] : tail[i];
    }
}

/** From log T(u_k) in log_share and log h_k in log_part. */
static void weigh_tails(const mixture *m, weir_frame *frame, const mixture_point *at)
{
    const int64_t size = (int64_t)m->count * m->n;
    for (int64_t j = 0; j < size; j++) at->log_share[j] += m->log_weight[j];
    soften(frame, m->n, m->count, at->log_share, at->share, at->log_rest, at->lane);
    for (int64_t j = 0; j < size; j++) at->log_part[j] += at->log_share[j] + m->log_slope[j];
    soften(frame, m->n, m->count, at->log_part, at->part, at->log_rate, at->lane);
    frame->math->exp(m->n, at->log_rate, at->rate);
}

int WEIR_NAME(mixture_evaluate)(const mixture *m, weir_frame *frame, const weir_real *x,
                                const mixture_point *at)
{
    const int64_t size = (int64_t)m->count * m->n;
    weir_real *const log_other = at->part; /* shares and parts come last */
    standardize(m, x, at->u, at->share);
    m->family->tails(frame, size, at->share, at->log_share, at->tail, log_other, at->log_part);
    choose_side(m, at->u, at->tail, at->side);
    for (int32_t k = 0; k < m->count; k++) {
        const int64_t from = (int64_t)k * m->n;
        mirror(m->n, at->side, log_other + from, at->u + from, at->log_share + from, at->tail + from,
               at->log_part + from);
    }
    weigh_tails(m, frame, at);
    if (!m->unit) return m->family->quantile(frame, m->n, at->log_rest, at->at, at->mills);
    frame->math->exp(m->n, at->log_rest, at->mills);
    return 1;
}

/** log R is log T itself in unit: T may underflow. */
void WEIR_NAME(mixture_value)(const mixture *m, weir_frame *frame, const mixture_point *at, weir_real *y,
                              weir_real *log_slope)
{
    if (m->unit)
        memcpy(log_slope, at->log_rest, (size_t)m->n * sizeof *log_slope);
    else
        frame->math->log(m->n, at->mills, log_slope);
    for (int32_t i = 0; i < m->n; i++) {
        const weir_real tail = at->mills[i];
        log_slope[i] += at->log_rate[i];
        y[i] = !m->unit ? at->side[i] * at->at[i] : at->side[i] > 0 ? 1 - tail : tail;
    }
}
