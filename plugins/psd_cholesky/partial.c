/* partial.c - see partial.h. */
#include "partial.h"

#include <float.h>

/** A square sum below this has lost digits to underflow. */
#define LEAST_SQUARE (WEIR_REAL == 32 ? WEIR_C(FLT_MIN / FLT_EPSILON) : WEIR_C(DBL_MIN / DBL_EPSILON))

/** squares, lane j = L_ij^2 + ... + L_ii^2, for j = 0 .. i: sums of what is left, smallest first. */
void remainders(const weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares)
{
    for (int32_t j = i; j >= 0; j--) {
        const weir_real *const entry = triangle_lane(L, i, j), *const after =
                                                                   j < i ? weir_lane(squares, j + 1) : NULL;
        weir_real *const to = weir_lane(squares, j);
        for (int32_t r = 0; r < frame->width; r++) to[r] = entry[r] * entry[r] + (after ? after[r] : 0);
    }
}

/** |L| + r - r' over r', where r' = r_i(j+1) and r - r' = L^2 / (r + r'), for log1p. A row of data that has lost its digits,
 *  or a diagonal that is not positive, becomes NaN. */
static void excess(int32_t n, const weir_real *entry, const weir_real *diagonal, const weir_real *square,
                   const weir_real *next, weir_real *to)
{
    for (int32_t i = 0; i < n; i++) {
        const weir_real r = (weir_real)sqrt((double)square[i]), rest = (weir_real)sqrt((double)next[i]);
        const weir_real size = entry[i] < 0 ? -entry[i] : entry[i];
        const weir_real value = (size + size * (size / (r + rest))) / rest;
        to[i] = next[i] >= LEAST_SQUARE && diagonal[i] > 0 ? value : WEIR_C(NAN);
    }
}

/** Forward of one row: z, and its part of log|det dz/dL| = (i + 1) log r_0 - sum over 0 < j < i of log r_j - 2 log r_i, which
 *  is the sum of -(i - j + 1) log(r_(j+1) / r_j) by parts; r_0, the length of the row, is 1 but for rounding. */
weir_status row_forward(weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares,
                        const weir_tile *z, weir_real *log_det)
{
    const int32_t n = frame->width;
    weir_status status = WEIR_OK;
    remainders(frame, L, i, squares);
    for (int32_t j = 0; j < i; j++) {
        const weir_real *const entry = triangle_lane(L, i, j);
        weir_real *const to = strict_lane(z, i, j);
        excess(n, entry, triangle_lane(L, i, i), weir_lane(squares, j), weir_lane(squares, j + 1), to);
        frame->math->log1p(n, to, to);
        for (int32_t r = 0; r < n; r++) to[r] = entry[r] < 0 ? -to[r] : to[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    for (int32_t j = 0; log_det && j <= i; j++) {
        const weir_real by = j == 0 ? WEIR_C(0.5) * (weir_real)(i + 1) : j == i ? -1 : WEIR_C(-0.5);
        weir_real *const square = weir_lane(squares, j);
        frame->math->log(n, square, square);
        for (int32_t r = 0; r < n; r++) log_det[r] += by * square[r];
    }
    return status;
}

/** The VJP of row_forward with respect to the free entries k < i, whose function r_j^2 = 1 - L_i0^2 - ... is:
 *  L_bar_k = z_bar_k r_k / r_(k+1)^2 + L_k (sum over j > k of z_bar_j L_j / (r_j r_(j+1)^2)
 *            + l_bar (sum over k < j < i of 1 / r_j^2 + 2 / r_i^2)). */
void row_forward_vjp(const weir_frame *frame, const weir_tile *L, int32_t i, const weir_tile *squares,
                     weir_real *carried, const weir_tile *z_bar, const weir_real *l_bar,
                     const weir_tile *L_bar)
{
    remainders(frame, L, i, squares);
    weir_zero_lane(frame, carried);
    weir_zero_lane(frame, triangle_lane(L_bar, i, i));
    for (int32_t k = i - 1; k >= 0; k--) {
        const weir_real *const entry = triangle_lane(L, i, k), *const bar = strict_lane(z_bar, i, k);
        const weir_real *const square = weir_lane(squares, k), *const next = weir_lane(squares, k + 1);
        const weir_real times = k == i - 1 ? 2 : 1;
        weir_real *const to = triangle_lane(L_bar, i, k);
        for (int32_t r = 0; r < frame->width; r++) {
            const weir_real root = (weir_real)sqrt((double)square[r]);
            carried[r] += l_bar ? times * l_bar[r] / next[r] : 0;
            to[r] = bar[r] * root / next[r] + entry[r] * carried[r];
            carried[r] += bar[r] * entry[r] / (root * next[r]);
        }
    }
}

/** log sech z = log 2 - |z| - softplus(-2 |z|), no cancellation for large z. */
static void log_sech(const weir_frame *frame, const weir_real *z, weir_real *to)
{
    for (int32_t r = 0; r < frame->width; r++) to[r] = z[r] < 0 ? 2 * z[r] : -2 * z[r];
    frame->math->softplus(frame->width, to, to);
    for (int32_t r = 0; r < frame->width; r++)
        to[r] = WEIR_C(0.69314718055994530942) - (z[r] < 0 ? -z[r] : z[r]) - to[r];
}

/** Inverse of one row: L, and its part of log|det dL/dz|, with `more` copies of log L_ii for the matrix. */
weir_status row_inverse(weir_frame *frame, const weir_tile *z, int32_t i, weir_real more, weir_real *log_r,
                        weir_real *step, const weir_tile *L, weir_real *log_det)
{
    const int32_t n = frame->width;
    weir_status status = WEIR_OK;
    weir_zero_lane(frame, log_r);
    for (int32_t j = 0; j < i; j++) {
        const weir_real *const at = strict_lane(z, i, j), by = (weir_real)(i - j + 1);
        weir_real *const to = triangle_lane(L, i, j);
        frame->math->exp(n, log_r, step);
        frame->math->tanh(n, at, to);
        for (int32_t r = 0; r < n; r++) to[r] *= step[r];
        log_sech(frame, at, step);
        for (int32_t r = 0; log_det && r < n; r++) log_det[r] += by * step[r];
        for (int32_t r = 0; r < n; r++) log_r[r] += step[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, at));
    }
    frame->math->exp(n, log_r, triangle_lane(L, i, i));
    for (int32_t r = 0; log_det && r < n; r++) log_det[r] += more * log_r[r];
    WEIR_TRY(status, weir_discard_unless_finite(frame, log_r));
    return status;
}

/** The VJP of row_inverse. `runs`, lane j, holds log r_j; carried is the cotangent of log r_(j+1), to which all later entries
 *  of the row contribute. */
void row_inverse_vjp(const weir_frame *frame, const weir_tile *z, int32_t i, weir_real more,
                     const weir_tile *L, const weir_tile *L_bar, const weir_real *l_bar,
                     const weir_tile *runs, weir_real *carried, weir_real *t, const weir_tile *z_bar)
{
    const int32_t n = frame->width;
    weir_zero_lane(frame, weir_lane(runs, 0));
    for (int32_t j = 0; j < i; j++) {
        weir_real *const next = weir_lane(runs, j + 1);
        log_sech(frame, strict_lane(z, i, j), next);
        for (int32_t r = 0; r < n; r++) next[r] += weir_lane(runs, j)[r];
    }
    const weir_real *const root = triangle_lane(L, i, i), *const root_bar = triangle_lane(L_bar, i, i);
    for (int32_t r = 0; r < n; r++) carried[r] = root_bar[r] * root[r] + (l_bar ? more * l_bar[r] : 0);
    for (int32_t j = i - 1; j >= 0; j--) {
        const weir_real *const bar = triangle_lane(L_bar, i, j), *const entry = triangle_lane(L, i, j);
        weir_real *const to = strict_lane(z_bar, i, j), *const next = weir_lane(runs, j + 1);
        const weir_real by = (weir_real)(i - j + 1);
        frame->math->tanh(n, strict_lane(z, i, j), t);
        for (int32_t r = 0; r < n; r++) next[r] = 2 * next[r] - weir_lane(runs, j)[r];
        frame->math->exp(n, next, next); /* r_j sech^2 z, the slope of L_ij */
        for (int32_t r = 0; r < n; r++) {
            to[r] = bar[r] * next[r] - t[r] * (carried[r] + (l_bar ? by * l_bar[r] : 0));
            carried[r] += bar[r] * entry[r];
        }
    }
}
