// test.throws - a layer in C++ that lets an exception leave its forward call. The calls of the interface are noexcept, so
// the exception ends the process and never unwinds the host; a call that is not noexcept does not even compile
// (FORGETS_NOEXCEPT).
#include <weir/plugin.h>

#include <vector>

#ifdef FORGETS_NOEXCEPT
#define PROMISE
#else
#define PROMISE noexcept
#endif

namespace
{

weir_status forward(const void *, weir_frame *, const weir_tile *x, const weir_tile *, void *) PROMISE
{
    const std::vector<weir_status> nothing;
    return nothing.at(static_cast<std::size_t>(x->features));
}

weir_status create(weir_builder *, void **self) noexcept
{
    static char nothing;
    *self = &nothing;
    return WEIR_OK;
}

void destroy(void *) noexcept
{
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
    module.id = "test.throws";
    module.version = "1.0.0";
    module.summary = "throws when it is called";
    module.doc = "No formula.";
    module.create = create;
    module.destroy = destroy;
    module.ops = &ops;
    return module;
}

constexpr weir_module throws_module = describe_module();

} // namespace

WEIR_PLUGIN(&throws_module);
