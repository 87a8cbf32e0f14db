/* @ID@ - a network with one hidden layer of gated units, made of the host's linear objects. The table and the
 * memory of a call are here, the mathematics in kernel.F90, which says why. */
#include <weir/networks.h>

#include <stdlib.h>

typedef struct gated {
    int32_t in, units;
    weir_handle inner, outer; /* linear objects: x into 2 x units, units into y */
    weir_handle context;      /* the context into the same 2 x units; -1: the model has none */
} gated;

static const char gated_doc[] =
    "y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b, each of `units` entries; V is there only when the\n"
    "model has a context. Tensors: inner.weight [2 units, inputs], inner.bias, context.weight [2 units, context features],\n"
    "outer.weight [outputs, units], outer.bias.\n"
    "Start: W, V, b uniform on +-1/sqrt(inputs and context features); O zero and c the bias that the parent asked for, so\n"
    "that a model starts at the identity. Refused: autoregressive use.";

static const weir_option gated_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "units",
     .default_json = "64",
     .minimum = 1,
     .maximum = 65536,
     .summary = "number of gated units"},
};

/* As kernel.F90 declares them: n by value, everything else an array of n. */
void WEIR_NAME(gated_gate)(int32_t n, const weir_real *bent, const weir_real *open, weir_real *h);
void WEIR_NAME(gated_gate_vjp)(int32_t n, const weir_real *bent, const weir_real *open,
                               const weir_real *h_bar, weir_real *a_bar, weir_real *g_bar);

/* h = tanh(a) * sigmoid(g), from the tile that holds both factors. */
static void gate(const gated *self, const weir_frame *frame, const weir_tile *factors, const weir_tile *h)
{
    for (int32_t u = 0; u < self->units; u++) {
        const weir_real *const bent = weir_lane(factors, u);
        const weir_real *const open = weir_lane(factors, self->units + u);
        WEIR_NAME(gated_gate)(frame->width, bent, open, weir_lane(h, u));
    }
}

/* The cotangents of a and g. */
static void gate_vjp(const gated *self, const weir_frame *frame, const weir_tile *factors,
                     const weir_tile *h_bar, const weir_tile *bar)
{
    for (int32_t u = 0; u < self->units; u++) {
        const weir_real *const bent = weir_lane(factors, u), *const from = weir_lane(h_bar, u);
        const weir_real *const open = weir_lane(factors, self->units + u);
        weir_real *const by_a = weir_lane(bar, u), *const by_g = weir_lane(bar, self->units + u);
        WEIR_NAME(gated_gate_vjp)(frame->width, bent, open, from, by_a, by_g);
    }
}

/* The tape keeps both factors of every unit; all else follows from them. */
static weir_status gated_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                 const weir_tile *y)
{
    const gated *const self = module;
    const weir_services *const host = frame->services;
    const int32_t units = self->units, width = frame->width;
    weir_status status = WEIR_OK;
    weir_tile factors, h;
    uint32_t add = 0;
    if (!weir_keep_tile(frame, 2 * units, &factors) || !weir_take_tile(frame, units, &h)) return WEIR_ERROR;
    if (self->context >= 0) {
        WEIR_TRY(status, host->linear_forward(frame, self->context, 0, -1, frame->context, &factors, 0));
        add = WEIR_LINEAR_ADD;
    }
    WEIR_TRY(status, host->linear_forward(frame, self->inner, 0, -1, x, &factors, add));
    for (int32_t u = 0; u < units; u++) {
        weir_real *const bent = weir_lane(&factors, u), *const open = weir_lane(&factors, units + u);
        frame->math->tanh(width, bent, bent);
        frame->math->sigmoid(width, open, open);
    }
    gate(self, frame, &factors, &h);
    WEIR_TRY(status, host->linear_forward(frame, self->outer, 0, -1, &h, y, 0));
    return status;
}

static weir_status gated_vjp(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                             const weir_tile *y_bar, const weir_tile *x_bar)
{
    const gated *const self = module;
    const weir_services *const host = frame->services;
    const int32_t units = self->units;
    weir_status status = WEIR_OK;
    weir_tile factors, h, h_bar, bar;
    (void)y;
    if (!weir_pop_tile(frame, 2 * units, &factors) || !weir_take_tile(frame, units, &h)) return WEIR_ERROR;
    if (!weir_take_tile(frame, units, &h_bar) || !weir_take_tile(frame, 2 * units, &bar)) return WEIR_ERROR;
    gate(self, frame, &factors, &h);
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->outer, &h, y_bar));
    WEIR_TRY(status, host->linear_vjp_input(frame, self->outer, 0, -1, y_bar, &h_bar, 0));
    gate_vjp(self, frame, &factors, &h_bar, &bar);
    WEIR_TRY(status, host->linear_vjp_weights(frame, self->inner, x, &bar));
    WEIR_TRY(status, weir_context_vjp(frame, self->context, &bar));
    if (x_bar && self->in > 0)
        WEIR_TRY(status, host->linear_vjp_input(frame, self->inner, 0, -1, &bar, x_bar, 0));
    return status;
}

static const weir_network_ops gated_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = gated_forward,
    .vjp = gated_vjp,
};

static void declare(gated *self, weir_builder *build)
{
    const weir_network_spec *const spec = build->network;
    const weir_init zero = {.struct_size = (uint32_t)sizeof zero}, bias = weir_output_start(spec);
    const weir_init start = weir_hidden_start(spec->in + build->context);
    const weir_linear_spec inner = {.struct_size = (uint32_t)sizeof inner,
                                    .name = "inner",
                                    .in = spec->in,
                                    .out = 2 * self->units,
                                    .weight = &start,
                                    .bias = &start};
    const weir_linear_spec outer = {.struct_size = (uint32_t)sizeof outer,
                                    .name = "outer",
                                    .in = self->units,
                                    .out = spec->out,
                                    .weight = &zero,
                                    .bias = &bias};
    self->in = spec->in;
    self->inner = build->linear(build, &inner);
    self->context = weir_context_linear(build, 2 * self->units, &start);
    self->outer = build->linear(build, &outer);
}

static weir_status gated_create(weir_builder *build, void **module)
{
    if (!build->network) return weir_refuse(build, "a network needs a parent that asks for one");
    if (build->network->autoregressive)
        return weir_refuse(build,
                           "@ID@ mixes all features: give an autoregressive layer the network \"made\"");
    gated *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->units = (int32_t)build->integer(build, "units");
    declare(self, build);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module gated_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "one hidden layer of gated units",
    .doc = gated_doc,
    WEIR_OPTIONS(gated_options),
    .create = gated_create,
    .destroy = free,
    .ops = &gated_ops,
};

WEIR_PLUGIN(&gated_module);
