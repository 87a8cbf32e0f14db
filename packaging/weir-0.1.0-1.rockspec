-- Written by packaging/rock.lua. In Weir's source:
--     luarocks make packaging/weir-0.1.0-1.rockspec
-- installs the Lua module for a plain LuaJIT, over a libweir that is installed (cmake --install, or the packages weir and
-- weir-dev). WEIR_DIR=PREFIX names its prefix where that is not /usr or /usr/local.
rockspec_format = "3.0"
package = "weir"
version = "0.1.0-1"
source = {
  url = "file://weir-0.1.0.tar.gz",
  dir = "weir-0.1.0",
}
description = {
  summary = "Normalizing flows from plugins: exact densities and samples",
  detailed = "Composes, trains, evaluates, samples, saves and plots normalizing flows by libweir, whose layers are plugins.",
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua == 5.1" } -- LuaJIT: plots use its ffi
external_dependencies = {
  WEIR = { header = "weir.h", library = "weir" },
  JANSSON = { header = "jansson.h", library = "jansson" },
}
build = {
  type = "builtin",
  modules = {
    ["weir.core"] = {
      sources = {
        "core/src/lua/array.c",
        "core/src/lua/array_arithmetic.c",
        "core/src/lua/array_library.c",
        "core/src/lua/array_linear.c",
        "core/src/lua/array_reduce.c",
        "core/src/lua/array_rows.c",
        "core/src/lua/confine.c",
        "core/src/lua/evaluate.c",
        "core/src/lua/handle.c",
        "core/src/lua/interrupt.c",
        "core/src/lua/json.c",
        "core/src/lua/methods.c",
        "core/src/lua/model.c",
        "core/src/lua/module.c",
        "core/src/lua/random.c",
        "core/src/lua/reach.c",
        "core/src/lua/runtime.c",
        "core/src/lua/system.c",
        "core/src/lua/target.c",
        "core/src/lua/tensors.c",
        "core/src/lua/trainer.c",
      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "$(WEIR_INCDIR)", "$(JANSSON_INCDIR)" },
      libdirs = { "$(WEIR_LIBDIR)", "$(JANSSON_LIBDIR)" },
      libraries = { "weir", "jansson" },
    },
    ["weir.check"] = "scripts/weir/check.lua",
    ["weir.columns"] = "scripts/weir/columns.lua",
    ["weir.data"] = "scripts/weir/data.lua",
    ["weir.fit"] = "scripts/weir/fit.lua",
    ["weir.flow"] = "scripts/weir/flow.lua",
    ["weir"] = "scripts/weir/init.lua",
    ["weir.loop"] = "scripts/weir/loop.lua",
    ["weir.mask_schedule"] = "scripts/weir/mask_schedule.lua",
    ["weir.nearest"] = "scripts/weir/nearest.lua",
    ["weir.node"] = "scripts/weir/node.lua",
    ["weir.optim"] = "scripts/weir/optim.lua",
    ["weir.part"] = "scripts/weir/part.lua",
    ["weir.plot"] = "scripts/weir/plot.lua",
    ["weir.plot.axes"] = "scripts/weir/plot/axes.lua",
    ["weir.plot.canvas"] = "scripts/weir/plot/canvas.lua",
    ["weir.plot.colour"] = "scripts/weir/plot/colour.lua",
    ["weir.plot.panel"] = "scripts/weir/plot/panel.lua",
    ["weir.presets"] = "scripts/weir/presets.lua",
    ["weir.presets.iaf"] = "scripts/weir/presets/iaf.lua",
    ["weir.presets.maf"] = "scripts/weir/presets/maf.lua",
    ["weir.presets.nice"] = "scripts/weir/presets/nice.lua",
    ["weir.presets.nsf"] = "scripts/weir/presets/nsf.lua",
    ["weir.presets.nsf_ar"] = "scripts/weir/presets/nsf_ar.lua",
    ["weir.presets.realnvp"] = "scripts/weir/presets/realnvp.lua",
    ["weir.progress"] = "scripts/weir/progress.lua",
    ["weir.runtime"] = "scripts/weir/runtime.lua",
    ["weir.schedule"] = "scripts/weir/schedule.lua",
    ["weir.synthetic"] = "scripts/weir/synthetic.lua",
    ["weir.tree"] = "scripts/weir/tree.lua",
  },
}
