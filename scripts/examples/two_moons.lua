--- Two moons: a small spline flow in the plane, its density as a picture.
--
--     weir examples/two_moons.lua

local weir = require "weir"

local data = weir.data.two_moons { n = 6000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local flow = weir.flow {
  weir.standardize(),
  weir.stack(6, function(i)
    return weir.coupling {
      mask = i % 2 == 0 and "even" or "odd",
      univariate = weir.rq_spline { bins = 8 },
      network = weir.mlp { hidden = { 64, 64 } },
    }
  end),
}

flow:fit(data, { epochs = 60, batch = 256, lr = 2e-3 })

print(flow)
print(("held-out log density: %.4f nats"):format(flow:log_prob(data.test):mean()))
flow:save "two_moons.safetensors"
weir.plot.density(flow, { file = "two_moons.png", data = data.test, samples = 1500 })
weir.plot.training(flow, { file = "two_moons_training.png" })
print "wrote two_moons.safetensors, two_moons.png and two_moons_training.png"
