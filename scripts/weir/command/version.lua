return {
  summary = "prints the version",
  usage = "",
  positional = {},
  options = {},
  run = function()
    io.stdout:write("weir ", require("weir.core").version, "\n")
    return 0
  end,
}
