/* additive - y = x + b, the volume-preserving transformer of NICE. */
#include <weir/lanes.h>

static const char additive_doc[] =
    "y = x + b. Parameter per element: b (shift); 0 is the identity.\n"
    "log|dy/dx| = 0: layers made of it keep volumes. Inverse: x = y - b, exact. Cost: one addition a value.\n"
    "Rows with NaN or an infinity, in the input or in b, are discarded.\n"
    "Source: Dinh et al. 2015, \"NICE: Non-linear Independent Components Estimation\", arXiv:1410.8516, section 3.2.";

static weir_status additive_lane_forward(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                                         const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    (void)self, (void)s, (void)log_det;
    for (int32_t i = 0; i < n; i++) y[i] = x[i] + p[i];
    return weir_discard_unless_finite(frame, y);
}

static weir_status additive_lane_forward_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *x, const weir_real *p, int64_t s,
                                             const weir_real *y, const weir_real *y_bar,
                                             const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)x, (void)p, (void)s, (void)y, (void)log_det_bar;
    for (int32_t i = 0; i < n; i++) x_bar[i] = p_bar[i] = y_bar[i];
    return WEIR_OK;
}

static weir_status additive_lane_inverse(const void *self, weir_frame *frame, int32_t n, const weir_real *y,
                                         const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    (void)self, (void)s, (void)log_det;
    for (int32_t i = 0; i < n; i++) x[i] = y[i] - p[i];
    return weir_discard_unless_finite(frame, x);
}

static weir_status additive_lane_inverse_vjp(const void *self, weir_frame *frame, int32_t n,
                                             const weir_real *y, const weir_real *p, int64_t s,
                                             const weir_real *x, const weir_real *x_bar,
                                             const weir_real *log_det_bar, weir_real *y_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)y, (void)p, (void)s, (void)x, (void)log_det_bar;
    for (int32_t i = 0; i < n; i++) {
        y_bar[i] = x_bar[i];
        p_bar[i] = -x_bar[i];
    }
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(additive)

static weir_status additive_create(weir_builder *build, void **self)
{
    static const double identity[1] = {0};
    *self = NULL;
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    return build->params(build, 1, identity) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static void additive_destroy(void *self)
{
    (void)self;
}

static const weir_module additive_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "additive",
    .version = "1.0.0",
    .summary = "y = x + b, which preserves volume (NICE)",
    .doc = additive_doc,
    .create = additive_create,
    .destroy = additive_destroy,
    .ops = &additive_ops,
};

WEIR_PLUGIN(&additive_module);
