/* logistic.c - the logistic density, and the table of this plugin's modules. */
#include "location_scale.h"

static const char logistic_doc[] =
    "log p(z) = sum over features of -|e| - 2 log(1 + e^-|e|) - log s,  e = (z - m) / s.\n"
    "Drawn as e = log u - log(1 - u) from one uniform u.\n" LOCATION_SCALE_DOC
    "Source: elementary; the usual base of NICE (Dinh et al. 2015, arXiv:1410.8516).";

static const weir_option logistic_options[] = {LOCATION_SCALE_OPTIONS};

static weir_status logistic_evaluate(const location_scale *self, weir_frame *frame, int32_t f,
                                     const weir_real *restrict e, weir_real *restrict l,
                                     weir_real *restrict score)
{
    const int32_t n = frame->width;
    weir_real *const restrict t = weir_take_lane(frame);
    (void)self, (void)f;
    if (!t) return WEIR_ERROR;
    for (int32_t i = 0; i < n; i++) t[i] = -(e[i] < 0 ? -e[i] : e[i]);
    frame->math->exp(n, t, l);
    frame->math->log1p(n, l, l);
    for (int32_t i = 0; i < n; i++) l[i] = t[i] - 2 * l[i];
    if (!score) return WEIR_OK;
    for (int32_t i = 0; i < n; i++) t[i] = e[i] / 2;
    frame->math->tanh(n, t, score);
    for (int32_t i = 0; i < n; i++) score[i] = -score[i];
    return WEIR_OK;
}

static weir_status logistic_draw(const location_scale *self, weir_frame *frame, int32_t f, weir_real *e)
{
    const int32_t n = frame->width;
    weir_real *const restrict t = weir_take_lane(frame);
    if (!t) return WEIR_ERROR;
    frame->services->random_uniform(frame, self->stream, (uint32_t)f, e);
    for (int32_t i = 0; i < n; i++) t[i] = -e[i];
    frame->math->log1p(n, t, t);
    frame->math->log(n, e, e);
    for (int32_t i = 0; i < n; i++) e[i] -= t[i];
    return WEIR_OK;
}

static const family logistic_family = {logistic_evaluate, logistic_draw};

static weir_status logistic_create(weir_builder *build, void **self)
{
    return WEIR_NAME(location_scale_create)(build, &logistic_family, self);
}

static const weir_module logistic_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "logistic",
    .version = "1.0.0",
    .summary = "independent logistic features, fixed or with a learned location and scale",
    .doc = logistic_doc,
    WEIR_OPTIONS(logistic_options),
    .create = logistic_create,
    .destroy = WEIR_NAME(location_scale_destroy),
    .ops = &WEIR_NAME(location_scale_ops),
};

extern const weir_module WEIR_NAME(laplace_module), WEIR_NAME(student_t_module);

WEIR_PLUGIN(&logistic_module, &WEIR_NAME(laplace_module), &WEIR_NAME(student_t_module));
