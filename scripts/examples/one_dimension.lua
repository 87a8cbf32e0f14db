--- One dimension: a flow as a density estimate, beside a histogram.
--
--     weir examples/one_dimension.lua
--
-- With a single feature there is nothing to condition on, so an elementwise spline is the whole flow. The last lines fit
-- the same flow the other way, to a density that a Lua function gives (reverse KL).

local weir = require "weir"

local data = weir.data.peaks { n = 5000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local flow = weir.flow { weir.standardize(), weir.elementwise { univariate = weir.rq_spline { bins = 24 } } }
flow:fit(data, { epochs = 150, batch = 256, lr = 2e-2 })
print(("held-out log density: %.4f nats"):format(flow:log_prob(data.test):mean()))
weir.plot.density(flow, { file = "one_dimension.png", data = data.train })
flow:save "one_dimension.safetensors"

--- log p(x) up to a constant of a Gaussian of mean 2 and standard deviation 1/2, and its derivative.
local function target(x)
  local away = (x - 2) / 0.5
  return away:square() * -0.5, away / -0.5
end

local sampler = weir.flow { features = 1, weir.inverse { weir.elementwise { univariate = weir.affine() } } }
sampler:fit(nil, { target = target, epochs = 10, steps_per_epoch = 100, lr = 2e-2 })
local samples = sampler:sample(10000)
print(("samples of the target: mean %.3f, standard deviation %.3f"):format(samples:mean(), samples:std()))
print "wrote one_dimension.safetensors and one_dimension.png"
