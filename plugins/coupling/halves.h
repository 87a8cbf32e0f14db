/* halves.h - how every coupling goes: some features pass, a network reads them, and what it gives moves the others. */
#ifndef COUPLING_HALVES_H
#define COUPLING_HALVES_H

#include "mask.h"

typedef struct halves halves;

/** What a coupling does to its moved features; inverse = 1 stands for z -> x. */
typedef struct mover {
    weir_status (*map)(const halves *layer, weir_frame *frame, const weir_tile *from, const weir_tile *params,
                       const weir_tile *to, weir_real *log_det, int inverse);
    weir_status (*vjp)(const halves *layer, weir_frame *frame, const weir_tile *from, const weir_tile *params,
                       const weir_tile *to, const weir_tile *to_bar, const weir_real *log_det_bar,
                       const weir_tile *from_bar, const weir_tile *params_bar, int inverse);
} mover;

/** The first member of every layer here. */
struct halves {
    lane_mask mask;
    const weir_child *network;
    int32_t params; /* lanes of parameters, the network's outputs */
    const mover *mover;
};

/** Makes the network with `count` outputs for each moved feature, which start at identity[count], or at 0 when it is
 *  NULL. The mask has been read. */
weir_status WEIR_NAME(halves_make_network)(weir_builder *build, halves *self, int32_t count,
                                           const double *identity);
/** Passed features keep their domain. */
weir_status WEIR_NAME(halves_pass_domains)(weir_builder *build, const halves *self);
void WEIR_NAME(halves_clear)(halves *self);

weir_status WEIR_NAME(halves_run)(const halves *self, weir_frame *frame, const weir_tile *from,
                                  const weir_tile *to, weir_real *log_det, int inverse);
/** from_bar may be NULL. */
weir_status WEIR_NAME(halves_vjp)(const halves *self, weir_frame *frame, const weir_tile *from,
                                  const weir_tile *to, const weir_tile *to_bar, const weir_real *log_det_bar,
                                  const weir_tile *from_bar, int inverse);

/** The calls of a layer that does no more than that. */
extern const weir_layer_ops WEIR_NAME(halves_ops);

#endif
