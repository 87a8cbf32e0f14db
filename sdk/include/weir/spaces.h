/* weir/spaces.h - what layers between a constrained space and R^n share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Such a layer takes points of a constrained space (a simplex, a sphere, ...) as x and gives free numbers z, often fewer.
 * Its log-det is that of the map from the free coordinates of x (WEIR_MEASURE_COORDINATES) or from the surface
 * (WEIR_MEASURE_SURFACE). Two rules go with that:
 *   - forward may read dependent coordinates, where that keeps digits (the last part of a simplex is not one minus the
 *     others). Its VJP differentiates along the space: with COORDINATES the cotangent of a dependent coordinate is 0 and
 *     those of the free ones hold what comes through it; with SURFACE the cotangent is tangent to the surface.
 *   - the equation that defines the space holds for data only up to rounding. A row that misses it by more than a
 *     tolerance is discarded, any other is taken as the nearest point that the layer can name (x / sum, x / |x|).
 */
#ifndef WEIR_SPACES_H
#define WEIR_SPACES_H

#include <weir/plugin.h>

/** Requires that the whole input is one block of a joint kind; refuses neighbours that give something else. */
WEIR_INLINE weir_status weir_require_block(weir_builder *build, int32_t kind, int32_t measure)
{
    const weir_domain block = {
        (uint32_t)sizeof(weir_domain), kind, 0, build->features, measure, 0, -INFINITY, INFINITY};
    return build->require(build, &block) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** Says that the output is `features` numbers of the whole line. */
WEIR_INLINE weir_status weir_produce_line(weir_builder *build, int32_t features)
{
    const weir_domain line = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, features, 0, 0, -INFINITY, INFINITY};
    if (features != build->features && build->output(build, features, 0, 0, 0) != WEIR_OK)
        return WEIR_INVALID;
    return build->produce(build, &line) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** Discards the rows where `lane` is farther than `tolerance` from 1, or NaN. */
WEIR_INLINE weir_status weir_discard_unless_one(weir_frame *frame, const weir_real *lane, weir_real tolerance)
{
    int32_t bad = 0;
    for (int32_t r = 0; r < frame->rows; r++) bad += !(lane[r] - 1 <= tolerance && 1 - lane[r] <= tolerance);
    if (!bad) return WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++)
        if (!(lane[r] - 1 <= tolerance && 1 - lane[r] <= tolerance)) weir_discard(frame, r);
    return WEIR_DISCARD;
}

/** The option "tolerance" of layers that use it. */
#define WEIR_TOLERANCE_OPTION                                                                                \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = "tolerance",              \
        .default_json = "1e-4", .minimum = 0, .maximum = 0.5,                                                \
        .summary = "how far a row may miss the equation of its space before it is discarded"                 \
    }

#endif
