// throws_at_load - a plugin in C++ whose static object throws when the file is loaded.
#include <weir/plugin.h>

#include <stdexcept>

namespace
{

struct early {
    early()
    {
        throw std::runtime_error("too early");
    }
};

const early object;

weir_status create(weir_builder *, void **) noexcept
{
    return WEIR_INVALID;
}

void destroy(void *) noexcept
{
}

weir_status forward(const void *, weir_frame *, const weir_tile *, const weir_tile *, void *) noexcept
{
    return WEIR_ERROR;
}

constexpr weir_layer_ops describe_ops()
{
    weir_layer_ops ops{};
    ops.struct_size = sizeof ops;
    ops.forward = forward;
    return ops;
}

constexpr weir_layer_ops ops = describe_ops();

constexpr weir_module describe_module()
{
    weir_module module{};
    module.struct_size = sizeof module;
    module.kind = WEIR_LAYER;
    module.precision = WEIR_PRECISION;
    module.id = "test.throws_at_load";
    module.version = "1.0.0";
    module.summary = "throws when it is loaded";
    module.doc = "No formula.";
    module.create = create;
    module.destroy = destroy;
    module.ops = &ops;
    return module;
}

constexpr weir_module throws_module = describe_module();

} // namespace

WEIR_PLUGIN(&throws_module);
