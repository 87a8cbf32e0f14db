/* low_rank.c - W = S + U V^T with S = diag(exp d) and U, V [n, r]: a diagonal and r directions that mix features.
 *
 * With C = I + V^T S^-1 U [r, r]: det W = det S det C (the matrix determinant lemma) and
 * W^-1 = S^-1 - S^-1 U C^-1 V^T S^-1 (Sherman, Morrison and Woodbury 1950). W^T swaps U and V, and transposes C. */
#include "dense.h"
#include "factor.h"
#include "matrix.h"

/* The parameters' names here: main is U, other V, diagonal d; derived: scale is exp d, dense C^-1. */

static weir_status low_rank_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features, r = self->size, tall[2] = {n, r}, small[2] = {r, r};
    const weir_init normal = {
        .struct_size = (uint32_t)sizeof normal, .kind = WEIR_INIT_NORMAL, .b = 1 / sqrt((double)n)};
    (void)from;
    self->main = build->parameter(build, self->name, 2, tall, NULL, 0);
    self->other = build->parameter(build, "right", 2, tall, &normal, 0);
    self->diagonal = build->parameter(build, "log_diagonal", 1, tall, NULL, WEIR_TENSOR_NO_DECAY);
    self->scale = build->derived(build, "scale", 1, tall);
    self->dense = build->derived(build, "capacitance_inverse", 2, small);
    return WEIR_OK;
}

/* ---- tiles ---------------------------------------------------------------------------------------------------- */

/* short_tile [r] = B^T long_tile [n], for B = U or V */
static void gather(const factor *self, weir_frame *frame, weir_handle basis, const weir_tile *long_tile,
                   const weir_tile *short_tile)
{
    frame->math->gemm(self->size, frame->width, self->features, 1, weir_tensor(frame, basis), 1, self->size,
                      long_tile->data, long_tile->stride, 1, 0, short_tile->data, short_tile->stride, 1);
}

/* long_tile += sign * B short_tile */
static void spread(const factor *self, weir_frame *frame, double sign, weir_handle basis,
                   const weir_tile *short_tile, const weir_tile *long_tile)
{
    frame->math->gemm(self->features, frame->width, self->size, sign, weir_tensor(frame, basis), self->size,
                      1, short_tile->data, short_tile->stride, 1, 1, long_tile->data, long_tile->stride, 1);
}

static weir_status low_rank_multiply(const factor *self, weir_frame *frame, int transposed,
                                     const weir_tile *in, const weir_tile *out)
{
    const weir_real *const scales = weir_tensor(frame, self->scale);
    weir_tile along;
    if (!weir_take_tile(frame, self->size, &along)) return WEIR_ERROR;
    gather(self, frame, transposed ? self->main : self->other, in, &along);
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real *const restrict from = weir_lane(in, i), scale = scales[i];
        weir_real *const restrict to = weir_lane(out, i);
        for (int32_t r = 0; r < frame->width; r++) to[r] = from[r] * scale;
    }
    spread(self, frame, 1, transposed ? self->other : self->main, &along, out);
    return WEIR_OK;
}

static void divide(const factor *self, const weir_frame *frame, const weir_tile *in, const weir_tile *out)
{
    for (int32_t i = 0; i < self->features; i++) {
        const weir_real *const from = weir_lane(in, i), scale = weir_tensor(frame, self->scale)[i];
        weir_real *const to = weir_lane(out, i);
        for (int32_t r = 0; r < frame->width; r++) to[r] = from[r] / scale;
    }
}

/* out = S^-1 (in - U C^-1 V^T S^-1 in) */
static weir_status low_rank_solve(const factor *self, weir_frame *frame, int transposed, const weir_tile *in,
                                  const weir_tile *out)
{
    weir_tile along, weights;
    if (!weir_take_tile(frame, self->size, &along) || !weir_take_tile(frame, self->size, &weights))
        return WEIR_ERROR;
    divide(self, frame, in, out);
    gather(self, frame, transposed ? self->main : self->other, out, &along);
    dense_multiply(frame, self->size, weir_tensor(frame, self->dense), transposed, &along, &weights);
    for (int32_t i = 0; i < self->features; i++) weir_copy_lane(frame, weir_lane(in, i), weir_lane(out, i));
    spread(self, frame, -1, transposed ? self->other : self->main, &weights, out);
    divide(self, frame, out, out);
    return WEIR_OK;
}

/* W_bar = sign left right^T: S_bar is its diagonal, U_bar = W_bar V, V_bar = W_bar^T U. */
static weir_status low_rank_outer(const factor *self, weir_frame *frame, double sign, const weir_tile *left,
                                  const weir_tile *right)
{
    weir_real *const scale_bar = weir_gradient(frame, self->scale);
    weir_tile along;
    if (!weir_take_tile(frame, self->size, &along)) return WEIR_ERROR;
    gather(self, frame, self->other, right, &along);
    dense_outer(frame, sign, left, &along, weir_gradient(frame, self->main));
    gather(self, frame, self->main, left, &along);
    dense_outer(frame, sign, right, &along, weir_gradient(frame, self->other));
    for (int32_t i = 0; scale_bar && i < self->features; i++)
        scale_bar[i] += WEIR_C(sign) * dot_lanes(frame, weir_lane(left, i), weir_lane(right, i));
    return WEIR_OK;
}

/* ---- preparation ---------------------------------------------------------------------------------------------- */

/* In double: U, V, S^-1 U, C^-1. */
typedef struct pieces {
    double *u, *v, *scaled, *inverse;
    matrix_size size;
} pieces;

static int take_pieces(const factor *self, weir_frame *frame, pieces *p)
{
    const int64_t count = (int64_t)self->features * self->size, small = (int64_t)self->size * self->size;
    p->u = matrix_take(frame, count);
    p->v = matrix_take(frame, count);
    p->scaled = matrix_take(frame, count);
    p->inverse = matrix_take(frame, small);
    return p->u && p->v && p->scaled && p->inverse;
}

static void fill_capacitance(const factor *self, const pieces *p, double *c)
{
    const int32_t r = self->size;
    for (int64_t k = 0; k < r; k++)
        for (int64_t l = 0; l < r; l++) c[k * r + l] = k == l;
    for (int64_t i = 0; i < self->features; i++)
        for (int64_t k = 0; k < r; k++)
            for (int64_t l = 0; l < r; l++) c[k * r + l] += p->v[i * r + k] * p->scaled[i * r + l];
}

static weir_status read_pieces(const factor *self, weir_frame *frame, pieces *p)
{
    const int64_t n = self->features, r = self->size;
    const weir_real *const logs = weir_tensor(frame, self->diagonal);
    double *const c = matrix_take(frame, r * r);
    if (!take_pieces(self, frame, p) || !c) return WEIR_ERROR;
    matrix_read(n * r, weir_tensor(frame, self->main), p->u);
    matrix_read(n * r, weir_tensor(frame, self->other), p->v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < r; k++) p->scaled[i * r + k] = p->u[i * r + k] * exp(-(double)logs[i]);
    fill_capacitance(self, p, c);
    return WEIR_NAME(matrix_invert)(frame, self->size, c, p->inverse, &p->size);
}

static weir_status require_parameters(const factor *self, weir_frame *frame)
{
    const int64_t n = self->features, r = self->size;
    weir_status status = WEIR_NAME(require_finite)(frame, self->name, self->main, n, r);
    if (status == WEIR_OK) status = WEIR_NAME(require_finite)(frame, "right", self->other, n, r);
    if (status == WEIR_OK) status = WEIR_NAME(require_finite)(frame, "log_diagonal", self->diagonal, n, 1);
    return status;
}

static weir_status low_rank_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const weir_real *const logs = weir_tensor(frame, self->diagonal);
    pieces p;
    if (require_parameters(self, frame) != WEIR_OK) return WEIR_INVALID;
    const weir_status status = read_pieces(self, frame, &p);
    if (status == WEIR_INVALID)
        return weir_failf(
            frame, status,
            "diag(exp(log_diagonal)) + left right^T is singular to rounding (condition %.1e): load other "
            "values, or use parameterization = lu, which cannot become singular",
            p.size.condition);
    if (status != WEIR_OK) return status;
    matrix_write((int64_t)self->size * self->size, p.inverse, weir_tensor(frame, self->dense));
    frame->math->exp(self->features, logs, weir_tensor(frame, self->scale));
    *log_volume += p.size.log_volume;
    for (int32_t i = 0; i < self->features; i++) *log_volume += (double)logs[i];
    return WEIR_OK;
}

/* W_bar = l_bar W^-T, so U_bar = l_bar S^-1 V C^-T, V_bar = l_bar S^-1 U C^-1, and with those
 * (W^-1)_ii = (1 - (S^-1 U C^-1)_i . v_i) / s_i, d_bar_i = l_bar s_i (W^-1)_ii. */
static void pull_volume(const factor *self, const weir_frame *frame, const pieces *p, double l_bar,
                        const double *u_inverse, const double *v_inverse)
{
    const int64_t r = self->size;
    const weir_real *const logs = weir_tensor(frame, self->diagonal);
    weir_real *const u_bar = weir_gradient(frame, self->main), *const v_bar =
                                                                   weir_gradient(frame, self->other);
    weir_real *const d_bar = weir_gradient(frame, self->diagonal);
    for (int64_t i = 0; i < self->features; i++) {
        const double by_scale = exp(-(double)logs[i]);
        double along = 0;
        for (int64_t k = 0; k < r; k++) {
            along += u_inverse[i * r + k] * p->v[i * r + k];
            if (u_bar) u_bar[i * r + k] += WEIR_C(l_bar * by_scale * v_inverse[i * r + k]);
            if (v_bar) v_bar[i * r + k] += WEIR_C(l_bar * u_inverse[i * r + k]);
        }
        if (d_bar) d_bar[i] += WEIR_C(l_bar * (1 - along));
    }
}

static weir_status low_rank_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const int32_t n = self->features, r = self->size;
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const scale_bar = weir_gradient(frame, self->scale);
    weir_real *const d_bar = weir_gradient(frame, self->diagonal);
    double *const u_inverse = matrix_take(frame, (int64_t)n * r);
    double *const v_inverse = matrix_take(frame, (int64_t)n * r);
    double *const transposed = matrix_take(frame, (int64_t)r * r);
    pieces p;
    if (!u_inverse || !v_inverse || !transposed) return WEIR_ERROR;
    const weir_status status = read_pieces(self, frame, &p);
    if (status != WEIR_OK) return status;
    WEIR_NAME(matrix_transpose)(r, r, p.inverse, transposed);
    WEIR_NAME(matrix_product)(n, r, r, p.scaled, p.inverse, u_inverse); /* S^-1 U C^-1 */
    WEIR_NAME(matrix_product)(n, r, r, p.v, transposed, v_inverse);     /* V C^-T */
    pull_volume(self, frame, &p, log_volume_bar, u_inverse, v_inverse);
    for (int32_t i = 0; d_bar && scale_bar && i < n; i++) d_bar[i] += scale_bar[i] * scale[i];
    return WEIR_OK;
}

const factor_ops WEIR_NAME(low_rank_factor) = {
    .declare = low_rank_declare,
    .multiply = low_rank_multiply,
    .solve = low_rank_solve,
    .outer = low_rank_outer,
    .prepare = low_rank_prepare,
    .prepare_vjp = low_rank_prepare_vjp,
};
