/* lane_sums.h - sums over the rows of lanes. */
#ifndef WEIR__LANE_SUMS_H
#define WEIR__LANE_SUMS_H

#include "math/tables.h"

#define WEIR__LANE_SUMS(name)                                                                                \
    void name(int32_t precision, int64_t lanes, int64_t rows, const void *data, int64_t stride, void *sums)

/** Adds the sum of the first `rows` elements of lane i to sums[i]. The order of the sum is the same on every processor. */
WEIR__LANE_SUMS(weir__lane_sums);

/* The same for one instruction set. */
WEIR__LANE_SUMS(weir__lane_sums_base);
#if WEIR__X86_64
WEIR__LANE_SUMS(weir__lane_sums_avx2);
#endif

#endif
