/* weir/moments.h - means and deviations of features over any number of tiles, for layers that observe.
 *
 * SPDX-License-Identifier: MIT
 *
 * A partial statistic is one weir_moments per feature. Sums of squares are of differences from the mean and are
 * merged pairwise (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance"), so a large mean
 * costs no digits. Values that are not finite are left out.
 */
#ifndef WEIR_MOMENTS_H
#define WEIR_MOMENTS_H

#include <weir/plugin.h>

#include <float.h>

/** Of one feature: how many values, their mean, and the sum of squared differences from it. All zero: none. */
typedef struct weir_moments {
    double count, mean, squares;
} weir_moments;

/** into += from */
WEIR_INLINE void weir_moments_merge(weir_moments *into, const weir_moments *from, int32_t features)
{
    for (int32_t f = 0; f < features; f++) {
        const double total = into[f].count + from[f].count, apart = from[f].mean - into[f].mean;
        if (from[f].count <= 0) continue;
        into[f].squares += from[f].squares + apart * apart * (into[f].count * from[f].count / total);
        into[f].mean += apart * (from[f].count / total);
        into[f].count = total;
    }
}

/** The moments of the first `rows` elements of a lane. */
WEIR_INLINE weir_moments weir_moments_of(const weir_real *lane, int32_t rows)
{
    weir_moments m = {0, 0, 0};
    for (int32_t r = 0; r < rows; r++) {
        if (lane[r] - lane[r] != 0) continue;
        m.count += 1;
        m.mean += ((double)lane[r] - m.mean) / m.count;
    }
    for (int32_t r = 0; r < rows; r++) {
        const double apart = (double)lane[r] - m.mean;
        if (lane[r] - lane[r] == 0) m.squares += apart * apart;
    }
    return m;
}

/** Adds the frame's rows of a tile to moments[tile->features]. */
WEIR_INLINE void weir_moments_add(weir_moments *moments, const weir_frame *frame, const weir_tile *tile)
{
    for (int32_t f = 0; f < tile->features; f++) {
        const weir_moments from = weir_moments_of(weir_lane(tile, f), frame->rows);
        weir_moments_merge(&moments[f], &from, 1);
    }
}

/** The standard deviation (denominator N), or 1 for a feature that is constant to the rounding of this precision:
 *  safe to divide by. */
WEIR_INLINE double weir_moments_deviation(const weir_moments *m)
{
    const double epsilon = WEIR_REAL == 32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double least = WEIR_REAL == 32 ? (double)FLT_MIN : DBL_MIN;
    const double sd = m->count > 0 ? sqrt(m->squares / m->count) : 0;
    return sd > 8 * epsilon * fabs(m->mean) && sd > least && sd - sd == 0 ? sd : 1;
}

#endif
