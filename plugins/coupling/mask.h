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

/** The options that mask_read reads, for the list of a layer that has a mask. */
#define COUPLING_MASK_OPTIONS                                                                                \
    {.struct_size = (uint32_t)sizeof(weir_option),                                                           \
     .type = WEIR_STRING,                                                                                    \
     .name = "mask",                                                                                         \
     .default_json = "\"half\"",                                                                             \
     .choices = "half|half_swapped|even|odd|given|period|top|bottom|left|right|checkerboard|"                \
                "checkerboard_swapped|channel|channel_swapped",                                              \
     .summary = "which features pass unchanged, numbered from 1; half is the first floor(D/2)"},             \
        {.struct_size = (uint32_t)sizeof(weir_option),                                                       \
         .type = WEIR_INTEGERS,                                                                              \
         .name = "pass",                                                                                     \
         .default_json = "null",                                                                             \
         .minimum = 1,                                                                                       \
         .maximum = INT32_MAX,                                                                               \
         .summary = "features that pass when mask is given, numbered from 1"},                               \
        {.struct_size = (uint32_t)sizeof(weir_option),                                                       \
         .type = WEIR_INTEGER,                                                                               \
         .name = "period",                                                                                   \
         .default_json = "null",                                                                             \
         .minimum = 1,                                                                                       \
         .maximum = INT32_MAX,                                                                               \
         .summary = "when mask is period: how many neighbours share a bit, fewer than there are features"},  \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_INTEGER, .name = "first",                 \
        .default_json = "null", .minimum = 0, .maximum = 1,                                                  \
        .summary = "when mask is period: bit of the first feature, 1 = passes (0)"                           \
    }

/** What the options mean, for the doc of a layer that has a mask. */
#define COUPLING_MASK_DOC                                                                                    \
    "The mask names what PASSES (features are numbered from 1):\n"                                           \
    "  half = 1 .. floor(D/2), half_swapped = the others; odd = 1, 3, 5, ..., even = 2, 4, 6, ...;\n"        \
    "  given = those listed in `pass`, in any order; period = those with bit 1, where the bit of feature\n"  \
    "  i + 1 is `first` xor (floor(i / `period`) mod 2);\n"                                                  \
    "  of an image, whose features are in C, H, W order: top = rows 1 .. floor(H/2), bottom = the others;\n" \
    "  left = columns 1 .. floor(W/2), right = the others; checkerboard = pixels whose row + column is\n"    \
    "  odd, checkerboard_swapped = the others; channel = channels 1 .. floor(C/2), channel_swapped = the\n"  \
    "  others. The shape is that of the model's data: image = {channels, height, width} in weir.flow.\n"

/** Reads the options; both sets are non-empty afterwards. mask_clear frees, also after a failure. */
weir_status WEIR_NAME(mask_read)(weir_builder *build, lane_mask *mask);
void WEIR_NAME(mask_clear)(lane_mask *mask);

/** The features of `tile` that are in the set, as a tile over the same memory; an index comes from scratch when the tile
 *  has one itself. False when memory is exhausted. */
int WEIR_NAME(lane_set_of)(const lane_set *set, weir_frame *frame, const weir_tile *tile, weir_tile *part);

#endif
