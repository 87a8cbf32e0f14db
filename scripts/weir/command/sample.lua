--- weir sample: draws from a model.

local core = require "weir.core"
local flow_of = require "weir.flow"
local rows = require "weir.command.rows"
local runtime = require "weir.runtime"

local function context_of(flow, text, count)
  if not text then
    local needed = flow:get_model():get "context"
    if needed > 0 then
      error(("the model needs %d columns of context: --context F or --context name=value,..."):format(needed), 0)
    end
    return nil
  end
  if text:find("=", 1, true) and core.file_kind(text) == nil then return rows.context_values(flow, text) end
  return rows.context(flow, text, count)
end

--- CSV on standard output.
local function print_rows(array, names)
  if names then io.stdout:write(table.concat(names, ","), "\n") end
  for i = 1, array:rows() do
    local row = {}
    for j = 1, array:columns() do row[j] = ("%.9g"):format(array:get(i, j)) end
    if not io.stdout:write(table.concat(row, ","), "\n") then error("cannot write to standard output", 0) end
  end
end

local function run(given)
  if not given.n then error { usage = "sample: -n N is missing; see weir sample --help" } end
  runtime.open { threads = given.threads }
  local flow = flow_of.load(given.model)
  local names = rows.names(flow)
  local samples, _, discarded = flow:sample(given.n, { seed = given.seed or 0,
    context = context_of(flow, given.context, given.n) })
  if discarded > 0 then
    io.stderr:write(("weir: warning: %d of %d samples are not finite\n"):format(discarded, given.n))
  end
  if given.output then samples:save(given.output, names) else print_rows(samples, names) end
  return 0
end

return {
  summary = "draws samples from a model",
  usage = "MODEL -n N [options]",
  positional = { "MODEL" },
  options = {
    { "-n", value = "N", kind = "integer", low = 0, high = 2 ^ 31 - 1, help = "number of samples" },
    { "--seed", value = "S", kind = "integer", low = 0, high = 2 ^ 53 - 1, help = "other seeds, other samples (0)" },
    { "--context", value = "F|name=v,...", help = "context: a file (N rows, or one for all), or values by name or number" },
    { "--threads", value = "T", kind = "integer", low = 1, high = 4096, help = "threads (all processors)" },
    { "--output", short = "-o", value = "F", help = ".npy or .csv; without it CSV goes to standard output" },
  },
  examples = { "weir sample flights.safetensors -n 1000 -o samples.npy",
    "weir sample sim.safetensors -n 10 --context energy=3,angle=0.5" },
  run = run,
}
