/* mixture.h - the CDF of a mixture, made a map of the line, for every row of one lane.
 *
 * Component k has a weight w_k = softmax(l)_k and the standardised point z_k = a_k (x - m_k) + b_k, a_k > 0. With the family's
 * F and T = 1 - F,     F(x) = sum_k w_k F(z_k),    T(x) = sum_k w_k T(z_k).
 * Each row is seen from the side where the tail is the smaller: side = 1 where F >= 1/2, else -1 and the whole axis is
 * mirrored, which for symmetric families exchanges F and T. So with u_k = side z_k and the shares
 *      rho_k = w_k T(u_k) / T,      T = sum_k w_k T(u_k) <= 1/2,
 * everything follows from log T, by a log-sum-exp, and from sums of positive terms:
 *      line:   y = side Y with T(Y) = T (the family's own quantile: logit or probit),   R = T / phi(Y)
 *      unit:   y = 1 - T where side = 1, else T,                                        R = T
 *      log dy/dx = log R + log sum_k rho_k h_k a_k,       h_k = phi(u_k) / T(u_k),
 * the sum by its logarithm too: between narrow components that lie far apart the map is flatter than any number, e^-1000
 * say, and its log-det a good number still. Neither F nor T ever rounds to 1 or 0 on the way, and nothing large is
 * subtracted from something large.
 *
 * Derivatives, with c_k = dy/dz_k = R rho_k h_k, gamma_k = rho_k h_k a_k / sum_j rho_j h_j a_j, psi = (log phi)' and psi_Y that
 * of the quantile (0 in unit), L = log dy/dx:
 *      dL/dz_k = side kappa_k,  kappa_k = gamma_k psi(u_k) - psi_Y c_k,      dL/dlog a_k = gamma_k (z_k held),
 *      dy/dl_k = side R (w_k - rho_k),      dL/dl_k = gamma_k - w_k - psi_Y R (w_k - rho_k).
 */
#ifndef MIXTURE_CDF_MIXTURE_H
#define MIXTURE_CDF_MIXTURE_H

#include "family.h"

/** What the parameters say: `count` arrays of n rows each, component after component. */
typedef struct mixture {
    const family *family;
    int32_t n, count;
    int32_t unit; /**< 1: y lies in (0, 1); 0: on the line */
    weir_real *weight, *log_weight;
    weir_real *slope, *log_slope, *centre, *offset; /**< a, log a, m, b */
} mixture;

/** The mixture at one x a row. */
typedef struct mixture_point {
    weir_real *u, *tail, *share, *log_share, *part,
        *log_part;                           /**< count arrays: u_k, T(u_k), rho_k, gamma_k */
    weir_real *side, *log_rest, *at, *mills; /**< lanes: side, log T, Y, R */
    weir_real *rate, *log_rate;              /**< lanes: sum rho h a; rate may underflow */
    weir_real *lane;                         /**< working memory */
} mixture_point;

/** Memory for both; 0: exhausted. */
int WEIR_NAME(mixture_take)(weir_frame *frame, mixture *m, mixture_point *at);
/** Weights from the logits at p, p + s, ...; slopes are the caller's, with their logarithms. */
void WEIR_NAME(mixture_weigh)(const mixture *m, weir_frame *frame, const weir_real *p, int64_t s,
                              const mixture_point *at);
/** Fills `at`; 0: no memory. NaN where the row has no answer. */
int WEIR_NAME(mixture_evaluate)(const mixture *m, weir_frame *frame, const weir_real *x,
                                const mixture_point *at);
/** y and log dy/dx of a point. */
void WEIR_NAME(mixture_value)(const mixture *m, weir_frame *frame, const mixture_point *at, weir_real *y,
                              weir_real *log_slope);
/** Cotangents from those of y and log dy/dx: of z_k and of log a_k with z_k held (count arrays), and of the logits. */
void WEIR_NAME(mixture_pull)(const mixture *m, const mixture_point *at, const weir_real *y_bar,
                             const weir_real *l_bar, weir_real *z_bar, weir_real *log_slope_bar,
                             weir_real *logit_bar, int64_t s);
/** x with y(x) = y, by a bracketed root; fills `at` as evaluate does there. Rows without one are discarded. */
weir_status WEIR_NAME(mixture_solve)(const mixture *m, weir_frame *frame, const weir_real *y,
                                     const mixture_point *at, weir_real *x);

#endif
