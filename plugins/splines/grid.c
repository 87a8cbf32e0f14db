/* grid.c - see grid.h. */
#include "grid.h"

/* ---- options ---- */

box WEIR_NAME(box_read)(weir_builder *build)
{
    return (box){(int32_t)build->integer(build, "bins"), WEIR_C(build->number(build, "bound"))};
}

weir_status WEIR_NAME(share_read)(weir_builder *build, int32_t bins, const char *name, weir_real *least)
{
    const double share = build->number(build, name);
    *least = WEIR_C(share);
    if ((double)bins * share < 1) return WEIR_OK;
    return weir_refuse(build, "%s = %g is too large for %d bins; choose it below %g", name, share, (int)bins,
                       1 / (double)bins);
}

/* ---- knots and bins ---- */

WEIR_CLONES void WEIR_NAME(less_largest)(int32_t n, int32_t bins, const weir_real *restrict p, int64_t s,
                                         weir_real *restrict top, weir_real *restrict out)
{
    memcpy(top, p, (size_t)n * sizeof *top);
    for (int32_t k = 1; k < bins; k++) {
        const weir_real *restrict const from = p + k * s;
        for (int32_t i = 0; i < n; i++) top[i] = from[i] > top[i] ? from[i] : top[i];
    }
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const from = p + k * s;
        weir_real *restrict const to = out + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) to[i] = from[i] - top[i];
    }
}

/* Running sums L_k of the exponentials, each scaled and shifted, as distances from the middle of the box: 2 L_k - S with S the
 * sum of all. Data is most often near the middle, where this rounds least. */
WEIR_CLONES void WEIR_NAME(place_knots)(const box *self, int32_t n, const axis *a)
{
    const int32_t bins = self->bins;
    const weir_real bound = self->bound, step = least_size(self, a), half = shared_size(self, a) / 2;
    weir_real *restrict const knots = a->knots, *restrict const norm = a->norm;
    weir_real *restrict const last = knots + (int64_t)bins * n;
    for (int32_t i = 0; i < n; i++) knots[i] = -bound;
    memset(norm, 0, (size_t)n * sizeof *norm);
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const e = a->exps + (int64_t)k * n;
        weir_real *restrict const knot = knots + (int64_t)(k + 1) * n;
        for (int32_t i = 0; i < n; i++) knot[i] = norm[i] += e[i];
    }
    for (int32_t i = 0; i < n; i++) norm[i] = 1 / norm[i];
    for (int32_t k = 1; k < bins; k++) {
        const weir_real start = step * ((weir_real)k - (weir_real)bins / 2);
        weir_real *restrict const knot = knots + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) knot[i] = start + half * ((2 * knot[i] - last[i]) * norm[i]);
    }
    for (int32_t i = 0; i < n; i++) last[i] = bound;
}

WEIR_CLONES void WEIR_NAME(find_bins)(int32_t n, int32_t bins, const weir_real *restrict at,
                                      const weir_real *restrict knots, weir_real *restrict bin)
{
    memset(bin, 0, (size_t)n * sizeof *bin);
    for (int32_t k = 1; k < bins; k++) {
        const weir_real *restrict const knot = knots + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) bin[i] += at[i] >= knot[i] ? WEIR_C(1) : WEIR_C(0);
    }
}

/* ---- two knots ---- */

/* Knot j is  start_j + room C_j  with C_j the share of the softmax before j, so for parameter i with exponential e_i
 *      dX_j / du_i = room e_i / S ([i < j] - C_j),
 * and only knots k and k + 1 have cotangents. Turns these, in place, into the factors of e_i [i < k] and e_i [i <= k],
 * and sets `rest`, the factor of every e_i. The outer knots do not move: there [i < j] - C_j = 0 for all i. */
WEIR_CLONES static void softmax_factors(const box *self, int32_t n, const axis *a,
                                        const weir_real *restrict bin, const weir_real *restrict knot,
                                        const weir_real *restrict size, weir_real *restrict knot0,
                                        weir_real *restrict knot1, weir_real *restrict rest)
{
    const weir_real bound = self->bound, step = least_size(self, a), room = shared_size(self, a);
    const weir_real *restrict const norm = a->norm;
    for (int32_t i = 0; i < n; i++) {
        const weir_real before = knot[i] + bound - step * bin[i]; /* room C_k */
        rest[i] = -(knot0[i] * before + knot1[i] * (before + size[i] - step)) * norm[i];
        knot0[i] *= room * norm[i];
        knot1[i] *= room * norm[i];
    }
}

WEIR_CLONES static void softmax_pull(int32_t n, int32_t bins, const weir_real *restrict exps,
                                     const weir_real *restrict bin, const weir_real *restrict knot0,
                                     const weir_real *restrict knot1, const weir_real *restrict rest,
                                     weir_real *restrict p_bar, int64_t s)
{
    for (int32_t k = 0; k < bins; k++) {
        const weir_real here = (weir_real)k;
        const weir_real *restrict const e = exps + (int64_t)k * n;
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) {
            const weir_real below = here < bin[i], upto = here <= bin[i];
            to[i] = e[i] * (rest[i] + below * knot0[i] + upto * knot1[i]);
        }
    }
}

void WEIR_NAME(knots_pull)(const box *self, int32_t n, const axis *a, const weir_real *bin,
                           const weir_real *knot, const weir_real *size, weir_real *knot0, weir_real *knot1,
                           weir_real *rest, weir_real *p_bar, int64_t s)
{
    softmax_factors(self, n, a, bin, knot, size, knot0, knot1, rest);
    softmax_pull(n, self->bins, a->exps, bin, knot0, knot1, rest, p_bar, s);
}

/* ---- all sizes ---- */

/* Size j is  step + room e_j / S, so  p_bar_i = room e_i / S (size_bar_i - mean),  mean the softmax's mean of size_bar:
 * whatever is added to all of them drops out, as it must where the sizes have a fixed sum. */
WEIR_CLONES void WEIR_NAME(sizes_pull)(const box *self, int32_t n, const axis *a,
                                       const weir_real *restrict size_bar, weir_real *restrict mean,
                                       weir_real *restrict p_bar, int64_t s)
{
    const int32_t bins = self->bins;
    const weir_real room = shared_size(self, a);
    const weir_real *restrict const norm = a->norm;
    memset(mean, 0, (size_t)n * sizeof *mean);
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const e = a->exps + (int64_t)k * n;
        const weir_real *restrict const bar = size_bar + (int64_t)k * n;
        for (int32_t i = 0; i < n; i++) mean[i] += e[i] * bar[i];
    }
    for (int32_t i = 0; i < n; i++) mean[i] *= norm[i];
    for (int32_t k = 0; k < bins; k++) {
        const weir_real *restrict const e = a->exps + (int64_t)k * n;
        const weir_real *restrict const bar = size_bar + (int64_t)k * n;
        weir_real *restrict const to = p_bar + k * s;
        for (int32_t i = 0; i < n; i++) to[i] = room * (e[i] * norm[i]) * (bar[i] - mean[i]);
    }
}
