--- Training loops of one's own.
--
--     local trainer = flow:trainer { optimizer = "adamw", weight_decay = 1e-4, clip = 5 }
--     for epoch = 1, 10 do
--       for rows in weir.optim.batches(data, 256, { seed = 1, epoch = epoch }) do
--         local result = trainer:step { x = data.x, rows = rows, learning_rate = 1e-3, epoch = epoch }
--         print(result.loss)
--       end
--     end

local core = require "weir.core"
local check = require "weir.check"
local data = require "weir.data"

local optim = {}
local Trainer = {}
Trainer.__index = Trainer

local step_keys = { x = true, rows = true, first = true, count = true, weights = true, context = true,
  learning_rate = true, epoch = true, target = true, samples = true }

--- A trainer of the flow's parameters.
-- @param flow the flow
-- @param settings table: optimizer ("adam", "adamw", "sgd"), beta1, beta2, epsilon, momentum, nesterov, weight_decay,
--   clip (largest norm of the gradient), seed, on_nan ("skip", "rollback")
-- @return the trainer; raises an error when the flow has no shapes yet
function optim.trainer(flow, settings)
  local trainer = check.ok(core.trainer(flow:get_model(3), settings or {}))
  return setmetatable({ core = trainer, flow = flow }, Trainer)
end

local function settle(step)
  check.type(step, "table", "step", 3)
  check.keys(step, step_keys, "step", 3)
  if not data.is_set(step.x) then return step end
  local out = {}
  for key, value in pairs(step) do out[key] = value end
  out.x, out.context, out.weights = step.x.x, step.context or step.x.context, step.weights or step.x.weights
  return out
end

--- One step. Give x (an array or a data set; with rows, the indices of a batch), or target and samples (reverse KL: a
-- function of an array that returns log densities and their gradients, or a density such as weir.normal()).
-- @param step table: x, rows, first and count (rows in a stretch), weights, context, learning_rate, epoch; target, samples
-- @return table: applied, loss (nats), gradient_norm, rows, discarded, message
function Trainer:step(step)
  return check.ok(self.core:step(settle(step)))
end

--- The loss and its gradient, a vector in the order of the tensors; nothing is changed.
-- @param step table: as for step
-- @return table as from step, vector: the gradient
function Trainer:gradient(step)
  return check.ok(self.core:gradient(settle(step)))
end

--- Keeps a copy of the parameters; restore puts it back.
-- @return the trainer
function Trainer:snapshot()
  check.ok(self.core:snapshot())
  return self
end

--- Puts the copy of the parameters back that snapshot kept.
-- @return the trainer; raises an error when there is no snapshot
function Trainer:restore()
  check.ok(self.core:restore())
  return self
end

--- A checkpoint, with the loop's own state in a table.
-- @param path string
-- @param loop table of plain values ({})
-- @return the trainer; raises an error when the file cannot be written
function Trainer:save(path, loop)
  check.ok(self.core:save(path, loop or {}))
  return self
end

--- Goes on from a checkpoint of the same model; returns the loop's state.
-- @param path string
-- @return table: what save was given; raises an error when the checkpoint is another model's
function Trainer:resume(path)
  return check.ok(self.core:resume(path))
end

--- An iterator over the index arrays of an epoch's batches, shuffled by seed and epoch. A last batch that is not full
-- is left out, unless it is the only one.
-- @param values array or data set, or a number of rows
-- @param size number: rows of a batch
-- @param options table: seed (0), epoch (0)
-- @return function: the next i64 array of row numbers, nil at the end
function optim.batches(values, size, options)
  options = options or {}
  check.keys(options, { seed = true, epoch = true }, "batches", 2)
  local n = type(values) == "number" and values or values:rows()
  check.integer(size, 1, 2 ^ 31, "batches: size", 2)
  local order = core.permutation(n, options.seed or 0, 16 + (options.epoch or 0))
  local count, at = math.max(1, math.floor(n / size)), 0
  return function()
    if at == count then return nil end
    at = at + 1
    return order:slice((at - 1) * size + 1, math.min(n, at * size))
  end
end

return optim
