// @ID@ - every feature is scaled, and pushed by the one before it: a staircase.
#include <weir/plugin.h>

#include <cmath>
#include <exception>
#include <memory>
#include <span>

namespace
{

constexpr char doc[] =
    "z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)), with scales a = softplus(raw) > 0. Parameters: raw [features],\n"
    "push [features] = w. Starts at the identity: a = 1, w = 0. Derived: scale = a.\n"
    "J is lower triangular: log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first, and is exact.\n"
    "Cost: one tanh a value in either direction. Rows that overflow are discarded.";

using lane = std::span<weir_real>;
using fixed_lane = std::span<const weir_real>;

lane lane_of(const weir_tile &tile, int32_t f)
{
    return {weir_lane(&tile, f), static_cast<size_t>(tile.width)};
}

weir_real sum(const weir_frame &frame, const void *values)
{
    return values ? weir_sum_lane(&frame, static_cast<const weir_real *>(values)) : 0;
}

// The calls are noexcept, as the type of the tables demands: what throws in one ends the process, before the host is
// unwound. They allocate nothing, so nothing throws.
class stair
{
  public:
    explicit stair(weir_builder &build);

    weir_status prepare(weir_frame &frame) const noexcept;
    weir_status prepare_vjp(weir_frame &frame) const noexcept;
    weir_status forward(weir_frame &frame, const weir_tile &x, const weir_tile &z,
                        void *log_det) const noexcept;
    weir_status inverse(weir_frame &frame, const weir_tile &z, const weir_tile &x,
                        void *log_det) const noexcept;
    weir_status forward_vjp(weir_frame &frame, const weir_tile &x, const weir_tile &z_bar,
                            const void *log_det_bar, const weir_tile *x_bar) const noexcept;
    weir_status inverse_vjp(weir_frame &frame, const weir_tile &x, const weir_tile &x_bar,
                            const void *log_det_bar, const weir_tile *z_bar) const noexcept;

  private:
    fixed_lane tensor(const weir_frame &frame, weir_handle h) const
    {
        return {weir_tensor(&frame, h), static_cast<size_t>(features)};
    }
    void add_log_det(const weir_frame &frame, double sign, void *log_det) const;
    void add_gradients(weir_frame &frame, int32_t f, weir_real sign, fixed_lane bar, fixed_lane x,
                       fixed_lane below, weir_real log_det_bar) const;

    int32_t features;
    weir_handle raw, push; // parameters [features]; push[0] is not used
    weir_handle scale;     // derived tensor [features], computed in prepare
};

stair::stair(weir_builder &build) : features(build.features)
{
    const int64_t side[] = {features};
    const weir_init one = {.struct_size = sizeof one,
                           .kind = WEIR_INIT_CONSTANT,
                           .a = std::log(std::expm1(1.0)),
                           .b = 0,
                           .values = nullptr};
    raw = build.parameter(&build, "raw", 1, side, &one, WEIR_TENSOR_NO_DECAY);
    push = build.parameter(&build, "push", 1, side, nullptr, 0);
    scale = build.derived(&build, "scale", 1, side);
}

// What does not depend on rows is done here, once for each update of the parameters.
weir_status stair::prepare(weir_frame &frame) const noexcept
{
    frame.math->softplus(features, weir_tensor(&frame, raw), weir_tensor(&frame, scale));
    return WEIR_OK;
}

// All tiles have added to the gradient of scale; it goes on to raw.
weir_status stair::prepare_vjp(weir_frame &frame) const noexcept
{
    const weir_real *const by_scale = weir_gradient(&frame, scale);
    weir_real *const by_raw = weir_gradient(&frame, raw);
    if (!by_scale || !by_raw) return WEIR_OK;
    for (int32_t f = 0; f < features; f++)
        by_raw[f] += by_scale[f] / (1 + std::exp(-weir_tensor(&frame, raw)[f]));
    return WEIR_OK;
}

void stair::add_log_det(const weir_frame &frame, double sign, void *log_det) const
{
    double sum_of_logs = 0;
    if (!log_det) return;
    for (const weir_real a : tensor(frame, scale)) sum_of_logs += std::log(static_cast<double>(a));
    for (weir_real &l : lane(static_cast<weir_real *>(log_det), static_cast<size_t>(frame.width)))
        l += WEIR_C(sign * sum_of_logs);
}

// Both directions keep tanh(x) on the tape: the way back needs it, and it is dear to compute.
weir_status stair::forward(weir_frame &frame, const weir_tile &x, const weir_tile &z,
                           void *log_det) const noexcept
{
    weir_status status = WEIR_OK;
    weir_tile bent;
    if (!weir_keep_tile(&frame, features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < features; f++) {
        const weir_real a = weir_tensor(&frame, scale)[f], w = f ? weir_tensor(&frame, push)[f] : 0;
        const lane from = lane_of(x, f), to = lane_of(z, f), below = lane_of(bent, f ? f - 1 : 0);
        frame.math->tanh(frame.width, from.data(), weir_lane(&bent, f));
        for (size_t i = 0; i < from.size(); i++) to[i] = a * from[i] + w * below[i];
        WEIR_TRY(status, weir_discard_unless_finite(&frame, to.data()));
    }
    add_log_det(frame, 1, log_det);
    return status;
}

weir_status stair::inverse(weir_frame &frame, const weir_tile &z, const weir_tile &x,
                           void *log_det) const noexcept
{
    weir_status status = WEIR_OK;
    weir_tile bent;
    if (!weir_keep_tile(&frame, features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < features; f++) {
        const weir_real a = weir_tensor(&frame, scale)[f], w = weir_tensor(&frame, push)[f];
        const lane from = lane_of(z, f), to = lane_of(x, f), below = lane_of(bent, f ? f - 1 : 0);
        for (size_t i = 0; i < from.size(); i++) to[i] = (f ? from[i] - w * below[i] : from[i]) / a;
        WEIR_TRY(status, weir_discard_unless_finite(&frame, to.data()));
        frame.math->tanh(frame.width, to.data(), weir_lane(&bent, f));
    }
    add_log_det(frame, -1, log_det);
    return status;
}

// The gradients of feature f's parameters, when `bar` is the cotangent of z_f and log_det_bar that of the log-det, summed
// over the rows.
void stair::add_gradients(weir_frame &frame, int32_t f, weir_real sign, fixed_lane bar, fixed_lane x,
                          fixed_lane below, weir_real log_det_bar) const
{
    weir_real *const by_scale = weir_gradient(&frame, scale), *const by_push = weir_gradient(&frame, push);
    weir_real along = 0, pushed = 0;
    for (size_t r = 0; r < static_cast<size_t>(frame.rows); r++) {
        along += bar[r] * x[r];
        pushed += bar[r] * below[r];
    }
    if (by_scale) by_scale[f] += sign * (along + log_det_bar / weir_tensor(&frame, scale)[f]);
    if (by_push && f) by_push[f] += sign * pushed;
}

// x_f reaches z_f through its scale, and z_(f+1) through tanh.
weir_status stair::forward_vjp(weir_frame &frame, const weir_tile &x, const weir_tile &z_bar,
                               const void *log_det_bar, const weir_tile *x_bar) const noexcept
{
    const weir_real sum_bar = sum(frame, log_det_bar);
    weir_tile bent;
    if (!weir_pop_tile(&frame, features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < features; f++) {
        const bool last = f + 1 == features;
        const weir_real a = weir_tensor(&frame, scale)[f], w = last ? 0 : weir_tensor(&frame, push)[f + 1];
        const lane bar = lane_of(z_bar, f), above = last ? bar : lane_of(z_bar, f + 1),
                   own = lane_of(bent, f);
        add_gradients(frame, f, 1, bar, lane_of(x, f), lane_of(bent, f ? f - 1 : 0), sum_bar);
        if (!x_bar) continue;
        const lane to = lane_of(*x_bar, f);
        for (size_t i = 0; i < to.size(); i++) to[i] = a * bar[i] + w * above[i] * (1 - own[i] * own[i]);
    }
    return WEIR_OK;
}

// z_bar = a with J^T a = x_bar, from the top of the stairs down; the parameters then get what forward gives them for -a and
// minus the log-det's cotangent.
weir_status stair::inverse_vjp(weir_frame &frame, const weir_tile &x, const weir_tile &x_bar,
                               const void *log_det_bar, const weir_tile *z_bar) const noexcept
{
    const weir_real sum_bar = sum(frame, log_det_bar);
    weir_tile bent, unwanted;
    if (!weir_pop_tile(&frame, features, &bent)) return WEIR_ERROR;
    if (!z_bar && !weir_take_tile(&frame, features, &unwanted)) return WEIR_ERROR;
    if (!z_bar) z_bar = &unwanted;
    for (int32_t f = features - 1; f >= 0; f--) {
        const bool last = f + 1 == features;
        const weir_real a = weir_tensor(&frame, scale)[f], w = last ? 0 : weir_tensor(&frame, push)[f + 1];
        const lane bar = lane_of(x_bar, f), own = lane_of(bent, f), to = lane_of(*z_bar, f);
        const lane above = last ? to : lane_of(*z_bar, f + 1);
        for (size_t i = 0; i < to.size(); i++)
            to[i] = (last ? bar[i] : bar[i] - w * above[i] * (1 - own[i] * own[i])) / a;
        add_gradients(frame, f, -1, to, lane_of(x, f), lane_of(bent, f ? f - 1 : 0), sum_bar);
    }
    return WEIR_OK;
}

// ---- the border: plain functions in plain tables ------------------------------------------------------------------

const stair &of(const void *module)
{
    return *static_cast<const stair *>(module);
}

// Making an instance may throw, so this is where exceptions are caught.
weir_status create(weir_builder *build, void **module) noexcept
{
    try {
        auto made = std::make_unique<stair>(*build);
        if (build->failed(build)) return WEIR_INVALID;
        *module = made.release();
        return WEIR_OK;
    } catch (const std::exception &error) {
        return weir_refuse(build, "%s", error.what());
    }
}

constexpr weir_layer_ops ops = {
    .struct_size = sizeof(weir_layer_ops),
    .forward = [](const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                  void *log_det) noexcept { return of(module).forward(*frame, *x, *z, log_det); },
    .inverse = [](const void *module, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                  void *log_det) noexcept { return of(module).inverse(*frame, *z, *x, log_det); },
    .forward_vjp =
        [](const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *,
           const weir_tile *z_bar, const void *log_det_bar, const weir_tile *x_bar) noexcept {
            return of(module).forward_vjp(*frame, *x, *z_bar, log_det_bar, x_bar);
        },
    .inverse_vjp =
        [](const void *module, weir_frame *frame, const weir_tile *, const weir_tile *x,
           const weir_tile *x_bar, const void *log_det_bar, const weir_tile *z_bar) noexcept {
            return of(module).inverse_vjp(*frame, *x, *x_bar, log_det_bar, z_bar);
        },
};

constexpr weir_module stair_module = {
    .struct_size = sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "every feature is scaled and pushed by the one before it",
    .doc = doc,
    .create = create,
    .destroy = [](void *module) noexcept { delete static_cast<stair *>(module); },
    .prepare = [](const void *module, weir_frame *frame) noexcept { return of(module).prepare(*frame); },
    .prepare_vjp = [](const void *module,
                      weir_frame *frame) noexcept { return of(module).prepare_vjp(*frame); },
    .ops = &ops,
};

} // namespace

WEIR_PLUGIN(&stair_module);
