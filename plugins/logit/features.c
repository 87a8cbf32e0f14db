/* features.c - see features.h. */
#include "features.h"

#include <weir/spaces.h>

#include <stdlib.h>

typedef struct features {
    int32_t count;
    interval of[]; /* [count] */
} features;

typedef weir_status (*lane_map)(const interval *of, weir_frame *frame, const weir_real *in, weir_real *out,
                                weir_real *log_det);
typedef weir_status (*lane_vjp)(const interval *of, weir_frame *frame, const weir_real *in,
                                const weir_real *out_bar, const weir_real *log_det_bar, weir_real *in_bar);

static weir_status map_features(const features *self, lane_map map, weir_frame *frame, const weir_tile *in,
                                const weir_tile *out, void *log_det)
{
    weir_status status = WEIR_OK;
    const int64_t mark = frame->services->scratch_mark(frame);
    for (int32_t f = 0; f < self->count; f++) {
        frame->services->scratch_release(frame, mark);
        WEIR_TRY(status, map(&self->of[f], frame, weir_lane(in, f), weir_lane(out, f), log_det));
    }
    return status;
}

static weir_status pull_features(const features *self, lane_vjp vjp, weir_frame *frame, const weir_tile *in,
                                 const weir_tile *out_bar, const void *log_det_bar, const weir_tile *in_bar)
{
    weir_status status = WEIR_OK;
    const int64_t mark = frame->services->scratch_mark(frame);
    for (int32_t f = 0; in_bar && f < self->count; f++) {
        frame->services->scratch_release(frame, mark);
        WEIR_TRY(status, vjp(&self->of[f], frame, weir_lane(in, f), weir_lane(out_bar, f), log_det_bar,
                             weir_lane(in_bar, f)));
    }
    return status;
}

static weir_status features_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, void *log_det)
{
    return map_features(self, interval_forward, frame, x, z, log_det);
}

static weir_status features_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                    const weir_tile *x, void *log_det)
{
    return map_features(self, interval_inverse, frame, z, x, log_det);
}

static weir_status features_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                        const weir_tile *x_bar)
{
    (void)z;
    return pull_features(self, interval_forward_vjp, frame, x, z_bar, log_det_bar, x_bar);
}

static weir_status features_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                        const weir_tile *z_bar)
{
    (void)x;
    return pull_features(self, interval_inverse_vjp, frame, z, x_bar, log_det_bar, z_bar);
}

static weir_status features_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                          const weir_tile *x)
{
    const features *const self = module;
    for (int32_t f = 0; f < self->count; f++)
        interval_sample_point(&self->of[f], frame, stream, (uint32_t)f, weir_lane(x, f));
    return WEIR_OK;
}

const weir_layer_ops features_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = features_forward,
    .inverse = features_inverse,
    .forward_vjp = features_forward_vjp,
    .inverse_vjp = features_inverse_vjp,
    .sample_points = features_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status take_feature(features *self, weir_builder *build, int32_t f, double lower, double upper,
                                double alpha, int32_t soft)
{
    const double a = lower < -NO_END ? -INFINITY : lower, b = upper > NO_END ? INFINITY : upper;
    const weir_domain needed = {.struct_size = (uint32_t)sizeof needed,
                                .kind = WEIR_DOMAIN_INTERVAL,
                                .first = f,
                                .count = 1,
                                .lower = a,
                                .upper = b};
    if (!(WEIR_C(a) < WEIR_C(b)))
        return weir_refuse(build, "lower = %g must be less than upper = %g in feature %d", lower, upper,
                           (int)f + 1);
    self->of[f] = interval_make(a, b, alpha, soft);
    return build->require(build, &needed) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

weir_status features_make(weir_builder *build, const double *lower, const double *upper, double alpha,
                          int32_t soft, void **module)
{
    features *const self = malloc(sizeof *self + (size_t)build->features * sizeof self->of[0]);
    if (!self) return weir_refuse(build, "out of memory");
    self->count = build->features;
    weir_status status = WEIR_OK;
    for (int32_t f = 0; status == WEIR_OK && f < self->count; f++)
        status = take_feature(self, build, f, lower[f], upper[f], alpha, soft);
    if (status == WEIR_OK) status = weir_produce_line(build, self->count);
    if (status != WEIR_OK) return free(self), WEIR_INVALID;
    *module = self;
    return WEIR_OK;
}
