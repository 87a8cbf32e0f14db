/* residual_mlp - a perceptron whose hidden layer runs through residual blocks.
 *
 * All matrices are linear objects. W1's activation is fused into it; that on the running h is applied here, since h goes
 * on unchanged beside it. The second matrix of a block adds to h in place. */
#include "activation.h"

#include <weir/networks.h>

#include <stdlib.h>

#define MOST_BLOCKS 64

typedef struct residual_mlp {
    int32_t in;
    int32_t width;
    int32_t activation;
    int32_t blocks;
    weir_handle input, output;
    weir_handle context; /* matrix from the context into the first layer; -1: the model has no context */
    weir_handle first[MOST_BLOCKS], second[MOST_BLOCKS];
} residual_mlp;

static const char residual_mlp_doc[] =
    "h = W x + V c + b, then for every block  h <- h + W2 act(W1 act(h) + b1) + b2,  then y = W' h + b'.\n"
    "c is the context (V is there only when the model has one); x may have no features. The activation comes before the\n"
    "matrix, so h itself is never squashed on its way to the output; blocks = 0 leaves a linear map.\n"
    "Tensors: input.weight [hidden, inputs], input.bias; block.K.first.weight, block.K.second.weight [hidden, hidden]\n"
    "and their biases (K from 1); output.weight [outputs, hidden], output.bias; context.weight [hidden, context features].\n"
    "Start: uniform on +-1/sqrt(inputs), where the first layer counts context features as inputs; second matrices and\n"
    "their biases uniform on +-0.001, so that blocks start as near nothing; the output layer has zero weights and the\n"
    "bias its parent asked for.\n"
    "Activations: leaky_relu has slope 0.01 and elu is e^x - 1 below zero.\n"
    "Cost a row: a multiplication for each weight, and two activations for each unit of a block.\n"
    "Refused: autoregressive use (take made).\n"
    "Source: the residual conditioner of Durkan et al. 2019, \"Neural spline flows\", arXiv:1906.04032, with the\n"
    "pre-activation blocks of He et al. 2016, arXiv:1603.05027, without batch normalisation; the context is added to the\n"
    "first layer alone, not gated into every block.";

static const weir_option residual_mlp_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "hidden",
     .default_json = "128",
     .minimum = 1,
     .maximum = 65536,
     .summary = "width of the hidden layer that runs through the blocks"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "blocks",
     .default_json = "2",
     .minimum = 0,
     .maximum = MOST_BLOCKS,
     .summary = "number of residual blocks, of two matrices each"},
    WEIR_ACTIVATION_OPTION,
};

/* ---- calls ---------------------------------------------------------------------------------- */

/* One record on the tape: for every block act(h) and the activation inside it, then the last h. */
static int32_t kept_lanes(const residual_mlp *self)
{
    return (2 * self->blocks + 1) * self->width;
}

static weir_tile kept(const residual_mlp *self, const weir_tile *record, int32_t index)
{
    return weir_slice(record, index * self->width, self->width);
}

static weir_status first_layer(const residual_mlp *self, weir_frame *frame, const weir_tile *x,
                               const weir_tile *h)
{
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    if (self->context >= 0)
        WEIR_TRY(status, host->linear_forward(frame, self->context, 0, -1, frame->context, h, 0));
    WEIR_TRY(status,
             host->linear_forward(frame, self->input, 0, -1, x, h, self->context >= 0 ? WEIR_LINEAR_ADD : 0));
    return status;
}

static weir_status residual_mlp_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *y)
{
    const residual_mlp *const self = module;
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    weir_tile record;
    if (!weir_keep_tile(frame, kept_lanes(self), &record)) return WEIR_ERROR;
    const weir_tile h = kept(self, &record, 2 * self->blocks);
    WEIR_TRY(status, first_layer(self, frame, x, &h));
    for (int32_t b = 0; b < self->blocks; b++) {
        const weir_tile a = kept(self, &record, 2 * b), inner = kept(self, &record, 2 * b + 1);
        WEIR_NAME(activate)(self->activation, frame, &h, &a);
        WEIR_TRY(status, host->linear_forward(frame, self->first[b], 0, -1, &a, &inner, 0));
        WEIR_TRY(status, host->linear_forward(frame, self->second[b], 0, -1, &inner, &h, WEIR_LINEAR_ADD));
    }
    WEIR_TRY(status, host->linear_forward(frame, self->output, 0, -1, &h, y, 0));
    return status;
}

/* Turns h_bar, the cotangent of h after block b, into that of h before it; the two others are memory to work in. */
static weir_status block_vjp(const residual_mlp *self, weir_frame *frame, int32_t b, const weir_tile *a,
                             const weir_tile *inner, const weir_tile *h_bar, const weir_tile *inner_bar,
                             const weir_tile *a_bar)
{
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->second[b], inner, h_bar));
    WEIR_TRY(status, host->linear_vjp_input(frame, self->second[b], 0, -1, h_bar, inner_bar, 0));
    WEIR_TRY(status, host->linear_vjp_activation(frame, self->first[b], 0, -1, inner, inner_bar));
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->first[b], a, inner_bar));
    WEIR_TRY(status, host->linear_vjp_input(frame, self->first[b], 0, -1, inner_bar, a_bar, 0));
    return WEIR_NAME(activate_vjp)(self->activation, frame, a, a_bar, h_bar) ? status : WEIR_ERROR;
}

static weir_status first_layer_vjp(const residual_mlp *self, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *h_bar, const weir_tile *x_bar)
{
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->input, x, h_bar));
    WEIR_TRY(status, weir_context_vjp(frame, self->context, h_bar));
    if (x_bar && self->in > 0)
        WEIR_TRY(status, host->linear_vjp_input(frame, self->input, 0, -1, h_bar, x_bar, 0));
    return status;
}

static weir_status residual_mlp_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *y, const weir_tile *y_bar, const weir_tile *x_bar)
{
    const residual_mlp *const self = module;
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    weir_tile record, bars;
    (void)y;
    if (!weir_pop_tile(frame, kept_lanes(self), &record)) return WEIR_ERROR;
    if (!weir_take_tile(frame, 3 * self->width, &bars)) return WEIR_ERROR;
    const weir_tile h = kept(self, &record, 2 * self->blocks), h_bar = kept(self, &bars, 0);
    const weir_tile inner_bar = kept(self, &bars, 1), a_bar = kept(self, &bars, 2);
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->output, &h, y_bar));
    WEIR_TRY(status, host->linear_vjp_input(frame, self->output, 0, -1, y_bar, &h_bar, 0));
    for (int32_t b = self->blocks - 1; b >= 0; b--) {
        const weir_tile a = kept(self, &record, 2 * b), inner = kept(self, &record, 2 * b + 1);
        WEIR_TRY(status, block_vjp(self, frame, b, &a, &inner, &h_bar, &inner_bar, &a_bar));
    }
    WEIR_TRY(status, first_layer_vjp(self, frame, x, &h_bar, x_bar));
    return status;
}

/* ---- creation ------------------------------------------------------------------------------- */

static weir_init within(double bound)
{
    return (weir_init){
        .struct_size = (uint32_t)sizeof(weir_init), .kind = WEIR_INIT_UNIFORM, .a = -bound, .b = bound};
}

static weir_handle declare_matrix(weir_builder *build, const char *name, int32_t in, int32_t out,
                                  int32_t activation, const weir_init *weight, const weir_init *bias)
{
    const weir_linear_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                   .activation = activation,
                                   .name = name,
                                   .in = in,
                                   .out = out,
                                   .weight = weight,
                                   .bias = bias};
    return build->linear(build, &spec);
}

static void declare_blocks(residual_mlp *self, weir_builder *build)
{
    const weir_init random = weir_hidden_start(self->width), small = within(1e-3);
    for (int32_t b = 0; b < self->blocks; b++) {
        char name[32];
        snprintf(name, sizeof name, "block.%d.first", b + 1);
        self->first[b] =
            declare_matrix(build, name, self->width, self->width, self->activation, &random, &random);
        snprintf(name, sizeof name, "block.%d.second", b + 1);
        self->second[b] =
            declare_matrix(build, name, self->width, self->width, WEIR_ACTIVATION_NONE, &small, &small);
    }
}

static void declare(residual_mlp *self, weir_builder *build)
{
    const weir_network_spec *const spec = build->network;
    const weir_init random = weir_hidden_start(spec->in + build->context);
    const weir_init zero = {.struct_size = (uint32_t)sizeof zero};
    const weir_init bias = weir_output_start(spec);
    self->input =
        declare_matrix(build, "input", spec->in, self->width, WEIR_ACTIVATION_NONE, &random, &random);
    self->context = weir_context_linear(build, self->width, &random);
    declare_blocks(self, build);
    self->output =
        declare_matrix(build, "output", self->width, spec->out, WEIR_ACTIVATION_NONE, &zero, &bias);
}

static weir_status residual_mlp_create(weir_builder *build, void **module)
{
    if (!build->network) return weir_refuse(build, "residual_mlp needs a parent that asks for a network");
    if (build->network->autoregressive)
        return weir_refuse(
            build, "residual_mlp mixes all features: give the autoregressive layer the network \"made\"");
    residual_mlp *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->in = build->network->in;
    self->width = (int32_t)build->integer(build, "hidden");
    self->blocks = (int32_t)build->integer(build, "blocks");
    self->activation = weir_activation_chosen(build);
    if (!build->failed(build)) declare(self, build);
    if (build->failed(build) || self->activation < 0) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_network_ops residual_mlp_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = residual_mlp_forward,
    .vjp = residual_mlp_vjp,
};

static const weir_module residual_mlp_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "residual_mlp",
    .version = "1.0.0",
    .summary = "perceptron of pre-activation residual blocks, the conditioner of spline flows",
    .doc = residual_mlp_doc,
    WEIR_OPTIONS(residual_mlp_options),
    .create = residual_mlp_create,
    .destroy = free,
    .ops = &residual_mlp_ops,
};

WEIR_PLUGIN(&residual_mlp_module);
