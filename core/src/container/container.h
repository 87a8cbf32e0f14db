/* container.h - calling children from the host's own containers, with what the host adds to every call. */
#ifndef WEIR__CONTAINER_H
#define WEIR__CONTAINER_H

#include "model/making.h"

/** A container's self: its children, in order. */
typedef struct weir__container_self {
    weir__instance **children;
    int32_t count;
    int32_t first, features;            /* slice */
    int32_t widest;                     /* most features of any space between children */
    int32_t keep_forward, keep_inverse; /* how many inputs recompute mode must keep, in each direction */
} weir__container_self;

/** Each calls the child, releases its scratch, checks the balance of the tape and notes the child's path on failure. */
weir_status weir__call_forward(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                               const weir_tile *z, void *log_det);
weir_status weir__call_inverse(const weir__instance *child, weir_frame *frame, const weir_tile *z,
                               const weir_tile *x, void *log_det);
weir_status weir__call_forward_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                   const weir_tile *x_bar);
weir_status weir__call_inverse_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                   const weir_tile *z_bar);

/** UNSUPPORTED when the child has none: random numbers of any kind may then do. */
weir_status weir__call_sample_points(const weir__instance *child, weir_frame *frame, uint32_t stream,
                                     const weir_tile *x);

/** A tile's share of the statistics of a layer that observes, likewise; a partial is the module's own memory. */
weir_status weir__call_observe(const weir__instance *child, weir_frame *frame, int32_t inverse,
                               const weir_tile *tile, void *partial);
weir_status weir__call_observe_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                   void *partial);

/** The calls of a chain, for any weir__container_self: training makes chains of its own out of parts of the flow. */
weir_status weir__chain_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                                void *log_det);
weir_status weir__chain_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                    const weir_tile *x_bar);
/** The children of a chain or repeat; NULL for any other module. */
const weir__container_self *weir__chain_of(const weir__instance *instance);

/** Traits a container inherits from its children: any sequential, numeric or missing inverse; volume preserving only when
 *  all are. */
uint32_t weir__container_traits(const weir__container_self *self);

extern const weir_module weir__chain_f32, weir__chain_f64, weir__inverse_f32, weir__inverse_f64,
    weir__slice_f32, weir__slice_f64, weir__repeat_f32, weir__repeat_f64, weir__embedding_f32,
    weir__embedding_f64;

/** chain, inverse, slice, repeat, embedding; NULL for any other id. */
const weir_module *weir__container(const char *id, int32_t precision);
int32_t weir__container_count(void);
const weir_module *weir__container_at(int32_t index, int32_t precision);

#endif
