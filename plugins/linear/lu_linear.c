/* lu_linear - an invertible matrix kept as its LU factors, plus a shift: the default form of linear, under a name that
 * saved models use. */
#include "modules.h"
#include "parameterization.h"

#include <stdlib.h>

static const char lu_linear_doc[] =
    "z = P L U x + b, L lower triangular with ones on its diagonal, U upper triangular with u_ii = s_i exp(d_i),\n"
    "P a fixed permutation and s_i fixed signs. log|det J| = sum d_i. The inverse solves the two triangles: as cheap as\n"
    "forward, and never singular. Matrices and their inverses are not multiplied out: that would cost D^3 per update\n"
    "of the parameters, while products and solves with the factors cost D^2 per row, like a matrix.\n"
    "Tensors: lower [D (D - 1) / 2], rows of L below the diagonal; upper [D (D - 1) / 2], columns of U above it;\n"
    "log_diagonal [D] = d; bias [D]; buffers permutation [D] (row i of P L U is row permutation[i] of L U, from 0) and\n"
    "sign [D] = s.\n"
    "init: identity starts at z = x; random starts at an orthogonal matrix, drawn at creation (cost D^3, once).\n"
    "Gradients, with v = L u, u = U x, z_i = v_perm(i) + b_i: v_bar = P^T z_bar, u_bar = L^T v_bar, x_bar = U^T u_bar;\n"
    "L_bar = sum over rows v_bar u^T below the diagonal, U_bar = sum u_bar x^T on and above it,\n"
    "d_bar_i = U_bar_ii u_ii + sum l_bar, b_bar = sum z_bar. For the inverse u_bar = U^-T x_bar, v_bar = L^-T u_bar,\n"
    "z_bar = P v_bar, and the parameters' gradients are minus the above, with l_bar that of log|det dx/dz|.\n"
    "Refused: a permutation in a file that is none.\n"
    "Source: Kingma and Dhariwal 2018, \"Glow: generative flow with invertible 1x1 convolutions\", arXiv:1807.03039,\n"
    "eq. 10, on all features; d = log|s| as in Oliva et al. 2018, arXiv:1801.09819.";

static const weir_option lu_linear_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "init",
     .default_json = "\"identity\"",
     .choices = "identity|random",
     .summary = "the matrix at the start: the identity, or a random orthogonal one"},
};

static weir_status lu_linear_create(weir_builder *build, void **module)
{
    const char *const init = build->string(build, "init");
    if (!init) return WEIR_INVALID;
    if (build->features < 1) return weir_refuse(build, "lu_linear needs at least 1 feature");
    product *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    const weir_status status = WEIR_NAME(parameterization_declare)(
        WEIR_NAME(parameterization_named)("lu"), build, 0, strcmp(init, "random") == 0, "bias", self);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_layer_ops lu_linear_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = WEIR_NAME(product_run),
    .inverse = WEIR_NAME(product_solve),
    .forward_vjp = WEIR_NAME(product_run_vjp),
    .inverse_vjp = WEIR_NAME(product_solve_vjp),
};

static const weir_method lu_linear_methods[] = {
    WEIR_METHOD("matrix", PRODUCT_MATRIX_SIGNATURE, "W, without the shift", WEIR_NAME(product_matrix)),
};

const weir_module WEIR_NAME(lu_linear_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "lu_linear",
    .version = "1.0.0",
    .summary = "z = P L U x + b, a trained invertible matrix that starts at the identity",
    .doc = lu_linear_doc,
    WEIR_OPTIONS(lu_linear_options),
    WEIR_METHODS(lu_linear_methods),
    .create = lu_linear_create,
    .destroy = free,
    .prepare = WEIR_NAME(product_prepare),
    .prepare_vjp = WEIR_NAME(product_prepare_vjp),
    .ops = &lu_linear_ops,
};
