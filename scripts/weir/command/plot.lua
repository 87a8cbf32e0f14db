--- weir plot: pictures of a model, or of data.

local core = require "weir.core"
local columns = require "weir.columns"
local flow_of = require "weir.flow"
local plot = require "weir.plot"
local rows = require "weir.command.rows"
local runtime = require "weir.runtime"

local kinds = { density = true, samples = true, images = true, curve = true }

local function usage(text, ...)
  error { usage = ("plot: " .. text .. "; see weir plot --help"):format(...) }
end

--- "28x28" or "3x32x32" as a list.
local function shape_of(text)
  local shape = {}
  for side in (text .. "x"):gmatch "(%d+)x" do shape[#shape + 1] = tonumber(side) end
  if table.concat(shape, "x") ~= text or #shape < 2 or #shape > 3 then
    usage("--shape: expected HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH, got %s", text)
  end
  return shape
end

local function guess_shape(features)
  local side = math.floor(math.sqrt(features) + 0.5)
  if side * side ~= features then usage("--shape HxW is needed: %d features are not a square", features) end
  return { side, side }
end

local function context_of(flow, text)
  if not text then return nil end
  if text:find("=", 1, true) and core.file_kind(text) == nil then return rows.context_values(flow, text) end
  return rows.context(flow, text, 1)
end

local function draw_images(flow, given, output)
  local shape = given.shape and shape_of(given.shape) or guess_shape(flow:get_model():get "features")
  local sample = flow:sample(given.n or 64, { seed = given.seed or 0, context = context_of(flow, given.context) })
  local levels = flow:get_model():get "levels"
  plot.images(sample, { file = output, shape = shape, low = levels > 0 and 0 or nil,
    high = levels > 0 and levels - 1 or nil, title = given.title })
end

local function draw_density(flow, given, output)
  local set = given.data and rows.load(flow, given.data) or nil
  local names, pair = rows.names(flow), nil
  if given.columns then
    local message
    pair, message = columns.parse(given.columns, flow:get_model():get "features", names)
    if not pair then usage("--columns: %s", message) end
    if #pair ~= 2 then usage("--columns: choose two") end
  end
  plot.density(flow, { file = output, data = set, samples = given.n, seed = given.seed, names = names, columns = pair,
    title = given.title, context = context_of(flow, given.context) })
end

local function run(given)
  local kind = given.kind or "density"
  if not kinds[kind] then
    usage("unknown picture %s%s", kind, require("weir.check").hint(kind, kinds))
  end
  local output = given.output or (given.model:gsub("%.safetensors$", "")) .. ".png"
  if not output:match "%.png$" then usage("-o: pictures are PNG files, give a name that ends in .png") end
  runtime.open { threads = given.threads }
  local flow = flow_of.load(given.model)
  if kind == "curve" then plot.training(flow, { file = output, title = given.title })
  elseif kind == "images" then draw_images(flow, given, output)
  else draw_density(flow, given, output) end
  io.stdout:write("wrote ", output, "\n")
  return 0
end

return {
  summary = "draws a model as PNG: density, samples, images, training curve",
  usage = "MODEL [density|samples|images|curve] [options]",
  positional = { "MODEL", "KIND?" },
  options = {
    { "--data", value = "F", help = "data to show beside the samples" },
    { "--columns", value = "I,J", help = "which two of more than two features (1,2)" },
    { "-n", value = "N", kind = "integer", low = 1, high = 1e6, help = "number of samples (1000; 64 images)" },
    { "--shape", value = "HxW", help = "of images; CxHxW with channels (a square)" },
    { "--seed", value = "S", kind = "integer", low = 0, high = 2 ^ 53 - 1, help = "of the samples (0)" },
    { "--context", value = "F|name=v,...", help = "context: values, or a file of one row" },
    { "--title", value = "TEXT", help = "above the picture" },
    { "--threads", value = "T", kind = "integer", low = 1, high = 4096, help = "threads (all processors)" },
    { "--output", short = "-o", value = "F.png", help = "the picture (MODEL.png)" },
  },
  examples = { "weir plot moons.safetensors --data test.npy", "weir plot fashion.safetensors images -n 100",
    "weir plot flights.safetensors curve -o training.png" },
  run = run,
}
