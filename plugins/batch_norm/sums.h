/* sums.h - a partial statistic of batch_norm: of rows on the way there, of cotangents on the way back.
 *
 * Both kinds go through the one merge that a layer has, so a partial says which it holds; a zeroed one holds neither. */
#ifndef BATCH_NORM_SUMS_H
#define BATCH_NORM_SUMS_H

#include <weir/moments.h>

#define SUMS_OF_ROWS       1
#define SUMS_OF_COTANGENTS 2

/** Sums over rows of one feature's z_bar and z_bar x^. */
typedef struct cotangent_sums {
    double bar, along;
} cotangent_sums;

typedef union feature_sums {
    weir_moments moments;      /* SUMS_OF_ROWS */
    cotangent_sums cotangents; /* SUMS_OF_COTANGENTS */
} feature_sums;

typedef struct batch_sums {
    int64_t kind;
    double rows, log_det_bar; /* SUMS_OF_COTANGENTS */
    feature_sums of[];        /* [features] */
} batch_sums;

WEIR_INLINE int64_t batch_sums_size(int32_t features)
{
    return (int64_t)sizeof(batch_sums) + features * (int64_t)sizeof(feature_sums);
}

/** into += from */
WEIR_INLINE void batch_sums_merge(batch_sums *into, const batch_sums *from, int32_t features)
{
    if (from->kind) into->kind = from->kind;
    into->rows += from->rows;
    into->log_det_bar += from->log_det_bar;
    for (int32_t f = 0; f < features; f++) {
        if (from->kind == SUMS_OF_ROWS) {
            weir_moments_merge(&into->of[f].moments, &from->of[f].moments, 1);
        } else if (from->kind == SUMS_OF_COTANGENTS) {
            into->of[f].cotangents.bar += from->of[f].cotangents.bar;
            into->of[f].cotangents.along += from->of[f].cotangents.along;
        }
    }
}

#endif
