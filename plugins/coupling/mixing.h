/* mixing.h - z = Q u with an orthogonal Q: an order of the features, a fixed rotation, or one with learned reflections. */
#ifndef COUPLING_MIXING_H
#define COUPLING_MIXING_H

#include <weir/plugin.h>

typedef struct mixing {
    int32_t features;
    int32_t count;        /* learned reflections */
    weir_handle order;    /* hard: integer buffer [D], z_f = u_order[f]; else -1 */
    weir_handle rotation; /* soft: buffer [D, D] = R; else -1 */
    weir_handle vectors;  /* parameter [count, D], -1 when there are none */
    weir_handle matrix;   /* Q: derived when there are reflections, else the rotation */
} mixing;

/** The options that mixing_declare reads. */
#define COUPLING_MIXING_OPTIONS                                                                              \
    {.struct_size = (uint32_t)sizeof(weir_option),                                                           \
     .type = WEIR_STRING,                                                                                    \
     .name = "permutation",                                                                                  \
     .default_json = "\"soft\"",                                                                             \
     .choices = "soft|hard",                                                                                 \
     .summary = "Q: soft, a random rotation, D^2 a row; hard, a random order of the features"},              \
        {.struct_size = (uint32_t)sizeof(weir_option),                                                       \
         .type = WEIR_INTEGER,                                                                               \
         .name = "seed",                                                                                     \
         .default_json = "null",                                                                             \
         .minimum = 0,                                                                                       \
         .maximum = 9007199254740991.0,                                                                      \
         .summary = "what Q is drawn from; default: the layer's place in the model"},                        \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_INTEGER, .name = "reflections",           \
        .default_json = "0", .minimum = 0, .maximum = 4096,                                                  \
        .summary = "learned reflections in front of a soft Q; 0: Q is fixed"                                 \
    }

weir_status WEIR_NAME(mixing_declare)(weir_builder *build, mixing *self);
weir_status WEIR_NAME(mixing_prepare)(const mixing *self, weir_frame *frame);
weir_status WEIR_NAME(mixing_prepare_vjp)(const mixing *self, weir_frame *frame);

/** Tiles have no lane index here. A place for u, which mixing_apply then turns to z: memory of z or scratch. */
int WEIR_NAME(mixing_place)(const mixing *self, weir_frame *frame, const weir_tile *z, weir_tile *u);
void WEIR_NAME(mixing_apply)(const mixing *self, const weir_frame *frame, const weir_tile *u,
                             const weir_tile *z);
/** u = Q^T z, to be read only: memory of z or scratch. False when memory is exhausted. */
int WEIR_NAME(mixing_undo)(const mixing *self, weir_frame *frame, const weir_tile *z, weir_tile *u);
/** Q_bar += a b^T, if anyone learns Q: a is z_bar and b is u forward, or z and u_bar for the inverse. */
void WEIR_NAME(mixing_gradient)(const mixing *self, const weir_frame *frame, const weir_tile *a,
                                const weir_tile *b);

#endif
