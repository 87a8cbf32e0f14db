/* bnaf.h - the instance of a block neural autoregressive flow, and what a pass keeps for its VJP. */
#ifndef BNAF_H
#define BNAF_H

#include <weir/plugin.h>

#define BNAF_MOST_LAYERS 16

typedef enum residual_kind { RESIDUAL_NONE, RESIDUAL_NORMAL, RESIDUAL_GATED } residual_kind;

/* W of one layer: the `out` units of feature d see the `in` units of every feature up to d. */
typedef struct block_map {
    int32_t in, out;
    weir_handle log_diagonal, below, log_norm, bias; /* parameters */
    weir_handle matrix;                              /* derived: W, dense [D out, D in] */
    weir_handle context;                             /* linear object; -1: the model has no context */
} block_map;

typedef struct bnaf {
    int32_t features; /* D */
    int32_t hidden;   /* H, units of a feature */
    int32_t layers;   /* L, hidden layers: maps[L] is the output's */
    residual_kind residual;
    weir_handle gate;      /* RESIDUAL_GATED */
    weir_handle log_first; /* derived: log of the diagonal blocks of maps[0] */
    block_map maps[BNAF_MOST_LAYERS + 1];
} bnaf;

static inline int32_t units_of(const bnaf *self)
{
    return self->layers * self->features * self->hidden;
}

/* Tiles of units have those of every layer, of hidden layer i at i D H; y comes last, in those that have it. */

static inline weir_tile layer_of(const bnaf *self, const weir_tile *all, int32_t i)
{
    return weir_slice(all, i * self->features * self->hidden, self->features * self->maps[i].out);
}

static inline weir_tile feature_of(const bnaf *self, const weir_tile *all, int32_t i, int32_t d)
{
    const weir_tile layer = layer_of(self, all, i);
    return weir_slice(&layer, d * self->maps[i].out, self->maps[i].out);
}

/** What the VJPs of both directions read. */
typedef struct record {
    weir_tile h;     /* units after their tanh */
    weir_tile share; /* e^(g - largest g of the feature and layer), g the units' log-slopes */
    weir_tile
        sum; /* W share of every layer but the first: the log-slopes before tanh are log sum + largest g */
    weir_tile slopes; /* log dy/dx of every feature */
    weir_tile y;
} record;

/** On the tape when there is one, else in scratch. False when memory is exhausted. */
int WEIR_NAME(record_keep)(const bnaf *self, weir_frame *frame, record *rec);
int WEIR_NAME(record_pop)(const bnaf *self, weir_frame *frame, record *rec);

/** z = alpha y + beta x, and log dz_d/dx_d = log_beta + softplus(s + gate) where s = log dy_d/dx_d; s itself for beta = 0. */
typedef struct blend {
    weir_real alpha, beta, gate, log_beta;
} blend;
blend WEIR_NAME(blend_of)(const bnaf *self, const weir_frame *frame);

/** The network on x: fills rec->h and rec->y, and with `logs` the rest of rec. */
weir_status WEIR_NAME(network_pass)(const bnaf *self, weir_frame *frame, const weir_tile *x,
                                    const record *rec, int logs);

weir_status WEIR_NAME(bnaf_forward)(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, void *log_det);
weir_status WEIR_NAME(bnaf_inverse)(const void *self, weir_frame *frame, const weir_tile *z,
                                    const weir_tile *x, void *log_det);
weir_status WEIR_NAME(bnaf_forward_vjp)(const void *self, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                        const weir_tile *x_bar);
weir_status WEIR_NAME(bnaf_inverse_vjp)(const void *self, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                        const weir_tile *z_bar);

weir_status WEIR_NAME(bnaf_prepare)(const void *self, weir_frame *frame);
weir_status WEIR_NAME(bnaf_prepare_vjp)(const void *self, weir_frame *frame);

#endif
