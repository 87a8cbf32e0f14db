/* affine_gaussian - the multivariate normal distribution as a flow, fitted in closed form and trainable. */
#include "covariance.h"
#include "modules.h"
#include "parameterization.h"

#include <stdlib.h>

/* The product is of one triangular factor, and runs from latent to data: y = A z + b is x. */
typedef struct affine_gaussian {
    product product; /* first: the product's calls take this struct for one */
    double jitter;
} affine_gaussian;

static const char affine_gaussian_doc[] =
    "x = A z + b, A [D, D] lower triangular with a_ii = exp(d_i) > 0. inverse is the explicit direction; forward solves the\n"
    "triangle, z = A^-1 (x - b), log|det dz/dx| = -sum d. With a normal base x is normal with mean b and covariance A A^T:\n"
    "  log p(x) = -|A^-1 (x - b)|^2 / 2 - D log(2 pi) / 2 - sum d.\n"
    "Parameters: lower [D (D - 1)/2], rows of A below the diagonal; log_diagonal [D] = d; mean [D] = b. They start at z = x.\n"
    "Before training they are set from data, once, to the maximum-likelihood estimate: b the sample mean, A the Cholesky\n"
    "factor of the sample covariance (denominator N); then they are trained like any others. When training runs through\n"
    "the inverse (reverse KL), A and b are set so that the inverse's output has mean 0 and covariance I.\n"
    "Mean and covariance are summed in double, around each tile's mean, and merged pairwise; rows with a value that is not\n"
    "finite are left out. A covariance that is singular to rounding has no density and is refused: at most D rows, a\n"
    "constant feature, or one that is a linear combination of others. jitter > 0 (in the data's units) adds jitter^2 to every\n"
    "variance first, as if the data carried noise of that deviation: then b stays the mean, A A^T the covariance plus noise.\n"
    "Gradients: a = A^-T z_bar; x_bar = a, b_bar = -sum a, A_bar = -sum a z^T on and below the diagonal, and\n"
    "d_bar_i = a_ii A_bar_ii - sum l_bar.\n"
    "Cost: D^2/2 a row in either direction, O(D^2) per update, N D^2/2 + D^3/6 for the fit. Rows whose result is not finite\n"
    "are discarded.\n"
    "Source: Papamakarios et al. 2021, \"Normalizing flows for probabilistic modeling and inference\", arXiv:1912.02762,\n"
    "section 2 (affine maps of a normal); the merged sums as in Chan, Golub and LeVeque 1983.";

static const weir_option affine_gaussian_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "jitter",
     .default_json = "0",
     .minimum = 0,
     .maximum = 1e30,
     .summary = "deviation of noise, in the data's units, that the fit adds to each feature; 0: none"},
};

/* ---- the fit -------------------------------------------------------------------------------------------------- */

static int64_t affine_gaussian_observe_size(const void *module)
{
    return covariance_size(((const affine_gaussian *)module)->product.features) * (int64_t)sizeof(double);
}

static weir_status affine_gaussian_observe(const void *module, weir_frame *frame, int32_t inverse,
                                           const weir_tile *tile, void *partial)
{
    (void)module, (void)inverse;
    return WEIR_NAME(covariance_add)(frame, tile, partial);
}

static weir_status affine_gaussian_merge(const void *module, void *into, const void *from)
{
    WEIR_NAME(covariance_merge)(((const affine_gaussian *)module)->product.features, into, from);
    return WEIR_OK;
}

/* a = a^-1 for a lower triangle, column by column from the last: those before still hold a. */
static void invert_triangle(int32_t n, double *a)
{
    for (int32_t j = n - 1; j >= 0; j--) {
        const double diagonal = 1 / a[(int64_t)j * n + j];
        for (int32_t i = n - 1; i > j; i--) {
            double sum = 0;
            for (int32_t k = j + 1; k <= i; k++) sum += a[(int64_t)i * n + k] * a[(int64_t)k * n + j];
            a[(int64_t)i * n + j] = -sum * diagonal;
        }
        a[(int64_t)j * n + j] = diagonal;
    }
}

static void write_parameters(const product *self, weir_frame *frame, const double *a, const double *mean)
{
    const int32_t n = self->features;
    const factor *const triangle = &self->factors[0];
    for (int32_t i = 0; i < n; i++) {
        weir_tensor(frame, self->bias)[i] = WEIR_C(mean[i]);
        weir_tensor(frame, triangle->diagonal)[i] = WEIR_C(log(a[(int64_t)i * n + i]));
        for (int32_t j = 0; j < i; j++)
            weir_tensor(frame, triangle->main)[packed_index(i, j)] = WEIR_C(a[(int64_t)i * n + j]);
    }
}

/* With S = L L^T, forward (inverse = 0) whitens with A = L, b = m. Inverse maps by A z + b, so it whitens with A = L^-1,
 * b = -A m. */
static weir_status affine_gaussian_observe_finish(const void *module, weir_frame *frame, int32_t inverse,
                                                  const void *total)
{
    const affine_gaussian *const self = module;
    const int32_t n = self->product.features;
    const double *const mean = (const double *)total + 1;
    double *const a = weir_take(frame, (int64_t)n * n * (int64_t)sizeof *a);
    double *const b = weir_take(frame, n * (int64_t)sizeof *b);
    if (!a || !b) return WEIR_ERROR;
    const weir_status status = WEIR_NAME(covariance_factor)(frame, n, total, self->jitter, a);
    if (status != WEIR_OK) return status;
    if (inverse) invert_triangle(n, a);
    for (int32_t i = 0; i < n; i++) {
        b[i] = inverse ? 0 : mean[i];
        for (int32_t j = 0; inverse && j <= i; j++) b[i] -= a[(int64_t)i * n + j] * mean[j];
    }
    write_parameters(&self->product, frame, a, b);
    return WEIR_OK;
}

/* ---- creation ------------------------------------------------------------------------------------------------- */

static weir_status affine_gaussian_create(weir_builder *build, void **module)
{
    if (build->features < 1) return weir_refuse(build, "affine_gaussian needs at least 1 feature");
    affine_gaussian *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->jitter = build->number(build, "jitter");
    const weir_status status = WEIR_NAME(parameterization_declare)(
        WEIR_NAME(parameterization_named)("triangular"), build, 0, 0, "mean", &self->product);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_layer_ops affine_gaussian_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = WEIR_NAME(product_solve),
    .inverse = WEIR_NAME(product_run),
    .forward_vjp = WEIR_NAME(product_solve_vjp),
    .inverse_vjp = WEIR_NAME(product_run_vjp),
    .observe_size = affine_gaussian_observe_size,
    .observe = affine_gaussian_observe,
    .merge = affine_gaussian_merge,
    .observe_finish = affine_gaussian_observe_finish,
};

/* ---- methods --------------------------------------------------------------------------------------------------- */

static weir_status mean_of(const void *module, weir_frame *frame, weir_real *mean)
{
    const product *const self = &((const affine_gaussian *)module)->product;
    memcpy(mean, weir_tensor(frame, self->bias), (size_t)self->features * sizeof *mean);
    return WEIR_OK;
}

static weir_status covariance_of(const void *module, weir_frame *frame, weir_real *covariance)
{
    const int32_t n = ((const affine_gaussian *)module)->product.features;
    weir_real *const a = weir_take(frame, (int64_t)n * n * (int64_t)sizeof *a);
    if (!a) return WEIR_ERROR;
    const weir_status status = WEIR_NAME(product_matrix)(module, frame, a);
    if (status == WEIR_OK) frame->math->gemm(n, n, n, 1, a, n, 1, a, 1, n, 0, covariance, n, 1);
    return status;
}

static const weir_method affine_gaussian_methods[] = {
    WEIR_METHOD("mean", "() -> real mean[in]", "b, the mean of x when z is standard normal", mean_of),
    WEIR_METHOD("covariance", "() -> real covariance[in][in]",
                "A A^T, the covariance of x when z is standard normal", covariance_of),
};

const weir_module WEIR_NAME(affine_gaussian_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_OBSERVE_ONCE,
    .id = "affine_gaussian",
    .version = "1.0.0",
    .summary = "the multivariate normal as a flow, x = A z + b, fitted to data in closed form",
    .doc = affine_gaussian_doc,
    WEIR_OPTIONS(affine_gaussian_options),
    WEIR_METHODS(affine_gaussian_methods),
    .create = affine_gaussian_create,
    .destroy = free,
    .prepare = WEIR_NAME(product_prepare),
    .prepare_vjp = WEIR_NAME(product_prepare_vjp),
    .ops = &affine_gaussian_ops,
};
