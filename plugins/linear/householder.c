/* householder.c - an orthogonal matrix as a product of Householder reflections, multiplied out once per update. */
#include "matrix.h"
#include "orthogonal.h"

#include <weir/reflections.h>

#include <stdlib.h>

/* Random directions, in pairs of equals unless a random matrix is wanted: a pair is the identity, and its gradient is
 * not zero. The one left over of an odd number stays a mirror. */
static weir_status reflections_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features, many[2] = {self->size, n}, side[2] = {n, n}, count = self->size * n;
    double *const values = calloc((size_t)self->size + 1, (size_t)n * sizeof *values);
    char name[32];
    if (!values) return weir_refuse(build, "out of memory");
    snprintf(name, sizeof name, "dense_%s", self->name);
    WEIR_NAME(random_normal)(count, from->key ^ (uint64_t)self->name[0], values);
    for (int32_t k = 1; !from->random && k < self->size; k += 2)
        memcpy(values + k * n, values + (k - 1) * n, (size_t)n * sizeof *values);
    const weir_init init = start_at(values);
    self->main = build->parameter(build, self->name, 2, many, &init, WEIR_TENSOR_NO_DECAY);
    self->dense = build->derived(build, name, 2, side);
    free(values);
    return WEIR_OK;
}

static weir_status reflections_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const int32_t n = self->features;
    double *const q = matrix_take(frame, (int64_t)n * n), *const work = matrix_take(frame, 2 * (int64_t)n);
    (void)log_volume;
    if (!q || !work) return WEIR_ERROR;
    if (WEIR_NAME(require_finite)(frame, self->name, self->main, self->size, n) != WEIR_OK)
        return WEIR_INVALID;
    weir_reflections(n, n, self->size, weir_tensor(frame, self->main), q, work);
    matrix_write((int64_t)n * n, q, weir_tensor(frame, self->dense));
    return WEIR_OK;
}

static weir_status reflections_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const int32_t n = self->features;
    const int64_t count = (int64_t)n * n;
    const weir_real *const vectors = weir_tensor(frame, self->main);
    const weir_real *const dense_bar = weir_gradient(frame, self->dense);
    weir_real *const vectors_bar = weir_gradient(frame, self->main);
    double *const q = matrix_take(frame, count), *const q_bar = matrix_take(frame, count);
    double *const work = matrix_take(frame, 3 * (int64_t)n);
    (void)log_volume_bar;
    if (!q || !q_bar || !work) return WEIR_ERROR;
    if (!dense_bar || !vectors_bar) return WEIR_OK;
    weir_reflections(n, n, self->size, vectors, q, work);
    matrix_read(count, dense_bar, q_bar);
    weir_reflections_pull(n, n, self->size, vectors, q, q_bar, work, vectors_bar);
    return WEIR_OK;
}

const factor_ops WEIR_NAME(reflections_factor) = {
    ORTHOGONAL_CALLS,
    .declare = reflections_declare,
    .prepare = reflections_prepare,
    .prepare_vjp = reflections_prepare_vjp,
};
