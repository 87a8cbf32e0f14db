/* weir/tile.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TILE_H
#define WEIR_TILE_H
#include <weir/abi.h>
WEIR_BEGIN_DECLS
typedef struct weir_tile {
    uint32_t struct_size;
    int32_t features;
    void *data;
    int64_t stride;
    const int32_t *lanes;
    int32_t rows;
    int32_t width;
} weir_tile;
WEIR_END_DECLS
#endif
