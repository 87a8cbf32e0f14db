/* planar - one hidden unit bends space along a direction. */
#include "unit.h"

#include <weir/explicit.h>

#include <stdlib.h>

static const char planar_doc[] =
    "The explicit map is g(s) = s + v h(a), a = w.s + b, h = tanh or leaky_relu. explicit = forward makes it z = g(x), for\n"
    "densities of data; explicit = inverse makes it x = g(z), for variational use, where samples are what is cheap.\n"
    "Parameters: w [D] (direction), u [D] (amount), b [1]. For g to be invertible w.v > -1 must hold, so v is derived:\n"
    "  v = u + (q - 1 - w.u) w / |w|^2,   q = 1 + w.v = softplus(w.u) + 1e-6,\n"
    "q computed as it stands here, never as 1 + w.v. |w| <= 1e-30 counts as w = 0: then v = u and g is a shift by u h(b).\n"
    "  log|det dg/ds| = log psi,  psi = 1 + h'(a) (q - 1) = (1 - h'(a)) + h'(a) q, a sum of two positive terms.\n"
    "g^-1(y): with a = w.s + b and c = w.y + b the equation w.g(s) = w.y reads a + (q - 1) h(a) = c, one increasing\n"
    "scalar function. For leaky_relu a has c's sign and follows by a division; for tanh it is a bracketed root (Newton,\n"
    "safeguarded, to machine precision; rows that fail are discarded, iterations are in the report). Then s = y - v h(a).\n"
    "Gradients of g, given y_bar and l_bar: with k = h'(a) v.y_bar + l_bar h''(a) (q - 1) / psi,\n"
    "  s_bar = y_bar + k w,  w_bar = k s,  b_bar = k,  v_bar = h(a) y_bar,  q_bar = l_bar h'(a) / psi.\n"
    "Gradients of g^-1, given s_bar and l_bar (that of -log psi), by the implicit function theorem: y_bar solves\n"
    "  (I + h' w v^T) y_bar = s_bar - l_bar (h'' (q - 1) / psi) w,  and by Sherman and Morrison y_bar = s_bar - k w with\n"
    "  k = (h'(a) v.s_bar + l_bar h''(a) (q - 1) / psi) / psi;\n"
    "the parameters get the gradients of g for (-y_bar, -l_bar), where the factor k of w and b turns out to be -k:\n"
    "  w_bar = -k s,  b_bar = -k,  v_bar = -h(a) y_bar,  q_bar = -l_bar h'(a) / psi.\n"
    "Cost: O(D) a row in either direction, plus one tanh for each iteration of the root (about 6).\n"
    "Starts: u = 0, b = 0, w uniform on +-sqrt(6 / (D + 1)) (Glorot). That is not the identity, as in the source: along\n"
    "w the slope at 0 is log 2. start = identity adds log(e - 1) inside the softplus, so that u = 0 gives v = 0.\n"
    "Source: Rezende and Mohamed 2015, \"Variational inference with normalizing flows\", arXiv:1505.05770, section 4.1\n"
    "and appendix A.1; Glorot and Bengio 2010.";

static const weir_option planar_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "activation",
     .default_json = "\"tanh\"",
     .choices = "tanh|leaky_relu",
     .summary = "h, the bend"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "slope",
     .default_json = "0.01",
     .minimum = 0,
     .maximum = 1,
     .summary = "slope of leaky_relu below 0"},
    WEIR_EXPLICIT_OPTION,
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "start",
     .default_json = "\"source\"",
     .choices = "source|identity",
     .summary = "what u = 0 means: the source's map, or the identity"},
};

/* ---- the two maps ---------------------------------------------------------------------------------------- */

/* Sums stay in registers while the features go by, for BLOCK vectors of rows at a time: as arrays they would be written as
 * often as lanes are read. */
#define BLOCK  4
#define VECTOR (int32_t)(sizeof(rows) / sizeof(weir_real))

typedef weir_real rows __attribute__((vector_size(32), may_alias));

/* Into the clones, or they would call a common version. */
#define INTO_CLONES static inline __attribute__((always_inline))

INTO_CLONES const rows *rows_at(const weir_tile *tile, int32_t f, int32_t first)
{
    return (const rows *)(const void *)(weir_lane(tile, f) + first);
}

INTO_CLONES void project_rows(const int count, int32_t features, const weir_real *v, weir_real start,
                              const weir_tile *tile, int32_t first, weir_real *sum)
{
    rows part[BLOCK];
    for (int i = 0; i < count; i++) part[i] = (rows){0} + start;
    for (int32_t f = 0; f < features; f++) {
        const rows *const lane = rows_at(tile, f, first);
        for (int i = 0; i < count; i++) part[i] += v[f] * lane[i];
    }
    for (int i = 0; i < count; i++) ((rows *)(void *)(sum + first))[i] = part[i];
}

/* sum = start + vector.tile of every row. */
WEIR_CLONES static void project(const planar *self, const weir_frame *frame, weir_handle vector,
                                weir_real start, const weir_tile *tile, weir_real *sum)
{
    const weir_real *const v = weir_tensor(frame, vector);
    int32_t r = 0;
    for (; r + BLOCK * VECTOR <= frame->width; r += BLOCK * VECTOR)
        project_rows(BLOCK, self->features, v, start, tile, r, sum);
    for (; r < frame->width; r += VECTOR) project_rows(1, self->features, v, start, tile, r, sum);
}

INTO_CLONES void add_rows(const int count, int32_t features, const weir_real *v, weir_real sign,
                          const weir_real *lane, const weir_tile *from, const weir_tile *to, int32_t first,
                          weir_real *met, rows *all)
{
    rows by[BLOCK], part[BLOCK];
    for (int i = 0; i < count; i++) by[i] = sign * ((const rows *)(const void *)(lane + first))[i];
    for (int i = 0; i < count; i++) part[i] = (rows){0};
    for (int32_t f = 0; f < features; f++) {
        const rows *const in = rows_at(from, f, first);
        rows *const out = (rows *)(void *)(weir_lane(to, f) + first);
        const weir_real factor = v[f];
        for (int i = 0; i < count; i++) {
            const rows sum = in[i] + factor * by[i];
            out[i] = sum;
            part[i] += sum * 0;
        }
    }
    for (int i = 0; i < count; i++) {
        ((rows *)(void *)(met + first))[i] = part[i];
        *all += part[i];
    }
}

/* to = from + sign * vector * lane. `met` becomes 0 where all numbers of a row are finite, else NaN; 0 when all rows are. */
WEIR_CLONES static int add_lanes(const planar *self, const weir_frame *frame, weir_handle vector,
                                 weir_real sign, const weir_real *lane, const weir_tile *from,
                                 const weir_tile *to, weir_real *met)
{
    const weir_real *const v = weir_tensor(frame, vector);
    const weir_tile in = *from, out = *to; /* copies, which no store can change */
    weir_real sum = 0;
    rows all = {0};
    int32_t r = 0;
    for (; r + BLOCK * VECTOR <= frame->width; r += BLOCK * VECTOR)
        add_rows(BLOCK, self->features, v, sign, lane, &in, &out, r, met, &all);
    for (; r < frame->width; r += VECTOR) add_rows(1, self->features, v, sign, lane, &in, &out, r, met, &all);
    for (int32_t i = 0; i < VECTOR; i++) sum += all[i];
    return sum != 0;
}

static weir_status add_along(const planar *self, weir_frame *frame, weir_handle vector, weir_real sign,
                             const weir_real *lane, const weir_tile *from, const weir_tile *to)
{
    weir_real *const met = weir_take_lane(frame);
    if (!met) return WEIR_ERROR;
    if (!add_lanes(self, frame, vector, sign, lane, from, to, met)) return WEIR_OK;
    return weir_discard_unless_finite(frame, met);
}

static weir_status planar_run(const planar *self, weir_frame *frame, const weir_tile *s, const weir_tile *y,
                              weir_real *log_det)
{
    unit at;
    if (!WEIR_NAME(unit_take)(frame, &at, 0)) return WEIR_ERROR;
    project(self, frame, self->w, *weir_tensor(frame, self->b), s, at.a);
    WEIR_NAME(unit_evaluate)(self, frame, &at);
    if (log_det) WEIR_NAME(unit_add_log_det)(frame, &at, 1, log_det);
    return add_along(self, frame, self->v, 1, at.h, s, y);
}

static weir_status planar_solve(const planar *self, weir_frame *frame, const weir_tile *y, const weir_tile *s,
                                weir_real *log_det)
{
    unit at;
    weir_status status = WEIR_OK;
    if (!WEIR_NAME(unit_take)(frame, &at, 0)) return WEIR_ERROR;
    project(self, frame, self->w, *weir_tensor(frame, self->b), y, at.a);
    WEIR_TRY(status, WEIR_NAME(unit_solve)(self, frame, at.a));
    WEIR_NAME(unit_evaluate)(self, frame, &at);
    if (log_det) WEIR_NAME(unit_add_log_det)(frame, &at, -1, log_det);
    WEIR_TRY(status, add_along(self, frame, self->v, -1, at.h, y, s));
    return status;
}

/* ---- their VJPs -------------------------------------------------------------------------------------------- */

/* gradient_f += sign * (sum over rows of factor * lane_f): a product with one column, of all lanes at once where they lie
 * in order. */
static void add_products(const planar *self, const weir_frame *frame, const weir_tile *tile,
                         const weir_real *factor, weir_real sign, weir_real *gradient)
{
    const int32_t count = tile->lanes ? 1 : self->features;
    for (int32_t f = 0; gradient && f < self->features; f += count)
        frame->math->gemm(count, 1, frame->rows, (double)sign, weir_lane(tile, f), tile->stride, 1, factor, 1,
                          1, 1, gradient + f, 1, 1);
}

/* From k = v.out_bar the factor k of the doc; `divide` is 1 in the numeric direction. */
WEIR_CLONES static void bend_factor(int32_t n, const unit *at, const weir_real *restrict l_bar, int divide,
                                    weir_real *restrict k)
{
    const weir_real *restrict const slope = at->slope, *restrict const psi = at->psi;
    const weir_real *restrict const curve = at->curve;
    for (int32_t r = 0; r < n; r++) k[r] *= slope[r];
    for (int32_t r = 0; l_bar && r < n; r++) k[r] += l_bar[r] * curve[r];
    for (int32_t r = 0; divide && r < n; r++) k[r] /= psi[r];
}

/* Of q_bar each row's part, l_bar h' / psi. */
WEIR_CLONES static void pull_stretch(int32_t n, const unit *at, const weir_real *restrict l_bar,
                                     weir_real *restrict part)
{
    const weir_real *restrict const slope = at->slope, *restrict const psi = at->psi;
    for (int32_t r = 0; r < n; r++) part[r] = l_bar[r] * slope[r] / psi[r];
}

/* sign is 1 for the explicit direction and -1 for the numeric one; y_bar is the cotangent of g's output. Ends with at. */
static void add_gradients(const planar *self, weir_frame *frame, const unit *at, const weir_real *k,
                          weir_real sign, const weir_tile *s, const weir_tile *y_bar, const weir_real *l_bar)
{
    weir_real *const b = weir_gradient(frame, self->b), *const q = weir_gradient(frame, self->q);
    add_products(self, frame, s, k, sign, weir_gradient(frame, self->w));
    add_products(self, frame, y_bar, at->h, sign, weir_gradient(frame, self->v));
    if (b) *b += sign * weir_sum_lane(frame, k);
    if (!q || !l_bar) return;
    pull_stretch(frame->width, at, l_bar, at->curve);
    *q += sign * weir_sum_lane(frame, at->curve);
}

static weir_status planar_pull(const planar *self, weir_frame *frame, const weir_tile *s,
                               const weir_tile *out_bar, const weir_real *l_bar, const weir_tile *in_bar,
                               int numeric)
{
    unit at;
    weir_tile unwanted;
    weir_real *const k = weir_take_lane(frame);
    if (!k || !WEIR_NAME(unit_take)(frame, &at, 1)) return WEIR_ERROR;
    if (!in_bar && !weir_take_tile(frame, self->features, &unwanted)) return WEIR_ERROR;
    if (!in_bar) in_bar = &unwanted;
    project(self, frame, self->w, *weir_tensor(frame, self->b), s, at.a);
    WEIR_NAME(unit_evaluate)(self, frame, &at);
    project(self, frame, self->v, 0, out_bar, k);
    bend_factor(frame->width, &at, l_bar, numeric, k);
    const weir_status status = add_along(self, frame, self->w, numeric ? -1 : 1, k, out_bar, in_bar);
    add_gradients(self, frame, &at, k, numeric ? -1 : 1, s, numeric ? in_bar : out_bar, l_bar);
    return status;
}

WEIR_EXPLICIT_LAYER(planar);

/* ---- creation ------------------------------------------------------------------------------------------------ */

static void declare(planar *self, weir_builder *build)
{
    const int64_t side[1] = {self->features}, one[1] = {1};
    const double reach = sqrt(6.0 / (self->features + 1.0));
    const weir_init glorot = {
        .struct_size = (uint32_t)sizeof glorot, .kind = WEIR_INIT_UNIFORM, .a = -reach, .b = reach};
    self->w = build->parameter(build, "w", 1, side, &glorot, 0);
    self->u = build->parameter(build, "u", 1, side, NULL, 0);
    self->b = build->parameter(build, "b", 1, one, NULL, WEIR_TENSOR_NO_DECAY);
    self->v = build->derived(build, "constrained_u", 1, side);
    self->q = build->derived(build, "stretch", 1, one);
}

static weir_status planar_create(weir_builder *build, void **module)
{
    planar *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->leaky = strcmp(build->string(build, "activation"), "leaky_relu") == 0;
    self->inverted = weir_explicit_inverted(build);
    self->below = WEIR_C(build->number(build, "slope"));
    self->offset = strcmp(build->string(build, "start"), "identity") == 0 ? log(expm1(1 - LEAST_STRETCH)) : 0;
    declare(self, build);
    if (!self->leaky && !self->inverted) build->traits(build, WEIR_TRAIT_INVERSE_NUMERIC);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

const weir_module WEIR_NAME(planar_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "planar",
    .version = "1.0.0",
    .summary = "one hidden unit bends space along a direction; always invertible (Rezende and Mohamed)",
    .doc = planar_doc,
    WEIR_OPTIONS(planar_options),
    .create = planar_create,
    .destroy = free,
    .prepare = WEIR_NAME(planar_prepare),
    .prepare_vjp = WEIR_NAME(planar_prepare_vjp),
    .ops = &planar_ops,
};
