/* radial - space is pushed away from a centre, or pulled towards it. */
#include "shell.h"

#include <weir/explicit.h>

#include <stdlib.h>

static const char radial_doc[] =
    "The explicit map is g(s) = c + A(r) (s - c), r = |s - c|, A = 1 + beta / (alpha + r) = (r + sigma) / (r + alpha).\n"
    "explicit = forward makes it z = g(x), explicit = inverse makes it x = g(z); both directions are closed form.\n"
    "Parameters: centre [D] = c; log_alpha [1]; beta [1], from which sigma = alpha + beta = softplus(beta) + 1e-6 > 0: that\n"
    "is beta >= -alpha, and g is invertible. Derived: alpha, sigma.\n"
    "The radius goes to R(r) = r A(r), increasing, with B = dR/dr. With m = r / (r + alpha), n = alpha / (r + alpha) and\n"
    "t = sigma / alpha, sums of positive terms: A = m + t n, B = m (1 + n) + t n^2.\n"
    "J = A (I - e e^T) + B e e^T with e = (s - c) / r, so log|det dg/ds| = (D - 1) log A + log B.\n"
    "g^-1: r is the positive root of r^2 + (sigma - R) r - alpha R = 0, by the formula that does not cancel.\n"
    "At r = 0: A = B = t and g(c) = c. There the log-det has a cone's tip (for sigma != alpha): its gradient is taken as 0.\n"
    "Gradients of g, given y_bar and l_bar: with d = s - c and k = A' (d.y_bar) + l_bar ((D - 1) A'/A + B'/B),\n"
    "  s_bar = A y_bar + k e,  c_bar = y_bar - s_bar,  and for p in {alpha, sigma}\n"
    "  p_bar = (d.y_bar) dA/dp + l_bar ((D - 1) dA/dp / A + dB/dp / B).\n"
    "Gradients of g^-1, given s_bar and l_bar (that of minus the log-det): y_bar = J^-1 (s_bar - l_bar l' e), J^-1 having\n"
    "1/A and 1/B in place of A and B; the parameters get those of g for (-y_bar, -l_bar), of which c's is s_bar - y_bar.\n"
    "Cost: O(D) a row in either direction. Starts at the identity: alpha = 1, beta = log(e - 1) (to 1e-6), so that sigma = 1; the\n"
    "centre uniform on +-sqrt(6 / (D + 1)) (Glorot). Rows whose |s - c|^2 overflows are discarded.\n"
    "Source: Rezende and Mohamed 2015, \"Variational inference with normalizing flows\", arXiv:1505.05770, section 4.1\n"
    "and appendix A.2.";

static const weir_option radial_options[] = {
    WEIR_EXPLICIT_OPTION,
};

/* ---- the two maps ---------------------------------------------------------------------------------------- */

/* to = centre + factor (from - centre) */
static weir_status stretch(const radial *self, weir_frame *frame, const weir_real *restrict factor,
                           const weir_tile *from, const weir_tile *to)
{
    const weir_real *const centre = weir_tensor(frame, self->centre);
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const in = weir_lane(from, f), middle = centre[f];
        weir_real *restrict const out = weir_lane(to, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] = middle + factor[r] * (in[r] - middle);
        WEIR_TRY(status, weir_discard_unless_finite(frame, out));
    }
    return status;
}

static weir_status radial_run(const radial *self, weir_frame *frame, const weir_tile *s, const weir_tile *y,
                              weir_real *log_det)
{
    shell at;
    weir_status status = WEIR_OK;
    if (!WEIR_NAME(shell_take)(frame, &at)) return WEIR_ERROR;
    WEIR_NAME(shell_radius)(self, frame, s, at.r);
    WEIR_TRY(status, weir_discard_unless_finite(frame, at.r));
    WEIR_NAME(shell_evaluate)(self, frame, &at);
    WEIR_TRY(status, stretch(self, frame, at.a, s, y));
    if (log_det) WEIR_NAME(shell_add_log_det)(self, frame, &at, 1, log_det);
    return status;
}

static weir_status radial_solve(const radial *self, weir_frame *frame, const weir_tile *y, const weir_tile *s,
                                weir_real *log_det)
{
    shell at;
    weir_status status = WEIR_OK;
    weir_real *const shrink = weir_take_lane(frame);
    if (!shrink || !WEIR_NAME(shell_take)(frame, &at)) return WEIR_ERROR;
    WEIR_NAME(shell_radius)(self, frame, y, at.r);
    WEIR_TRY(status, weir_discard_unless_finite(frame, at.r));
    WEIR_NAME(shell_solve)(self, frame, at.r);
    WEIR_NAME(shell_evaluate)(self, frame, &at);
    for (int32_t r = 0; r < frame->width; r++) shrink[r] = 1 / at.a[r];
    WEIR_TRY(status, stretch(self, frame, shrink, y, s));
    if (log_det) WEIR_NAME(shell_add_log_det)(self, frame, &at, -1, log_det);
    return status;
}

/* ---- their VJPs -------------------------------------------------------------------------------------------- */

/* p.y_bar of every row, p = s - centre. */
static void project(const radial *self, const weir_frame *frame, const weir_tile *s, const weir_tile *bar,
                    weir_real *restrict out)
{
    const weir_real *const centre = weir_tensor(frame, self->centre);
    memset(out, 0, (size_t)frame->width * sizeof *out);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const at = weir_lane(s, f), middle = centre[f];
        const weir_real *restrict const from = weir_lane(bar, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] += (at[r] - middle) * from[r];
    }
}

/* in_bar = across * out_bar + along * (s - centre); centre_bar += out_bar - in_bar, in either direction. */
static void pull_lanes(const radial *self, const weir_frame *frame, const weir_tile *s,
                       const weir_real *restrict across, const weir_real *restrict along,
                       const weir_tile *out_bar, const weir_tile *in_bar)
{
    const weir_real *const centre = weir_tensor(frame, self->centre);
    weir_real *const centre_bar = weir_gradient(frame, self->centre);
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *restrict const at = weir_lane(s, f), middle = centre[f];
        const weir_real *restrict const from = weir_lane(out_bar, f);
        weir_real *restrict const to = weir_lane(in_bar, f);
        weir_real sum = 0;
        for (int32_t r = 0; r < frame->width; r++) to[r] = across[r] * from[r] + along[r] * (at[r] - middle);
        for (int32_t r = 0; r < frame->rows; r++) sum += from[r] - to[r];
        if (centre_bar) centre_bar[f] += sum;
    }
}

static weir_status radial_pull(const radial *self, weir_frame *frame, const weir_tile *s,
                               const weir_tile *out_bar, const weir_real *l_bar, const weir_tile *in_bar,
                               int implicit)
{
    shell at;
    weir_tile unwanted;
    weir_real *const dot = weir_take_lane(frame), *const across = weir_take_lane(frame);
    weir_real *const along = weir_take_lane(frame);
    if (!dot || !across || !along || !WEIR_NAME(shell_take)(frame, &at)) return WEIR_ERROR;
    if (!in_bar && !weir_take_tile(frame, self->features, &unwanted)) return WEIR_ERROR;
    if (!in_bar) in_bar = &unwanted;
    WEIR_NAME(shell_radius)(self, frame, s, at.r);
    WEIR_NAME(shell_evaluate)(self, frame, &at);
    project(self, frame, s, out_bar, dot);
    WEIR_NAME(shell_pull)(self, frame, &at, dot, l_bar, implicit, across, along);
    pull_lanes(self, frame, s, across, along, out_bar, in_bar);
    if (implicit) project(self, frame, s, in_bar, dot);
    WEIR_NAME(shell_add_gradients)(self, frame, &at, dot, l_bar, implicit ? -1 : 1);
    return WEIR_OK;
}

WEIR_EXPLICIT_LAYER(radial);

/* ---- creation ------------------------------------------------------------------------------------------------ */

static void declare(radial *self, weir_builder *build)
{
    const int64_t side[1] = {self->features}, one[1] = {1};
    const double reach = sqrt(6.0 / (self->features + 1.0));
    const weir_init glorot = {
        .struct_size = (uint32_t)sizeof glorot, .kind = WEIR_INIT_UNIFORM, .a = -reach, .b = reach};
    const weir_init still = {
        .struct_size = (uint32_t)sizeof still, .kind = WEIR_INIT_CONSTANT, .a = log(expm1(1 - LEAST_SIGMA))};
    self->centre = build->parameter(build, "centre", 1, side, &glorot, WEIR_TENSOR_NO_DECAY);
    self->log_alpha = build->parameter(build, "log_alpha", 1, one, NULL, WEIR_TENSOR_NO_DECAY);
    self->beta = build->parameter(build, "beta", 1, one, &still, WEIR_TENSOR_NO_DECAY);
    self->alpha = build->derived(build, "alpha", 1, one);
    self->sigma = build->derived(build, "sigma", 1, one);
}

static weir_status radial_create(weir_builder *build, void **module)
{
    radial *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->inverted = weir_explicit_inverted(build);
    declare(self, build);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module radial_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "radial",
    .version = "1.0.0",
    .summary = "pushes space away from a centre or pulls it in; always invertible (Rezende and Mohamed)",
    .doc = radial_doc,
    WEIR_OPTIONS(radial_options),
    .create = radial_create,
    .destroy = free,
    .prepare = WEIR_NAME(radial_prepare),
    .prepare_vjp = WEIR_NAME(radial_prepare_vjp),
    .ops = &radial_ops,
};

WEIR_PLUGIN(&radial_module);
