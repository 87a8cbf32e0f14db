// @ID@ - independent Gumbel features: what the largest of many values is distributed like.
#include <weir/plugin.h>

#include <cmath>
#include <exception>
#include <memory>

namespace
{

constexpr char doc[] =
    "log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Parameters: location [features] = m,\n"
    "log_scale [features] = s; s starts at 0, m at what the option says.\n"
    "Samples: z = m - exp(s) log(-log u), u uniform on (0, 1); gradients reach the parameters through them too.\n"
    "Far to the left exp(-w) overflows: the density is 0 to rounding and its logarithm -infinity. NaN is discarded.\n"
    "Source: Gumbel 1935, \"Les valeurs extremes des distributions statistiques\".";

// The calls are noexcept, as the type of the tables demands: what throws in one ends the process, before the host is
// unwound. They allocate nothing, so nothing throws.
class gumbel
{
  public:
    explicit gumbel(weir_builder &build);

    weir_status log_density(weir_frame &frame, const weir_tile &z, weir_real *log_p) const noexcept;
    weir_status vjp(weir_frame &frame, const weir_tile &z, const weir_real *bar,
                    const weir_tile *z_bar) const noexcept;
    weir_status sample(weir_frame &frame, const weir_tile &z) const noexcept;
    weir_status sample_vjp(weir_frame &frame, const weir_tile &z, const weir_tile &z_bar) const noexcept;

  private:
    // What one feature's formulas need.
    struct place {
        weir_real m, s, scale;
    };
    place at(const weir_frame &frame, int32_t f) const
    {
        const weir_real s = weir_tensor(&frame, log_scale)[f];
        return {weir_tensor(&frame, location)[f], s, std::exp(s)};
    }
    // w and exp(-w) of a lane; false when memory is exhausted.
    static bool standard(weir_frame &frame, const place &here, const weir_real *lane, weir_real *&w,
                         weir_real *&tail);

    int32_t features;
    uint32_t stream;                 // key of this module's random numbers
    weir_handle location, log_scale; // parameters [features]
};

gumbel::gumbel(weir_builder &build) : features(build.features), stream(build.stream)
{
    const int64_t side[] = {features};
    const weir_init start = {.struct_size = sizeof start,
                             .kind = WEIR_INIT_CONSTANT,
                             .a = build.number(&build, "location"),
                             .b = 0,
                             .values = nullptr};
    location = build.parameter(&build, "location", 1, side, &start, WEIR_TENSOR_NO_DECAY);
    log_scale = build.parameter(&build, "log_scale", 1, side, nullptr, WEIR_TENSOR_NO_DECAY);
}

bool gumbel::standard(weir_frame &frame, const place &here, const weir_real *lane, weir_real *&w,
                      weir_real *&tail)
{
    w = weir_take_lane(&frame);
    tail = weir_take_lane(&frame);
    if (!w || !tail) return false;
    for (int32_t i = 0; i < frame.width; i++) {
        w[i] = (lane[i] - here.m) / here.scale;
        tail[i] = -w[i];
    }
    frame.math->exp(frame.width, tail, tail);
    return true;
}

weir_status gumbel::log_density(weir_frame &frame, const weir_tile &z, weir_real *log_p) const noexcept
{
    weir_real *const total = weir_take_lane(&frame), *w = nullptr, *tail = nullptr;
    if (!total) return WEIR_ERROR;
    weir_zero_lane(&frame, total);
    for (int32_t f = 0; f < features; f++) {
        const place here = at(frame, f);
        if (!standard(frame, here, weir_lane(&z, f), w, tail)) return WEIR_ERROR;
        for (int32_t i = 0; i < frame.width; i++) total[i] -= w[i] + tail[i] + here.s;
    }
    for (int32_t i = 0; i < frame.width; i++) log_p[i] += total[i];
    return weir_discard_nan(&frame, total);
}

// d log p / dw = exp(-w) - 1.
weir_status gumbel::vjp(weir_frame &frame, const weir_tile &z, const weir_real *bar,
                        const weir_tile *z_bar) const noexcept
{
    weir_real *const by_location = weir_gradient(&frame, location);
    weir_real *const by_log_scale = weir_gradient(&frame, log_scale);
    weir_real *w = nullptr, *tail = nullptr;
    for (int32_t f = 0; f < features; f++) {
        const place here = at(frame, f);
        weir_real moved = 0, stretched = 0;
        if (!standard(frame, here, weir_lane(&z, f), w, tail)) return WEIR_ERROR;
        for (int32_t r = 0; r < frame.rows; r++) {
            moved += bar[r] * (1 - tail[r]) / here.scale;
            stretched += bar[r] * (w[r] * (1 - tail[r]) - 1);
        }
        if (by_location) by_location[f] += moved;
        if (by_log_scale) by_log_scale[f] += stretched;
        if (!z_bar) continue;
        weir_real *const to = weir_lane(z_bar, f);
        for (int32_t i = 0; i < frame.width; i++) to[i] = bar[i] * (tail[i] - 1) / here.scale;
    }
    return WEIR_OK;
}

// Draw number f of this module's stream: the same row of the same run always draws the same.
weir_status gumbel::sample(weir_frame &frame, const weir_tile &z) const noexcept
{
    for (int32_t f = 0; f < features; f++) {
        const place here = at(frame, f);
        weir_real *const lane = weir_lane(&z, f);
        frame.services->random_uniform(&frame, stream, static_cast<uint32_t>(f), lane);
        frame.math->log(frame.width, lane, lane);
        for (int32_t i = 0; i < frame.width; i++) lane[i] = -lane[i];
        frame.math->log(frame.width, lane, lane);
        for (int32_t i = 0; i < frame.width; i++) lane[i] = here.m - here.scale * lane[i];
    }
    return WEIR_OK;
}

// dz/dm = 1 and dz/ds = z - m.
weir_status gumbel::sample_vjp(weir_frame &frame, const weir_tile &z, const weir_tile &z_bar) const noexcept
{
    weir_real *const by_location = weir_gradient(&frame, location);
    weir_real *const by_log_scale = weir_gradient(&frame, log_scale);
    for (int32_t f = 0; f < features; f++) {
        const weir_real *const lane = weir_lane(&z, f), *const bar = weir_lane(&z_bar, f);
        const place here = at(frame, f);
        weir_real stretched = 0;
        for (int32_t r = 0; r < frame.rows; r++) stretched += bar[r] * (lane[r] - here.m);
        if (by_location) by_location[f] += weir_sum_lane(&frame, bar);
        if (by_log_scale) by_log_scale[f] += stretched;
    }
    return WEIR_OK;
}

// ---- the border: plain functions in plain tables ------------------------------------------------------------------

const gumbel &of(const void *module)
{
    return *static_cast<const gumbel *>(module);
}

// Making an instance may throw, so this is where exceptions are caught.
weir_status create(weir_builder *build, void **module) noexcept
{
    try {
        auto made = std::make_unique<gumbel>(*build);
        if (build->failed(build)) return WEIR_INVALID;
        *module = made.release();
        return WEIR_OK;
    } catch (const std::exception &error) {
        return weir_refuse(build, "%s", error.what());
    }
}

constexpr weir_option options[] = {
    {.struct_size = sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "location",
     .default_json = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where the mode of every feature starts"},
};

constexpr weir_density_ops ops = {
    .struct_size = sizeof(weir_density_ops),
    .log_density =
        [](const void *module, weir_frame *frame, const weir_tile *z, void *log_p) noexcept {
            return of(module).log_density(*frame, *z, static_cast<weir_real *>(log_p));
        },
    .vjp =
        [](const void *module, weir_frame *frame, const weir_tile *z, const void *bar,
           const weir_tile *z_bar) noexcept {
            return of(module).vjp(*frame, *z, static_cast<const weir_real *>(bar), z_bar);
        },
    .sample = [](const void *module, weir_frame *frame,
                 const weir_tile *z) noexcept { return of(module).sample(*frame, *z); },
    .sample_vjp = [](const void *module, weir_frame *frame, const weir_tile *z,
                     const weir_tile *z_bar) noexcept { return of(module).sample_vjp(*frame, *z, *z_bar); },
};

constexpr weir_module gumbel_module = {
    .struct_size = sizeof(weir_module),
    .kind = WEIR_DENSITY,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "independent Gumbel features with learned locations and scales",
    .doc = doc,
    WEIR_OPTIONS(options),
    .create = create,
    .destroy = [](void *module) noexcept { delete static_cast<gumbel *>(module); },
    .ops = &ops,
};

} // namespace

WEIR_PLUGIN(&gumbel_module);
