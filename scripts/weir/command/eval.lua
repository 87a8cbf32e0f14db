--- weir eval: the log density of data under a model.

local core = require "weir.core"
local figures = require "weir.command.figures"
local rows = require "weir.command.rows"
local runtime = require "weir.runtime"

local function run(given)
  runtime.open { threads = given.threads }
  local flow = require("weir.flow").load(given.model)
  local set = rows.load(flow, given.data, given.context)
  local out = figures.evaluate(flow, set, { seed = given.seed })
  if out.discarded > 0 then
    io.stderr:write(("weir: warning: %d of %d rows have no finite density; the mean is over the rest\n"):format(
      out.discarded, out.rows))
  end
  if given.output then flow:log_prob(set, { seed = given.seed }):save(given.output) end
  if given.json then
    io.stdout:write(core.json_encode(out), "\n")
  else
    io.stdout:write(figures.line(out), "\n")
    if out.bits_per_dim ~= core.null then io.stdout:write(("bits_per_dim %.4f\n"):format(out.bits_per_dim)) end
  end
  return out.discarded == out.rows and 1 or 0
end

return {
  summary = "scores data: the mean log density in nats",
  usage = "MODEL DATA [options]",
  positional = { "MODEL", "DATA" },
  options = {
    { "--context", value = "F", help = "file with the context of each row (or one row for all)" },
    { "--seed", value = "S", kind = "integer", low = 0, high = 2 ^ 53 - 1, help = "of the noise of stochastic layers (0)" },
    { "--threads", value = "T", kind = "integer", low = 1, high = 4096, help = "threads (all processors)" },
    { "--json", help = "print the figures as JSON" },
    { "--output", short = "-o", value = "F", help = "also write the log density of every row (.npy or .csv)" },
  },
  examples = { "weir eval flights.safetensors test.csv", "weir eval model.safetensors test.npy --json" },
  run = run,
}
