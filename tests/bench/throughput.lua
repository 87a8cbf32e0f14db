--- Rows per second of training steps, log_prob and sampling, for the workloads that flow papers use.
--
--     weir tests/bench/throughput.lua [WORK,...] [BATCH] [THREADS]
--
-- W1 RealNVP (43 features, 10 affine couplings, 2 x 100), W2a MAF (6, 5 x 2 x 100), W2b MAF (63, 10 x 2 x 512), W3 RQ-NSF
-- couplings (8, 10 x 2 x 128, 8 bins). f32, synthetic normal data, Adam. The best of five runs of each.

local weir = require "weir"
local core = require "weir.core"

local works = {
  { id = "W1", features = 43, layers = 10, layer = function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = weir.affine(),
      network = weir.mlp { hidden = { 100, 100 } } }
  end },
  { id = "W2a", features = 6, layers = 5, layer = function()
    return weir.autoregressive { univariate = weir.affine(), network = weir.made { hidden = { 100, 100 } } }
  end },
  { id = "W2b", features = 63, layers = 10, layer = function()
    return weir.autoregressive { univariate = weir.affine(), network = weir.made { hidden = { 512, 512 } } }
  end },
  { id = "W3", features = 8, layers = 10, layer = function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = weir.rq_spline { bins = 8 },
      network = weir.mlp { hidden = { 128, 128 } } }
  end },
}

local wanted, batch = arg[1] or "W1,W2a,W2b,W3", tonumber(arg[2]) or 512
if arg[3] then weir.open { threads = tonumber(arg[3]) } end

--- Seconds of the fastest of five runs, each long enough to be timed.
local function seconds(work)
  local best = math.huge
  work()
  for _ = 1, 5 do
    local calls, started = 0, core.clock()
    repeat
      work()
      calls = calls + 1
    until core.clock() - started > 0.2
    best = math.min(best, (core.clock() - started) / calls)
  end
  return best
end

print(("%-4s %6s %12s %12s %12s   %s"):format("work", "batch", "train/s", "log_prob/s", "sample/s", "sample time / log_prob time"))
for _, work in ipairs(works) do
  if ("," .. wanted .. ","):find("," .. work.id .. ",", 1, true) then
    local flow = weir.flow { weir.stack(work.layers, work.layer), features = work.features, seed = 1 }
    local x = weir.random(1):normal(batch, work.features)
    local trainer = flow:trainer { seed = 1 }
    local train = seconds(function() trainer:step { x = x, learning_rate = 1e-4 } end)
    local density = seconds(function() flow:log_prob(x) end)
    local sample = seconds(function() flow:sample(batch) end)
    print(("%-4s %6d %12.0f %12.0f %12.0f   %.2f"):format(work.id, batch, batch / train, batch / density, batch / sample,
      sample / density))
  end
end
