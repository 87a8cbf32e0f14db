/* laplace.c - the Laplace density: exponential tails on both sides of a kink. */
#include "location_scale.h"

#define LOG_2 0.69314718055994530942

static const char laplace_doc[] =
    "log p(z) = sum over features of -|e| - log 2 - log s,  e = (z - m) / s.\n"
    "At the kink, z = m, the derivative by z is taken as 0.\n"
    "Drawn as e = log(2u) for a uniform u below 1/2 and -log(2(1 - u)) above.\n" LOCATION_SCALE_DOC
    "Source: elementary (Laplace 1774).";

static const weir_option laplace_options[] = {LOCATION_SCALE_OPTIONS};

static weir_status laplace_evaluate(const location_scale *self, weir_frame *frame, int32_t f,
                                    const weir_real *restrict e, weir_real *restrict l,
                                    weir_real *restrict score)
{
    (void)self, (void)f;
    for (int32_t i = 0; i < frame->width; i++) l[i] = -(e[i] < 0 ? -e[i] : e[i]) - WEIR_C(LOG_2);
    for (int32_t i = 0; score && i < frame->width; i++)
        score[i] = (weir_real)(e[i] < 0) - (weir_real)(e[i] > 0);
    return WEIR_OK;
}

static weir_status laplace_draw(const location_scale *self, weir_frame *frame, int32_t f, weir_real *e)
{
    const int32_t n = frame->width;
    weir_real *const restrict t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;
    frame->services->random_uniform(frame, self->stream, (uint32_t)f, e);
    for (int32_t i = 0; i < n; i++) t[i] = 2 * (e[i] < WEIR_C(0.5) ? e[i] : 1 - e[i]);
    frame->math->log(n, t, t);
    for (int32_t i = 0; i < n; i++) e[i] = e[i] < WEIR_C(0.5) ? t[i] : -t[i];
    return WEIR_OK;
}

static const family laplace_family = {laplace_evaluate, laplace_draw};

static weir_status laplace_create(weir_builder *build, void **self)
{
    return WEIR_NAME(location_scale_create)(build, &laplace_family, self);
}

extern const weir_module WEIR_NAME(laplace_module);
const weir_module WEIR_NAME(laplace_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "laplace",
    .version = "1.0.0",
    .summary = "independent Laplace features, fixed or with a learned location and scale",
    .doc = laplace_doc,
    WEIR_OPTIONS(laplace_options),
    .create = laplace_create,
    .destroy = WEIR_NAME(location_scale_destroy),
    .ops = &WEIR_NAME(location_scale_ops),
};
