// @ID@ - a network with one hidden layer of gated units, made of the host's linear objects.
#include <weir/networks.h>

#include <exception>
#include <memory>
#include <stdexcept>

namespace
{

constexpr char doc[] =
    "y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b, each of `units` entries; V is there only when the\n"
    "model has a context. Tensors: inner.weight [2 units, inputs], inner.bias, context.weight [2 units, context features],\n"
    "outer.weight [outputs, units], outer.bias.\n"
    "Start: W, V, b uniform on +-1/sqrt(inputs and context features); O zero and c the bias that the parent asked for, so\n"
    "that a model starts at the identity. Refused: autoregressive use.";

// The calls are noexcept, as the type of the tables demands: what throws in one ends the process, before the host is
// unwound. They allocate nothing, so nothing throws.
class gated
{
  public:
    explicit gated(weir_builder &build);

    weir_status forward(weir_frame &frame, const weir_tile &x, const weir_tile &y) const noexcept;
    weir_status vjp(weir_frame &frame, const weir_tile &x, const weir_tile &y_bar,
                    const weir_tile *x_bar) const noexcept;

  private:
    void gate(const weir_frame &frame, const weir_tile &factors, const weir_tile &h) const;
    void gate_vjp(const weir_frame &frame, const weir_tile &factors, const weir_tile &h_bar,
                  const weir_tile &bar) const;

    int32_t in, units;
    weir_handle inner, outer; // linear objects: x into 2 x units, units into y
    weir_handle context;      // the context into the same 2 x units; -1: the model has none
};

// Throws what the user is to read.
gated::gated(weir_builder &build) : units(static_cast<int32_t>(build.integer(&build, "units")))
{
    const weir_network_spec *const asked = build.network;
    if (!asked) throw std::invalid_argument("a network needs a parent that asks for one");
    if (asked->autoregressive)
        throw std::invalid_argument(
            "@ID@ mixes all features: give an autoregressive layer the network \"made\"");
    in = asked->in;

    const weir_init zero = {
        .struct_size = sizeof zero, .kind = WEIR_INIT_ZERO, .a = 0, .b = 0, .values = nullptr};
    const weir_init bias = weir_output_start(asked), start = weir_hidden_start(in + build.context);
    weir_linear_spec spec{};
    spec.struct_size = sizeof spec;
    spec.name = "inner";
    spec.in = in;
    spec.out = 2 * units;
    spec.weight = spec.bias = &start;
    inner = build.linear(&build, &spec);
    context = weir_context_linear(&build, 2 * units, &start);
    spec.name = "outer";
    spec.in = units;
    spec.out = asked->out;
    spec.weight = &zero;
    spec.bias = &bias;
    outer = build.linear(&build, &spec);
}

// h = tanh(a) * sigmoid(g), from the tile that holds both factors.
void gated::gate(const weir_frame &frame, const weir_tile &factors, const weir_tile &h) const
{
    for (int32_t u = 0; u < units; u++) {
        const weir_real *const bent = weir_lane(&factors, u), *const open = weir_lane(&factors, units + u);
        weir_real *const out = weir_lane(&h, u);
        for (int32_t i = 0; i < frame.width; i++) out[i] = bent[i] * open[i];
    }
}

// The cotangents of a and g.
void gated::gate_vjp(const weir_frame &frame, const weir_tile &factors, const weir_tile &h_bar,
                     const weir_tile &bar) const
{
    for (int32_t u = 0; u < units; u++) {
        const weir_real *const bent = weir_lane(&factors, u), *const open = weir_lane(&factors, units + u);
        const weir_real *const from = weir_lane(&h_bar, u);
        weir_real *const by_a = weir_lane(&bar, u), *const by_g = weir_lane(&bar, units + u);
        for (int32_t i = 0; i < frame.width; i++) {
            by_a[i] = from[i] * open[i] * (1 - bent[i] * bent[i]);
            by_g[i] = from[i] * bent[i] * open[i] * (1 - open[i]);
        }
    }
}

// The tape keeps both factors of every unit; all else follows from them.
weir_status gated::forward(weir_frame &frame, const weir_tile &x, const weir_tile &y) const noexcept
{
    const weir_services *const host = frame.services;
    weir_status status = WEIR_OK;
    weir_tile factors, h;
    uint32_t add = 0;
    if (!weir_keep_tile(&frame, 2 * units, &factors) || !weir_take_tile(&frame, units, &h)) return WEIR_ERROR;
    if (context >= 0) {
        WEIR_TRY(status, host->linear_forward(&frame, context, 0, -1, frame.context, &factors, 0));
        add = WEIR_LINEAR_ADD;
    }
    WEIR_TRY(status, host->linear_forward(&frame, inner, 0, -1, &x, &factors, add));
    for (int32_t u = 0; u < units; u++) {
        weir_real *const bent = weir_lane(&factors, u), *const open = weir_lane(&factors, units + u);
        frame.math->tanh(frame.width, bent, bent);
        frame.math->sigmoid(frame.width, open, open);
    }
    gate(frame, factors, h);
    WEIR_TRY(status, host->linear_forward(&frame, outer, 0, -1, &h, &y, 0));
    return status;
}

weir_status gated::vjp(weir_frame &frame, const weir_tile &x, const weir_tile &y_bar,
                       const weir_tile *x_bar) const noexcept
{
    const weir_services *const host = frame.services;
    weir_status status = WEIR_OK;
    weir_tile factors, h, h_bar, bar;
    if (!weir_pop_tile(&frame, 2 * units, &factors) || !weir_take_tile(&frame, units, &h)) return WEIR_ERROR;
    if (!weir_take_tile(&frame, units, &h_bar) || !weir_take_tile(&frame, 2 * units, &bar)) return WEIR_ERROR;
    gate(frame, factors, h);
    WEIR_TRY(status, host->linear_vjp_weights(&frame, outer, &h, &y_bar));
    WEIR_TRY(status, host->linear_vjp_input(&frame, outer, 0, -1, &y_bar, &h_bar, 0));
    gate_vjp(frame, factors, h_bar, bar);
    WEIR_TRY(status, host->linear_vjp_weights(&frame, inner, &x, &bar));
    WEIR_TRY(status, weir_context_vjp(&frame, context, &bar));
    if (x_bar && in > 0) WEIR_TRY(status, host->linear_vjp_input(&frame, inner, 0, -1, &bar, x_bar, 0));
    return status;
}

// ---- the border: plain functions in plain tables ------------------------------------------------------------------

const gated &of(const void *module)
{
    return *static_cast<const gated *>(module);
}

// Making an instance may throw, so this is where exceptions are caught.
weir_status create(weir_builder *build, void **module) noexcept
{
    try {
        auto made = std::make_unique<gated>(*build);
        if (build->failed(build)) return WEIR_INVALID;
        *module = made.release();
        return WEIR_OK;
    } catch (const std::exception &error) {
        return weir_refuse(build, "%s", error.what());
    }
}

constexpr weir_option options[] = {
    {.struct_size = sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "units",
     .default_json = "64",
     .minimum = 1,
     .maximum = 65536,
     .summary = "number of gated units"},
};

constexpr weir_network_ops ops = {
    .struct_size = sizeof(weir_network_ops),
    .forward = [](const void *module, weir_frame *frame, const weir_tile *x,
                  const weir_tile *y) noexcept { return of(module).forward(*frame, *x, *y); },
    .vjp = [](const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *,
              const weir_tile *y_bar,
              const weir_tile *x_bar) noexcept { return of(module).vjp(*frame, *x, *y_bar, x_bar); },
};

constexpr weir_module gated_module = {
    .struct_size = sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "one hidden layer of gated units",
    .doc = doc,
    WEIR_OPTIONS(options),
    .create = create,
    .destroy = [](void *module) noexcept { delete static_cast<gated *>(module); },
    .ops = &ops,
};

} // namespace

WEIR_PLUGIN(&gated_module);
