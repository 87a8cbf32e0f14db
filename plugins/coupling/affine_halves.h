/* affine_halves.h - a coupling that moves by a scale and a shift: one scale a feature, or scales whose product is 1. */
#ifndef COUPLING_AFFINE_HALVES_H
#define COUPLING_AFFINE_HALVES_H

#include "halves.h"

typedef struct affine_halves {
    halves halves; /* first */
    weir_real bound;
    int preserving; /* the log-scales of a row are made to sum to 0 */
    int32_t count;  /* parameters of a moved feature: log-scale and shift, or the shift alone */
} affine_halves;

/** Reads `mask` and `bound`, makes the network and states that moved features may take any value. */
weir_status WEIR_NAME(affine_halves_create)(weir_builder *build, affine_halves *self, int preserving);

/** The option `bound`, with its default. */
#define COUPLING_BOUND_OPTION(value)                                                                         \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = "bound",                  \
        .default_json = value, .minimum = 0, .maximum = 40,                                                  \
        .summary = "largest |log-scale|, reached softly; 0: unbounded"                                       \
    }

#endif
