/* beta.h - what the beta density's file of formulas and its sampler share. */
#ifndef BETA_H
#define BETA_H

#include <weir/plugin.h>

typedef struct beta {
    int32_t features;
    uint32_t stream;
    weir_handle log_a, log_b; /* [features]: parameters, or buffers when they are fixed */
    weir_handle constant;     /* derived [features]: -log B(a, b) */
} beta;

/** a and b of feature f. */
WEIR_INLINE void beta_powers(const beta *self, const weir_frame *frame, int32_t f, double *a, double *b)
{
    *a = exp((double)weir_tensor(frame, self->log_a)[f]);
    *b = exp((double)weir_tensor(frame, self->log_b)[f]);
}

weir_status WEIR_NAME(beta_sample)(const void *module, weir_frame *frame, const weir_tile *z);
weir_status WEIR_NAME(beta_sample_vjp)(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *z_bar);

#endif
