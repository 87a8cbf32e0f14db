/* batch.h - a batch-coupled layer as maps that the other checks understand.
 *
 * `batch` is a training step's share of the layer: its run observes all rows, tile by tile, finishes, and goes forward; its
 * VJP observes the cotangents, finishes, and goes back. So its derivative is that of the whole batch, through the
 * statistics. `held` is forward alone, with the statistics that were found last held fixed. */
#ifndef WEIR__BATCH_H
#define WEIR__BATCH_H

#include "check/call.h"

/** Rows of a call that fill more than one tile of the batch, with a remainder. */
#define WEIR__BATCH_ROWS 21

/** True for a layer whose calls of this kind can be made: batch-coupled, in the subject's own precision, complete. */
int weir__is_batch_coupled(const weir__subject *subject);
weir__map weir__batch_map(const weir__subject *subject);
weir__map weir__held_map(const weir__subject *subject);

#endif
