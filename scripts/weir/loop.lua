--- The training loop: epochs of shuffled batches, validation, early stopping, checkpoints, Ctrl-C.
--
-- All that the loop remembers between steps is in `state`, plain numbers that a checkpoint carries; the order of the
-- rows follows from seed and epoch. So a run that was stopped at any step and resumed ends in the same bits. The pieces
-- of an epoch are: steps from state.position on, then the validation, then the epoch counts as done.

local core = require "weir.core"
local check = require "weir.check"
local progress = require "weir.progress"
local schedule = require "weir.schedule"

local loop = {
  trial = false, -- true: a run is one epoch of `trial_steps` steps, whatever its options say
}

local trial_steps = 10
local most_failures = 10 -- steps in a row without a finite gradient, before parameters go back
local most_rollbacks = 3

local function fresh_state(identity)
  return { epoch = 0, position = 0, step = 0, best_epoch = 0, stale = 0, skipped = 0, failures = 0, rollbacks = 0,
    factor = 1, plateau = 0, sum = 0, counted = 0, history = core.list {}, identity = identity }
end

local function steps_in_epoch(run)
  local steps = run.options.steps_per_epoch
  if run.train then steps = math.max(1, math.floor(run.train:rows() / run.options.batch)) end
  return loop.trial and math.min(steps, trial_steps) or steps
end

local function learning_rate(run)
  local o, state = run.options, run.state
  local slowdown = 0.5 ^ state.rollbacks
  return slowdown * schedule.rate({ name = o.schedule, rate = o.lr, warmup = o.warmup, least = o.least_lr,
    last = o.epochs * run.steps, factor = state.factor }, state.step)
end

--- Rows [first, first + count) of the epoch's order, as the arguments of a step.
local function batch(run, order)
  local o, state = run.options, run.state
  local request = { learning_rate = run.rate, epoch = state.epoch }
  if not run.train then
    request.target, request.samples = o.target, o.samples
    return request
  end
  request.x, request.context, request.weights = run.train.x, run.train.context, run.train.weights
  request.rows, request.first = order, state.position * o.batch + 1
  request.count = math.min(o.batch, run.train:rows() - state.position * o.batch)
  return request
end

--- Too many steps failed in a row: back to the best parameters with half the rate, or the end.
local function recover(run, message)
  local state = run.state
  state.failures = 0
  if state.best_epoch == 0 or state.rollbacks == most_rollbacks then
    error(("training gives no finite gradients: %s; lower the learning rate, or look for extreme rows in the data")
      :format(message), 0)
  end
  check.ok(run.trainer:restore())
  state.rollbacks = state.rollbacks + 1
  run.shown:note(("back to the weights of epoch %d, with half the learning rate"):format(state.best_epoch))
end

local function note_result(run, result)
  local state = run.state
  if result.applied then
    state.failures = 0
    state.sum, state.counted = state.sum + result.loss * result.rows, state.counted + result.rows
    run.norm = result.gradient_norm
    return
  end
  state.skipped, state.failures = state.skipped + 1, state.failures + 1
  if state.skipped <= 3 then run.shown:note("step " .. state.step .. " skipped: " .. result.message) end
  if state.failures >= most_failures then recover(run, result.message) end
end

--- One step; false when Ctrl-C came first.
local function take_step(run, order)
  if core.interrupted() then return false end
  run.rate = learning_rate(run)
  local result, message = run.trainer:step(batch(run, order))
  if not result then
    if core.interrupted() then return false end
    error(message, 0)
  end
  run.state.step, run.state.position = run.state.step + 1, run.state.position + 1
  run.rows = run.rows + result.rows
  note_result(run, result)
  return true
end

--- Mean log density of a set over its rows that have one (weighted); nil when interrupted. -inf when no row has.
local function mean_log_prob(run, set)
  local log_p, discarded = run.model:log_prob(set.x, { context = set.context, seed = run.options.seed })
  if not log_p then
    if core.interrupted() then return nil end
    error(discarded, 0)
  end
  if discarded == 0 and not set.weights then return log_p:mean() end
  local sum, total = 0, 0
  for i = 1, log_p:rows() do
    local value, weight = log_p:get(i), set.weights and set.weights:get(i) or 1
    if value == value then sum, total = sum + weight * value, total + weight end
  end
  return total > 0 and sum / total or -math.huge
end

local function figures(run)
  local state = run.state
  local train = state.counted > 0 and -state.sum / state.counted or nil
  return { epoch = math.min(state.epoch + 1, run.options.epochs), epochs = run.options.epochs, train = train,
    validation = run.last_validation, best = state.best, rate = run.rate,
    rows = run.rows / math.max(1e-9, core.clock() - run.started) }
end

local function finite(value)
  return value and value - value == 0 and value or nil
end

local function write_log(run, entry)
  if not run.log then return end
  local ok, message = run.log:write(core.json_encode(entry), "\n")
  if ok then ok, message = run.log:flush() end
  if not ok then error(run.options.log .. ": cannot write: " .. message, 0) end
end

--- Counts an improvement, and what patience and the plateau schedule make of none.
local function judge(run, figure)
  local state, o = run.state, run.options
  if figure > (state.best or -math.huge) then
    state.best, state.best_epoch, state.stale, state.plateau = figure, state.epoch, 0, 0
    check.ok(run.trainer:snapshot())
    return
  end
  state.stale, state.plateau = state.stale + 1, state.plateau + 1
  if o.schedule == "plateau" and state.plateau >= math.max(2, math.floor(o.patience / 4)) then
    state.factor, state.plateau = state.factor / 2, 0
  end
end

--- After the last step of an epoch; nil when interrupted, else whether the run goes on.
local function end_epoch(run)
  local state, o = run.state, run.options
  local train = state.counted > 0 and -state.sum / state.counted or nil
  local validation
  if run.validation then
    validation = mean_log_prob(run, run.validation)
    if not validation then return nil end
  end
  state.epoch, state.position = state.epoch + 1, 0
  local figure = finite(validation) or (not run.validation and finite(train)) or -math.huge
  judge(run, figure)
  state.history[#state.history + 1] = core.list { finite(train) or core.null, finite(validation) or core.null }
  run.last_validation = finite(validation)
  local now = figures(run)
  now.epoch, now.train = state.epoch, finite(train)
  state.finished = state.epoch >= o.epochs or (o.patience > 0 and state.stale >= o.patience)
  run.shown:update(state.epoch * run.steps, now, true, state.finished)
  write_log(run, { epoch = state.epoch, step = state.step, train = finite(train) or core.null,
    validation = finite(validation) or core.null, learning_rate = run.rate,
    gradient_norm = finite(run.norm) or core.null, skipped = state.skipped, seconds = core.clock() - run.started,
    rows_per_second = now.rows })
  state.sum, state.counted = 0, 0
  if o.on_epoch and o.on_epoch(state, run) then state.finished = true end
  return not state.finished
end

local function save_checkpoint(run, path)
  if not path then return end
  check.ok(run.trainer:save(path, run.state))
  run.saved = core.clock()
end

--- One epoch, or what is left of it; nil when interrupted.
local function run_epoch(run)
  local state = run.state
  local order = run.train and core.permutation(run.train:rows(), run.options.seed, 16 + state.epoch)
  while state.position < run.steps do
    if not take_step(run, order) then return nil end
    run.shown:update(state.epoch * run.steps + state.position, figures(run))
  end
  return end_epoch(run)
end

local function run_epochs(run)
  local going = not run.state.finished
  while going do
    going = run_epoch(run)
    if going == nil then
      core.interrupted(true) -- what follows must not be stopped by the same key
      run.shown:note "interrupted"
      save_checkpoint(run, run.options.checkpoint or run.options.rescue)
      run.state.interrupted = true
      return
    end
    if not going or core.clock() - run.saved >= run.options.checkpoint_every then
      save_checkpoint(run, run.options.checkpoint)
    end
  end
end

local function open_log(run)
  local path = run.options.log
  if not path then return end
  local file, message = io.open(core.reach(path, "write"), run.options.resume and "a" or "w")
  if not file then error(message, 0) end
  run.log = file
end

--- Runs until the end, early or not, or Ctrl-C; leaves the best weights in the model.
-- @param run table: model, trainer, train, validation, options, identity, state (of a checkpoint, or nil)
-- @return the state
function loop.run(run)
  run.state = run.state or fresh_state(run.identity)
  if loop.trial then run.options.epochs = 1 end
  run.steps = steps_in_epoch(run)
  run.started, run.saved, run.rows = core.clock(), core.clock(), 0
  run.shown = progress.new(run.options.progress, run.options.epochs * run.steps)
  open_log(run)
  core.catch_interrupt(true)
  local ok, message = xpcall(function() run_epochs(run) end, function(err)
    return type(err) == "string" and err or tostring(err)
  end)
  run.shown:finish()
  if run.log then run.log:close() end
  core.catch_interrupt(false)
  if not ok then error(message, 0) end
  if run.options.keep == "best" and run.state.best_epoch > 0 then check.ok(run.trainer:restore()) end
  return run.state
end

return loop
