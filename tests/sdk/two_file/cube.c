/* test.cube - y = x^3 / 2 + x. */
#include "cube.h"

static weir_status cube_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                     const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)frame, (void)p, (void)s;
    for (int32_t i = 0; i < n; i++) {
        y[i] = WEIR_C(0.5) * x[i] * x[i] * x[i] + x[i];
        log_det[i] += (weir_real)log(WEIR_C(1.5) * x[i] * x[i] + 1);
    }
    return WEIR_OK;
}

static weir_status cube_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, const weir_real *y,
                                         const weir_real *y_bar, const weir_real *log_det_bar,
                                         weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)p, (void)s, (void)y, (void)p_bar;
    for (int32_t i = 0; i < n; i++) {
        const weir_real slope = WEIR_C(1.5) * x[i] * x[i] + 1;
        x_bar[i] = y_bar[i] * slope + log_det_bar[i] * 3 * x[i] / slope;
    }
    return WEIR_OK;
}

static weir_status cube_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                     const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)frame, (void)p, (void)s;
    for (int32_t i = 0; i < n; i++) {
        x[i] = WEIR_NAME(cube_solve)(y[i]);
        log_det[i] -= (weir_real)log(WEIR_C(1.5) * x[i] * x[i] + 1);
    }
    return WEIR_OK;
}

static weir_status cube_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                         const weir_real *p, int64_t s, const weir_real *x,
                                         const weir_real *x_bar, const weir_real *log_det_bar,
                                         weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)y, (void)p, (void)s, (void)p_bar;
    for (int32_t i = 0; i < n; i++) {
        const weir_real slope = WEIR_C(1.5) * x[i] * x[i] + 1;
        y_bar[i] = (x_bar[i] - log_det_bar[i] * 3 * x[i] / slope) / slope;
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(cube)

static weir_status cube_create(weir_builder *build, void **self)
{
    *self = NULL;
    return build->params(build, 0, NULL);
}

static void cube_destroy(void *self)
{
    (void)self;
}

static const weir_module cube_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "test.cube",
    .version = "1.0.0",
    .summary = "y = x^3 / 2 + x",
    .doc = "y = x^3 / 2 + x; no parameters.",
    .create = cube_create,
    .destroy = cube_destroy,
    .ops = &cube_ops,
};

/* A module that exists in double precision only: the root must still pair the rest by id. */
#if WEIR_REAL == 64
static const weir_module exact_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .id = "test.cube_exact",
    .version = "1.0.0",
    .summary = "y = x^3 / 2 + x, in f64 only",
    .doc = "y = x^3 / 2 + x; no parameters.",
    .create = cube_create,
    .destroy = cube_destroy,
    .ops = &cube_ops,
};
WEIR_PLUGIN(&exact_module, &cube_module);
#else
WEIR_PLUGIN(&cube_module);
#endif
