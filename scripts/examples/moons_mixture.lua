--- Two moons by one autoregressive layer of mixture distribution functions over a uniform base: no Gaussian anywhere.
--
--     weir examples/moons_mixture.lua
--
-- Each feature goes through the CDF of a mixture of five normals whose weights, means and scales depend on the features
-- before it. The latent square is uniform, so the layer is the data's Rosenblatt transform.

local weir = require "weir"

local data = weir.data.two_moons { n = 20000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }
local flow = weir.flow {
  weir.standardize(),
  weir.autoregressive {
    univariate = weir.gaussian_mixture_cdf { components = 5, codomain = "unit" },
    network = weir.made { hidden = { 96, 96 } },
  },
  base = weir.uniform(), seed = 1,
}
flow:fit(data, { epochs = 60, batch = 256, lr = 3e-3 })
print(("held-out log density: %.4f nats"):format(flow:log_prob(data.test):mean()))

weir.plot.panels({
  { title = "data", points = data.train },
  { title = "density and samples", density = flow, points = flow:sample(1500, { seed = 1 }) },
  { title = "latents of held-out data", points = (flow:forward(data.test)), x = { -0.05, 1.05 }, y = { -0.05, 1.05 } },
}, { file = "moons_mixture.png" })
print "wrote moons_mixture.png"
