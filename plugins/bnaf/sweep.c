/* sweep.c - the VJP of inverse, by back-substitution over the features; the formulas are in bnaf's doc. */
#include "pull.h"

/* Given l_bar of log|det dz/dx|, the cotangents z_bar of z for which forward's VJP returns x_bar. */
typedef struct sweep {
    const bnaf *self;
    const record *rec;
    blend by;
    weir_tile
        a_bar; /* units before their tanh; of those of features up to d what comes through log-slopes only */
    weir_tile y_bar;  /* alpha z_bar */
    weir_tile change; /* 2 H lanes */
    weir_real *through, *slope;
} sweep;

static weir_tile outputs_bar(const sweep *s, int32_t i)
{
    return i < s->self->layers ? layer_of(s->self, &s->a_bar, i) : s->y_bar;
}

/* Units of feature d: what reaches them from later features, and from each other, but not from z_d. */
static void pull_units(const sweep *s, const weir_frame *frame, int32_t d)
{
    const bnaf *const self = s->self;
    for (int32_t i = self->layers; i > 0; i--) {
        const weir_tile above = outputs_bar(s, i), h = feature_of(self, &s->rec->h, i - 1, d);
        const weir_tile h_bar = weir_slice(&s->change, 0, self->hidden);
        const weir_tile a_bar = feature_of(self, &s->a_bar, i - 1, d);
        WEIR_NAME(blocks_pull_after)(self, &self->maps[i], frame, d, &above, &h_bar);
        if (i < self->layers) {
            const weir_tile own = feature_of(self, &s->a_bar, i, d);
            WEIR_NAME(diagonal_pull)(self, &self->maps[i], frame, d, &own, 1, &h_bar);
        }
        WEIR_NAME(pull_bend)(frame, &h, &h_bar, &a_bar);
    }
}

/* s->through: the cotangent of x_d by all that is known. */
static void pull_input(const sweep *s, const weir_frame *frame, int32_t d)
{
    const weir_tile first = outputs_bar(s, 0), through = weir_tile_over(frame, s->through, 1);
    WEIR_NAME(blocks_pull_after)(s->self, &s->self->maps[0], frame, d, &first, &through);
    if (s->self->layers == 0) return;
    const weir_tile own = feature_of(s->self, &s->a_bar, 0, d);
    WEIR_NAME(diagonal_pull)(s->self, &s->self->maps[0], frame, d, &own, 1, &through);
}

/* dz_d/dx_d */
static void blended_slope(const sweep *s, const weir_frame *frame, int32_t d)
{
    const weir_real *restrict const log_slope = weir_lane(&s->rec->slopes, d);
    weir_real *restrict const slope = s->slope;
    for (int32_t r = 0; r < frame->width; r++) slope[r] = log_slope[r] + s->by.gate;
    if (s->self->residual != RESIDUAL_NONE) frame->math->softplus(frame->width, slope, slope);
    for (int32_t r = 0; r < frame->width; r++) slope[r] += s->by.log_beta;
    frame->math->exp(frame->width, slope, slope);
}

/* Where the map is flat to rounding there is no derivative: 0 stands for it, and the row is given up. */
static weir_status divide_by_slope(const sweep *s, weir_frame *frame, const weir_real *restrict x_bar,
                                   weir_real *restrict z_bar)
{
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->width; r++) z_bar[r] = (x_bar[r] - s->through[r]) / s->slope[r];
    WEIR_TRY(status, weir_discard_unless_finite(frame, z_bar));
    for (int32_t r = 0; r < frame->width; r++) z_bar[r] = z_bar[r] - z_bar[r] == 0 ? z_bar[r] : 0;
    return status;
}

/* Units of feature d: what reaches them from z_d, found just now. */
static void push_latent(const sweep *s, const weir_frame *frame, int32_t d, const weir_real *restrict z_bar)
{
    const bnaf *const self = s->self;
    weir_real *restrict const y_bar = weir_lane(&s->y_bar, d);
    for (int32_t r = 0; r < frame->width; r++) y_bar[r] = s->by.alpha * z_bar[r];
    weir_tile above = weir_slice(&s->y_bar, d, 1);
    for (int32_t i = self->layers; i > 0; i--) {
        const weir_tile h = feature_of(self, &s->rec->h, i - 1, d),
                        a_bar = feature_of(self, &s->a_bar, i - 1, d);
        const weir_tile own = weir_slice(&s->change, (i & 1) * self->hidden, self->hidden);
        WEIR_NAME(diagonal_pull)(self, &self->maps[i], frame, d, &above, 0, &own);
        for (int32_t j = 0; j < self->hidden; j++) {
            const weir_real *restrict const t = weir_lane(&h, j);
            weir_real *restrict const bar = weir_lane(&own, j), *restrict const to = weir_lane(&a_bar, j);
            for (int32_t r = 0; r < frame->width; r++) bar[r] *= (1 - t[r]) * (1 + t[r]);
            for (int32_t r = 0; r < frame->width; r++) to[r] += bar[r];
        }
        above = own;
    }
}

static int take_sweep(sweep *s, weir_frame *frame)
{
    s->through = weir_take_lane(frame);
    s->slope = weir_take_lane(frame);
    return s->through && s->slope && weir_take_tile(frame, units_of(s->self), &s->a_bar) &&
           weir_take_tile(frame, s->self->features, &s->y_bar) &&
           weir_take_tile(frame, 2 * s->self->hidden, &s->change);
}

static void negate(const weir_frame *frame, const weir_tile *from, const weir_tile *to)
{
    for (int32_t d = 0; d < from->features; d++) {
        const weir_real *restrict const in = weir_lane(from, d);
        weir_real *restrict const out = weir_lane(to, d);
        for (int32_t r = 0; r < frame->width; r++) out[r] = -in[r];
    }
}

/* The implicit function theorem: with a such that forward's VJP of (a, l_bar) returns x_bar, z_bar = a, and the
 * parameters get what forward's VJP gives for (-a, -l_bar). All of it is linear: -x_bar and -l_bar go in, -a comes out. */
weir_status WEIR_NAME(bnaf_inverse_vjp)(const void *module, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                        const weir_tile *z_bar)
{
    const bnaf *const self = module;
    weir_status status = WEIR_OK;
    weir_tile target, minus_a, minus_l = {.features = 0};
    record rec;
    sweep s = {.self = self, .rec = &rec, .by = WEIR_NAME(blend_of)(self, frame)};
    (void)z;
    if (!WEIR_NAME(record_pop)(self, frame, &rec) || !take_sweep(&s, frame) ||
        !weir_take_tile(frame, self->features, &target) || !weir_take_tile(frame, self->features, &minus_a) ||
        !weir_take_tile(frame, 1, &minus_l))
        return WEIR_ERROR;
    const weir_real *const l_bar = log_det_bar ? weir_lane(&minus_l, 0) : NULL;
    negate(frame, x_bar, &target);
    for (int32_t r = 0; log_det_bar && r < frame->width; r++)
        weir_lane(&minus_l, 0)[r] = -((const weir_real *)log_det_bar)[r];
    WEIR_TRY(status, WEIR_NAME(pull_slopes)(self, frame, &rec, s.by, l_bar, &s.a_bar));
    for (int32_t d = self->features - 1; d >= 0; d--) {
        pull_units(&s, frame, d);
        pull_input(&s, frame, d);
        blended_slope(&s, frame, d);
        WEIR_TRY(status, divide_by_slope(&s, frame, weir_lane(&target, d), weir_lane(&minus_a, d)));
        push_latent(&s, frame, d, weir_lane(&minus_a, d));
    }
    if (z_bar) negate(frame, &minus_a, z_bar);
    WEIR_TRY(status,
             WEIR_NAME(pull_gradients)(self, frame, &rec, s.by, x, &s.a_bar, &s.y_bar, &minus_a, l_bar));
    return status;
}
