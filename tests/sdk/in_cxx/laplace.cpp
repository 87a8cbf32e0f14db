/* test.laplace - a density in C++: exp(-|z| / b) / 2b for each feature. */
#include <weir/plugin.h>

#include <cmath>
#include <memory>
#include <stdexcept>

namespace
{

struct laplace {
    int32_t features;
    weir_real scale;
};

weir_status log_density(const void *self, weir_frame *frame, const weir_tile *z, void *log_p) noexcept
{
    const auto *me = static_cast<const laplace *>(self);
    auto *sum = static_cast<weir_real *>(log_p);
    const weir_real constant = std::log(2 * me->scale);
    for (int32_t f = 0; f < me->features; f++) {
        const weir_real *lane = weir_lane(z, f);
        for (int32_t r = 0; r < frame->width; r++) sum[r] -= std::fabs(lane[r]) / me->scale + constant;
    }
    return WEIR_OK;
}

weir_status vjp(const void *self, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                const weir_tile *z_bar) noexcept
{
    const auto *me = static_cast<const laplace *>(self);
    const auto *bar = static_cast<const weir_real *>(log_p_bar);
    for (int32_t f = 0; z_bar && f < me->features; f++) {
        const weir_real *lane = weir_lane(z, f);
        weir_real *out = weir_lane(z_bar, f);
        for (int32_t r = 0; r < frame->width; r++) out[r] = (lane[r] < 0 ? bar[r] : -bar[r]) / me->scale;
    }
    return WEIR_OK;
}

/* No exception crosses the border: it is caught where it is thrown. */
weir_status create(weir_builder *build, void **self) noexcept
{
    try {
        auto made = std::make_unique<laplace>();
        made->features = build->features;
        made->scale = WEIR_C(build->number(build, "scale"));
        if (made->features < 1) throw std::invalid_argument("needs at least one feature");
        *self = made.release();
        return WEIR_OK;
    } catch (const std::exception &error) {
        return weir_refuse(build, "%s", error.what());
    }
}

void destroy(void *self) noexcept
{
    delete static_cast<laplace *>(self);
}

constexpr weir_option describe_scale()
{
    weir_option option{};
    option.struct_size = sizeof option;
    option.type = WEIR_NUMBER;
    option.name = "scale";
    option.default_json = "1";
    option.minimum = 1e-6;
    option.maximum = 1e6;
    option.summary = "mean absolute deviation";
    return option;
}

constexpr weir_density_ops describe_ops()
{
    weir_density_ops ops{};
    ops.struct_size = sizeof ops;
    ops.log_density = log_density;
    ops.vjp = vjp;
    return ops;
}

constexpr weir_option options[] = {describe_scale()};
constexpr weir_density_ops ops = describe_ops();

constexpr weir_module describe_module()
{
    weir_module module{};
    module.struct_size = sizeof module;
    module.kind = WEIR_DENSITY;
    module.precision = WEIR_PRECISION;
    module.id = "test.laplace";
    module.version = "1.0.0";
    module.summary = "independent Laplace densities";
    module.doc = "log p(z) = sum_f -|z_f| / b - log 2b";
    module.options = options;
    module.option_count = 1;
    module.option_stride = sizeof(weir_option);
    module.create = create;
    module.destroy = destroy;
    module.ops = &ops;
    return module;
}

constexpr weir_module laplace_module = describe_module();

} // namespace

WEIR_PLUGIN(&laplace_module);
