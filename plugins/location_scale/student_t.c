/* student_t.c - Student's t: tails of a power, n degrees of freedom for each feature. */
#include "location_scale.h"

#include <weir/gamma.h>

#include <stdlib.h>

#define TWO_PI 6.28318530717958647693
#define LOG_PI 1.14472988584940017414

static const char student_t_doc[] =
    "log p(z) = sum over features of c(n) - (n + 1)/2 log(1 + e^2/n) - log s,  e = (z - m) / s,\n"
    "c(n) = log Gamma((n + 1)/2) - log Gamma(n/2) - log(pi n)/2, with n > 0 degrees of freedom, fixed by an option;\n"
    "n = 1 is the Cauchy density, n to infinity the normal one. Variance of e: n/(n - 2) for n > 2, else infinite.\n"
    "Drawn exactly from two uniforms: e = sqrt(n (u^(-2/n) - 1)) cos(2 pi v).\n" LOCATION_SCALE_DOC
    "Sources: Student 1908; Bailey 1994, \"Polar generation of random variates with the t-distribution\", Mathematics\n"
    "of Computation 62, for the sampler.";

static const weir_option student_t_options[] = {
    LOCATION_SCALE_OPTIONS,
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "degrees_of_freedom",
     .default_json = "[3]",
     .minimum = 0.5,
     .maximum = 1e6,
     .summary = "n, how light the tails are: one number for all features, or one for each"},
};

/* With g = |e| / sqrt(n): log(1 + g^2) = log(1 + 1/g^2) + 2 log g where g > 1, so that no square overflows. */
static weir_status student_t_evaluate(const location_scale *self, weir_frame *frame, int32_t f,
                                      const weir_real *restrict e, weir_real *restrict l,
                                      weir_real *restrict score)
{
    const int32_t count = frame->width;
    const double n = self->shape[f];
    const weir_real root = WEIR_C(sqrt(n)), power = WEIR_C((n + 1) / 2);
    const weir_real constant = WEIR_C(weir_log_gamma_step(n / 2, 0.5) - (LOG_PI + log(n)) / 2);
    weir_real *const restrict far = weir_take_lane(frame);
    if (!far) return WEIR_ERROR;
    for (int32_t i = 0; i < count; i++) {
        const weir_real g = (e[i] < 0 ? -e[i] : e[i]) / root, h = g > 1 ? 1 / g : g;
        far[i] = g > 1 ? g : 1;
        l[i] = h * h;
    }
    frame->math->log1p(count, l, l);
    frame->math->log(count, far, far);
    for (int32_t i = 0; i < count; i++) l[i] = constant - power * (l[i] + 2 * far[i]);
    for (int32_t i = 0; score && i < count; i++) score[i] = -2 * power / (e[i] + WEIR_C(n) / e[i]);
    return WEIR_OK;
}

/* In double whatever the precision: u^(-2/n) leaves the range of a float long before e does. */
static weir_status student_t_draw(const location_scale *self, weir_frame *frame, int32_t f, weir_real *e)
{
    const double n = self->shape[f];
    weir_real *const restrict v = weir_take_lane(frame);
    if (!v) return WEIR_ERROR;
    frame->services->random_uniform(frame, self->stream, 2 * (uint32_t)f, e);
    frame->services->random_uniform(frame, self->stream, 2 * (uint32_t)f + 1, v);
    for (int32_t i = 0; i < frame->width; i++) {
        const double radius = sqrt(n * expm1(-2 / n * log((double)e[i])));
        e[i] = WEIR_C(radius * cos(TWO_PI * (double)v[i]));
    }
    return WEIR_OK;
}

static const family student_t_family = {student_t_evaluate, student_t_draw};

static weir_status student_t_create(weir_builder *build, void **out)
{
    void *made;
    if (WEIR_NAME(location_scale_create)(build, &student_t_family, &made) != WEIR_OK) return WEIR_INVALID;
    location_scale *const self = made;
    self->shape = calloc((size_t)self->features + 1, sizeof *self->shape);
    if (!self->shape) weir_refuse(build, "out of memory");
    if (!self->shape ||
        weir_numbers_per_feature(build, "degrees_of_freedom", self->features, self->shape) != WEIR_OK) {
        WEIR_NAME(location_scale_destroy)(self);
        return WEIR_INVALID;
    }
    *out = self;
    return WEIR_OK;
}

extern const weir_module WEIR_NAME(student_t_module);
const weir_module WEIR_NAME(student_t_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "student_t",
    .version = "1.0.0",
    .summary = "independent Student t features, for heavy tails; fixed or with a learned location and scale",
    .doc = student_t_doc,
    WEIR_OPTIONS(student_t_options),
    .create = student_t_create,
    .destroy = WEIR_NAME(location_scale_destroy),
    .ops = &WEIR_NAME(location_scale_ops),
};
