--- weir fit: trains a flow on a file.

local core = require "weir.core"
local check = require "weir.check"
local data = require "weir.data"
local figures = require "weir.command.figures"
local fit = require "weir.fit"
local presets = require "weir.presets"
local runtime = require "weir.runtime"

local usual = "nsf_ar"

local options = {
  { "--val", value = "F", help = "validation data; without it a tenth of TRAIN is split off by the seed" },
  { "--test", value = "F", help = "test data, scored at the end" },
  { "--flow", value = "NAME", help = "the flow: a preset below, or a file such as ./mine.lua (" .. usual .. ")" },
  { "--transforms", value = "N", kind = "integer", low = 0, high = 100000, help = "number of transforms" },
  { "--hidden", value = "128,128", kind = "widths", help = "widths of the networks" },
  { "--bins", value = "K", kind = "integer", low = 2, high = 256, help = "bins of splines" },
  { "--set", value = "key=value", many = true, help = "any other option of the preset or of training; repeatable" },
  { "--epochs", value = "N", kind = "integer", low = 1, help = "passes over the data (100, or as the flow says below)" },
  { "--batch", value = "B", kind = "integer", low = 1, high = 2 ^ 31, help = "rows of a step (256)" },
  { "--lr", value = "R", kind = "number", low = 0, help = "learning rate (0.001)" },
  { "--weight-decay", value = "X", kind = "number", low = 0, help = "weight decay (0)" },
  { "--clip", value = "X", kind = "number", low = 0, help = "largest norm of the gradient (5); 0: no limit" },
  { "--patience", value = "N", kind = "integer", low = 0, help = "epochs without improvement before the end (30)" },
  { "--seed", value = "S", kind = "integer", low = 0, high = 2 ^ 53 - 1, help = "of everything random (0)" },
  { "--threads", value = "T", kind = "integer", low = 1, high = 4096, help = "threads (all processors)" },
  { "--dtype", value = "f32|f64", choices = { "f32", "f64" }, help = "precision (f32)" },
  { "--columns", value = "COLS", help = "columns to model, such as 1-3,5 or names (all that have no other use)" },
  { "--context", value = "COLS", help = "columns that condition the flow" },
  { "--weights", value = "COL", help = "column with the weight of each row" },
  { "--levels", value = "N", kind = "integer", low = 0, high = 65536,
    help = "the data are integers 0 to N - 1 (256 for 8-bit data; 0: continuous)" },
  { "--image", value = "C,H,W", kind = "widths",
    help = "the columns are pictures: channels, height, width (for flows that divide pictures)" },
  { "--checkpoint", value = "F", help = "file to save the state of training to, now and then" },
  { "--resume", value = "F", help = "go on from a checkpoint; data and options must be the same" },
  { "--log", value = "F", help = "write a line of JSON for every epoch" },
  { "--json", help = "print the result as JSON" },
  { "--overwrite", help = "allow an existing file to be replaced" },
  { "--output", short = "-o", value = "MODEL", help = "the model's file (TRAIN with the ending .safetensors)" },
}

-- Of weir.fit's options, those that --set may change; the others have flags or make no sense here.
local settable = { schedule = true, warmup = true, least_lr = true, optimizer = true, beta1 = true, beta2 = true,
  epsilon = true, momentum = true, nesterov = true, on_nan = true, recompute = true, checkpoint_every = true }

local function usage(text, ...)
  error { usage = ("fit: " .. text):format(...) }
end

--- "key=value", the value as JSON or else as text.
local function read_set(items, preset)
  local own, known, for_flow, for_fit = {}, {}, {}, {}
  for _, option in ipairs(preset.options or {}) do own[option[1]], known[option[1]] = true, true end
  for key in pairs(settable) do known[key] = true end
  for _, item in ipairs(items or {}) do
    local key, text = item:match "^%s*([%w_]+)%s*=(.*)$"
    if not key then usage("--set: expected key=value, got %s", item) end
    if not known[key] then usage("--set: unknown option %s%s", key, check.hint(key, known)) end
    local value = core.json_decode(text)
    if value == nil then value = text end
    if own[key] then for_flow[key] = value else for_fit[key] = value end
  end
  return for_flow, for_fit
end

--- Flags that a preset may lack, such as --bins.
local function preset_options(given, preset, name, set)
  local known = {}
  for _, option in ipairs(preset.options or {}) do known[option[1]] = true end
  for _, key in ipairs { "transforms", "hidden", "bins" } do
    if given[key] ~= nil then
      if not known[key] then usage("--%s: the flow %s has no such option", key, name) end
      set[key] = given[key]
    end
  end
  return set
end

local function default_output(path)
  local stem = path:gsub("%.gz$", "")
  return (stem:gsub("%.[%w]+$", "")) .. ".safetensors"
end

--- May the model's file be written? A resumed run may replace what the interrupted one left.
local function check_output(path, given)
  if given.overwrite or core.file_kind(path) == nil then return end
  if given.resume then
    local model = core.load_model(runtime.get(), path)
    local training = model and (model:metadata() or {}).training
    if training and training.interrupted then return end
  end
  error(path .. ": the file exists; choose another with -o, or say --overwrite", 0)
end

local function load_part(path, train, given)
  if not path then return nil end
  local part = data.load(path, { columns = given.columns, context = given.context, weights = given.weights })
  if part.layout.total ~= train.layout.total then
    error(("%s: %d columns, the training data has %d"):format(path, part.layout.total, train.layout.total), 0)
  end
  if part.names and train.names and table.concat(part.names, "\0") ~= table.concat(train.names, "\0") then
    error(("%s: its columns are called %s, those of the training data %s"):format(path, table.concat(part.names, ","),
      table.concat(train.names, ",")), 0)
  end
  return part:refuse_nonfinite()
end

--- What eval and sample need to know about the columns.
local function layout_record(train)
  return { total = train.layout.total, columns = core.list(train.layout.data), context = core.list(train.layout.context),
    weights = core.list(train.layout.weights), names = train.names and core.list(train.names) or nil,
    context_names = train.names and core.list(train.context_names) or nil }
end

local function fit_options(given, preset, set)
  local o = {}
  for key, value in pairs(preset.training or {}) do o[key] = value end
  for key, value in pairs(set) do o[key] = value end
  for _, key in ipairs { "epochs", "batch", "lr", "weight_decay", "clip", "patience", "seed", "checkpoint", "resume",
    "log" } do
    if given[key] ~= nil then o[key] = given[key] end
  end
  if o.weight_decay and o.weight_decay > 0 and not set.optimizer then o.optimizer = "adamw" end
  for key in pairs(o) do
    if fit.defaults[key] == nil then usage("unknown training option %s%s", key, check.hint(key, fit.defaults)) end
  end
  return o
end

local function checkpoint_beside(output)
  return (output:gsub("%.safetensors$", "")) .. ".checkpoint.safetensors"
end

local function settle_parts(given, o)
  local train = data.load(given.train, { columns = given.columns, context = given.context, weights = given.weights })
  train:refuse_nonfinite()
  local validation, test = load_part(given.val, train, given), load_part(given.test, train, given)
  if not validation then
    local parts = train:split { 0.9, 0.1, seed = o.seed or 0 }
    train, validation = parts.train, parts.validation
  end
  return train, validation, test
end

--- How many integer levels the data has, nil when it is continuous.
local function settle_levels(given, train)
  local levels = given.levels or (train.x:dtype() == "u8" and train.x:max() > 1 and 256 or 0)
  if levels == 0 then return nil end
  if levels < 2 then usage("--levels: expected 0, or 2 and more") end
  if train.x:min() < 0 or train.x:max() > levels - 1 then
    error(("%s: --levels %d: the data reaches from %g to %g"):format(train.source, levels, train.x:min(), train.x:max()), 0)
  end
  return levels
end

--- The outcome as a table, for --json and for text.
local function outcome(flow, result, validation, test, output, started)
  local out = { model = output, flow = flow.metadata.preset.name, parameters = flow:get_model():get "parameters",
    epochs = result.epochs, best_epoch = result.best_epoch, skipped = result.skipped,
    validation = figures.evaluate(flow, validation, { seed = result.seed }),
    test = test and figures.evaluate(flow, test, { seed = result.seed }) or core.null,
    seconds = core.clock() - started, interrupted = result.interrupted or false }
  return out
end

local function show(out)
  local function line(label, part)
    io.stdout:write(("%-11s %s\n"):format(label, figures.line(part)))
  end
  io.stdout:write(("trained     %d epochs in %.1f s, best %d, %d parameters\n"):format(out.epochs, out.seconds,
    out.best_epoch, out.parameters))
  line("validation", out.validation)
  if out.test ~= core.null then line("test", out.test) end
  io.stdout:write(("saved       %s\n"):format(out.model))
end

local function run(given)
  local started = core.clock()
  local name = given.flow or usual
  local preset = presets.get(name)
  local set, training = read_set(given.set, preset)
  local o = fit_options(given, preset, training)
  local flow_set = preset_options(given, preset, name, set)
  local output = given.output or default_output(given.train)
  runtime.open { threads = given.threads }
  check_output(output, given)
  local train, validation, test = settle_parts(given, o)
  o.validation = validation
  o.rescue = checkpoint_beside(output)
  local flow = presets.flow(name, flow_set, { seed = o.seed, dtype = given.dtype, levels = settle_levels(given, train),
    features = train.x:columns(), context = train.context and train.context:columns(), image = given.image,
    metadata = { data = layout_record(train), preset = { name = name:match "([^/]*)$", options = flow_set } } })
  local result = flow:fit(train, o)
  flow:save(output)
  if result.interrupted then
    io.stderr:write(("weir: interrupted: %s has the best model so far, %s the state: go on with --resume\n"):format(
      output, o.checkpoint or o.rescue))
    return 130
  end
  local out = outcome(flow, result, validation, test, output, started)
  if given.json then io.stdout:write(core.json_encode(out), "\n") else show(out) end
  return 0
end

local function details()
  local out = { "flows, with their options (--transforms N, --hidden and --bins, or --set key=value):" }
  for _, name in ipairs(presets.names()) do
    local preset = presets.get(name)
    out[#out + 1] = ("  %-9s %s"):format(name, preset.summary)
    local own = {}
    for key, value in pairs(preset.training or {}) do own[#own + 1] = ("%s = %s"):format(key, tostring(value)) end
    table.sort(own)
    if #own > 0 then out[#out + 1] = "            trained with " .. table.concat(own, ", ") end
    for _, option in ipairs(preset.options or {}) do
      local value = type(option[2]) == "table" and table.concat(option[2], ",") or tostring(option[2])
      out[#out + 1] = ("            %s = %s: %s"):format(option[1], value, option[3])
    end
  end
  local names = {}
  for key in pairs(settable) do names[#names + 1] = ("%s = %s"):format(key, tostring(fit.defaults[key])) end
  table.sort(names)
  out[#out + 1] = "training, by --set: " .. table.concat(names, ", ")
  return table.concat(out, "\n")
end

return {
  summary = "trains a flow on a data file (.npy, .npz, .csv, IDX)",
  usage = "TRAIN [options]",
  positional = { "TRAIN" },
  options = options,
  details = details,
  examples = {
    "weir fit flights.csv",
    "weir fit train.npy --val val.npy --test test.npy --flow realnvp --epochs 40 -o model.safetensors",
    "weir fit sim.csv --context energy,angle --set mixing=random --log training.jsonl",
  },
  run = run,
}
