/* affine_halves.c - see affine_halves.h. */
#include "affine_halves.h"

#include <weir/bound.h>

/* ---- the log-scales ------------------------------------------------------------------------- */

/* The lane of the k-th moved feature's log-scale (before the bound) or shift, among the parameters or their cotangents. */
static weir_real *scale_of(const affine_halves *self, const weir_tile *params, int32_t k)
{
    return weir_lane(params, k * self->count);
}

static weir_real *shift_of(const affine_halves *self, const weir_tile *params, int32_t k)
{
    return weir_lane(params, k * self->count + self->count - 1);
}

/* Takes the mean of the lanes 0, step, 2 step, ... from each of them, row by row: the projection on sum 0, which is its
 * own transpose, so that cotangents go the same way. */
static int centre(weir_frame *frame, const weir_tile *tile, int32_t step)
{
    const int32_t count = tile->features / step;
    weir_real *const mean = weir_take_lane(frame);
    if (!mean) return 0;
    weir_zero_lane(frame, mean);
    for (int32_t k = 0; k < count; k++) {
        const weir_real *const lane = weir_lane(tile, k * step);
        for (int32_t r = 0; r < frame->width; r++) mean[r] += lane[r];
    }
    for (int32_t r = 0; r < frame->width; r++) mean[r] /= (weir_real)count;
    for (int32_t k = 0; k < count; k++) {
        weir_real *const lane = weir_lane(tile, k * step);
        for (int32_t r = 0; r < frame->width; r++) lane[r] -= mean[r];
    }
    return 1;
}

/* The log-scales of all moved features and, unless NULL, the slopes of their bounds, from scratch. */
static int log_scales(const affine_halves *self, weir_frame *frame, const weir_tile *params, weir_tile *a,
                      weir_tile *slope)
{
    const int32_t moved = self->halves.mask.moved.count;
    if (!weir_take_tile(frame, moved, a) || (slope && !weir_take_tile(frame, moved, slope))) return 0;
    for (int32_t k = 0; k < moved; k++)
        if (self->count == 2)
            weir_soft_bound(frame, self->bound, frame->width, scale_of(self, params, k), weir_lane(a, k),
                            slope ? weir_lane(slope, k) : NULL);
        else
            weir_zero_lane(frame, weir_lane(a, k));
    return self->preserving ? centre(frame, a, 1) : 1;
}

/* ---- the two maps --------------------------------------------------------------------------- */

static weir_status move(const halves *layer, weir_frame *frame, const weir_tile *from,
                        const weir_tile *params, const weir_tile *to, weir_real *log_det, int inverse)
{
    const affine_halves *const self = (const affine_halves *)layer;
    const weir_real sign = inverse ? -1 : 1;
    weir_status status = WEIR_OK;
    weir_tile scales;
    weir_real *const e = weir_take_lane(frame);
    if (!e || !log_scales(self, frame, params, &scales, NULL)) return WEIR_ERROR;
    for (int32_t k = 0; k < from->features; k++) {
        const weir_real *const a = weir_lane(&scales, k), *const b = shift_of(self, params, k);
        const weir_real *restrict const in = weir_lane(from, k);
        weir_real *restrict const out = weir_lane(to, k);
        frame->math->exp(frame->width, a, e);
        if (inverse)
            for (int32_t r = 0; r < frame->width; r++) out[r] = (in[r] - b[r]) / e[r];
        else
            for (int32_t r = 0; r < frame->width; r++) out[r] = in[r] * e[r] + b[r];
        for (int32_t r = 0; log_det && !self->preserving && r < frame->width; r++) log_det[r] += sign * a[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, out));
    }
    return status;
}

/* The cotangents of one moved feature: of what came in, of the shift b and of the log-scale a. x is its data side,
 * z = x e^a + b its latent one. */
typedef struct pull {
    const weir_real *x, *e, *to_bar, *l_bar;
    weir_real *from_bar, *a_bar, *b_bar; /* a_bar: NULL when the log-scale is not the network's */
} pull;

static void pull_forward(const weir_frame *frame, const pull *p)
{
    for (int32_t r = 0; r < frame->width; r++) p->from_bar[r] = p->to_bar[r] * p->e[r];
    for (int32_t r = 0; r < frame->width; r++) p->b_bar[r] = p->to_bar[r];
    for (int32_t r = 0; p->a_bar && r < frame->width; r++)
        p->a_bar[r] = p->from_bar[r] * p->x[r] + (p->l_bar ? p->l_bar[r] : 0);
}

static void pull_inverse(const weir_frame *frame, const pull *p)
{
    for (int32_t r = 0; r < frame->width; r++) p->from_bar[r] = p->to_bar[r] / p->e[r];
    for (int32_t r = 0; r < frame->width; r++) p->b_bar[r] = -p->from_bar[r];
    for (int32_t r = 0; p->a_bar && r < frame->width; r++)
        p->a_bar[r] = -(p->to_bar[r] * p->x[r] + (p->l_bar ? p->l_bar[r] : 0));
}

/* a = bound(s) less the mean: first the mean's transpose, then the slope. */
static int pull_scales(const affine_halves *self, weir_frame *frame, const weir_tile *slope,
                       const weir_tile *params_bar)
{
    if (self->count == 1) return 1;
    if (self->preserving && !centre(frame, params_bar, self->count)) return 0;
    for (int32_t k = 0; k < slope->features; k++) {
        weir_real *const s_bar = scale_of(self, params_bar, k);
        const weir_real *const by = weir_lane(slope, k);
        for (int32_t r = 0; r < frame->width; r++) s_bar[r] *= by[r];
    }
    return 1;
}

static weir_status move_vjp(const halves *layer, weir_frame *frame, const weir_tile *from,
                            const weir_tile *params, const weir_tile *to, const weir_tile *to_bar,
                            const weir_real *log_det_bar, const weir_tile *from_bar,
                            const weir_tile *params_bar, int inverse)
{
    const affine_halves *const self = (const affine_halves *)layer;
    weir_tile scales, slope;
    weir_real *const e = weir_take_lane(frame), *const unwanted = weir_take_lane(frame);
    if (!e || !unwanted || !log_scales(self, frame, params, &scales, &slope)) return WEIR_ERROR;
    for (int32_t k = 0; k < from->features; k++) {
        const pull p = {weir_lane(inverse ? to : from, k),
                        e,
                        weir_lane(to_bar, k),
                        self->preserving ? NULL : log_det_bar,
                        from_bar ? weir_lane(from_bar, k) : unwanted,
                        self->count == 2 ? scale_of(self, params_bar, k) : NULL,
                        shift_of(self, params_bar, k)};
        frame->math->exp(frame->width, weir_lane(&scales, k), e);
        (inverse ? pull_inverse : pull_forward)(frame, &p);
    }
    return pull_scales(self, frame, &slope, params_bar) ? WEIR_OK : WEIR_ERROR;
}

static const mover affine_mover = {move, move_vjp};

/* ---- creation ------------------------------------------------------------------------------- */

static weir_status state_domains(weir_builder *build, const halves *self)
{
    weir_domain line = {(uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, 1, 0, 0, -INFINITY, INFINITY};
    for (int32_t k = 0; k < self->mask.moved.count; k++) {
        line.first = self->mask.moved.lanes[k];
        if (build->produce(build, &line) != WEIR_OK) return WEIR_INVALID;
    }
    return WEIR_NAME(halves_pass_domains)(build, self);
}

weir_status WEIR_NAME(affine_halves_create)(weir_builder *build, affine_halves *self, int preserving)
{
    self->halves.mover = &affine_mover;
    if (WEIR_NAME(mask_read)(build, &self->halves.mask) != WEIR_OK) return WEIR_INVALID;
    self->bound = WEIR_C(build->number(build, "bound"));
    self->preserving = preserving;
    self->count = preserving && self->halves.mask.moved.count == 1 ? 1 : 2;
    if (state_domains(build, &self->halves) != WEIR_OK) return WEIR_INVALID;
    return WEIR_NAME(halves_make_network)(build, &self->halves, self->count, NULL);
}
