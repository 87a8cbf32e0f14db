/* degrees.h - which hidden unit may see which input.
 *
 * A unit of degree m depends on the first m inputs (and on the context). Units of a layer are sorted by degree, so units
 * of equal degree are neighbours and every masked matrix is a staircase. Of the `count` degrees lowest .. D - 1 a layer
 * has each about equally often; a layer with fewer units than degrees has the lowest, the highest and some between. */
#ifndef MADE_DEGREES_H
#define MADE_DEGREES_H

#include <weir/plugin.h>

typedef struct degrees {
    int32_t
        lowest; /* 0 when a unit without inputs is of use: with a context, or for a single feature; else 1 */
    int32_t count; /* of different degrees; lowest + count = D */
} degrees;

WEIR_INLINE degrees degrees_of(int32_t features, int32_t context)
{
    const int32_t lowest = context > 0 || features == 1 ? 0 : 1;
    return (degrees){lowest, features - lowest};
}

/** The degree of unit u is lowest + floor(u * degrees / units). */
typedef struct slope {
    int64_t degrees, units;
} slope;

WEIR_INLINE slope slope_of(degrees d, int32_t width)
{
    if (width >= d.count) return (slope){d.count, width};
    return width > 1 ? (slope){d.count - 1, width - 1} : (slope){0, 1};
}

WEIR_INLINE int32_t unit_degree(degrees d, int32_t width, int32_t unit)
{
    const slope s = slope_of(d, width);
    return d.lowest + (int32_t)(unit * s.degrees / s.units);
}

/** How many of a layer's units have a degree below `degree`: where the units of that degree begin. */
WEIR_INLINE int32_t units_below(degrees d, int32_t width, int32_t degree)
{
    const slope s = slope_of(d, width);
    const int64_t j = degree - d.lowest;
    if (j <= 0) return 0;
    if (j >= d.count || s.degrees == 0) return width;
    return (int32_t)((j * s.units + s.degrees - 1) / s.degrees);
}

#endif
