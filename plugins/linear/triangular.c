/* triangular.c - a triangular matrix, packed in parameters, laid out dense for products and solves. Its diagonal is kept by
 * its logarithm, with fixed signs where FACTOR_SIGNED asks, or is one (FACTOR_UNIT). */
#include "factor.h"
#include "triangle.h"

static int is_lower(const factor *self)
{
    return (self->flags & FACTOR_LOWER) != 0;
}

static int is_unit(const factor *self)
{
    return (self->flags & FACTOR_UNIT) != 0;
}

static triangle laid_out(const factor *self, const weir_frame *frame, int transpose)
{
    const triangle t = {weir_tensor(frame, self->dense), self->features, self->features, 1, is_lower(self)};
    return transpose ? transposed(t) : t;
}

/* ---- declaration ---------------------------------------------------------------------------------------------- */

static weir_status triangular_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features, side[2] = {n, n}, half[1] = {n * (n - 1) / 2};
    const weir_init packed = start_at(is_lower(self) ? from->lu.lower : from->lu.upper);
    const weir_init logs = start_at(from->lu.log_diagonal), given_sign = start_at(from->lu.sign);
    const weir_init plus = {.struct_size = (uint32_t)sizeof plus, .kind = WEIR_INIT_CONSTANT, .a = 1};
    char name[32];
    snprintf(name, sizeof name, "dense_%s", self->name);
    self->main = build->parameter(build, self->name, 1, half, &packed, 0);
    if (!is_unit(self))
        self->diagonal = build->parameter(build, "log_diagonal", 1, side, &logs, WEIR_TENSOR_NO_DECAY);
    if (self->flags & FACTOR_SIGNED)
        self->sign = build->buffer(build, "sign", 1, side, from->lu.sign ? &given_sign : &plus);
    self->dense = build->derived(build, name, 2, side);
    return WEIR_OK;
}

/* ---- tiles ---------------------------------------------------------------------------------------------------- */

static weir_status triangular_multiply(const factor *self, weir_frame *frame, int transposed,
                                       const weir_tile *in, const weir_tile *out)
{
    WEIR_NAME(triangle_multiply)(laid_out(self, frame, transposed), frame, in, out);
    return WEIR_OK;
}

static weir_status triangular_solve(const factor *self, weir_frame *frame, int transposed,
                                    const weir_tile *in, const weir_tile *out)
{
    for (int32_t i = 0; i < self->features; i++) weir_copy_lane(frame, weir_lane(in, i), weir_lane(out, i));
    WEIR_NAME(triangle_solve)(laid_out(self, frame, transposed), frame, out);
    return WEIR_OK;
}

static weir_status triangular_outer(const factor *self, weir_frame *frame, double sign, const weir_tile *left,
                                    const weir_tile *right)
{
    weir_real *const dense_bar = weir_gradient(frame, self->dense);
    if (dense_bar) WEIR_NAME(triangle_outer)(laid_out(self, frame, 0), frame, sign, left, right, dense_bar);
    return WEIR_OK;
}

/* ---- preparation ---------------------------------------------------------------------------------------------- */

/* Lays the packed triangle out with zeros in the other half. */
static void lay_out(const factor *self, const weir_real *packed, const weir_real *diagonal, weir_real *dense)
{
    const int32_t n = self->features;
    memset(dense, 0, (size_t)n * (size_t)n * sizeof *dense);
    for (int32_t i = 0; i < n; i++) {
        dense[(int64_t)i * n + i] = diagonal ? diagonal[i] : 1;
        for (int32_t j = 0; j < i; j++)
            dense[is_lower(self) ? (int64_t)i * n + j : (int64_t)j * n + i] = packed[packed_index(i, j)];
    }
}

/* The diagonal in scratch; NULL when that is exhausted. */
static weir_real *take_diagonal(const factor *self, weir_frame *frame, double *log_volume)
{
    const weir_real *const logs = weir_tensor(frame, self->diagonal);
    const weir_real *const sign = self->flags & FACTOR_SIGNED ? weir_tensor(frame, self->sign) : NULL;
    weir_real *const diagonal = weir_take(frame, self->features * (int64_t)sizeof *diagonal);
    if (!diagonal) return NULL;
    frame->math->exp(self->features, logs, diagonal);
    for (int32_t i = 0; i < self->features; i++) {
        *log_volume += (double)logs[i];
        if (sign && sign[i] < 0) diagonal[i] = -diagonal[i];
    }
    return diagonal;
}

static weir_status triangular_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const weir_real *diagonal = NULL;
    if (!is_unit(self) && !(diagonal = take_diagonal(self, frame, log_volume))) return WEIR_ERROR;
    lay_out(self, weir_tensor(frame, self->main), diagonal, weir_tensor(frame, self->dense));
    return WEIR_OK;
}

static void gather_gradient(const factor *self, const weir_real *dense, weir_real *packed)
{
    const int32_t n = self->features;
    if (!dense || !packed) return;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++)
            packed[packed_index(i, j)] += dense[is_lower(self) ? (int64_t)i * n + j : (int64_t)j * n + i];
}

static weir_status triangular_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const weir_real *const dense = weir_tensor(frame, self->dense);
    const weir_real *const dense_bar = weir_gradient(frame, self->dense);
    weir_real *const log_bar = is_unit(self) ? NULL : weir_gradient(frame, self->diagonal);
    gather_gradient(self, dense_bar, weir_gradient(frame, self->main));
    for (int32_t i = 0; log_bar && i < self->features; i++) {
        const int64_t at = (int64_t)i * self->features + i;
        log_bar[i] += (dense_bar ? dense_bar[at] * dense[at] : 0) + WEIR_C(log_volume_bar);
    }
    return WEIR_OK;
}

const factor_ops WEIR_NAME(triangular_factor) = {
    .declare = triangular_declare,
    .multiply = triangular_multiply,
    .solve = triangular_solve,
    .outer = triangular_outer,
    .prepare = triangular_prepare,
    .prepare_vjp = triangular_prepare_vjp,
};
