--- Learning rates over the steps of a training run.
--
-- A schedule is a pure function of the step, except "plateau", whose only state is a factor that the loop keeps; so a
-- resumed run goes on as if it had never stopped.

local check = require "weir.check"

local schedule = {}

schedule.names = { constant = true, cosine = true, linear = true, plateau = true }

--- The factor of "warmup" steps: from 1/(warmup + 1) up to 1.
local function warm(step, warmup)
  return step < warmup and (step + 1) / (warmup + 1) or 1
end

--- The learning rate of a step, counted from 0.
-- @param s table: name, rate, warmup (steps), last (steps of the whole run), least (final rate), factor (plateau's)
-- @param step number
-- @return number
function schedule.rate(s, step)
  local from, to = s.rate, s.least or 0
  if step < (s.warmup or 0) then return from * warm(step, s.warmup) end
  local span = math.max(1, s.last - (s.warmup or 0))
  local done = math.min(1, (step - (s.warmup or 0)) / span)
  if s.name == "cosine" then return to + (from - to) * 0.5 * (1 + math.cos(math.pi * done)) end
  if s.name == "linear" then return from + (to - from) * done end
  if s.name == "plateau" then return math.max(to, from * (s.factor or 1)) end
  return from
end

--- Checks a name, and says which there are.
-- @param name string
-- @param level number: where the error is placed, as for error (1)
-- @return name
function schedule.check(name, level)
  if not schedule.names[name] then
    error(("schedule: unknown name %s%s"):format(tostring(name), check.hint(name, schedule.names)), (level or 1) + 1)
  end
  return name
end

return schedule
