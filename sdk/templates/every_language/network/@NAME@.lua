-- @ID@ as the conditioner of couplings.
local weir = require "weir"
local here = arg[0]:match "^(.*)/[^/]*$" or "."
weir.open { plugin_path = here .. "/@BUILT@" }
local function mine() return @MODULE@ end

local data = weir.data.two_moons { n = 4000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local flow = weir.flow {
  weir.standardize(),
  weir.stack(6, function(i)
    return weir.coupling {
      mask = i % 2 == 0 and "even" or "odd",
      univariate = weir.rq_spline { bins = 8 },
      network = mine(),
    }
  end),
}
flow:fit(data, { epochs = 20, lr = 2e-3 })
print(flow)
print(("%.3f nats: mean log-likelihood of the test data"):format(flow:log_prob(data.test):mean()))

flow:save "@NAME@.safetensors"
print((weir.load("@NAME@.safetensors"):sample(3)))
