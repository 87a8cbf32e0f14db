/* linear - an invertible matrix and a shift, the matrix kept in one of several forms. */
#include "modules.h"
#include "parameterization.h"

#include <stdlib.h>

static const char linear_doc[] =
    "z = W x + b, log|det J| = log|det W|, one number for all rows. parameterization says how W [D, D] is kept:\n"
    "  full         W itself, free entries; inverse and determinant by LU factorisation in double, once per update\n"
    "  diagonal     diag(exp d)\n"
    "  triangular   lower triangular, exp d on its diagonal\n"
    "  lu           P L U as in lu_linear: P a fixed permutation, L unit lower, U upper with s exp d, s fixed signs\n"
    "  qr           Q R, Q a product of Householder reflections, R upper with exp d on its diagonal\n"
    "  svd          U diag(exp d) V, U and V products of reflections\n"
    "  householder  orthogonal: a product of reflections I - 2 v v^T / |v|^2\n"
    "  exponential  orthogonal: exp(A), A skew-symmetric; every rotation is one\n"
    "  cayley       orthogonal: (I - A)(I + A)^-1, A skew-symmetric; every rotation but those by 180 degrees\n"
    "  low_rank     diag(exp d) + U V^T, U and V [D, r]\n"
    "Only full and low_rank can become singular. The orthogonal ones preserve volume: log|det W| = 0.\n"
    "\n"
    "Cost in multiplications, leading term; K = reflections, r = rank. forward and inverse are per row; log-det and the\n"
    "rest of prepare once per update of the parameters, so that a row's log-det costs nothing:\n"
    "  parameterization  parameters          forward  inverse  log-det      prepare\n"
    "  full              D^2                 D^2      D^2      D^3/3 (LU)   D^3 (inverse)\n"
    "  diagonal          D                   D        D        D            D\n"
    "  triangular        D (D + 1)/2         D^2/2    D^2/2    D            D^2\n"
    "  lu                D^2                 D^2      D^2      D            D^2\n"
    "  qr                K D + D (D + 1)/2   3/2 D^2  3/2 D^2  D            2 K D^2 (Q)\n"
    "  svd               2 K D + D           2 D^2    2 D^2    D            4 K D^2 (U and V)\n"
    "  householder       K D                 D^2      D^2      none         2 K D^2\n"
    "  exponential       D (D - 1)/2         D^2      D^2      none         (7 + log2 |A|) D^3\n"
    "  cayley            D (D - 1)/2         D^2      D^2      none         4/3 D^3\n"
    "  low_rank          D (2 r + 1)         2 D r    2 D r    D r^2 + r^3  D r^2 + r^3\n"
    "b adds D parameters. A gradient costs as much again per row, and one to three times prepare per update. prepare\n"
    "works in double in models of either precision.\n"
    "\n"
    "Tensors: weight [D, D] (full); lower [D (D - 1)/2], rows below the diagonal (triangular, lu); upper, as long, columns\n"
    "above it (lu, qr); log_diagonal [D] = d; buffers permutation and sign [D] (lu); a reflection's v in each row of\n"
    "householder [K, D] (qr, householder), left and right [K, D] (svd); skew [D (D - 1)/2], rows of A below the diagonal;\n"
    "left and right [D, r] = U and V (low_rank); bias [D] unless bias = false.\n"
    "init: identity starts at z = x, with reflections in equal pairs (an odd K leaves one mirror) and U = 0 in low_rank;\n"
    "random at an orthogonal matrix, which diagonal, triangular and low_rank cannot hold and refuse.\n"
    "Gradients: x_bar = W^T z_bar, W_bar = sum over rows z_bar x^T + (sum l_bar) W^-T, b_bar = sum z_bar, chained back in\n"
    "each form; the inverse's are z_bar = W^-T x_bar and minus the others.\n"
    "Rows whose result is not finite are discarded. Refused: W singular to rounding or not finite (full, low_rank),\n"
    "reflections that are not finite, skew with rows that add up to more than 1e4, a permutation that is none.\n"
    "Sources: Kingma and Dhariwal 2018, arXiv:1807.03039 (lu); Hoogeboom et al. 2019, arXiv:1901.11137 (qr); Zhang et al.\n"
    "2018, arXiv:1803.09327 (svd); Tomczak and Welling 2016, arXiv:1611.09630 (householder); Golinski et al. 2019,\n"
    "\"Improving normalizing flows via better orthogonal parameterizations\" (exponential, cayley).";

static const weir_option linear_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "parameterization",
     .default_json = "\"lu\"",
     .choices = PARAMETERIZATION_CHOICES,
     .summary = "how the matrix is kept; householder, exponential and cayley are orthogonal"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "init",
     .default_json = "\"identity\"",
     .choices = "identity|random",
     .summary = "the matrix at the start: the identity, or a random orthogonal one"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "bias",
     .default_json = "true",
     .summary = "whether a trained shift b is added"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "reflections",
     .default_json = "null",
     .minimum = 0,
     .maximum = 65536,
     .summary =
         "K, of qr, svd and householder; absent: the features, rounded down to even, which reaches every rotation"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "rank",
     .default_json = "null",
     .minimum = 1,
     .maximum = 65536,
     .summary = "r of low_rank, at most the features; absent: 4, or all features when they are fewer"},
};

static const weir_layer_ops linear_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = WEIR_NAME(product_run),
    .inverse = WEIR_NAME(product_solve),
    .forward_vjp = WEIR_NAME(product_run_vjp),
    .inverse_vjp = WEIR_NAME(product_solve_vjp),
};

/* How many reflections, or the rank; -1, with a reason, when what is asked does not fit. */
static int32_t size_of(const parameterization *form, weir_builder *build)
{
    const int reflects = (form->flags & PARAMETERIZATION_REFLECTS) != 0;
    const int ranked = (form->flags & PARAMETERIZATION_RANKED) != 0;
    const char *const unused = !reflects && build->given(build, "reflections") ? "reflections"
                               : !ranked && build->given(build, "rank")        ? "rank"
                                                                               : NULL;
    const int32_t n = build->features, asked_rank = ranked && build->given(build, "rank")
                                                        ? (int32_t)build->integer(build, "rank")
                                                        : 0;
    if (unused) {
        weir_refuse(build, "parameterization = %s has no %s: leave that option out", form->name, unused);
        return -1;
    }
    if (asked_rank > n) {
        weir_refuse(build, "rank = %d is more than the %d features: choose at most that many", asked_rank, n);
        return -1;
    }
    if (reflects)
        return build->given(build, "reflections") ? (int32_t)build->integer(build, "reflections") : n - n % 2;
    return !ranked ? 0 : asked_rank ? asked_rank : n < 4 ? n : 4;
}

static weir_status linear_create(weir_builder *build, void **module)
{
    const char *const init = build->string(build, "init");
    const parameterization *const form =
        WEIR_NAME(parameterization_named)(build->string(build, "parameterization"));
    if (!init || !form) return WEIR_INVALID;
    const int random = strcmp(init, "random") == 0;
    if (build->features < 1) return weir_refuse(build, "linear needs at least 1 feature");
    if (random && !(form->flags & PARAMETERIZATION_ROTATES))
        return weir_refuse(
            build,
            "init = random starts at an orthogonal matrix, and parameterization = %s holds none "
            "but the identity: choose init = identity",
            form->name);
    const int32_t size = size_of(form, build);
    if (size < 0) return WEIR_INVALID;
    product *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    const weir_status status = WEIR_NAME(parameterization_declare)(
        form, build, size, random, build->boolean(build, "bias") ? "bias" : NULL, self);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_method linear_methods[] = {
    WEIR_METHOD("matrix", PRODUCT_MATRIX_SIGNATURE, "W, without the shift", WEIR_NAME(product_matrix)),
};

static const weir_module linear_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "linear",
    .version = "1.0.0",
    .summary = "z = W x + b with W dense, triangular, LU, QR, SVD, orthogonal, low-rank or diagonal",
    .doc = linear_doc,
    WEIR_OPTIONS(linear_options),
    WEIR_METHODS(linear_methods),
    .create = linear_create,
    .destroy = free,
    .prepare = WEIR_NAME(product_prepare),
    .prepare_vjp = WEIR_NAME(product_prepare_vjp),
    .ops = &linear_ops,
};

WEIR_PLUGIN(&linear_module, &WEIR_NAME(lu_linear_module), &WEIR_NAME(affine_gaussian_module));
