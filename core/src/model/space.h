/* space.h - what a vector space between two layers is: features, image shape, a domain for every lane. */
#ifndef WEIR__SPACE_H
#define WEIR__SPACE_H

#include "error.h"

#include <weir/module.h>

typedef struct weir__space {
    int32_t features;
    int32_t channels, height, width; /* all 0: no image */
    weir_domain *lanes;              /* [features]; a joint block is repeated on each of its lanes */
    char made_by[128]; /* path of the module that produced it; "the data" for the model's input */
} weir__space;

/** All lanes unstated. */
weir_status weir__space_init(weir__space *space, int32_t features, const char *made_by, weir_error *error);
weir_status weir__space_copy(weir__space *to, const weir__space *from, weir_error *error);
void weir__space_clear(weir__space *space);

/** States a domain; INVALID when lanes are out of range or bounds are wrong. */
weir_status weir__space_state(weir__space *space, const weir_domain *domain, weir_error *error);
/** INVALID, naming `needed_by`, space->made_by and the lane, unless every lane of the block lies within `domain`. */
weir_status weir__space_require(const weir__space *space, const weir_domain *domain, const char *needed_by,
                                weir_error *error);

#endif
