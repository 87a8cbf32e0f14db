/* correlation - correlation matrices, or their Cholesky factors, to R^(d (d - 1) / 2). */
#include "partial.h"

#include <stdlib.h>

typedef struct correlation {
    int32_t side;   /* d */
    int32_t matrix; /* data are matrices, not factors */
    weir_real tolerance;
} correlation;

static const char correlation_doc[] =
    "Data, by the option `of`:\n"
    "  factor   L, the Cholesky factor of a correlation matrix: lower triangular, rows of length 1, positive diagonal; its\n"
    "           triangle row by row with the diagonal, d (d + 1) / 2 features. Measure: COORDINATES, densities with respect\n"
    "           to the entries below the diagonal; L_ii = sqrt(1 - L_i1^2 - ...) are dependent.\n"
    "  matrix   R = L L^T itself: its entries below the diagonal row by row (21, 31, 32, ...), d (d - 1) / 2 features, and\n"
    "           densities with respect to those.\n"
    "Latent: z in R^(d (d - 1) / 2), all of it, for the entries below the diagonal row by row. Canonical partial\n"
    "correlations w_ij = tanh z_ij are free in (-1, 1) (Lewandowski, Kurowicka, Joe 2009):\n"
    "  inverse   L_ij = w_ij r_ij,   r_ij^2 = prod over k < j of (1 - w_ik^2) = L_ij^2 + ... + L_ii^2,   L_ii = r_ii\n"
    "  forward   z_ij = artanh(L_ij / r_ij) = sign(L_ij) log((|L_ij| + r_ij) / r_i(j+1)).\n"
    "The Jacobian of z -> L is triangular with dL_ij/dz_ij = r_ij (1 - w_ij^2), and log(1 - w^2) = 2 log sech z:\n"
    "  factor   log|det dL/dz| = sum over j < i of (i - j + 1) log sech z_ij,   forward adds the negative\n"
    "  matrix   adds log|det dR/dL| = sum over j of (d - j) log L_jj: dR_ij/dL_ij = L_jj, triangular row by row.\n"
    "LKJ(eta), p(R) ~ det(R)^(eta-1), has on L the density prod over k > 1 of L_kk^(d-k+2 eta-2).\n"
    "The sums r are taken from the end of each row, the diagonal included: no digits are lost to 1 - ... The gradient is that\n"
    "of the function of the free entries, 0 for the diagonal.\n"
    "Discarded: factor: rows whose length misses 1 by more than `tolerance` (others are scaled), a diagonal <= 0; matrix: not\n"
    "positive definite (see psd_cholesky). Refused: d < 2; a number of features that is not triangular.\n"
    "Cost: O(d^2) a row for factors; d^3 / 6 more for matrices.\n"
    "Source: Lewandowski, Kurowicka, Joe 2009, \"Generating random correlation matrices based on vines and extended onion\n"
    "method\"; Stan Reference Manual, \"Correlation matrices\".";

static const weir_option correlation_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "of",
     .default_json = "\"factor\"",
     .choices = "factor|matrix",
     .summary = "what the data are: Cholesky factors with their diagonal, or matrices without"},
    WEIR_TOLERANCE_OPTION,
};

/* ---- between the entries below the diagonal and a whole triangle ------------------------------------- */

static void set_diagonal(const weir_frame *frame, int32_t side, const weir_tile *S, weir_real value)
{
    for (int32_t i = 0; i < side; i++)
        for (int32_t r = 0; r < frame->width; r++) triangle_lane(S, i, i)[r] = value;
}

static void copy_strict(const weir_frame *frame, int32_t side, const weir_tile *strict,
                        const weir_tile *whole, int to_whole)
{
    for (int32_t i = 1; i < side; i++)
        for (int32_t j = 0; j < i; j++) {
            weir_real *const a = strict_lane(strict, i, j), *const b = triangle_lane(whole, i, j);
            weir_copy_lane(frame, to_whole ? a : b, to_whole ? b : a);
        }
}

/** L of the data: the tile itself, or the factor of the matrix whose entries it holds. */
static weir_status factor_of(const correlation *self, weir_frame *frame, const weir_tile *x, weir_tile *L)
{
    weir_tile S;
    *L = *x;
    if (!self->matrix) return WEIR_OK;
    const int32_t entries = (int32_t)triangle_size(self->side);
    if (!weir_take_tile(frame, entries, L) || !weir_take_tile(frame, entries, &S)) return WEIR_ERROR;
    copy_strict(frame, self->side, x, &S, 1);
    set_diagonal(frame, self->side, &S, 1);
    return triangle_factor(frame, self->side, &S, L);
}

/** Rows of a matrix below row i. */
static weir_real below(const correlation *self, int32_t i)
{
    return (weir_real)(self->side - 1 - i);
}

/** Data that are no factor: a row whose length is not 1; the first entry, the only diagonal one that no z depends on. */
static weir_status discard_odd_rows(const correlation *self, weir_frame *frame, const weir_tile *L,
                                    weir_real *squares)
{
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < self->side; i++) {
        weir_zero_lane(frame, squares);
        for (int32_t j = 0; j <= i; j++) {
            const weir_real *const entry = triangle_lane(L, i, j);
            for (int32_t r = 0; r < frame->width; r++) squares[r] += entry[r] * entry[r];
        }
        WEIR_TRY(status, weir_discard_unless_one(frame, squares, 2 * self->tolerance));
    }
    WEIR_TRY(status, weir_discard_unless_one(frame, triangle_lane(L, 0, 0), self->tolerance));
    return status;
}

/* ---- calls ------------------------------------------------------------------------------------ */

static weir_status correlation_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, void *log_det)
{
    const correlation *const self = module;
    weir_real *const total = log_det, *const log_root = weir_take_lane(frame);
    weir_status status = WEIR_OK;
    weir_tile L, squares;
    if (!log_root || !weir_take_tile(frame, self->side, &squares)) return WEIR_ERROR;
    WEIR_TRY(status, factor_of(self, frame, x, &L));
    if (!self->matrix) WEIR_TRY(status, discard_odd_rows(self, frame, &L, log_root));
    for (int32_t i = 0; i < self->side; i++) WEIR_TRY(status, row_forward(frame, &L, i, &squares, z, total));
    for (int32_t i = 0; self->matrix && total && i < self->side; i++) {
        frame->math->log(frame->width, triangle_lane(&L, i, i), log_root);
        for (int32_t r = 0; r < frame->width; r++) total[r] -= below(self, i) * log_root[r];
    }
    return status;
}

static weir_status correlation_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, void *log_det)
{
    const correlation *const self = module;
    weir_real *const log_r = weir_take_lane(frame), *const step = weir_take_lane(frame);
    const int32_t entries = (int32_t)triangle_size(self->side);
    weir_status status = WEIR_OK;
    weir_tile L = *x, R;
    if (!log_r || !step) return WEIR_ERROR;
    if (self->matrix && !(weir_take_tile(frame, entries, &L) && weir_take_tile(frame, entries, &R)))
        return WEIR_ERROR;
    for (int32_t i = 0; i < self->side; i++)
        WEIR_TRY(status,
                 row_inverse(frame, z, i, self->matrix ? below(self, i) : 0, log_r, step, &L, log_det));
    if (!self->matrix) return status;
    triangle_product(frame, self->side, &L, &R);
    copy_strict(frame, self->side, x, &R, 0);
    return status;
}

static weir_status correlation_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                           const weir_tile *z, const weir_tile *z_bar,
                                           const void *log_det_bar, const weir_tile *x_bar)
{
    const correlation *const self = module;
    const weir_real *const l_bar = log_det_bar;
    weir_real *const carried = weir_take_lane(frame);
    weir_tile L, L_bar, squares;
    (void)z;
    if (!x_bar) return WEIR_OK;
    if (!carried || !weir_take_tile(frame, self->side, &squares)) return WEIR_ERROR;
    weir_status status = factor_of(self, frame, x, &L);
    if (status > WEIR_DISCARD) return status;
    L_bar = *x_bar;
    if (self->matrix && !weir_take_tile(frame, L.features, &L_bar)) return WEIR_ERROR;
    for (int32_t i = 0; i < self->side; i++)
        row_forward_vjp(frame, &L, i, &squares, carried, z_bar, l_bar, &L_bar);
    if (!self->matrix) return status;
    for (int32_t i = 0; l_bar && i < self->side; i++)
        for (int32_t r = 0; r < frame->width; r++)
            triangle_lane(&L_bar, i, i)[r] -= below(self, i) * l_bar[r] / triangle_lane(&L, i, i)[r];
    factor_vjp(frame, self->side, &L, &L_bar);
    copy_strict(frame, self->side, x_bar, &L_bar, 0);
    return status;
}

static weir_status correlation_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                           const weir_tile *x, const weir_tile *x_bar,
                                           const void *log_det_bar, const weir_tile *z_bar)
{
    const correlation *const self = module;
    const int32_t entries = (int32_t)triangle_size(self->side);
    weir_real *const carried = weir_take_lane(frame), *const t = weir_take_lane(frame);
    weir_tile L = *x, L_bar = *x_bar, R_bar, runs;
    weir_status status = WEIR_OK;
    if (!z_bar) return WEIR_OK;
    if (!carried || !t || !weir_take_tile(frame, self->side, &runs)) return WEIR_ERROR;
    if (self->matrix) {
        if (!(weir_take_tile(frame, entries, &L) && weir_take_tile(frame, entries, &L_bar) &&
              weir_take_tile(frame, entries, &R_bar)))
            return WEIR_ERROR;
        for (int32_t i = 0; i < self->side; i++)
            WEIR_TRY(status, row_inverse(frame, z, i, 0, carried, t, &L, NULL));
        copy_strict(frame, self->side, x_bar, &R_bar, 1);
        set_diagonal(frame, self->side, &R_bar, 0);
        product_vjp(frame, self->side, &L, &R_bar, &L_bar);
    }
    for (int32_t i = 0; i < self->side; i++)
        row_inverse_vjp(frame, z, i, self->matrix ? below(self, i) : 0, &L, &L_bar, log_det_bar, &runs,
                        carried, t, z_bar);
    return status;
}

/** Normal entries over the length of their row, the diagonal positive. */
static weir_status correlation_sample_points(const void *module, weir_frame *frame, uint32_t stream,
                                             const weir_tile *x)
{
    const correlation *const self = module;
    const int32_t entries = (int32_t)triangle_size(self->side);
    weir_tile L = *x, R, squares;
    if (!weir_take_tile(frame, self->side, &squares)) return WEIR_ERROR;
    if (self->matrix && !(weir_take_tile(frame, entries, &L) && weir_take_tile(frame, entries, &R)))
        return WEIR_ERROR;
    for (int32_t f = 0; f < entries; f++)
        frame->services->random_normal(frame, stream, (uint32_t)f, weir_lane(&L, f));
    for (int32_t i = 0; i < self->side; i++) {
        weir_real *const root = triangle_lane(&L, i, i);
        for (int32_t r = 0; r < frame->width; r++)
            root[r] = (root[r] < 0 ? -root[r] : root[r]) + WEIR_C(0.25);
        remainders(frame, &L, i, &squares);
        for (int32_t j = 0; j <= i; j++)
            for (int32_t r = 0; r < frame->width; r++)
                triangle_lane(&L, i, j)[r] =
                    (weir_real)((double)triangle_lane(&L, i, j)[r] / sqrt((double)weir_lane(&squares, 0)[r]));
    }
    if (!self->matrix) return WEIR_OK;
    triangle_product(frame, self->side, &L, &R);
    copy_strict(frame, self->side, x, &R, 0);
    return WEIR_OK;
}

static const weir_layer_ops correlation_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = correlation_forward,
    .inverse = correlation_inverse,
    .forward_vjp = correlation_forward_vjp,
    .inverse_vjp = correlation_inverse_vjp,
    .sample_points = correlation_sample_points,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status require_entries(weir_builder *build)
{
    const weir_domain entries = {.struct_size = (uint32_t)sizeof entries,
                                 .kind = WEIR_DOMAIN_INTERVAL,
                                 .count = build->features,
                                 .lower = -1,
                                 .upper = 1};
    return build->require(build, &entries) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status correlation_create(weir_builder *build, void **module)
{
    const int32_t matrix = strcmp(build->string(build, "of"), "matrix") == 0;
    int32_t side =
        triangle_side(build, matrix ? "a correlation matrix without its diagonal" : "a Cholesky factor");
    if (!side) return WEIR_INVALID;
    side += matrix;
    if (side < 2)
        return weir_refuse(build, "a factor of 1 x 1 has nothing free: give at least 3 features (d = 2)");
    const weir_status required =
        matrix ? require_entries(build)
               : weir_require_block(build, WEIR_DOMAIN_CORRELATION, WEIR_MEASURE_COORDINATES);
    if (required != WEIR_OK) return WEIR_INVALID;
    if (weir_produce_line(build, (int32_t)triangle_size(side - 1)) != WEIR_OK) return WEIR_INVALID;
    correlation *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->side = side;
    self->matrix = matrix;
    self->tolerance = WEIR_C(build->number(build, "tolerance"));
    *module = self;
    return WEIR_OK;
}

const weir_module WEIR_NAME(correlation_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "correlation",
    .version = "1.0.0",
    .summary = "correlation matrices, or their Cholesky factors, to free numbers",
    .doc = correlation_doc,
    WEIR_OPTIONS(correlation_options),
    .create = correlation_create,
    .destroy = free,
    .ops = &correlation_ops,
};
