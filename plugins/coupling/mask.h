/* mask.h - which features of a coupling pass unchanged and which are moved. */
#ifndef COUPLING_MASK_H
#define COUPLING_MASK_H

#include <weir/plugin.h>

/** A set of features in increasing order. Those at equal distances need no index: they are a tile with another start
 *  and stride. */
typedef struct lane_set {
    int32_t count;
    int32_t step;   /* distance of neighbours when it is always the same, else 0 */
    int32_t *lanes; /* [count] */
} lane_set;

typedef struct lane_mask {
    lane_set pass, moved;
} lane_mask;

/** Reads the options `mask` and `pass`; both sets are non-empty afterwards. mask_clear frees, also after a failure. */
weir_status WEIR_NAME(mask_read)(weir_builder *build, lane_mask *mask);
void WEIR_NAME(mask_clear)(lane_mask *mask);

/** The features of `tile` that are in the set, as a tile over the same memory; an index comes from scratch when the tile
 *  has one itself. False when memory is exhausted. */
int WEIR_NAME(lane_set_of)(const lane_set *set, weir_frame *frame, const weir_tile *tile, weir_tile *part);

#endif
