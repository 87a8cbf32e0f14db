/* made - a masked autoencoder: all parameters of an autoregressive flow from one network, in one pass. */
#include "made.h"

#include <weir/networks.h>

#include <stdlib.h>

static const char made_doc[] =
    "y = network(x, context) where the P outputs of feature d depend on features before d (and on the context) only.\n"
    "Layers are those of mlp: h1 = act(W1 x + V c + b1), hk = act(Wk h(k-1) + bk), y = W h + b, with masked W.\n"
    "A hidden unit of degree m sees x_1 .. x_m and, in later layers, units of degree <= m; feature d (from 1) sees\n"
    "units of degree < d. Degrees are L .. D - 1, n of them, with L = 1, or L = 0 when there is a context or D = 1:\n"
    "units of degree 0 depend on the context alone and feed every feature, so that the first feature is conditional\n"
    "too. Unit u (from 0) of a layer of w has degree L + floor(u n / w), or L + floor(u (n - 1) / (w - 1)) when w < n;\n"
    "a layer narrower than n lacks some degrees, and features there see what the next lower degree sees.\n"
    "Units being sorted by degree, every mask is a staircase that is never multiplied, and a sweep over the features\n"
    "computes each unit once.\n"
    "Shapes: x has D features, y D * P; output P (d - 1) + p is parameter p of feature d.\n"
    "Tensors: hidden.K.weight, hidden.K.bias (K from 1), output.weight, output.bias, context.weight; hidden weights\n"
    "start uniform on +-1/sqrt(inputs), output weights at zero, the output bias where the parent asked.\n"
    "Refused: use where no autoregressive network was asked for (take mlp), more than 64 hidden layers.\n"
    "Cost: about half of mlp's, in one pass or in a whole sweep.\n"
    "Source: Germain et al. 2015, \"MADE: masked autoencoder for distribution estimation\", arXiv:1502.03509; sorted\n"
    "degrees instead of random ones.";

static const weir_option made_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "hidden",
     .default_json = "[128,128]",
     .minimum = 1,
     .maximum = 65536,
     .summary = "width of each hidden layer, first to last; []: none"},
    WEIR_ACTIVATION_OPTION,
};

/* ---- whole passes --------------------------------------------------------------------------- */

weir_tile WEIR_NAME(made_input)(const made *self, int32_t i, const weir_tile *x, const weir_tile *hidden)
{
    if (i == 0) return *x;
    return weir_slice(hidden, self->layers[i - 1].first, self->layers[i - 1].width);
}

weir_tile WEIR_NAME(made_output)(const made *self, int32_t i, const weir_tile *y, const weir_tile *hidden)
{
    if (i == self->count - 1) return *y;
    return weir_slice(hidden, self->layers[i].first, self->layers[i].width);
}

weir_status WEIR_NAME(made_context)(const made *self, weir_frame *frame, const weir_tile *first,
                                    uint32_t *flags)
{
    *flags = self->context >= 0 ? WEIR_LINEAR_ADD : 0;
    if (self->context < 0) return WEIR_OK;
    return frame->services->linear_forward(frame, self->context, 0, -1, frame->context, first, 0);
}

weir_status WEIR_NAME(made_weights_vjp)(const made *self, weir_frame *frame, int32_t i, const weir_tile *in,
                                        const weir_tile *out_bar)
{
    weir_status status = WEIR_OK;
    WEIR_TRY(status, frame->services->linear_vjp_weights(frame, self->layers[i].linear, in, out_bar));
    if (i == 0) WEIR_TRY(status, weir_context_vjp(frame, self->context, out_bar));
    return status;
}

static weir_status made_forward(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y)
{
    const made *const self = module;
    weir_status status = WEIR_OK;
    weir_tile hidden;
    if (!weir_keep_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    for (int32_t i = 0; i < self->count; i++) {
        const weir_tile in = WEIR_NAME(made_input)(self, i, x, &hidden);
        const weir_tile out = WEIR_NAME(made_output)(self, i, y, &hidden);
        uint32_t flags = 0;
        if (i == 0) WEIR_TRY(status, WEIR_NAME(made_context)(self, frame, &out, &flags));
        WEIR_TRY(status,
                 frame->services->linear_forward(frame, self->layers[i].linear, 0, -1, &in, &out, flags));
    }
    return status;
}

static weir_status made_vjp(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                            const weir_tile *y_bar, const weir_tile *x_bar)
{
    const made *const self = module;
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    weir_tile hidden, hidden_bar;
    if (!weir_pop_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    if (!weir_take_tile(frame, self->units, &hidden_bar)) return WEIR_ERROR;
    for (int32_t i = self->count - 1; i >= 0; i--) {
        const weir_handle linear = self->layers[i].linear;
        const weir_tile in = WEIR_NAME(made_input)(self, i, x, &hidden);
        const weir_tile out = WEIR_NAME(made_output)(self, i, y, &hidden);
        const weir_tile out_bar = WEIR_NAME(made_output)(self, i, y_bar, &hidden_bar);
        if (i < self->count - 1)
            WEIR_TRY(status, host->linear_vjp_activation(frame, linear, 0, -1, &out, &out_bar));
        WEIR_TRY(status, WEIR_NAME(made_weights_vjp)(self, frame, i, &in, &out_bar));
        if (i == 0 && !x_bar) break;
        const weir_tile in_bar = WEIR_NAME(made_input)(self, i, x_bar, &hidden_bar);
        WEIR_TRY(status, host->linear_vjp_input(frame, linear, 0, -1, &out_bar, &in_bar, 0));
    }
    return status;
}

/* ---- creation ------------------------------------------------------------------------------- */

/* The number of inputs of layer i that its output o sees. */
static int32_t seen(const made *self, int32_t i, int32_t o)
{
    const int last = i == self->count - 1;
    const int32_t degree =
        last ? o / self->per_feature : unit_degree(self->degrees, self->layers[i].width, o);
    return i == 0 ? degree : units_below(self->degrees, self->layers[i - 1].width, degree + 1);
}

static weir_handle declare_layer(const made *self, weir_builder *build, int32_t i, int32_t activation,
                                 const weir_init *weight)
{
    const int last = i == self->count - 1;
    const weir_init bias = weir_output_start(build->network);
    char name[32];
    snprintf(name, sizeof name, "hidden.%d", i + 1);
    weir_linear_spec spec = {.struct_size = (uint32_t)sizeof spec,
                             .activation = last ? WEIR_ACTIVATION_NONE : activation,
                             .name = last ? "output" : name,
                             .in = i ? self->layers[i - 1].width : self->features,
                             .out = last ? build->network->out : self->layers[i].width,
                             .weight = weight,
                             .bias = last ? &bias : weight};
    int32_t *const extent = malloc((size_t)spec.out * sizeof *extent);
    if (!extent) {
        build->fail(build, "out of memory");
        return -1;
    }
    for (int32_t o = 0; o < spec.out; o++) extent[o] = seen(self, i, o);
    spec.extent = extent;
    const weir_handle handle = build->linear(build, &spec);
    free(extent);
    return handle;
}

static weir_status declare(made *self, weir_builder *build, int32_t activation)
{
    for (int32_t i = 0; i < self->count; i++) {
        const int last = i == self->count - 1;
        const int32_t inputs = i ? self->layers[i - 1].width : self->features + build->context;
        const double bound = last ? 0 : 1 / sqrt((double)inputs);
        const weir_init weight = {.struct_size = (uint32_t)sizeof weight,
                                  .kind = last ? WEIR_INIT_ZERO : WEIR_INIT_UNIFORM,
                                  .a = -bound,
                                  .b = bound};
        self->layers[i].linear = declare_layer(self, build, i, activation, &weight);
        if (self->layers[i].linear < 0) return WEIR_INVALID;
        if (i == 0)
            self->context =
                weir_context_linear(build, last ? build->network->out : self->layers[0].width, &weight);
    }
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_status check_spec(weir_builder *build, int32_t hidden)
{
    const weir_network_spec *const spec = build->network;
    if (!spec || spec->autoregressive <= 0)
        return weir_refuse(build,
                           "made is for autoregressive layers; where all inputs may be seen, use \"mlp\"");
    if (spec->in < 1 || spec->out % spec->autoregressive || spec->out / spec->autoregressive != spec->in)
        return weir_refuse(build, "made gives %d outputs for each of %d features, but %d were asked for",
                           spec->autoregressive, spec->in, spec->out);
    if (hidden > MADE_MOST_HIDDEN)
        return weir_refuse(build, "hidden has %d layers, at most %d are possible", hidden, MADE_MOST_HIDDEN);
    return WEIR_OK;
}

static weir_status made_create(weir_builder *build, void **module)
{
    int64_t widths[MADE_MOST_HIDDEN];
    const int32_t hidden = build->integers(build, "hidden", widths, MADE_MOST_HIDDEN);
    const int32_t activation = weir_activation_chosen(build);
    if (build->failed(build) || hidden < 0 || activation < 0) return WEIR_INVALID;
    if (check_spec(build, hidden) != WEIR_OK) return WEIR_INVALID;
    made *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->network->in;
    self->per_feature = build->network->autoregressive;
    self->degrees = degrees_of(self->features, build->context);
    self->context = -1;
    self->count = hidden + 1;
    for (int32_t i = 0; i < hidden; i++) {
        self->layers[i] = (made_layer){-1, self->units, (int32_t)widths[i]};
        self->units += self->layers[i].width;
    }
    build->traits(build, WEIR_TRAIT_AUTOREGRESSIVE);
    if (declare(self, build, activation) != WEIR_OK) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_network_ops made_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = made_forward,
    .vjp = made_vjp,
    .begin = WEIR_NAME(made_begin),
    .step = WEIR_NAME(made_step),
    .begin_vjp = WEIR_NAME(made_begin_vjp),
    .step_vjp = WEIR_NAME(made_step_vjp),
    .end_vjp = WEIR_NAME(made_end_vjp),
};

static const weir_module made_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "made",
    .version = "1.0.0",
    .summary = "masked autoregressive network; a sweep over the features costs one pass",
    .doc = made_doc,
    WEIR_OPTIONS(made_options),
    .create = made_create,
    .destroy = free,
    .ops = &made_ops,
};

WEIR_PLUGIN(&made_module);
