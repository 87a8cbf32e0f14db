/* truncated_normal - independent normal features, each cut to an interval. */
#include "truncated.h"

#include <stdlib.h>

static const char truncated_doc[] =
    "log p(z) = sum over features of -log(2 pi)/2 - e^2/2 - log s - log(Phi(b) - Phi(a)) where lower <= z <= upper, else\n"
    "-infinity; e = (z - m)/s, a = (lower - m)/s, b = (upper - m)/s, Phi the normal distribution function. m and s are\n"
    "those of the normal before it is cut. A bound that is not given is infinite.\n"
    "Tensors location [D] = m and log_scale [D] = log s: parameters if `trainable`, else fixed; the bounds stay.\n"
    "Gradients: with A = phi(a)/(Phi(b) - Phi(a)) and B likewise, d log p / dm = (e - A + B)/s and\n"
    "d log p / d log s = e^2 - 1 - a A + b B. The mass is right to rounding however far out the interval lies.\n"
    "Samples are quantiles of a uniform u, found by a bracketed Newton search; gradients reach m and s through them:\n"
    "phi(e) de = (1 - u) phi(a) da + u phi(b) db. Cost: O(D) a row; a sample takes some ten error functions a feature.\n"
    "Refused: lower >= upper; a layer before it whose values are known to leave the interval. Rows with NaN are\n"
    "discarded.\n"
    "Source: elementary; for the gradient of samples Figurnov et al. 2018, arXiv:1805.08498.";

#define LIST_OPTION(title, usual, least, text)                                                               \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBERS, .name = (title),                 \
        .default_json = (usual), .minimum = (least), .maximum = 1e30, .summary = (text)                      \
    }

static const weir_option truncated_options[] = {
    LIST_OPTION("location", "[0]", -1e30, "m: one number for all features, or one for each"),
    LIST_OPTION("scale", "[1]", 1e-30, "s: one number for all features, or one for each"),
    LIST_OPTION("lower", "null", -1e30,
                "lower bound: one for all features, or one for each; none if not given"),
    LIST_OPTION("upper", "null", -1e30,
                "upper bound: one for all features, or one for each; none if not given"),
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "trainable",
     .default_json = "false",
     .summary = "learn location and log-scale per feature, from these values"},
};

/* ---- the density, in double whatever the precision: far out e^2/2 and the log-mass nearly cancel ------ */

static int inside(const truncated *self, int32_t f, double z)
{
    return z >= self->lower[f] && z <= self->upper[f];
}

static weir_status truncated_log_density(const void *module, weir_frame *frame, const weir_tile *z,
                                         void *log_p)
{
    const truncated *const self = module;
    weir_real *const total = weir_take_lane(frame), *const out = log_p;
    if (!total) return WEIR_ERROR;
    weir_zero_lane(frame, total);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f);
        const stretch at = stretch_of(self, frame, f);
        const double reference = at.whole.reference, constant = at.whole.log_rest + log(at.s);
        for (int32_t i = 0; i < frame->width; i++) {
            const double here = (double)lane[i], e = (here - at.m) / at.s;
            const double within = (reference - e) * (reference + e) / 2 - constant;
            total[i] += WEIR_C(inside(self, f, here) ? within : isnan(here) ? here : -(double)INFINITY);
        }
    }
    for (int32_t i = 0; i < frame->width; i++) out[i] += total[i];
    return weir_discard_nan(frame, total);
}

static void add_gradients(const truncated *self, weir_frame *frame, int32_t f, const stretch *at,
                          const weir_real *lane, const weir_real *l_bar)
{
    weir_real *const location = weir_gradient(frame, self->location);
    weir_real *const log_scale = weir_gradient(frame, self->log_scale);
    const double a = isinf(at->from) ? 0 : mass_density(&at->whole, at->from);
    const double b = isinf(at->to) ? 0 : mass_density(&at->whole, at->to);
    const double ends = (a > 0 ? at->from * a : 0) - (b > 0 ? at->to * b : 0);
    double by_location = 0, by_scale = 0;
    if (!location && !log_scale) return;
    for (int32_t r = 0; r < frame->rows; r++) {
        const double here = (double)lane[r], e = (here - at->m) / at->s;
        if (!inside(self, f, here)) continue;
        by_location += (double)l_bar[r] * (e - a + b) / at->s;
        by_scale += (double)l_bar[r] * (e * e - 1 - ends);
    }
    if (location) location[f] += WEIR_C(by_location);
    if (log_scale) log_scale[f] += WEIR_C(by_scale);
}

static weir_status truncated_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                 const void *log_p_bar, const weir_tile *z_bar)
{
    const truncated *const self = module;
    const weir_real *const l_bar = log_p_bar;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const lane = weir_lane(z, f);
        const stretch at = stretch_of(self, frame, f);
        add_gradients(self, frame, f, &at, lane, l_bar);
        if (!z_bar) continue;
        weir_real *const to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < frame->width; i++) {
            const double here = (double)lane[i], slope = -(here - at.m) / (at.s * at.s);
            to[i] = inside(self, f, here) ? WEIR_C((double)l_bar[i] * slope) : 0;
        }
    }
    return WEIR_OK;
}

static const weir_density_ops truncated_ops = {
    .struct_size = (uint32_t)sizeof(weir_density_ops),
    .log_density = truncated_log_density,
    .vjp = truncated_vjp,
    .sample = WEIR_NAME(truncated_sample),
    .sample_vjp = WEIR_NAME(truncated_sample_vjp),
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status read_bounds(weir_builder *build, const char *name, double otherwise, double *bounds)
{
    for (int32_t f = 0; f < build->features; f++) bounds[f] = otherwise;
    if (!build->given(build, name)) return WEIR_OK;
    return weir_numbers_per_feature(build, name, build->features, bounds);
}

/** Neighbours are asked for the bounds as given; from then on they are numbers of this precision, so that a sample that was
 *  rounded to one lies inside. */
static weir_status require_bounds(const truncated *self, weir_builder *build)
{
    for (int32_t f = 0; f < self->features; f++) {
        const weir_domain cut = {.struct_size = (uint32_t)sizeof cut,
                                 .kind = WEIR_DOMAIN_INTERVAL,
                                 .first = f,
                                 .count = 1,
                                 .lower = self->lower[f],
                                 .upper = self->upper[f]};
        self->lower[f] = (double)WEIR_C(cut.lower);
        self->upper[f] = (double)WEIR_C(cut.upper);
        if (!(self->lower[f] < self->upper[f]))
            return weir_refuse(build, "lower = %g of feature %d must be less than upper = %g", cut.lower,
                               (int)f + 1, cut.upper);
        if (build->require(build, &cut) != WEIR_OK) return WEIR_INVALID;
    }
    return WEIR_OK;
}

static weir_status declare(truncated *self, weir_builder *build, double *start)
{
    const int trained = build->boolean(build, "trainable");
    if (weir_numbers_per_feature(build, "location", self->features, start) != WEIR_OK) return WEIR_INVALID;
    self->location = weir_feature_tensor(build, "location", self->features, start, trained);
    if (weir_numbers_per_feature(build, "scale", self->features, start) != WEIR_OK) return WEIR_INVALID;
    for (int32_t f = 0; f < self->features; f++) start[f] = log(start[f]);
    self->log_scale = weir_feature_tensor(build, "log_scale", self->features, start, trained);
    if (read_bounds(build, "lower", -(double)INFINITY, self->lower) != WEIR_OK) return WEIR_INVALID;
    if (read_bounds(build, "upper", (double)INFINITY, self->upper) != WEIR_OK) return WEIR_INVALID;
    if (require_bounds(self, build) != WEIR_OK) return WEIR_INVALID;
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static void truncated_destroy(void *module)
{
    truncated *const self = module;
    free(self->lower);
    free(self);
}

static weir_status truncated_create(weir_builder *build, void **out)
{
    const size_t count = (size_t)build->features + 1;
    truncated *const self = calloc(1, sizeof *self);
    double *const start = calloc(count, sizeof *start);
    weir_status status = WEIR_INVALID;
    if (self) self->lower = calloc(2 * count, sizeof *self->lower);
    if (!self || !self->lower || !start) {
        weir_refuse(build, "out of memory");
        goto done;
    }
    self->upper = self->lower + count;
    self->features = build->features;
    self->stream = build->stream;
    status = declare(self, build, start);
done:
    free(start);
    if (status == WEIR_OK)
        *out = self;
    else if (self)
        truncated_destroy(self);
    return status;
}

static const weir_module truncated_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "truncated_normal",
    .version = "1.0.0",
    .summary = "independent normal features, each cut to an interval that may be open on one side",
    .doc = truncated_doc,
    WEIR_OPTIONS(truncated_options),
    .create = truncated_create,
    .destroy = truncated_destroy,
    .ops = &truncated_ops,
};

WEIR_PLUGIN(&truncated_module);
