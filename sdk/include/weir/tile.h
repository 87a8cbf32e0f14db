/* weir/tile.h - the feature-major tile, the one form in which row data cross the ABI.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TILE_H
#define WEIR_TILE_H

#include <weir/abi.h>

WEIR_BEGIN_DECLS

/** A block of rows stored feature by feature. The lane of feature f starts at
 *      data + f * stride              when lanes is NULL,
 *      data + lanes[f] * stride       otherwise,
 *  counted in elements of the call's precision, and holds one number per row.
 *
 *  Rows:  0 < rows <= width <= |stride|. Elements [rows, width) of a lane are padding that a module
 *         computes on like any row (so that loops need no tail): in inputs they repeat a valid row,
 *         in cotangents they are zero; whatever is written there is ignored. Elements
 *         [width, |stride|) are never read or written by a module. A call with rows = 0 is legal and
 *         does nothing; then width is 0 too.
 *  Align: every lane starts on 64 bytes.
 *  Sign:  stride may be negative (a reversal of the features).
 *  Index: only a module that declared WEIR_MODULE_INDEXED_OK sees lanes != NULL; for all others the
 *         host gathers first. lanes has `features` entries and no value twice in an output tile.
 *  Write: a tile passed as input MUST NOT be written. Output tiles are overwritten for every row.
 *  Alias: inputs and outputs do not overlap, unless the module declared WEIR_MODULE_IN_PLACE_OK:
 *         then an output tile may be exactly an input tile. Log-det and cotangent lanes never alias.
 *  Owner: the caller's; valid during the call only. */
typedef struct weir_tile {
    uint32_t struct_size;
    int32_t features;     /**< number of lanes, >= 0 */
    void *data;           /**< NULL only when features == 0 */
    int64_t stride;       /**< elements from one lane to the next */
    const int32_t *lanes; /**< NULL, or which lane holds feature f */
    int32_t rows;         /**< rows that count */
    int32_t width;        /**< rows to compute: a multiple of 8 */
} weir_tile;

WEIR_END_DECLS

#endif
