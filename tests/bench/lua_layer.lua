--- What a univariate written in Lua costs, against the same formulas in C: of a training step, and by itself.
--
--     weir tests/bench/lua_layer.lua [ROUNDS]
--
-- The step: 8 features, 8 couplings, conditioners of 2 x 128, batch 512, f32, Adam, one thread. By itself: 64 elements a row
-- and nothing else, the time of the same flow without it taken off. C and Lua run in turns, and what is reported is the
-- median of the rounds' ratios: the machine's speed drifts. What LuaJIT spends on compiling shows in the first steps, and is
-- reported apart. The files are those of the tests, tests/lua/layers.

local here = arg[0]:match "^(.*)/[^/]*$" or "."
local weir = require "weir"
local core = require "weir.core"
weir.open { threads = 1, plugin_path = here .. "/../lua/layers" }

local rounds, batch = tonumber(arg[1]) or 15, 512

local subjects = {
  { name = "affine", c = weir.affine(), lua = weir.lua_univariate { file = "affine.lua" } },
  { name = "sinh_arcsinh", c = weir.sinh_arcsinh(), lua = weir.lua_univariate { file = "sinh_arcsinh.lua" } },
}

local function coupling_flow(univariate)
  return weir.flow {
    weir.stack(8, function(i)
      return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = univariate,
        network = weir.mlp { hidden = { 128, 128 } } }
    end),
    features = 8, seed = 1,
  }
end

local function alone(univariate)
  return weir.flow { univariate and weir.elementwise { univariate = univariate } or nil, features = 64, seed = 1 }
end

local function median(values)
  table.sort(values)
  local middle = math.floor(#values / 2)
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

--- Seconds of one call of `work`, over a tenth of a second.
local function seconds(work)
  local calls, started = 0, core.clock()
  repeat
    work()
    calls = calls + 1
  until core.clock() - started > 0.1
  return (core.clock() - started) / calls
end

--- Medians of the times of all `works`, taken in turns, and of the ratio of the second to the first, less the third.
local function contest(works)
  local times, ratios = {}, {}
  for i, work in ipairs(works) do
    times[i] = {}
    for _ = 1, 3 do seconds(work) end -- compiled by now
  end
  for round = 1, rounds do
    for i, work in ipairs(works) do times[i][round] = seconds(work) end
    local rest = works[3] and times[3][round] or 0
    ratios[round] = (times[2][round] - rest) / (times[1][round] - rest)
  end
  return median(times[1]), median(times[2]), median(ratios)
end

local function training(flow, x)
  local trainer = flow:trainer { seed = 1 }
  return function() trainer:step { x = x, learning_rate = 1e-6 } end
end

local function report(name, what, c, lua, ratio)
  print(("%-14s %-26s %10.1f us %10.1f us   x %.2f"):format(name, what, c * 1e6, lua * 1e6, ratio))
end

print(("%-14s %-26s %13s %13s   %s"):format("univariate", "what", "C", "Lua", "Lua / C, median of the rounds"))
for _, subject in ipairs(subjects) do
  local x = weir.random(1):normal(batch, 8)
  local c, lua = training(coupling_flow(subject.c), x), training(coupling_flow(subject.lua), x)
  local first = {}
  for i = 1, 20 do
    local started = core.clock()
    lua()
    first[i] = core.clock() - started
  end
  report(subject.name, "training step", contest { c, lua })
  print(("%-14s first step %.1f ms, steps 2 to 20 %.1f ms each: Lua states, interpreting and compiling"):format("",
    first[1] * 1e3, (function()
      local sum = 0
      for i = 2, 20 do sum = sum + first[i] end
      return sum / 19 * 1e3
    end)()))

  local wide = weir.random(2):normal(batch, 64)
  local flows = { alone(subject.c), alone(subject.lua), alone() }
  for _, what in ipairs { "log_prob", "score" } do
    local works = {}
    for i, flow in ipairs(flows) do works[i] = function() flow[what](flow, wide) end end
    report(subject.name, what == "score" and "forward and VJP, by itself" or "forward, by itself", contest(works))
  end
end
