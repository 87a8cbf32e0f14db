/* sylvester - M hidden units bend space along M orthogonal directions. */
#include "factors.h"
#include "unit.h"
#include "units.h"

#include <weir/explicit.h>

#include <stdlib.h>

static const char sylvester_doc[] =
    "The explicit map is g(s) = s + Q R h(a), a = S Q^T s + b, h = tanh; Q [D, M] has orthonormal columns, R and S [M, M]\n"
    "are upper triangular, M = hidden <= D. explicit = forward makes it z = g(x), for densities of data; explicit = inverse\n"
    "makes it x = g(z), for variational use. planar is M = 1.\n"
    "By Sylvester's identity det dg/ds = det(I + diag(h') S R) = prod psi_i, psi_i = 1 + h'(a_i) s_ii r_ii. Invertible by\n"
    "parameterisation: s_ii = exp(l_i) and r_ii = (q_i - 1) exp(-l_i) with q_i = softplus(p_i + log(e - 1)) + 1e-6 (the\n"
    "constant to 1e-6), so that s_ii r_ii = q_i - 1 > -1 and psi_i = (1 - h') + h' q_i, a sum of two positive terms.\n"
    "Q is the first M columns of a product of M Householder reflections.\n"
    "Parameters: householder [M, D]; outer [M (M - 1) / 2] and inner [M (M - 1) / 2], the columns of R and S above the\n"
    "diagonal; log_scale [M] = l; stretch [M] = p; bias [M] = b. Derived: A = S Q^T [M, D], B = Q R [D, M], T = S R, q.\n"
    "g^-1(y): S Q^T g(s) + b = a + T h(a), so a solves a + T h(a) = A y + b, upper triangular: from the last unit to the\n"
    "first each is one increasing scalar equation a_i + (q_i - 1) h(a_i) = c_i, solved by a bracketed root (Newton,\n"
    "safeguarded, to machine precision; rows that fail are discarded, iterations are in the report). Then s = y - B h(a).\n"
    "Gradients of g, given y_bar and l_bar: with L_i = h''(a_i) (q_i - 1) / psi_i and k_i = h'(a_i) (B^T y_bar)_i + l_bar L_i,\n"
    "  s_bar = y_bar + A^T k,  A_bar = k s^T,  b_bar = k,  B_bar = y_bar h^T,  q_bar_i = l_bar h'(a_i) / psi_i.\n"
    "Gradients of g^-1, given s_bar and l_bar (that of -sum log psi), by the implicit function theorem: y_bar solves\n"
    "J^T y_bar = s_bar - l_bar A^T L, J^T = I + A^T diag(h') B^T. So y_bar = s_bar - A^T k, where (Woodbury; B^T A^T = T^T)\n"
    "  (I + diag(h') T^T) k = diag(h') B^T s_bar + l_bar L,  lower triangular with psi on its diagonal;\n"
    "the parameters get the gradients of g for (-y_bar, -l_bar), in which k becomes -k.\n"
    "Cost: O(D M + M^2) a row in either direction, plus about 6 tanh a unit for the roots; O(D M^2) per update.\n"
    "Starts at the identity (p = 0: R = 0), with random directions. Refused: hidden > D.\n"
    "Source: van den Berg et al. 2018, \"Sylvester normalizing flows for variational inference\", arXiv:1803.05649, theorems\n"
    "1 and 2 and section 3.2 (Householder); the softplus of the product s_ii r_ii in place of their tanh of each.";

static const weir_option sylvester_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "hidden",
     .default_json = "null",
     .minimum = 1,
     .maximum = 4096,
     .summary =
         "hidden units M, at most as many as features; absent: 16, or all features when they are fewer"},
    WEIR_EXPLICIT_OPTION,
};

/* ---- the two maps ---------------------------------------------------------------------------------------- */

/* to = A from + b */
static void project(const sylvester *self, const weir_frame *frame, const weir_tile *from,
                    const weir_tile *to)
{
    const weir_real *const bias = weir_tensor(frame, self->bias);
    frame->math->gemm(self->hidden, frame->width, self->features, 1, weir_tensor(frame, self->inner_map),
                      self->features, 1, from->data, from->stride, 1, 0, to->data, to->stride, 1);
    for (int32_t i = 0; i < self->hidden; i++)
        for (int32_t r = 0; r < frame->width; r++) weir_lane(to, i)[r] += bias[i];
}

/* to = from + sign B h */
static weir_status add_units(const sylvester *self, weir_frame *frame, double sign, const weir_tile *h,
                             const weir_tile *from, const weir_tile *to)
{
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < self->features; f++) weir_copy_lane(frame, weir_lane(from, f), weir_lane(to, f));
    frame->math->gemm(self->features, frame->width, self->hidden, sign, weir_tensor(frame, self->outer_map),
                      self->hidden, 1, h->data, h->stride, 1, 1, to->data, to->stride, 1);
    for (int32_t f = 0; f < self->features; f++)
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(to, f)));
    return status;
}

static weir_status sylvester_run(const sylvester *self, weir_frame *frame, const weir_tile *s,
                                 const weir_tile *y, weir_real *log_det)
{
    units at;
    if (!WEIR_NAME(units_take)(self, frame, &at)) return WEIR_ERROR;
    project(self, frame, s, &at.a);
    WEIR_NAME(units_evaluate)(self, frame, &at);
    if (log_det) WEIR_NAME(units_add_log_det)(self, frame, &at, 1, log_det);
    return add_units(self, frame, 1, &at.h, s, y);
}

static weir_status sylvester_solve(const sylvester *self, weir_frame *frame, const weir_tile *y,
                                   const weir_tile *s, weir_real *log_det)
{
    units at;
    weir_status status = WEIR_OK;
    if (!WEIR_NAME(units_take)(self, frame, &at)) return WEIR_ERROR;
    project(self, frame, y, &at.a);
    WEIR_TRY(status, WEIR_NAME(units_solve)(self, frame, &at));
    WEIR_NAME(units_evaluate)(self, frame, &at);
    if (log_det) WEIR_NAME(units_add_log_det)(self, frame, &at, -1, log_det);
    WEIR_TRY(status, add_units(self, frame, -1, &at.h, y, s));
    return status;
}

/* ---- their VJPs -------------------------------------------------------------------------------------------- */

/* sign is 1 for the explicit direction and -1 for the numeric one; y_bar is the cotangent of g's output. */
static void add_gradients(const sylvester *self, weir_frame *frame, const units *at, const weir_tile *k,
                          double sign, const weir_tile *s, const weir_tile *y_bar, const weir_real *l_bar)
{
    const int32_t d = self->features, m = self->hidden;
    weir_real *const inner = weir_gradient(frame, self->inner_map);
    weir_real *const outer = weir_gradient(frame, self->outer_map);
    weir_real *const bias = weir_gradient(frame, self->bias), *const q = weir_gradient(frame, self->q);
    if (inner)
        frame->math->gemm(m, d, frame->rows, sign, k->data, k->stride, 1, s->data, 1, s->stride, 1, inner, d,
                          1);
    if (outer)
        frame->math->gemm(d, m, frame->rows, sign, y_bar->data, y_bar->stride, 1, at->h.data, 1, at->h.stride,
                          1, outer, m, 1);
    for (int32_t i = 0; i < m; i++) {
        const weir_real *const slope = weir_lane(&at->slope, i), *const psi = weir_lane(&at->psi, i);
        if (bias) bias[i] += WEIR_C(sign) * weir_sum_lane(frame, weir_lane(k, i));
        for (int32_t r = 0; q && l_bar && r < frame->rows; r++)
            q[i] += WEIR_C(sign) * l_bar[r] * slope[r] / psi[r];
    }
}

static weir_status sylvester_pull(const sylvester *self, weir_frame *frame, const weir_tile *s,
                                  const weir_tile *out_bar, const weir_real *l_bar, const weir_tile *in_bar,
                                  int numeric)
{
    const int32_t d = self->features, m = self->hidden;
    const double sign = numeric ? -1 : 1;
    units at;
    weir_tile k, unwanted;
    if (!weir_take_tile(frame, m, &k) || !WEIR_NAME(units_take)(self, frame, &at)) return WEIR_ERROR;
    if (!in_bar && !weir_take_tile(frame, d, &unwanted)) return WEIR_ERROR;
    if (!in_bar) in_bar = &unwanted;
    project(self, frame, s, &at.a);
    WEIR_NAME(units_evaluate)(self, frame, &at);
    frame->math->gemm(m, frame->width, d, 1, weir_tensor(frame, self->outer_map), 1, m, out_bar->data,
                      out_bar->stride, 1, 0, k.data, k.stride, 1);
    WEIR_NAME(units_pull)(self, frame, &at, l_bar, numeric, &k);
    for (int32_t f = 0; f < d; f++) weir_copy_lane(frame, weir_lane(out_bar, f), weir_lane(in_bar, f));
    frame->math->gemm(d, frame->width, m, sign, weir_tensor(frame, self->inner_map), 1, d, k.data, k.stride,
                      1, 1, in_bar->data, in_bar->stride, 1);
    add_gradients(self, frame, &at, &k, sign, s, numeric ? in_bar : out_bar, l_bar);
    return WEIR_OK;
}

WEIR_EXPLICIT_LAYER(sylvester);

/* ---- creation ------------------------------------------------------------------------------------------------ */

static void declare(sylvester *self, weir_builder *build)
{
    const int64_t d = self->features, m = self->hidden;
    const int64_t side[2] = {m, m}, half[1] = {m * (m - 1) / 2}, wide[2] = {m, d}, tall[2] = {d, m};
    const weir_init normal = {.struct_size = (uint32_t)sizeof normal, .kind = WEIR_INIT_NORMAL, .b = 1};
    self->householder = build->parameter(build, "householder", 2, wide, &normal, WEIR_TENSOR_NO_DECAY);
    self->outer = build->parameter(build, "outer", 1, half, NULL, 0);
    self->inner = build->parameter(build, "inner", 1, half, NULL, 0);
    self->log_scale = build->parameter(build, "log_scale", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->stretch = build->parameter(build, "stretch", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->bias = build->parameter(build, "bias", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->inner_map = build->derived(build, "inner_map", 2, wide);
    self->outer_map = build->derived(build, "outer_map", 2, tall);
    self->product = build->derived(build, "product", 2, side);
    self->q = build->derived(build, "q", 1, side);
}

static weir_status sylvester_create(weir_builder *build, void **module)
{
    const int64_t asked = build->given(build, "hidden") ? build->integer(build, "hidden") : 16;
    if (build->features < 1) return weir_refuse(build, "sylvester needs at least 1 feature");
    if (build->given(build, "hidden") && asked > build->features)
        return weir_refuse(build, "hidden = %d is more than the %d features: choose at most that many",
                           (int)asked, (int)build->features);
    sylvester *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->hidden = asked < build->features ? (int32_t)asked : build->features;
    self->inverted = weir_explicit_inverted(build);
    declare(self, build);
    if (!self->inverted) build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module sylvester_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "sylvester",
    .version = "1.0.0",
    .summary =
        "M hidden units bend space along orthogonal directions; always invertible (van den Berg et al.)",
    .doc = sylvester_doc,
    WEIR_OPTIONS(sylvester_options),
    .create = sylvester_create,
    .destroy = free,
    .prepare = WEIR_NAME(sylvester_prepare),
    .prepare_vjp = WEIR_NAME(sylvester_prepare_vjp),
    .ops = &sylvester_ops,
};

WEIR_PLUGIN(&sylvester_module, &WEIR_NAME(planar_module));
