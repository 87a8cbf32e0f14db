/* location_scale.c - see location_scale.h. */
#include "location_scale.h"

#include <stdlib.h>

/** The lanes that every call needs, for one feature at a time. */
typedef struct lanes {
    weir_real *e, *l, *score;
} lanes;

static int take_lanes(weir_frame *frame, lanes *at)
{
    at->e = weir_take_lane(frame);
    at->l = weir_take_lane(frame);
    at->score = weir_take_lane(frame);
    return at->e && at->l && at->score;
}

/** e = (z - m) / s for one feature, log q(e) and, where asked for, its score. Returns s. */
static weir_real standardized(const location_scale *self, weir_frame *frame, const weir_tile *z, int32_t f,
                              lanes *at, int with_score, weir_status *status)
{
    const weir_real m = weir_tensor(frame, self->location)[f];
    const weir_real s = WEIR_C(exp((double)weir_tensor(frame, self->log_scale)[f]));
    const weir_real *const restrict lane = weir_lane(z, f);
    const int64_t mark = frame->services->scratch_mark(frame);
    for (int32_t i = 0; i < frame->width; i++) at->e[i] = (lane[i] - m) / s;
    *status = self->family->evaluate(self, frame, f, at->e, at->l, with_score ? at->score : NULL);
    frame->services->scratch_release(frame, mark);
    return s;
}

static weir_status log_density(const void *module, weir_frame *frame, const weir_tile *z, void *log_p)
{
    const location_scale *const self = module;
    weir_real *const restrict total = weir_take_lane(frame), *const out = log_p;
    weir_status status = WEIR_OK;
    lanes at;
    if (!total || !take_lanes(frame, &at)) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real log_scale = weir_tensor(frame, self->log_scale)[f];
        standardized(self, frame, z, f, &at, 0, &status);
        if (status != WEIR_OK) return status;
        for (int32_t i = 0; i < frame->width; i++) total[i] += at.l[i] - log_scale;
    }
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_unless_finite(frame, total);
}

/** d log p / dm = -score / s and d log p / d log s = -e score - 1, summed over rows. */
static void add_gradients(const location_scale *self, weir_frame *frame, int32_t f, const lanes *at,
                          weir_real s, const weir_real *l_bar)
{
    weir_real *const location = weir_gradient(frame, self->location);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    weir_real by_location = 0, by_scale = 0;
    if (!location && !log_scale) return;
    for (int32_t r = 0; r < frame->rows; r++) {
        by_location -= l_bar[r] * at->score[r] / s;
        by_scale -= l_bar[r] * (at->e[r] * at->score[r] + 1);
    }
    if (location) location[f] += by_location;
    if (log_scale) log_scale[f] += by_scale;
}

static weir_status vjp(const void *module, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                       const weir_tile *z_bar)
{
    const location_scale *const self = module;
    const weir_real *const restrict l_bar = log_p_bar;
    weir_status status = WEIR_OK;
    lanes at;
    if (!take_lanes(frame, &at)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real s = standardized(self, frame, z, f, &at, 1, &status);
        if (status != WEIR_OK) return status;
        add_gradients(self, frame, f, &at, s, l_bar);
        if (!z_bar) continue;
        weir_real *const restrict to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = l_bar[i] * at.score[i] / s;
    }
    return WEIR_OK;
}

static weir_status sample(const void *module, weir_frame *frame, const weir_tile *z)
{
    const location_scale *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real m = weir_tensor(frame, self->location)[f];
        const weir_real s = WEIR_C(exp((double)weir_tensor(frame, self->log_scale)[f]));
        weir_real *const lane = weir_lane(z, f);
        const int64_t mark = frame->services->scratch_mark(frame);
        const weir_status status = self->family->draw(self, frame, f, lane);
        frame->services->scratch_release(frame, mark);
        if (status != WEIR_OK) return status;
        for (int32_t i = 0; i < frame->width; i++) lane[i] = m + s * lane[i];
    }
    return WEIR_OK;
}

/** dz/dm = 1 and dz/d log s = s e = z - m. */
static weir_status sample_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                              const weir_tile *z_bar)
{
    const location_scale *const self = module;
    weir_real *const location = weir_gradient(frame, self->location);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f), *const bar = weir_lane(z_bar, f);
        const weir_real m = weir_tensor(frame, self->location)[f];
        weir_real sum = 0;
        for (int32_t r = 0; r < frame->rows; r++) sum += bar[r] * (lane[r] - m);
        if (location) location[f] += weir_sum_lane(frame, bar);
        if (log_scale) log_scale[f] += sum;
    }
    return WEIR_OK;
}

const weir_density_ops WEIR_NAME(location_scale_ops) = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = log_density,
    .vjp = vjp,
    .sample = sample,
    .sample_vjp = sample_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status declare(location_scale *self, weir_builder *build, double *start)
{
    const int trained = build->boolean(build, "trainable");
    const int32_t n = self->features;
    if (weir_numbers_per_feature(build, "location", n, start) != WEIR_OK) return WEIR_INVALID;
    self->location = weir_feature_tensor(build, "location", n, start, trained);
    if (weir_numbers_per_feature(build, "scale", n, start) != WEIR_OK) return WEIR_INVALID;
    for (int32_t f = 0; f < n; f++) start[f] = log(start[f]);
    self->log_scale = weir_feature_tensor(build, "log_scale", n, start, trained);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

weir_status WEIR_NAME(location_scale_create)(weir_builder *build, const family *of, void **out)
{
    if (weir_require_line(build) != WEIR_OK) return WEIR_INVALID;
    location_scale *const self = calloc(1, sizeof *self);
    double *const start = calloc((size_t)build->features + 1, sizeof *start);
    weir_status status = WEIR_INVALID;
    if (!self || !start) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->features = build->features;
    self->stream = build->stream;
    self->family = of;
    status = declare(self, build, start);
done:
    free(start);
    if (status == WEIR_OK)
        *out = self;
    else
        free(self);
    return status;
}

void WEIR_NAME(location_scale_destroy)(void *module)
{
    location_scale *const self = module;
    free(self->shape);
    free(self);
}
