/* psd_cholesky - positive definite matrices to R^(d (d + 1) / 2). */
#include "triangle.h"

#include <stdlib.h>

typedef struct psd_cholesky {
    int32_t side; /* d */
} psd_cholesky;

static const char psd_cholesky_doc[] =
    "Data: vech(S) of a symmetric positive definite d x d matrix S, its lower triangle row by row: S_11, S_21, S_22, S_31, ...\n"
    "d (d + 1) / 2 features. Latent: z of the same number, all of R^n, in the same order. Explicit is the inverse:\n"
    "  inverse   L_ij = z_ij (i > j),  L_kk = exp(z_kk),  S = L L^T\n"
    "  forward   L = the Cholesky factor of S,  z_ij = L_ij,  z_kk = log L_kk.\n"
    "log-det of the inverse, z -> vech(S):\n"
    "  sum_k z_kk + d log 2 + sum_k (d - k + 1) z_kk,   k = 1 .. d;   forward adds its negative.\n"
    "Proof. z -> L is elementwise, with slopes L_kk = exp(z_kk) on the diagonal and 1 elsewhere: the first sum. For L -> S take\n"
    "both triangles row by row. S_ij = sum over k <= j of L_ik L_jk contains no entry of L after (i, j) in that order: those\n"
    "of row i end at column j, and row j is row i or above it. So the Jacobian is triangular, and its diagonal is\n"
    "dS_ij/dL_ij = L_jj for i > j (L_jj belongs to another entry), and 2 L_jj for i = j (both factors). Column j has d - j\n"
    "entries below its diagonal: the determinant is the product over j of 2 L_jj L_jj^(d-j) = 2^d prod_j L_jj^(d-j+1). Its\n"
    "logarithm is d log 2 + sum_j (d - j + 1) z_jj, added to the first sum, not subtracted.\n"
    "Discarded: rows that are not positive definite; as rounding blurs that, those with a pivot of at most 4 d epsilon S_ii\n"
    "(epsilon of the precision). Refused: a number of features that is not d (d + 1) / 2, with the nearest.\n"
    "Measure: Lebesgue on vech(S). Cost: d^3 / 6 multiplications a row in forward and inverse, twice that in their VJPs.\n"
    "Source: Stan Reference Manual, \"Covariance matrices\"; Muirhead 1982, \"Aspects of Multivariate Statistical Theory\",\n"
    "theorem 2.1.9.";

/* ---- calls ------------------------------------------------------------------------------------ */

/** What z_kk counts in the log-det of the inverse, k from 0: 1 for the exponential, d - k for the product. */
static weir_real weight(const psd_cholesky *self, int32_t k)
{
    return (weir_real)(self->side - k + 1);
}

static void add_log_det(const psd_cholesky *self, const weir_frame *frame, weir_real sign, const weir_tile *z,
                        weir_real *log_det)
{
    const weir_real constant = sign * (weir_real)self->side * WEIR_C(0.69314718055994530942);
    for (int32_t r = 0; r < frame->width; r++) log_det[r] += constant;
    for (int32_t k = 0; k < self->side; k++) {
        const weir_real *const diagonal = triangle_lane(z, k, k), by = sign * weight(self, k);
        for (int32_t r = 0; r < frame->width; r++) log_det[r] += by * diagonal[r];
    }
}

static weir_status psd_cholesky_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, void *log_det)
{
    const psd_cholesky *const self = module;
    const weir_status status = triangle_factor(frame, self->side, x, z);
    for (int32_t k = 0; k < self->side; k++) {
        weir_real *const diagonal = triangle_lane(z, k, k);
        frame->math->log(frame->width, diagonal, diagonal);
    }
    if (log_det) add_log_det(self, frame, -1, z, log_det);
    return status;
}

/** L from z, in a tile of the caller. */
static void factor_of(const psd_cholesky *self, const weir_frame *frame, const weir_tile *z,
                      const weir_tile *L)
{
    for (int32_t f = 0; f < z->features; f++) weir_copy_lane(frame, weir_lane(z, f), weir_lane(L, f));
    for (int32_t k = 0; k < self->side; k++) {
        weir_real *const diagonal = triangle_lane(L, k, k);
        frame->math->exp(frame->width, diagonal, diagonal);
    }
}

static weir_status psd_cholesky_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, void *log_det)
{
    const psd_cholesky *const self = module;
    weir_status status = WEIR_OK;
    weir_tile L;
    if (!weir_take_tile(frame, z->features, &L)) return WEIR_ERROR;
    factor_of(self, frame, z, &L);
    triangle_product(frame, self->side, &L, x);
    for (int32_t f = 0; f < z->features; f++) {
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(z, f)));
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(x, f)));
    }
    if (log_det) add_log_det(self, frame, 1, z, log_det);
    return status;
}

static weir_status psd_cholesky_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                            const weir_tile *z, const weir_tile *z_bar,
                                            const void *log_det_bar, const weir_tile *x_bar)
{
    const psd_cholesky *const self = module;
    const weir_real *const l_bar = log_det_bar;
    weir_tile L;
    (void)x;
    if (!x_bar) return WEIR_OK;
    if (!weir_take_tile(frame, z->features, &L)) return WEIR_ERROR;
    factor_of(self, frame, z, &L);
    for (int32_t f = 0; f < z->features; f++) weir_copy_lane(frame, weir_lane(z_bar, f), weir_lane(x_bar, f));
    for (int32_t k = 0; k < self->side; k++) {
        weir_real *const bar = triangle_lane(x_bar, k, k), *const root = triangle_lane(&L, k, k);
        for (int32_t r = 0; r < frame->width; r++)
            bar[r] = (bar[r] - (l_bar ? weight(self, k) * l_bar[r] : 0)) / root[r];
    }
    factor_vjp(frame, self->side, &L, x_bar);
    return WEIR_OK;
}

static weir_status psd_cholesky_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                            const weir_tile *x, const weir_tile *x_bar,
                                            const void *log_det_bar, const weir_tile *z_bar)
{
    const psd_cholesky *const self = module;
    const weir_real *const l_bar = log_det_bar;
    weir_tile L;
    (void)x;
    if (!z_bar) return WEIR_OK;
    if (!weir_take_tile(frame, z->features, &L)) return WEIR_ERROR;
    factor_of(self, frame, z, &L);
    product_vjp(frame, self->side, &L, x_bar, z_bar);
    for (int32_t k = 0; k < self->side; k++) {
        weir_real *const bar = triangle_lane(z_bar, k, k), *const root = triangle_lane(&L, k, k);
        for (int32_t r = 0; r < frame->width; r++)
            bar[r] = bar[r] * root[r] + (l_bar ? weight(self, k) * l_bar[r] : 0);
    }
    return WEIR_OK;
}

/** L L^T for normal entries, the diagonal away from 0. */
static weir_status psd_cholesky_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                              const weir_tile *x)
{
    const psd_cholesky *const self = module;
    weir_tile L;
    if (!weir_take_tile(frame, x->features, &L)) return WEIR_ERROR;
    for (int32_t f = 0; f < L.features; f++)
        frame->services->random_normal(frame, stream, (uint32_t)f, weir_lane(&L, f));
    for (int32_t k = 0; k < self->side; k++) {
        weir_real *const diagonal = triangle_lane(&L, k, k);
        for (int32_t r = 0; r < frame->width; r++)
            diagonal[r] = (diagonal[r] < 0 ? -diagonal[r] : diagonal[r]) + WEIR_C(0.25);
    }
    triangle_product(frame, self->side, &L, x);
    return WEIR_OK;
}

static const weir_layer_ops psd_cholesky_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = psd_cholesky_forward,
    .inverse = psd_cholesky_inverse,
    .forward_vjp = psd_cholesky_forward_vjp,
    .inverse_vjp = psd_cholesky_inverse_vjp,
    .sample_points = psd_cholesky_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status psd_cholesky_create(weir_builder *build, void **module)
{
    const int32_t side = triangle_side(build, "a symmetric matrix");
    if (!side) return WEIR_INVALID;
    if (weir_require_block(build, WEIR_DOMAIN_PSD, WEIR_MEASURE_COORDINATES) != WEIR_OK) return WEIR_INVALID;
    if (weir_produce_line(build, build->features) != WEIR_OK) return WEIR_INVALID;
    psd_cholesky *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->side = side;
    *module = self;
    return WEIR_OK;
}

static const weir_module psd_cholesky_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "psd_cholesky",
    .version = "1.0.0",
    .summary = "positive definite matrices (lower triangle, row by row) to free numbers",
    .doc = psd_cholesky_doc,
    .create = psd_cholesky_create,
    .destroy = free,
    .ops = &psd_cholesky_ops,
};

WEIR_PLUGIN(&psd_cholesky_module, &WEIR_NAME(correlation_module));
