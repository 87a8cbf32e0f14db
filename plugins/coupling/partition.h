/* partition.h - the names of masks, and which features each lets pass. */
#ifndef COUPLING_PARTITION_H
#define COUPLING_PARTITION_H

#include <weir/plugin.h>

/** pass[f] becomes 1 for every feature (from 0) that the mask of that name leaves unchanged; a mask that lets none pass,
 *  or all, is refused. `given` is not among the names. */
weir_status WEIR_NAME(partition_mark)(weir_builder *build, const char *name, char *pass);

#endif
