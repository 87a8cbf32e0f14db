/* cayley.c - the rotation W = (I - A)(I + A)^-1 of a skew-symmetric A: with M = (I + A)^-1 it is 2 M - I. I + A is never
 * singular, its eigenvalues are 1 + i w (Cayley 1846). Rotations by exactly 180 degrees are its limits, not its values. */
#include "matrix.h"
#include "skew.h"

/* m = (I + A)^-1; `work` is destroyed. */
static weir_status take_resolvent(const factor *self, weir_frame *frame, double *work, double *m)
{
    const int32_t n = self->features;
    matrix_size size;
    double norm;
    weir_status status = WEIR_NAME(skew_read)(self, frame, work, &norm);
    if (status != WEIR_OK) return status;
    for (int64_t i = 0; i < n; i++) work[i * n + i] = 1;
    status = WEIR_NAME(matrix_invert)(frame, n, work, m, &size);
    /* Never singular, however large its condition: the limit on A's size is limit enough. */
    return status == WEIR_INVALID && size.condition < INFINITY ? WEIR_OK : status;
}

static weir_status cayley_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const int64_t n = self->features;
    double *const work = matrix_take(frame, n * n), *const m = matrix_take(frame, n * n);
    weir_real *const w = weir_tensor(frame, self->dense);
    (void)log_volume;
    if (!work || !m) return WEIR_ERROR;
    const weir_status status = take_resolvent(self, frame, work, m);
    if (status != WEIR_OK) return status;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) w[i * n + j] = WEIR_C(2 * m[i * n + j] - (i == j));
    return WEIR_OK;
}

/* dM = -M dA M, so A_bar = -M^T M_bar M^T with M_bar = 2 W_bar. */
static weir_status cayley_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const int32_t n = self->features;
    const int64_t count = (int64_t)n * n;
    const weir_real *const w_bar = weir_gradient(frame, self->dense);
    double *const m = matrix_take(frame, count), *const transposed = matrix_take(frame, count);
    double *const bar = matrix_take(frame, count), *const half = matrix_take(frame, count);
    (void)log_volume_bar;
    if (!m || !transposed || !bar || !half) return WEIR_ERROR;
    if (!w_bar) return WEIR_OK;
    const weir_status status = take_resolvent(self, frame, half, m);
    if (status != WEIR_OK) return status;
    for (int64_t i = 0; i < count; i++) bar[i] = -2 * (double)w_bar[i];
    WEIR_NAME(matrix_transpose)(n, n, m, transposed);
    WEIR_NAME(matrix_product)(n, n, n, transposed, bar, half);
    WEIR_NAME(matrix_product)(n, n, n, half, transposed, bar);
    WEIR_NAME(skew_pull)(self, frame, bar);
    return WEIR_OK;
}

const factor_ops WEIR_NAME(cayley_factor) = {
    ORTHOGONAL_CALLS,
    .declare = WEIR_NAME(skew_declare),
    .prepare = cayley_prepare,
    .prepare_vjp = cayley_prepare_vjp,
};
