/* mlp - a multilayer perceptron, the usual conditioner of a coupling.
 *
 * All matrices are linear objects of the host. Hidden activations lie side by side in one tile: that tile is the whole
 * record on the tape, and layer i reads its slice i - 1 and writes its slice i. */
#include <weir/networks.h>

#include <stdlib.h>

#define MOST_HIDDEN 64

typedef struct mlp_layer {
    weir_handle linear;
    int32_t first, width; /* its slice of the tile of hidden activations; the output layer has none */
} mlp_layer;

typedef struct mlp {
    int32_t in;
    int32_t units;       /* of all hidden layers together */
    weir_handle context; /* matrix from the context into the first layer; -1: the model has no context */
    int32_t count;
    mlp_layer layers[MOST_HIDDEN + 1];
} mlp;

static const char mlp_doc[] =
    "h1 = act(W1 x + V c + b1), hk = act(Wk h(k-1) + bk), y = W h + b, with c the context (V is there only when the\n"
    "model has one). hidden = [] leaves y = W x + V c + b. x may have no features: y then depends on c and b alone.\n"
    "Tensors: hidden.K.weight [width, inputs], hidden.K.bias (K from 1), output.weight [outputs, width], output.bias,\n"
    "context.weight [width of the first layer, context features].\n"
    "Start: hidden layers uniform on +-1/sqrt(inputs), where the first layer counts context features as inputs; the\n"
    "output layer has zero weights and the bias its parent asked for, so that a coupling starts at the identity.\n"
    "Activations: leaky_relu has slope 0.01 and elu is e^x - 1 below zero; relu and leaky_relu have a kink at 0, and so\n"
    "has the second derivative of elu.\n"
    "Cost a row: a multiplication for each weight, and an activation for each hidden unit.\n"
    "Refused: autoregressive use (take made), more than 64 hidden layers.\n"
    "Source: Rumelhart, Hinton and Williams 1986, \"Learning representations by back-propagating errors\", Nature 323.";

static const weir_option mlp_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "hidden",
     .default_json = "[128,128]",
     .minimum = 1,
     .maximum = 65536,
     .summary = "width of each hidden layer, first to last; []: none"},
    WEIR_ACTIVATION_OPTION,
};

/* ---- calls ---------------------------------------------------------------------------------- */

static weir_tile layer_input(const mlp *self, int32_t i, const weir_tile *x, const weir_tile *hidden)
{
    if (i == 0) return *x;
    return weir_slice(hidden, self->layers[i - 1].first, self->layers[i - 1].width);
}

static weir_tile layer_output(const mlp *self, int32_t i, const weir_tile *y, const weir_tile *hidden)
{
    if (i == self->count - 1) return *y;
    return weir_slice(hidden, self->layers[i].first, self->layers[i].width);
}

static weir_status mlp_forward(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y)
{
    const mlp *const self = module;
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    weir_tile hidden;
    if (!weir_keep_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    for (int32_t i = 0; i < self->count; i++) {
        const weir_tile in = layer_input(self, i, x, &hidden), out = layer_output(self, i, y, &hidden);
        const int adds_context = i == 0 && self->context >= 0;
        if (adds_context)
            WEIR_TRY(status, host->linear_forward(frame, self->context, 0, -1, frame->context, &out, 0));
        WEIR_TRY(status, host->linear_forward(frame, self->layers[i].linear, 0, -1, &in, &out,
                                              adds_context ? WEIR_LINEAR_ADD : 0));
    }
    return status;
}

static weir_status mlp_vjp(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                           const weir_tile *y_bar, const weir_tile *x_bar)
{
    const mlp *const self = module;
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    weir_tile hidden, hidden_bar;
    if (!weir_pop_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    if (!weir_take_tile(frame, self->units, &hidden_bar)) return WEIR_ERROR;
    for (int32_t i = self->count - 1; i >= 0; i--) {
        const weir_handle linear = self->layers[i].linear;
        const weir_tile in = layer_input(self, i, x, &hidden), out = layer_output(self, i, y, &hidden);
        const weir_tile out_bar = layer_output(self, i, y_bar, &hidden_bar);
        if (i < self->count - 1)
            WEIR_TRY(status, host->linear_vjp_activation(frame, linear, 0, -1, &out, &out_bar));
        WEIR_TRY(status, host->linear_vjp_weights(frame, linear, &in, &out_bar));
        if (i == 0) WEIR_TRY(status, weir_context_vjp(frame, self->context, &out_bar));
        if (i == 0 && (!x_bar || self->in == 0)) break;
        const weir_tile in_bar = i ? layer_input(self, i, NULL, &hidden_bar) : *x_bar;
        WEIR_TRY(status, host->linear_vjp_input(frame, linear, 0, -1, &out_bar, &in_bar, 0));
    }
    return status;
}

/* ---- creation ------------------------------------------------------------------------------- */

static weir_status check_spec(weir_builder *build, int32_t hidden)
{
    if (!build->network) return weir_refuse(build, "mlp needs a parent that asks for a network");
    if (build->network->autoregressive)
        return weir_refuse(build,
                           "mlp mixes all features: give the autoregressive layer the network \"made\"");
    if (hidden > MOST_HIDDEN)
        return weir_refuse(build, "hidden has %d layers, at most %d are possible", hidden, MOST_HIDDEN);
    return WEIR_OK;
}

static void declare(mlp *self, weir_builder *build, const int64_t *widths, int32_t activation)
{
    const weir_network_spec *const spec = build->network;
    const weir_init zero = {.struct_size = (uint32_t)sizeof(weir_init)}, bias = weir_output_start(spec);
    int32_t inputs = spec->in;
    for (int32_t i = 0; i < self->count; i++) {
        const int last = i == self->count - 1;
        const weir_init random = weir_hidden_start(i ? inputs : spec->in + build->context);
        char name[32];
        snprintf(name, sizeof name, "hidden.%d", i + 1);
        const weir_linear_spec linear = {.struct_size = (uint32_t)sizeof linear,
                                         .activation = last ? WEIR_ACTIVATION_NONE : activation,
                                         .name = last ? "output" : name,
                                         .in = inputs,
                                         .out = last ? spec->out : (int32_t)widths[i],
                                         .weight = last ? &zero : &random,
                                         .bias = last ? &bias : &random};
        self->layers[i] = (mlp_layer){build->linear(build, &linear), self->units, last ? 0 : linear.out};
        self->units += self->layers[i].width;
        inputs = linear.out;
        if (i == 0) self->context = weir_context_linear(build, linear.out, linear.weight);
    }
}

static weir_status mlp_create(weir_builder *build, void **module)
{
    int64_t widths[MOST_HIDDEN];
    const int32_t hidden = build->integers(build, "hidden", widths, MOST_HIDDEN);
    const int32_t activation = weir_activation_chosen(build);
    if (build->failed(build) || hidden < 0 || activation < 0) return WEIR_INVALID;
    if (check_spec(build, hidden) != WEIR_OK) return WEIR_INVALID;
    mlp *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->in = build->network->in;
    self->context = -1;
    self->count = hidden + 1;
    declare(self, build, widths, activation);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_network_ops mlp_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = mlp_forward,
    .vjp = mlp_vjp,
};

static const weir_module mlp_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "mlp",
    .version = "1.0.0",
    .summary = "multilayer perceptron: dense layers with an activation between them",
    .doc = mlp_doc,
    WEIR_OPTIONS(mlp_options),
    .create = mlp_create,
    .destroy = free,
    .ops = &mlp_ops,
};

WEIR_PLUGIN(&mlp_module);
