/* truncated.h - what the truncated normal's density and its sampler share. */
#ifndef TRUNCATED_H
#define TRUNCATED_H

#include "mass.h"

typedef struct truncated {
    int32_t features;
    uint32_t stream;
    weir_handle location, log_scale; /* [features]: parameters, or buffers when they are fixed */
    double *lower, *upper;           /* [features], infinite where there is no bound */
} truncated;

/** One feature: location, scale, and its interval and that interval's mass in units of the scale. */
typedef struct stretch {
    double m, s, from, to;
    mass whole;
} stretch;

WEIR_INLINE stretch stretch_of(const truncated *self, const weir_frame *frame, int32_t f)
{
    stretch at;
    at.m = (double)weir_tensor(frame, self->location)[f];
    at.s = exp((double)weir_tensor(frame, self->log_scale)[f]);
    at.from = (self->lower[f] - at.m) / at.s;
    at.to = (self->upper[f] - at.m) / at.s;
    at.whole = WEIR_NAME(mass_of)(at.from, at.to);
    return at;
}

weir_status WEIR_NAME(truncated_sample)(const void *module, weir_frame *frame, const weir_tile *z);
weir_status WEIR_NAME(truncated_sample_vjp)(const void *module, weir_frame *frame, const weir_tile *z,
                                            const weir_tile *z_bar);

#endif
