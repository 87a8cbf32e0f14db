/* full.c - a dense matrix of free entries, with its inverse and determinant computed once per update. */
#include "dense.h"
#include "factor.h"
#include "matrix.h"

#include <stdlib.h>

static weir_status full_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features, side[2] = {n, n};
    double *const values = calloc((size_t)n, (size_t)n * sizeof *values);
    int ready = values != NULL;
    for (int64_t i = 0; ready && i < n; i++) values[i * n + i] = 1;
    if (ready && from->random) ready = WEIR_NAME(random_orthogonal)(self->features, from->key, values);
    const weir_init init = start_at(values);
    if (ready) self->main = build->parameter(build, self->name, 2, side, &init, 0);
    if (ready) self->dense = build->derived(build, "inverse", 2, side);
    free(values);
    return ready ? WEIR_OK : weir_refuse(build, "out of memory");
}

static weir_status full_multiply(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                                 const weir_tile *out)
{
    dense_multiply(frame, self->features, weir_tensor(frame, self->main), transposed, in, out);
    return WEIR_OK;
}

static weir_status full_solve(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                              const weir_tile *out)
{
    dense_multiply(frame, self->features, weir_tensor(frame, self->dense), transposed, in, out);
    return WEIR_OK;
}

static weir_status full_outer(const factor *self, weir_frame *frame, double sign, const weir_tile *left,
                              const weir_tile *right)
{
    dense_outer(frame, sign, left, right, weir_gradient(frame, self->main));
    return WEIR_OK;
}

static weir_status full_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const int64_t count = (int64_t)self->features * self->features;
    double *const a = matrix_take(frame, count), *const inverse = matrix_take(frame, count);
    matrix_size size;
    if (!a || !inverse) return WEIR_ERROR;
    if (WEIR_NAME(require_finite)(frame, self->name, self->main, self->features, self->features) != WEIR_OK)
        return WEIR_INVALID;
    matrix_read(count, weir_tensor(frame, self->main), a);
    const weir_status status = WEIR_NAME(matrix_invert)(frame, self->features, a, inverse, &size);
    if (status == WEIR_INVALID)
        return weir_failf(
            frame, status,
            "the parameter `weight` is singular to rounding (condition %.1e): load another matrix, or use "
            "parameterization = lu, which cannot become singular",
            size.condition);
    if (status != WEIR_OK) return status;
    matrix_write(count, inverse, weir_tensor(frame, self->dense));
    *log_volume += size.log_volume;
    return WEIR_OK;
}

/* d log |det W| / dW = W^-T */
static weir_status full_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const int64_t n = self->features;
    const weir_real *const inverse = weir_tensor(frame, self->dense);
    weir_real *const weight_bar = weir_gradient(frame, self->main);
    for (int64_t i = 0; weight_bar && i < n; i++)
        for (int64_t j = 0; j < n; j++) weight_bar[i * n + j] += WEIR_C(log_volume_bar) * inverse[j * n + i];
    return WEIR_OK;
}

const factor_ops WEIR_NAME(full_factor) = {
    .declare = full_declare,
    .multiply = full_multiply,
    .solve = full_solve,
    .outer = full_outer,
    .prepare = full_prepare,
    .prepare_vjp = full_prepare_vjp,
};
