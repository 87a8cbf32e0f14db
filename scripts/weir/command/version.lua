return {
  summary = "prints the version, and the instruction set of the mathematics on this processor",
  usage = "",
  positional = {},
  options = {},
  run = function()
    local core = require "weir.core"
    io.stdout:write("weir ", core.version, "\n", core.kernels, " kernels\n")
    return 0
  end,
}
