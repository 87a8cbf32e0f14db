/* lu_linear - an invertible matrix kept as its LU factors, plus a shift. */
#include "start.h"
#include "triangle.h"

#include <stdlib.h>

typedef struct lu_linear {
    int32_t features;
    weir_handle lower, upper, log_diagonal, bias;     /* parameters */
    weir_handle permutation, sign;                    /* buffers */
    weir_handle dense_lower, dense_upper, log_volume; /* derived */
} lu_linear;

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

/* ---- shared by the calls ---------------------------------------------------------------------- */

static triangle lower_of(const lu_linear *self, const weir_frame *frame)
{
    return (triangle){weir_tensor(frame, self->dense_lower), self->features, self->features, 1, 1};
}

static triangle upper_of(const lu_linear *self, const weir_frame *frame)
{
    return (triangle){weir_tensor(frame, self->dense_upper), self->features, self->features, 1, 0};
}

static void add_log_volume(const lu_linear *self, const weir_frame *frame, weir_real sign, weir_real *log_det)
{
    const weir_real volume = sign * *weir_tensor(frame, self->log_volume);
    for (int32_t r = 0; log_det && r < frame->width; r++) log_det[r] += volume;
}

/* v_bar_perm(i) = z_bar_i. */
static void unpermute(const lu_linear *self, const weir_frame *frame, const weir_tile *from,
                      const weir_tile *to)
{
    const int64_t *const permutation = weir_integers(frame, self->permutation);
    for (int32_t i = 0; i < self->features; i++)
        weir_copy_lane(frame, weir_lane(from, i), weir_lane(to, (int32_t)permutation[i]));
}

static void permute(const lu_linear *self, const weir_frame *frame, const weir_tile *from,
                    const weir_tile *to)
{
    const int64_t *const permutation = weir_integers(frame, self->permutation);
    for (int32_t i = 0; i < self->features; i++)
        weir_copy_lane(frame, weir_lane(from, (int32_t)permutation[i]), weir_lane(to, i));
}

static void shift(const lu_linear *self, const weir_frame *frame, weir_real sign, const weir_tile *tile)
{
    const weir_real *const bias = weir_tensor(frame, self->bias);
    for (int32_t i = 0; i < self->features; i++) {
        weir_real *const lane = weir_lane(tile, i);
        const weir_real by = sign * bias[i];
        for (int32_t r = 0; r < frame->width; r++) lane[r] += by;
    }
}

/* Adds sign times the gradients that the doc states. */
static void add_gradients(const lu_linear *self, weir_frame *frame, double sign, const weir_tile *x,
                          const weir_tile *u, const weir_tile *u_bar, const weir_tile *v_bar,
                          const weir_tile *z_bar, const weir_real *log_det_bar)
{
    weir_real *const lower = weir_gradient(frame, self->dense_lower);
    weir_real *const upper = weir_gradient(frame, self->dense_upper);
    weir_real *const volume = weir_gradient(frame, self->log_volume), *const bias =
                                                                          weir_gradient(frame, self->bias);
    if (lower) WEIR_NAME(triangle_outer)(lower_of(self, frame), frame, sign, v_bar, u, lower);
    if (upper) WEIR_NAME(triangle_outer)(upper_of(self, frame), frame, sign, u_bar, x, upper);
    if (volume && log_det_bar) *volume += WEIR_C(sign) * weir_sum_lane(frame, log_det_bar);
    for (int32_t i = 0; bias && i < self->features; i++)
        bias[i] += WEIR_C(sign) * weir_sum_lane(frame, weir_lane(z_bar, i));
}

/* ---- data to latent ------------------------------------------------------------------------- */

static weir_status lu_linear_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, void *log_det)
{
    const lu_linear *const self = module;
    weir_tile u, v;
    if (!weir_keep_tile(frame, self->features, &u) || !weir_take_tile(frame, self->features, &v))
        return WEIR_ERROR;
    WEIR_NAME(triangle_multiply)(upper_of(self, frame), frame, x, &u);
    WEIR_NAME(triangle_multiply)(lower_of(self, frame), frame, &u, &v);
    permute(self, frame, &v, z);
    shift(self, frame, 1, z);
    add_log_volume(self, frame, 1, log_det);
    return WEIR_OK;
}

static weir_status lu_linear_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                         const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                         const weir_tile *x_bar)
{
    const lu_linear *const self = module;
    weir_tile u, u_bar, v_bar;
    (void)z;
    if (!weir_pop_tile(frame, self->features, &u) || !weir_take_tile(frame, self->features, &u_bar) ||
        !weir_take_tile(frame, self->features, &v_bar))
        return WEIR_ERROR;
    unpermute(self, frame, z_bar, &v_bar);
    WEIR_NAME(triangle_multiply)(transposed(lower_of(self, frame)), frame, &v_bar, &u_bar);
    if (x_bar) WEIR_NAME(triangle_multiply)(transposed(upper_of(self, frame)), frame, &u_bar, x_bar);
    add_gradients(self, frame, 1, x, &u, &u_bar, &v_bar, z_bar, log_det_bar);
    return WEIR_OK;
}

/* ---- latent to data ------------------------------------------------------------------------- */

static void copy_tile(const weir_frame *frame, const weir_tile *from, const weir_tile *to)
{
    for (int32_t f = 0; f < from->features; f++) weir_copy_lane(frame, weir_lane(from, f), weir_lane(to, f));
}

static weir_status lu_linear_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, void *log_det)
{
    const lu_linear *const self = module;
    weir_tile u, shifted;
    if (!weir_keep_tile(frame, self->features, &u) || !weir_take_tile(frame, self->features, &shifted))
        return WEIR_ERROR;
    copy_tile(frame, z, &shifted);
    shift(self, frame, -1, &shifted);
    unpermute(self, frame, &shifted, &u);
    WEIR_NAME(triangle_solve)(lower_of(self, frame), frame, &u);
    copy_tile(frame, &u, x);
    WEIR_NAME(triangle_solve)(upper_of(self, frame), frame, x);
    add_log_volume(self, frame, -1, log_det);
    return WEIR_OK;
}

static weir_status lu_linear_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                         const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                         const weir_tile *z_bar)
{
    const lu_linear *const self = module;
    weir_tile u, u_bar, v_bar, unwanted;
    (void)z;
    if (!weir_pop_tile(frame, self->features, &u) || !weir_take_tile(frame, self->features, &u_bar) ||
        !weir_take_tile(frame, self->features, &v_bar))
        return WEIR_ERROR;
    if (!z_bar && !weir_take_tile(frame, self->features, &unwanted)) return WEIR_ERROR;
    if (!z_bar) z_bar = &unwanted;
    copy_tile(frame, x_bar, &u_bar);
    WEIR_NAME(triangle_solve)(transposed(upper_of(self, frame)), frame, &u_bar);
    copy_tile(frame, &u_bar, &v_bar);
    WEIR_NAME(triangle_solve)(transposed(lower_of(self, frame)), frame, &v_bar);
    permute(self, frame, &v_bar, z_bar);
    add_gradients(self, frame, -1, x, &u, &u_bar, &v_bar, z_bar, log_det_bar);
    return WEIR_OK;
}

/* ---- preparation ---------------------------------------------------------------------------- */

static weir_status check_permutation(const lu_linear *self, weir_frame *frame)
{
    const int64_t *const permutation = weir_integers(frame, self->permutation);
    char *const seen = weir_take(frame, self->features);
    if (!seen) return WEIR_ERROR;
    memset(seen, 0, (size_t)self->features);
    for (int32_t i = 0; i < self->features; i++) {
        if (permutation[i] < 0 || permutation[i] >= self->features || seen[permutation[i]])
            return weir_failf(
                frame, WEIR_INVALID,
                "entry %d of the buffer `permutation`, %lld, is out of range or there twice; it must "
                "hold 0 to %d, each once",
                i, (long long)permutation[i], self->features - 1);
        seen[permutation[i]] = 1;
    }
    return WEIR_OK;
}

/* Lays one packed triangle out as a dense matrix with zeros in the other half. */
static void lay_out(int32_t n, const weir_real *packed, const weir_real *diagonal, int lower,
                    weir_real *dense)
{
    memset(dense, 0, (size_t)n * (size_t)n * sizeof *dense);
    for (int32_t i = 0; i < n; i++) {
        dense[(int64_t)i * n + i] = diagonal ? diagonal[i] : 1;
        for (int32_t j = 0; j < i; j++)
            dense[lower ? (int64_t)i * n + j : (int64_t)j * n + i] = packed[packed_index(i, j)];
    }
}

static weir_status lu_linear_prepare(const void *module, weir_frame *frame)
{
    const lu_linear *const self = module;
    const weir_real *const d = weir_tensor(frame, self->log_diagonal), *const sign =
                                                                           weir_tensor(frame, self->sign);
    weir_real *const volume = weir_tensor(frame, self->log_volume);
    const int32_t n = self->features;
    weir_real *const diagonal = weir_take(frame, n * (int64_t)sizeof *diagonal);
    const weir_status status = check_permutation(self, frame);
    if (!diagonal) return WEIR_ERROR;
    if (status != WEIR_OK) return status;
    *volume = 0;
    frame->math->exp(n, d, diagonal);
    for (int32_t i = 0; i < n; i++) {
        *volume += d[i];
        if (sign[i] < 0) diagonal[i] = -diagonal[i];
    }
    lay_out(n, weir_tensor(frame, self->lower), NULL, 1, weir_tensor(frame, self->dense_lower));
    lay_out(n, weir_tensor(frame, self->upper), diagonal, 0, weir_tensor(frame, self->dense_upper));
    return WEIR_OK;
}

static void gather_gradient(int32_t n, const weir_real *dense, int lower, weir_real *packed)
{
    if (!dense || !packed) return;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++)
            packed[packed_index(i, j)] += dense[lower ? (int64_t)i * n + j : (int64_t)j * n + i];
}

static weir_status lu_linear_prepare_vjp(const void *module, weir_frame *frame)
{
    const lu_linear *const self = module;
    const int32_t n = self->features;
    const weir_real *const upper = weir_tensor(frame, self->dense_upper);
    const weir_real *const upper_bar = weir_gradient(frame, self->dense_upper);
    const weir_real *const volume_bar = weir_gradient(frame, self->log_volume);
    weir_real *const d_bar = weir_gradient(frame, self->log_diagonal);
    gather_gradient(n, weir_gradient(frame, self->dense_lower), 1, weir_gradient(frame, self->lower));
    gather_gradient(n, upper_bar, 0, weir_gradient(frame, self->upper));
    for (int32_t i = 0; d_bar && i < n; i++) {
        const int64_t diagonal = (int64_t)i * n + i;
        if (upper_bar) d_bar[i] += upper_bar[diagonal] * upper[diagonal];
        if (volume_bar) d_bar[i] += *volume_bar;
    }
    return WEIR_OK;
}

/* ---- creation ------------------------------------------------------------------------------- */

static weir_init values_or_zero(const double *values)
{
    return (weir_init){.struct_size = (uint32_t)sizeof(weir_init),
                       .kind = values ? WEIR_INIT_VALUES : WEIR_INIT_ZERO,
                       .values = values};
}

/* start holds NULLs for the identity; then the permutation, which has no other default, is made here. */
static weir_status declare(lu_linear *self, weir_builder *build, factors *start)
{
    const int64_t n = self->features, side[2] = {n, n}, half[1] = {n * (n - 1) / 2}, one[1] = {1};
    const weir_init lower = values_or_zero(start->lower), upper = values_or_zero(start->upper);
    const weir_init diagonal = values_or_zero(start->log_diagonal), given_sign = values_or_zero(start->sign);
    const weir_init plus = {.struct_size = (uint32_t)sizeof plus, .kind = WEIR_INIT_CONSTANT, .a = 1};
    if (!start->permutation) {
        start->permutation = malloc((size_t)n * sizeof *start->permutation);
        if (!start->permutation) return weir_refuse(build, "out of memory");
        for (int64_t i = 0; i < n; i++) start->permutation[i] = i;
    }
    self->lower = build->parameter(build, "lower", 1, half, &lower, 0);
    self->upper = build->parameter(build, "upper", 1, half, &upper, 0);
    self->log_diagonal = build->parameter(build, "log_diagonal", 1, side, &diagonal, WEIR_TENSOR_NO_DECAY);
    self->bias = build->parameter(build, "bias", 1, side, NULL, WEIR_TENSOR_NO_DECAY);
    self->permutation = build->integer_buffer(build, "permutation", 1, side, start->permutation);
    self->sign = build->buffer(build, "sign", 1, side, start->sign ? &given_sign : &plus);
    self->dense_lower = build->derived(build, "dense_lower", 2, side);
    self->dense_upper = build->derived(build, "dense_upper", 2, side);
    self->log_volume = build->derived(build, "log_volume", 1, one);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status lu_linear_create(weir_builder *build, void **module)
{
    const char *const init = build->string(build, "init");
    weir_status status = WEIR_INVALID;
    factors start = {.lower = NULL};
    if (!init) return WEIR_INVALID;
    if (build->features < 1) return weir_refuse(build, "lu_linear needs at least 1 feature");
    lu_linear *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    if (strcmp(init, "random") == 0 && !WEIR_NAME(random_factors)(self->features, build->stream, &start))
        weir_refuse(build, "out of memory");
    else
        status = declare(self, build, &start);
    WEIR_NAME(factors_clear)(&start);
    if (status == WEIR_OK)
        *module = self;
    else
        free(self);
    return status;
}

static const weir_layer_ops lu_linear_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = lu_linear_forward,
    .inverse = lu_linear_inverse,
    .forward_vjp = lu_linear_forward_vjp,
    .inverse_vjp = lu_linear_inverse_vjp,
};

static const weir_module lu_linear_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "lu_linear",
    .version = "1.0.0",
    .summary = "z = P L U x + b, a trained invertible matrix that starts at the identity",
    .doc = lu_linear_doc,
    WEIR_OPTIONS(lu_linear_options),
    .create = lu_linear_create,
    .destroy = free,
    .prepare = lu_linear_prepare,
    .prepare_vjp = lu_linear_prepare_vjp,
    .ops = &lu_linear_ops,
};

WEIR_PLUGIN(&lu_linear_module);
