/* sphere - unit vectors of R^n to R^(n - 1), by stereographic projection. */
#include <weir/spaces.h>

#include <float.h>
#include <stdlib.h>

/** The smallest normal number: keeps the antipode of the pole, where all other features are 0, from dividing by 0. */
#define SMALLEST (WEIR_REAL == 32 ? WEIR_C(FLT_MIN) : WEIR_C(DBL_MIN))

typedef struct sphere {
    int32_t features; /* n */
    weir_real tolerance;
} sphere;

static const char sphere_doc[] =
    "Data: unit vectors x of n >= 2 features. Latent: z in R^(n-1), all of it. Projection from the pole e_n = (0, .., 0, 1):\n"
    "  forward   z_i = x_i / (1 - x_n),   i = 1 .. n-1\n"
    "  inverse   x_i = 2 z_i / (1 + s),   x_n = (s - 1) / (s + 1),   s = |z|^2.\n"
    "Measure: SURFACE, densities with respect to the area of the sphere. The inverse G is conformal, G^T G = (2 / (1 + s))^2 I,\n"
    "so 1/2 log det G^T G = (n-1) (log 2 - log(1 + s)), and with 1 + s = 2 / (1 - x_n) forward adds\n"
    "  log-det = -(n-1) log(1 - x_n).\n"
    "A single sphere has no smooth chart: the pole itself goes to infinity, and that row is discarded. With a normal latent\n"
    "the density falls to 0 there faster than any power. Near the pole 1 - x_n is r^2 / (1 + x_n) with r^2 = x_1^2 + ... +\n"
    "x_(n-1)^2, with scaled squares: no digits are lost, down to the smallest numbers.\n"
    "The VJP of forward gives the gradient along the sphere: its x_bar is tangent, x . x_bar = 0.\n"
    "Discarded: the pole, and rows whose length misses 1 by more than `tolerance`; others are taken as x / |x|.\n"
    "Cost: O(n) a row. Refused: fewer than 2 features.\n"
    "Source: Gemici, Rezende, Mohamed 2016, \"Normalizing flows on Riemannian manifolds\", arXiv:1611.02304, section 3.";

static const weir_option sphere_options[] = {WEIR_TOLERANCE_OPTION};

/* ---- calls ------------------------------------------------------------------------------------ */

/** scale = the largest |v_i| of the first `count` lanes, squares = sum of (v_i / scale)^2; scale is at least `floor`. */
static void scaled_squares(const weir_frame *frame, const weir_tile *v, int32_t count, weir_real floor,
                           weir_real *restrict scale, weir_real *restrict squares)
{
    for (int32_t i = 0; i < frame->width; i++) scale[i] = floor;
    for (int32_t f = 0; f < count; f++) {
        const weir_real *restrict const lane = weir_lane(v, f);
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real size = lane[i] < 0 ? -lane[i] : lane[i];
            scale[i] = size <= scale[i] ? scale[i] : size;
        }
    }
    weir_zero_lane(frame, squares);
    for (int32_t f = 0; f < count; f++) {
        const weir_real *restrict const lane = weir_lane(v, f);
        for (int32_t i = 0; i < frame->width; i++) squares[i] += (lane[i] / scale[i]) * (lane[i] / scale[i]);
    }
}

/** away = 1 - x_n of the unit vector x / length, from x_n itself on the far half and from the other features near the
 *  pole; factor = what x_i / scale is multiplied by to give z_i. */
static void project(const weir_frame *frame, const weir_real *height, const weir_real *scale,
                    const weir_real *squares, weir_real *length, weir_real *away, weir_real *factor)
{
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real r2 = scale[i] * scale[i] * squares[i];
        const weir_real size = (weir_real)sqrt((double)(r2 + height[i] * height[i]));
        const weir_real unit = scale[i] / size, up = height[i] / size;
        const weir_real near = unit * unit * squares[i] / (1 + up);
        length[i] = size;
        away[i] = up > 0 ? near : 1 - up;
        factor[i] = up > 0 ? (1 + up) / (unit * squares[i]) : unit / (1 - up);
    }
}

static weir_status sphere_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                  const weir_tile *z, void *log_det)
{
    const sphere *const self = module;
    const int32_t last = self->features - 1;
    weir_real *const scale = weir_take_lane(frame), *const squares = weir_take_lane(frame);
    weir_real *const length = weir_take_lane(frame), *const away = weir_take_lane(frame);
    weir_real *const factor = weir_take_lane(frame), *const total = log_det;
    weir_status status = WEIR_OK;
    if (!scale || !squares || !length || !away || !factor) return WEIR_ERROR;
    scaled_squares(frame, x, last, SMALLEST, scale, squares);
    project(frame, weir_lane(x, last), scale, squares, length, away, factor);
    WEIR_TRY(status, weir_discard_unless_one(frame, length, self->tolerance));
    for (int32_t f = 0; f < last; f++) {
        const weir_real *const from = weir_lane(x, f);
        weir_real *const to = weir_lane(z, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = from[i] / scale[i] * factor[i];
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    /* The logarithm of r^2 / (1 + x_n) in two parts, as r^2 itself may be too small for a number. */
    for (int32_t i = 0; i < frame->width; i++) {
        const int near = away[i] < 1;
        squares[i] = near ? squares[i] / (1 + weir_lane(x, last)[i] / length[i]) : away[i];
        scale[i] = near ? scale[i] / length[i] : 1;
    }
    frame->math->log(frame->width, squares, squares);
    frame->math->log(frame->width, scale, scale);
    WEIR_TRY(status, weir_discard_unless_finite(frame, scale));
    for (int32_t i = 0; total && i < frame->width; i++)
        total[i] -= (weir_real)last * (squares[i] + 2 * scale[i]);
    return status;
}

/** With m = max(1, |z_i|) and q = z / m: (1 + s) / m^2 = 1/m^2 + |q|^2, which cannot overflow. */
static weir_status sphere_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                  const weir_tile *x, void *log_det)
{
    const sphere *const self = module;
    const int32_t last = self->features - 1;
    weir_real *const scale = weir_take_lane(frame), *const squares = weir_take_lane(frame);
    weir_real *const total = log_det;
    weir_real *const height = weir_lane(x, last);
    weir_status status = WEIR_OK;
    if (!scale || !squares) return WEIR_ERROR;
    scaled_squares(frame, z, last, 1, scale, squares);
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real one = 1 / scale[i] / scale[i], sum = one + squares[i];
        height[i] = (squares[i] - one) / sum;
        squares[i] = sum;
    }
    for (int32_t f = 0; f < last; f++) {
        const weir_real *const from = weir_lane(z, f);
        weir_real *const to = weir_lane(x, f);
        for (int32_t i = 0; i < frame->width; i++) to[i] = 2 * (from[i] / scale[i]) / (scale[i] * squares[i]);
        WEIR_TRY(status, weir_discard_unless_finite(frame, from));
    }
    if (!total) return status;
    frame->math->log(frame->width, squares, squares);
    frame->math->log(frame->width, scale, scale);
    for (int32_t i = 0; i < frame->width; i++)
        total[i] += (weir_real)last * (WEIR_C(0.69314718055994530942) - squares[i] - 2 * scale[i]);
    return status;
}

/** With a = (1 + s) / 2 = 1 / (1 - x_n), J is a^2 G^T: x_bar_i = a z_bar_i - z_i (z . z_bar) and x_bar_n = z . z_bar from
 *  z_bar; (n-1) l_bar (-x_n z_i) and (n-1) l_bar (1 + x_n) from the log-det. */
static weir_status sphere_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                      const weir_tile *x_bar)
{
    const sphere *const self = module;
    const int32_t last = self->features - 1;
    const weir_real *const l_bar = log_det_bar, *const height = weir_lane(x, last);
    weir_real *const dot = weir_take_lane(frame), *const stretch = weir_take_lane(frame);
    if (!dot || !stretch) return WEIR_ERROR;
    if (!x_bar) return WEIR_OK;
    weir_real *const height_bar = weir_lane(x_bar, last);
    weir_zero_lane(frame, dot);
    for (int32_t i = 0; i < frame->width; i++) stretch[i] = WEIR_C(0.5);
    for (int32_t f = 0; f < last; f++)
        for (int32_t i = 0; i < frame->width; i++) {
            const weir_real at = weir_lane(z, f)[i];
            dot[i] += at * weir_lane(z_bar, f)[i];
            stretch[i] += WEIR_C(0.5) * at * at;
        }
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real l = l_bar ? (weir_real)last * l_bar[i] : 0;
        height_bar[i] = dot[i] + l * (1 + height[i]);
        dot[i] += l * height[i];
    }
    for (int32_t f = 0; f < last; f++)
        for (int32_t i = 0; i < frame->width; i++)
            weir_lane(x_bar, f)[i] = stretch[i] * weir_lane(z_bar, f)[i] - weir_lane(z, f)[i] * dot[i];
    return WEIR_OK;
}

/** z_i / a is x_i: z_bar_i = x_bar_i / a + x_i (x_bar_n / a - sum of x_j x_bar_j over j < n - (n-1) l_bar). */
static weir_status sphere_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                      const weir_tile *z_bar)
{
    const sphere *const self = module;
    const int32_t last = self->features - 1;
    const weir_real *const l_bar = log_det_bar, *const height_bar = weir_lane(x_bar, last);
    weir_real *const scale = weir_take_lane(frame), *const squares = weir_take_lane(frame);
    weir_real *const common = weir_take_lane(frame);
    if (!scale || !squares || !common) return WEIR_ERROR;
    if (!z_bar) return WEIR_OK;
    scaled_squares(frame, z, last, 1, scale, squares);
    for (int32_t i = 0; i < frame->width; i++) {
        const weir_real one = 1 / scale[i] / scale[i];
        squares[i] = 2 * one / (one + squares[i]); /* 1 / a = 2 / (1 + s) */
        common[i] = height_bar[i] * squares[i] - (l_bar ? (weir_real)last * l_bar[i] : 0);
    }
    for (int32_t f = 0; f < last; f++)
        for (int32_t i = 0; i < frame->width; i++) common[i] -= weir_lane(x, f)[i] * weir_lane(x_bar, f)[i];
    for (int32_t f = 0; f < last; f++)
        for (int32_t i = 0; i < frame->width; i++)
            weir_lane(z_bar, f)[i] = weir_lane(x_bar, f)[i] * squares[i] + weir_lane(x, f)[i] * common[i];
    return WEIR_OK;
}

/** Uniform on the sphere: normal variates over their length. */
static weir_status sphere_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                        const weir_tile *x)
{
    const sphere *const self = module;
    weir_real *const squares = weir_take_lane(frame);
    if (!squares) return WEIR_ERROR;
    weir_zero_lane(frame, squares);
    for (int32_t f = 0; f < self->features; f++) {
        frame->services->random_normal(frame, stream, (uint32_t)f, weir_lane(x, f));
        for (int32_t i = 0; i < frame->width; i++) squares[i] += weir_lane(x, f)[i] * weir_lane(x, f)[i];
    }
    for (int32_t f = 0; f < self->features; f++)
        for (int32_t i = 0; i < frame->width; i++)
            weir_lane(x, f)[i] = (weir_real)((double)weir_lane(x, f)[i] / sqrt((double)squares[i]));
    return WEIR_OK;
}

static const weir_layer_ops sphere_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = sphere_forward,
    .inverse = sphere_inverse,
    .forward_vjp = sphere_forward_vjp,
    .inverse_vjp = sphere_inverse_vjp,
    .sample_points = sphere_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status sphere_create(weir_builder *build, void **module)
{
    if (build->features < 2)
        return weir_refuse(build, "unit vectors need at least 2 features, not %d", (int)build->features);
    if (weir_require_block(build, WEIR_DOMAIN_SPHERE, WEIR_MEASURE_SURFACE) != WEIR_OK) return WEIR_INVALID;
    if (weir_produce_line(build, build->features - 1) != WEIR_OK) return WEIR_INVALID;
    sphere *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->tolerance = WEIR_C(build->number(build, "tolerance"));
    *module = self;
    return WEIR_OK;
}

static const weir_module sphere_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "sphere",
    .version = "1.0.0",
    .summary = "unit vectors of n features to n - 1 free numbers, from a pole",
    .doc = sphere_doc,
    WEIR_OPTIONS(sphere_options),
    .create = sphere_create,
    .destroy = free,
    .ops = &sphere_ops,
};

WEIR_PLUGIN(&sphere_module);
