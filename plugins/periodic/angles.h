/* angles.h - what a network sees of its inputs: cosines and sines of those that are angles, the others as they are. */
#ifndef PERIODIC_ANGLES_H
#define PERIODIC_ANGLES_H

#include <weir/plugin.h>

typedef struct angles {
    int32_t inputs, harmonics;
    int32_t count;  /* lanes seen */
    int32_t *first; /* [inputs + 1] lanes [first[i], first[i + 1]) show input i */
    int32_t hidden; /* 1: the last input is not shown, its lane is 0 */
    weir_real rate; /* 2 pi / period */
} angles;

/** Reads the options; `hidden` as above. angles_clear frees, also after a failure. */
weir_status WEIR_NAME(angles_read)(weir_builder *build, int32_t inputs, int hidden, angles *self);
void WEIR_NAME(angles_clear)(angles *self);

/** Writes the lanes that show input i. */
void WEIR_NAME(angles_see)(const angles *self, weir_frame *frame, int32_t i, const weir_tile *x,
                           const weir_tile *seen);
/** Writes lane i of x_bar, given the cotangents of its lanes. */
void WEIR_NAME(angles_pull)(const angles *self, const weir_frame *frame, int32_t i, const weir_tile *seen,
                            const weir_tile *seen_bar, const weir_tile *x_bar);

#endif
