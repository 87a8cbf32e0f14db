/* circle_shift - a learned rotation of every angle. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct circle_shift {
    int32_t features;
    weir_real lower, upper, period;
    weir_handle phase; /* parameter [features] */
} circle_shift;

static const char circle_shift_doc[] =
    "Data and latent: angles in [lower, upper], D of them: a torus. Both ends are one point, period P = upper - lower.\n"
    "  forward   z = lower + ((x - lower + phase) mod P)\n"
    "  inverse   x = lower + ((z - lower - phase) mod P),   both in [lower, upper).\n"
    "A rotation keeps lengths: log|det J| = 0. Between layers that treat one angle as special (the knots of a circular\n"
    "spline, the seam of a coupling) it moves that angle about.\n"
    "Parameter: phase [D], starting at `start`; phase_bar is the sum of z_bar, in the inverse minus that of x_bar.\n"
    "Discarded: rows outside [lower, upper]; wrap angles to it before. Refused: lower >= upper; a layer before it whose\n"
    "values are not angles of the same range. Cost: O(D) a row.\n"
    "Source: Rezende et al. 2020, \"Normalizing flows on tori and spheres\", arXiv:2002.02428, section 2.1.";

static const weir_option circle_shift_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "-3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where the circle is cut open, in the unit of the data"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "the same point after one turn: lower + period"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "start",
     .default_json = "[0]",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "phase at the start: one number for all features, or one for each"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

/** Turned by less than half a turn either way, so that a whole turn in `phase` costs no digits. */
static weir_real least_turn(weir_real phase, weir_real period)
{
    return phase - period * (weir_real)floor((double)(phase / period) + 0.5);
}

static weir_status discard_outside(weir_frame *frame, const weir_real *lane, weir_real lower, weir_real upper)
{
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++) {
        if (lane[r] >= lower && lane[r] <= upper) continue;
        weir_discard(frame, r);
        status = WEIR_DISCARD;
    }
    return status;
}

static weir_status turn(const circle_shift *self, weir_frame *frame, weir_real sign, const weir_tile *from,
                        const weir_tile *to)
{
    const weir_real *const phase = weir_tensor(frame, self->phase);
    const weir_real lower = self->lower, upper = self->upper, period = self->period;
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real by = sign * least_turn(phase[f], period);
        const weir_real *restrict const in = weir_lane(from, f);
        weir_real *restrict const out = weir_lane(to, f);
        WEIR_TRY(status, discard_outside(frame, in, lower, upper));
        for (int32_t r = 0; r < frame->width; r++) {
            const weir_real turned = in[r] + by;
            const weir_real wrapped = turned < lower    ? turned + period
                                      : turned >= upper ? turned - period
                                                        : turned;
            out[r] = wrapped >= upper ? lower : wrapped < lower ? lower : wrapped;
        }
        WEIR_TRY(status, weir_discard_unless_finite(frame, out));
    }
    return status;
}

static weir_status pull(const circle_shift *self, weir_frame *frame, weir_real sign, const weir_tile *out_bar,
                        const weir_tile *in_bar)
{
    weir_real *const phase_bar = weir_gradient(frame, self->phase);
    for (int32_t f = 0; f < self->features; f++) {
        if (in_bar) weir_copy_lane(frame, weir_lane(out_bar, f), weir_lane(in_bar, f));
        if (phase_bar) phase_bar[f] += sign * weir_sum_lane(frame, weir_lane(out_bar, f));
    }
    return WEIR_OK;
}

static weir_status circle_shift_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, void *log_det)
{
    (void)log_det;
    return turn(self, frame, 1, x, z);
}

static weir_status circle_shift_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, void *log_det)
{
    (void)log_det;
    return turn(self, frame, -1, z, x);
}

static weir_status circle_shift_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                            const weir_tile *z, const weir_tile *z_bar,
                                            const void *log_det_bar, const weir_tile *x_bar)
{
    (void)x, (void)z, (void)log_det_bar;
    return pull(self, frame, 1, z_bar, x_bar);
}

static weir_status circle_shift_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                            const weir_tile *x, const weir_tile *x_bar,
                                            const void *log_det_bar, const weir_tile *z_bar)
{
    (void)z, (void)x, (void)log_det_bar;
    return pull(self, frame, -1, x_bar, z_bar);
}

static weir_status circle_shift_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                              const weir_tile *x)
{
    const circle_shift *const self = module;
    for (int32_t f = 0; f < self->features; f++) {
        weir_real *const lane = weir_lane(x, f);
        frame->services->random_uniform(frame, stream, (uint32_t)f, lane);
        for (int32_t i = 0; i < frame->width; i++)
            lane[i] = self->lower * (1 - lane[i]) + self->upper * lane[i];
    }
    return WEIR_OK;
}

static const weir_layer_ops circle_shift_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = circle_shift_forward,
    .inverse = circle_shift_inverse,
    .forward_vjp = circle_shift_forward_vjp,
    .inverse_vjp = circle_shift_inverse_vjp,
    .sample_points = circle_shift_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status state_domains(weir_builder *build, double lower, double upper)
{
    const weir_domain angles = {.struct_size = (uint32_t)sizeof angles,
                                .kind = WEIR_DOMAIN_CIRCLE,
                                .count = build->features,
                                .lower = lower,
                                .upper = upper};
    if (build->require(build, &angles) != WEIR_OK) return WEIR_INVALID;
    return build->produce(build, &angles) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status declare(circle_shift *self, weir_builder *build, double *start)
{
    if (weir_numbers_per_feature(build, "start", self->features, start) != WEIR_OK) return WEIR_INVALID;
    self->phase = weir_feature_tensor(build, "phase", self->features, start, 1);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status circle_shift_create(weir_builder *build, void **module)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    if (WEIR_C(lower) >= WEIR_C(upper))
        return weir_refuse(build, "lower = %g must be less than upper = %g", lower, upper);
    if (state_domains(build, lower, upper) != WEIR_OK) return WEIR_INVALID;
    circle_shift *const self = calloc(1, sizeof *self);
    double *const start = calloc((size_t)build->features + 1, sizeof *start);
    weir_status status = WEIR_INVALID;
    if (!self || !start) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->features = build->features;
    self->lower = WEIR_C(lower);
    self->upper = WEIR_C(upper);
    self->period = WEIR_C(upper - lower);
    status = declare(self, build, start);
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
done:
    free(start);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_module circle_shift_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "circle_shift",
    .version = "1.0.0",
    .summary = "a learned rotation of every angle",
    .doc = circle_shift_doc,
    WEIR_OPTIONS(circle_shift_options),
    .create = circle_shift_create,
    .destroy = free,
    .ops = &circle_shift_ops,
};

WEIR_PLUGIN(&circle_shift_module);
