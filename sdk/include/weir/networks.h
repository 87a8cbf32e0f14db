/* weir/networks.h - what networks made of linear objects share: activations, starts, and the matrix for the context.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_NETWORKS_H
#define WEIR_NETWORKS_H

#include <weir/plugin.h>

/** The option "activation"; read it with weir_activation_chosen. */
#define WEIR_ACTIVATION_OPTION                                                                               \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_STRING, .name = "activation",             \
        .default_json = "\"relu\"", .choices = "relu|tanh|elu|leaky_relu|softplus|sigmoid",                  \
        .summary = "nonlinearity of the hidden layers"                                                       \
    }

/** WEIR_ACTIVATION_*, or -1 when the option cannot be read (the builder then knows why). */
WEIR_INLINE int32_t weir_activation_chosen(weir_builder *build)
{
    static const struct {
        const char *name;
        int32_t activation;
    } known[] = {
        {"relu", WEIR_ACTIVATION_RELU}, {"leaky_relu", WEIR_ACTIVATION_LEAKY_RELU},
        {"tanh", WEIR_ACTIVATION_TANH}, {"sigmoid", WEIR_ACTIVATION_SIGMOID},
        {"elu", WEIR_ACTIVATION_ELU},   {"softplus", WEIR_ACTIVATION_SOFTPLUS},
    };
    const char *const name = build->string(build, "activation");
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].activation;
    return -1;
}

/** Uniform on +-1/sqrt(inputs), the usual start of a hidden layer; inputs may be 0. */
WEIR_INLINE weir_init weir_hidden_start(int32_t inputs)
{
    const double bound = 1.0 / sqrt(inputs > 0 ? (double)inputs : 1.0);
    weir_init init = {0, 0, 0, 0, NULL};
    init.struct_size = (uint32_t)sizeof init;
    init.kind = WEIR_INIT_UNIFORM;
    init.a = -bound;
    init.b = bound;
    return init;
}

/** The bias that the parent asked for, for a last layer whose weights start at zero. */
WEIR_INLINE weir_init weir_output_start(const weir_network_spec *spec)
{
    weir_init init = {0, 0, 0, 0, NULL};
    init.struct_size = (uint32_t)sizeof init;
    init.kind = spec->output_bias ? WEIR_INIT_VALUES : WEIR_INIT_ZERO;
    init.values = spec->output_bias;
    return init;
}

/** Declares the matrix `context.weight` from the context into the `out` units of the first layer; -1 when the model has no
 *  context. */
WEIR_INLINE weir_handle weir_context_linear(weir_builder *build, int32_t out, const weir_init *weight)
{
    weir_linear_spec spec;
    if (build->context == 0) return -1;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = (uint32_t)sizeof spec;
    spec.name = "context";
    spec.in = build->context;
    spec.out = out;
    spec.flags = WEIR_LINEAR_NO_BIAS;
    spec.weight = weight;
    return build->linear(build, &spec);
}

/** The gradients that go through that matrix, from the cotangent of the first layer before its activation. */
WEIR_INLINE weir_status weir_context_vjp(weir_frame *frame, weir_handle context, const weir_tile *bar)
{
    const weir_services *const host = frame->services;
    weir_status status = WEIR_OK;
    if (context < 0) return WEIR_OK;
    WEIR_TRY(status, host->linear_vjp_weights(frame, context, frame->context, bar));
    if (frame->context_bar)
        WEIR_TRY(status,
                 host->linear_vjp_input(frame, context, 0, -1, bar, frame->context_bar, WEIR_LINEAR_ADD));
    return status;
}

#endif
