/* bnaf - a block neural autoregressive flow: one network, monotone in each feature and blind to those after it. */
#include "bnaf.h"

#include <stdlib.h>

static const char bnaf_doc[] =
    "z = alpha y(x) + beta x, where y is a network with H units per feature in each of L hidden layers:\n"
    "  h1 = tanh(W1 x + V1 c + b1), hk = tanh(Wk h(k-1) + Vk c + bk), y = W h + V c + b, c the context.\n"
    "Every W is block lower-triangular: units of feature d see those of features up to d, and the blocks on the diagonal\n"
    "are positive. So y_d depends on x_1 .. x_d and on the context, and rises with x_d. forward is the explicit direction.\n"
    "Rows are normalised: with v the row's entries below the diagonal block and exp(p) in the block, W's row is\n"
    "exp(n) v / |v|. Context enters every layer as a sum, without constraint (it has degree 0).\n"
    "residual: none is alpha = 1, beta = 0; normal is alpha = beta = 1; gated is alpha = sigmoid(gate), beta = 1 - alpha.\n"
    "Log-det: dy_d/dx_d is the product of d's diagonal blocks and tanh' between them, and is carried by its logarithm:\n"
    "  g1 = log P1 + log tanh'(a1), gk = log(Pk exp(g(k-1))) + log tanh'(ak), s_d = log(P exp(gL)), with the largest\n"
    "entry taken out before every exp, and log tanh'(a) = 2 (log 2 - |a| - softplus(-2 |a|)). Then\n"
    "  log|det dz/dx| = sum over d of log(alpha exp(s_d) + beta) = sum of log(beta) + softplus(s_d + log(alpha / beta)).\n"
    "Image: y is bounded, by the last layer's weights, because tanh is. With a residual z takes every value; without\n"
    "one (and L > 0) a z that y cannot reach has no x: inverse discards such rows, and base samples may be among them.\n"
    "Choose none for density estimation only.\n"
    "inverse: features in turn, each by one bracketed root in x_d, Newton steps with bisection. What bias, context and\n"
    "features before d add to d's units is computed once, so a step costs d's diagonal blocks alone: H + (L - 1) H^2 + H\n"
    "products and L H tanh a row. With K steps (about 5) for D features, inverse costs a pass of forward twice, and\n"
    "D K of these steps; steps and residual (0: below rounding) are reported. A residual gives the bracket; without one,\n"
    "or with a share of x below 1e-30, it is grown from 0, as far as 4^100. L = 0 needs no iterations.\n"
    "inverse's VJP: by the implicit function theorem, J^T a = x_bar - l_bar dl/dx solved by back-substitution over the\n"
    "features through the same blocks, for the price of about two VJPs of forward, and for any D.\n"
    "Cost of forward: L D^2 H^2 / 2 products, L D H each of tanh, softplus, exp and log (tanh alone without log-det).\n"
    "Gradients: with E = exp(g(k-1) - max), S = P E: g(k-1)_bar = E * P^T (u_bar / S) and P_bar = (u_bar / S) E^T, where\n"
    "u_bar = gk_bar is that before tanh'; a_bar = tanh'(a) h_bar - 2 tanh(a) g_bar; with p = sigmoid(s + log(alpha/beta)),\n"
    "s_bar = p l_bar and gate_bar = alpha beta z_bar (y - x) + l_bar (p - alpha). For a row u = v / |v|, w = exp(n) u:\n"
    "v_bar = exp(n) / |v| (w_bar - u (u.w_bar)), n_bar = w.w_bar.\n"
    "Shapes: x and z have D features. Tensors, of layer K from 1 (the last is the output's, with one unit per feature):\n"
    "layer.K.log_diagonal [D, out, in] = p; layer.K.below [out in D (D - 1) / 2], by feature, row by row;\n"
    "layer.K.log_norm [D, out] = n; layer.K.bias [D, out]; layer.K.context.weight; gate [1] (gated). Derived: layer.K.matrix.\n"
    "Start: p normal with deviation 0.5, below and V uniform on +-1/sqrt(inputs), n = -log(in) / 2, biases of hidden layers\n"
    "uniform on +-1, the output's 0, gate 0.\n"
    "Rows with a value or log-slope that is not finite are discarded. Refused: more than 2^27 units in all.\n"
    "Source: De Cao, Titov and Aziz 2019, \"Block neural autoregressive flow\", arXiv:1904.04676, sections 3.1 to 3.3;\n"
    "context and the inverse are not in it.";

static const weir_option bnaf_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "hidden",
     .default_json = "8",
     .minimum = 1,
     .maximum = 4096,
     .summary = "H, units of each feature in every hidden layer"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "layers",
     .default_json = "1",
     .minimum = 0,
     .maximum = BNAF_MOST_LAYERS,
     .summary = "L, hidden layers; 0: an affine map"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "residual",
     .default_json = "\"gated\"",
     .choices = "none|normal|gated",
     .summary = "how x is added: none is bounded, and cannot sample from every base"},
};

static const weir_layer_ops bnaf_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = WEIR_NAME(bnaf_forward),
    .inverse = WEIR_NAME(bnaf_inverse),
    .forward_vjp = WEIR_NAME(bnaf_forward_vjp),
    .inverse_vjp = WEIR_NAME(bnaf_inverse_vjp),
};

/* ---- creation ------------------------------------------------------------------------------------------------------ */

static weir_init uniform(double bound)
{
    return (weir_init){
        .struct_size = (uint32_t)sizeof(weir_init), .kind = WEIR_INIT_UNIFORM, .a = -bound, .b = bound};
}

static void name_tensor(char *name, size_t size, int32_t i, const char *what)
{
    snprintf(name, size, "layer.%d.%s", i + 1, what);
}

static weir_handle declare_context(const bnaf *self, weir_builder *build, int32_t i)
{
    char name[40];
    const weir_init weight = uniform(1 / sqrt((double)build->context));
    const weir_linear_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                   .name = name,
                                   .in = build->context,
                                   .out = self->features * self->maps[i].out,
                                   .flags = WEIR_LINEAR_NO_BIAS,
                                   .weight = &weight};
    name_tensor(name, sizeof name, i, "context");
    return build->linear(build, &spec);
}

static void declare_layer(bnaf *self, weir_builder *build, int32_t i)
{
    block_map *const map = &self->maps[i];
    const int64_t d = self->features, in = map->in, out = map->out;
    const int64_t blocks[3] = {d, out, in}, below[1] = {out * in * (d * (d - 1) / 2)}, units[2] = {d, out};
    const int64_t whole[2] = {d * out, d * in};
    const weir_init normal = {.struct_size = (uint32_t)sizeof normal, .kind = WEIR_INIT_NORMAL, .b = 0.5};
    const weir_init norm = {
        .struct_size = (uint32_t)sizeof norm, .kind = WEIR_INIT_CONSTANT, .a = -log((double)in) / 2};
    const weir_init spread = uniform(1 / sqrt((double)(d * in))), bias = uniform(i < self->layers ? 1 : 0);
    char name[40];
    name_tensor(name, sizeof name, i, "log_diagonal");
    map->log_diagonal = build->parameter(build, name, 3, blocks, &normal, WEIR_TENSOR_NO_DECAY);
    name_tensor(name, sizeof name, i, "below");
    map->below = build->parameter(build, name, 1, below, &spread, 0);
    name_tensor(name, sizeof name, i, "log_norm");
    map->log_norm = build->parameter(build, name, 2, units, &norm, WEIR_TENSOR_NO_DECAY);
    name_tensor(name, sizeof name, i, "bias");
    map->bias = build->parameter(build, name, 2, units, &bias, WEIR_TENSOR_NO_DECAY);
    name_tensor(name, sizeof name, i, "matrix");
    map->matrix = build->derived(build, name, 2, whole);
    map->context = build->context > 0 ? declare_context(self, build, i) : -1;
}

static void declare(bnaf *self, weir_builder *build)
{
    const int64_t one[1] = {1}, units[2] = {self->features, self->maps[0].out};
    for (int32_t i = 0; i <= self->layers; i++) declare_layer(self, build, i);
    self->log_first = build->derived(build, "log_first", 2, units);
    self->gate = self->residual == RESIDUAL_GATED
                     ? build->parameter(build, "gate", 1, one, NULL, WEIR_TENSOR_NO_DECAY)
                     : -1;
}

static residual_kind residual_of(const char *name)
{
    if (name && strcmp(name, "none") == 0) return RESIDUAL_NONE;
    return name && strcmp(name, "normal") == 0 ? RESIDUAL_NORMAL : RESIDUAL_GATED;
}

static weir_status bnaf_create(weir_builder *build, void **module)
{
    const int64_t hidden = build->integer(build, "hidden"), layers = build->integer(build, "layers");
    if (build->failed(build)) return WEIR_INVALID;
    if (build->features < 1) return weir_refuse(build, "bnaf needs at least 1 feature");
    if (build->features * hidden * (layers + 1) > INT64_C(1) << 27)
        return weir_refuse(build,
                           "%d features with %d units in each of %d layers are too many: choose fewer hidden",
                           (int)build->features, (int)hidden, (int)layers);
    bnaf *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->hidden = (int32_t)hidden;
    self->layers = (int32_t)layers;
    self->residual = residual_of(build->string(build, "residual"));
    for (int32_t i = 0; i <= self->layers; i++) {
        self->maps[i].in = i ? self->hidden : 1;
        self->maps[i].out = i < self->layers ? self->hidden : 1;
    }
    declare(self, build);
    build->traits(build, WEIR_TRAIT_INVERSE_SEQUENTIAL | (layers ? WEIR_TRAIT_INVERSE_NUMERIC : 0));
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module bnaf_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "bnaf",
    .version = "1.0.0",
    .summary = "one network with a triangular, positive Jacobian (block neural autoregressive flow)",
    .doc = bnaf_doc,
    WEIR_OPTIONS(bnaf_options),
    .create = bnaf_create,
    .destroy = free,
    .prepare = WEIR_NAME(bnaf_prepare),
    .prepare_vjp = WEIR_NAME(bnaf_prepare_vjp),
    .ops = &bnaf_ops,
};

WEIR_PLUGIN(&bnaf_module);
