--- Flows: a stack of layers over a base density, its training and its uses.

local core = require "weir.core"
local check = require "weir.check"
local data = require "weir.data"
local node = require "weir.node"
local part = require "weir.part"
local runtime = require "weir.runtime"
local tree = require "weir.tree"

local flow = {}
local Flow = {}
Flow.__index = Flow

local known = { base = true, features = true, context = true, image = true, dtype = true, seed = true, metadata = true }

local function split_keys(given)
  local named, layers = {}, {}
  for key, value in pairs(given) do
    if type(key) == "number" then layers[key] = value else named[key] = value end
  end
  return named, layers
end

--- A flow of layers, data side first. Its shapes are those of the data it is first fitted to, or said by `features`.
-- @param given table: the layers; base (density, normal), features, context (columns), image {channels, height, width},
--   dtype ("f32", "f64"), seed (of the initial weights), metadata (table, saved with the model)
-- @return the flow; raises an error at the line of the script that asks for something impossible
function flow.new(given)
  check.type(given, "table", "weir.flow", 2)
  local options, layers = split_keys(node.is(given) and { given } or given)
  check.keys(options, known, "weir.flow", 2)
  local self = setmetatable({ draws = 0, metadata = options.metadata or {} }, Flow)
  self.description = {
    flow = node.plain(node.make("chain", { layers = node.list(layers, "weir.flow", 2) }, 2)),
    base = node.plain(node.is(options.base) and options.base or node.make(options.base or "normal", {}, 2)),
    features = options.features, context = options.context, dtype = options.dtype, seed = options.seed,
    image = options.image and core.list(options.image),
  }
  if options.features then self:build(options.features, options.context or 0) end
  return self
end

--- A flow from a model file or a checkpoint.
-- @param path string
-- @return the flow; raises an error when the file is damaged, or a module that it needs is missing
function flow.load(path)
  check.type(path, "string", "weir.load", 2)
  local model = check.ok(core.load_model(runtime.get(), path))
  return setmetatable({ model = model, draws = 0, metadata = check.ok(model:metadata()) }, Flow)
end

--- Makes the layers for rows of so many features and context columns; does nothing when they are there already.
-- @param features number of columns
-- @param context number of context columns (0)
-- @return the flow
function Flow:build(features, context)
  if self.model then return self end
  self.description.features, self.description.context = features, context or 0
  self.description.metadata = self.metadata
  self.model = check.ok(core.build(runtime.get(), self.description))
  return self
end

--- The model of weir.core behind the flow; a flow that has seen no data has none.
-- @param level number: where the error is placed, as for error (2)
-- @return the model; raises an error when there is none yet
function Flow:get_model(level)
  if self.model then return self.model end
  error("the flow has no shapes yet: fit it to data first, or say features = n", (level or 2) + 1)
end

--- Rows and the options of a call: context comes from the data set unless given.
local function rows_and_call(self, values, options, what)
  check.keys(options or {}, { context = true, seed = true, step = true, first_row = true, train = true }, what, 3)
  local array, call = values, {}
  for key, value in pairs(options or {}) do call[key] = value end
  if data.is_set(values) then
    array, call.context = values.x, call.context or values.context
  elseif type(values) == "table" and not data.is_parts(values) then
    array = core.array.from(values)
  elseif not data.is_array(values) then
    error(("%s: expected an array, a data set or a table of rows"):format(what), 3)
  end
  if type(call.context) == "table" then
    call.context = core.array.from(type(call.context[1]) == "table" and call.context or { call.context })
  end
  return self:get_model(3), array, call
end

--- log p(x) of every row in nats, as a vector; the second result is how many rows have none (they are NaN).
-- @param values array, data set or table of rows
-- @param options table: context (array or one row), seed (of the noise of stochastic layers)
-- @return vector (f64), number; raises an error when the columns do not fit
function Flow:log_prob(values, options)
  local model, array, call = rows_and_call(self, values, options, "log_prob")
  return check.ok(model:log_prob(array, call))
end

--- z = f(x), and log |det dz/dx|.
-- @param values array, data set or table of rows
-- @param options table: context (array with a row for each, or one row), seed (of the noise of stochastic layers, 0)
-- @return array, vector (f64, nats)
function Flow:forward(values, options)
  local model, array, call = rows_and_call(self, values, options, "forward")
  return check.ok(model:forward(array, call))
end

--- x = f^-1(z), and log |det dx/dz|.
-- @param values array, data set or table of rows: places in the latent space
-- @param options table: context (array with a row for each, or one row), seed (of the noise of stochastic layers, 0)
-- @return array, vector (f64, nats)
function Flow:inverse(values, options)
  local model, array, call = rows_and_call(self, values, options, "inverse")
  return check.ok(model:inverse(array, call))
end

--- d log p / dx, and log p.
-- @param values array, data set or table of rows
-- @param options table: context (array with a row for each, or one row), seed (of the noise of stochastic layers, 0)
-- @return array, vector (f64, nats)
function Flow:score(values, options)
  local model, array, call = rows_and_call(self, values, options, "score")
  return check.ok(model:score(array, call))
end

--- n samples as an array, and their log densities. Without a seed every call gives other samples, the same in every run.
-- @param n number: how many
-- @param options table: seed, context (one row for all, or n rows)
-- @return array, vector (f64, nats)
function Flow:sample(n, options)
  check.integer(n, 0, 2 ^ 31 - 1, "sample: n", 2)
  local call = {}
  for key, value in pairs(options or {}) do call[key] = value end
  check.keys(call, { seed = true, context = true }, "sample", 2)
  if type(call.context) == "table" then
    call.context = core.array.from(type(call.context[1]) == "table" and call.context or { call.context })
  end
  if not call.seed then
    call.seed, self.draws = self.draws, self.draws + 1
  end
  return check.ok(self:get_model():sample(n, call))
end

--- Trains the flow; see weir.fit.
-- @param values array, data set, or the parts of a split; nil with options.target
-- @param options table: see weir.fit.defaults
-- @return what weir.fit.run returns
function Flow:fit(values, options)
  return require("weir.fit").run(self, values, options or {})
end

--- A trainer for a loop of one's own; see weir.optim.
-- @param settings table: see weir.optim.trainer
-- @return the trainer
function Flow:trainer(settings)
  return require("weir.optim").trainer(self, settings)
end

--- Lets layers that start from data (standardize, actnorm) see it; fit does so by itself.
-- @param values array, data set or table of rows
-- @param options table: seed (0), again (boolean: also layers that have started already)
-- @return the flow
function Flow:initialize(values, options)
  local set = data.as_set(values, "initialize")
  self:build(set.x:columns(), set.context and set.context:columns() or 0)
  check.ok(self.model:initialize(set.x, { context = set.context, seed = options and options.seed,
    again = options and options.again, train = true }))
  return self
end

--- The named tensors, a list of {name, kind, shape, dtype, count, frozen}.
-- @return table
function Flow:parameters()
  return self:get_model():tensors()
end

--- A copy of one tensor.
-- @param name string, as parameters() lists it
-- @return array; raises an error when there is no tensor of that name
function Flow:tensor(name)
  return check.ok(self:get_model():tensor(name))
end

--- Overwrites one tensor.
-- @param name string
-- @param array array of the tensor's shape
-- @return the flow; raises an error when the shape is another
function Flow:set_tensor(name, array)
  check.ok(self:get_model():write_tensor(name, array))
  return self
end

--- Parameters whose names match the shell pattern are (not) trained from now on.
-- @param pattern string, such as "flow.1.*"
-- @param frozen boolean: false trains them again (true)
-- @return the flow; raises an error when no name matches
function Flow:freeze(pattern, frozen)
  check.ok(self:get_model():freeze(pattern, frozen == nil or frozen))
  return self
end

--- Writes the model as a safetensors file, atomically. Its metadata goes with it.
-- @param path string
-- @return the flow; raises an error when the file cannot be written
function Flow:save(path)
  check.type(path, "string", "save", 2)
  local model = self:get_model()
  check.ok(model:set_metadata(self.metadata))
  check.ok(model:save(path))
  return self
end

--- One module of the flow, whose methods can be called: flow:node("flow.2.univariate"):knots(theta). `weir layers ID` lists
-- the methods of a module, and print(flow) the names.
-- @param name string: as print(flow) shows it, or a number n for "flow.n"
-- @return the module
function Flow:node(name)
  if type(name) == "number" then name = ("flow.%d"):format(name) end
  check.type(name, "string", "node", 2)
  return part.new(self:get_model(), name)
end

--- The module tree and the sizes, as tables.
-- @return table
function Flow:info()
  return check.ok(self:get_model():describe())
end

function Flow:__tostring()
  if self.model then return tree.text(self:info()) end
  return ("flow of %d layers, shapes not known yet"):format(#(self.description.flow.children or { layers = {} }).layers)
end

return flow
