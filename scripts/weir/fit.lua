--- Fitting a flow: options, data and the record that goes into the model. The loop itself is weir.loop.

local core = require "weir.core"
local check = require "weir.check"
local data = require "weir.data"
local node = require "weir.node"
local schedule = require "weir.schedule"
local loop = require "weir.loop"

local fit = {}

--- Every option with its default. false: off.
fit.defaults = {
  epochs = 100,             -- passes over the data
  batch = 256,              -- rows of a step
  lr = 1e-3,                -- learning rate
  schedule = "cosine",      -- constant, cosine, linear, plateau
  warmup = 0,               -- steps over which the rate rises
  least_lr = 0,             -- where the schedule ends
  optimizer = "adam",       -- adam, adamw, sgd
  beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentum = 0.9, nesterov = false,
  weight_decay = 0,
  clip = 5,                 -- largest norm of the gradient; 0: no limit
  on_nan = "skip",          -- a step without a finite gradient: skip it, or rollback to the last good epoch
  patience = 30,            -- epochs without a better validation figure before the run ends; 0: never
  keep = "best",            -- whose weights the model ends with: best (by validation, else by training) or last epoch
  validation = 0.1,         -- a fraction of the data, a data set, or false
  seed = 0,
  recompute = false,        -- memory constant in depth, at the price of time
  weights = false, context = false,            -- arrays, one row for each row of the data
  checkpoint = false, checkpoint_every = 60,   -- file, seconds
  rescue = false,           -- file that Ctrl-C leaves a checkpoint in, when there is no other
  resume = false,           -- a checkpoint to go on from
  log = false,              -- file of JSON lines
  progress = "auto",        -- auto, bar, lines, false
  on_epoch = false,         -- function(state), called after every epoch; true ends the run
  target = false,           -- reverse KL: a function or a density, instead of data
  samples = 256, steps_per_epoch = 100,        -- of a target
}

local function settle(given)
  check.keys(given, fit.defaults, "fit", 3)
  local o = {}
  for key, value in pairs(fit.defaults) do
    if given[key] ~= nil then o[key] = given[key] else o[key] = value end
  end
  schedule.check(o.schedule, 3)
  check.integer(o.epochs, 1, 1e9, "fit: epochs", 3)
  check.integer(o.batch, 1, 2 ^ 31, "fit: batch", 3)
  check.integer(o.seed, 0, 2 ^ 53 - 1, "fit: seed", 3)
  if o.keep ~= "best" and o.keep ~= "last" then error("fit: keep: expected best or last", 3) end
  check.integer(o.patience, 0, 1e9, "fit: patience", 3)
  check.integer(o.warmup, 0, 1e12, "fit: warmup", 3)
  check.integer(o.samples, 1, 2 ^ 31, "fit: samples", 3)
  check.integer(o.steps_per_epoch, 1, 1e9, "fit: steps_per_epoch", 3)
  check.number(o.lr, 0, math.huge, "fit: lr", 3)
  check.number(o.least_lr, 0, math.huge, "fit: least_lr", 3)
  return o
end

--- The training and the validation set.
local function settle_data(values, o)
  local train, validation
  if data.is_parts(values) then
    train, validation = values.train, values.validation
    if o.validation and type(o.validation) ~= "number" then validation = o.validation end
  else
    train = data.as_set(values, "fit")
    if o.context or o.weights then train = train:with { context = o.context, weights = o.weights } end
    if type(o.validation) == "number" and o.validation > 0 then
      local parts = train:split { 1 - o.validation, o.validation, seed = o.seed }
      train, validation = parts.train, parts.validation
    elseif o.validation and o.validation ~= 0 then
      validation = o.validation
    end
  end
  return train, validation and data.as_set(validation, "fit: validation")
end

local function check_shapes(train, validation)
  train:refuse_nonfinite()
  if not validation then return end
  validation:refuse_nonfinite()
  local function columns(array) return array and array:columns() or 0 end
  if columns(train.x) ~= columns(validation.x) or columns(train.context) ~= columns(validation.context) then
    error(("%s: the validation data has %d columns and a context of %d; the training data %d and %d"):format(
      validation.source, columns(validation.x), columns(validation.context), columns(train.x),
      columns(train.context)), 0)
  end
end

local function trainer_settings(o)
  return { optimizer = o.optimizer, beta1 = o.beta1, beta2 = o.beta2, epsilon = o.epsilon, momentum = o.momentum,
    nesterov = o.nesterov, weight_decay = o.weight_decay, clip = o.clip, seed = o.seed, on_nan = o.on_nan }
end

--- What must be equal for a run to be resumed: data and every option that shapes the result.
local function identity(train, validation, o)
  local id = { optimizer = o.optimizer, batch = o.batch, lr = o.lr, schedule = o.schedule, warmup = o.warmup,
    weight_decay = o.weight_decay, clip = o.clip, seed = o.seed, epochs = o.epochs, patience = o.patience,
    least_lr = o.least_lr }
  id.data = train and train:fingerprint() or "target"
  id.validation = validation and validation:fingerprint() or "none"
  return id
end

local function refuse_difference(now, saved, path)
  for _, key in ipairs { "data", "validation" } do
    if now[key] ~= saved[key] then
      error(("%s: the checkpoint was made with other %s: resume with the same files and the same seed"):format(path,
        key == "data" and "training data" or "validation data"), 0)
    end
  end
  local keys = {}
  for key in pairs(now) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    if now[key] ~= saved[key] then
      error(("%s: the checkpoint was made with %s = %s, now it is %s: resume with the same options"):format(path, key,
        tostring(saved[key]), tostring(now[key])), 0)
    end
  end
end

--- What the model remembers of its training: figures and options, nothing of time or machine.
local function record(state, o, train, validation)
  local out = { epochs = state.epoch, best_epoch = state.best_epoch, best = state.best, history = state.history,
    rows = train and train:rows(), validation_rows = validation and validation:rows(), batch = o.batch, lr = o.lr,
    schedule = o.schedule, optimizer = o.optimizer, weight_decay = o.weight_decay, clip = o.clip, seed = o.seed,
    steps = state.step, skipped = state.skipped, interrupted = state.interrupted or nil,
    data = train and train:fingerprint() }
  return out
end

--- Trains `flow`; its metadata gets the record under "training".
-- @param flow the flow
-- @param values array, data set, parts of a split, or nil with options.target
-- @param given table: see fit.defaults
-- @return the record; interrupted = true after Ctrl-C
function fit.run(flow, values, given)
  local o = settle(given)
  local train, validation
  if o.target then
    if values ~= nil then error("fit: give data or a target, not both", 3) end
    o.target = node.plain(o.target)
  else
    train, validation = settle_data(values, o)
    check_shapes(train, validation)
    flow:build(train.x:columns(), train.context and train.context:columns() or 0)
  end
  local model = flow:get_model(3)
  check.ok(model:set_recompute(o.recompute))
  local trainer = check.ok(core.trainer(model, trainer_settings(o)))
  local id = identity(train, validation, o)
  local state
  if o.resume then
    state = check.ok(trainer:resume(o.resume))
    if not state.identity then error(o.resume .. ": not a checkpoint of weir fit", 0) end
    refuse_difference(id, state.identity, o.resume)
  elseif train then
    check.ok(model:initialize(train.x, { context = train.context, seed = o.seed, train = true }))
  end
  state = loop.run { model = model, trainer = trainer, train = train, validation = validation, options = o,
    state = state, identity = id }
  flow.metadata.training = record(state, o, train, validation)
  check.ok(model:set_metadata(flow.metadata))
  return flow.metadata.training
end

return fit
