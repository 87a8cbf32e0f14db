/* degrees.h - which hidden unit may see which input.
 *
 * A unit of degree m depends on the first m inputs (and on the context). Units of a layer are sorted by degree, and the
 * degrees lowest .. D - 1 are spread evenly: unit u of `width` has degree lowest + floor(u * count / width). So units of
 * equal degree are neighbours, and every masked matrix is a staircase. */
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

WEIR_INLINE int32_t unit_degree(degrees d, int32_t width, int32_t unit)
{
    return d.lowest + (int32_t)((int64_t)unit * d.count / width);
}

/** How many of a layer's units have a degree below `degree`: where the units of that degree begin. */
WEIR_INLINE int32_t units_below(degrees d, int32_t width, int32_t degree)
{
    const int32_t j = degree - d.lowest;
    if (j <= 0) return 0;
    if (j >= d.count) return width;
    return (int32_t)(((int64_t)j * width + d.count - 1) / d.count);
}

#endif
