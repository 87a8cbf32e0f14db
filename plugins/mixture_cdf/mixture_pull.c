/* mixture_pull.c - see mixture.h: the vector-Jacobian product. */
#include "mixture.h"

/** psi_Y */
static weir_real link_bend(const mixture *m, const mixture_point *at, int32_t i)
{
    if (m->unit) return 0;
    if (m->family->normal) return -at->at[i];
    return 1 - 2 / at->mills[i]; /* 2 T - 1 with R = 1 / (1 - T) */
}

void WEIR_NAME(mixture_pull)(const mixture *m, const mixture_point *at, const weir_real *y_bar,
                             const weir_real *l_bar, weir_real *z_bar, weir_real *log_slope_bar,
                             weir_real *logit_bar, int64_t s)
{
    weir_real *restrict const bend = at->lane;
    for (int32_t i = 0; i < m->n; i++) bend[i] = link_bend(m, at, i);
    for (int32_t k = 0; k < m->count; k++) {
        const int64_t from = (int64_t)k * m->n;
        const weir_real *restrict const share = at->share + from, *restrict const part = at->part + from;
        const weir_real *restrict const weight = m->weight + from, *restrict const slope = m->slope + from;
        const weir_real *restrict const u = at->u + from, *restrict const tail = at->tail + from;
        const weir_real *restrict const side = at->side, *restrict const mills = at->mills;
        for (int32_t i = 0; i < m->n; i++) {
            const weir_real gamma = part[i], c = mills[i] * (at->rate[i] / slope[i]) * gamma;
            const weir_real psi = family_bend(m->family, u[i], tail[i]);
            /* gamma psi - psi_Y c, so that it vanishes where one component is all */
            const weir_real kappa = gamma * (psi - bend[i]) + bend[i] * (gamma - c);
            z_bar[from + i] = y_bar[i] * c + l_bar[i] * side[i] * kappa;
            log_slope_bar[from + i] = l_bar[i] * gamma;
            logit_bar[k * s + i] =
                (y_bar[i] * side[i] - l_bar[i] * bend[i]) * mills[i] * (weight[i] - share[i]) +
                l_bar[i] * (gamma - weight[i]);
        }
    }
}
