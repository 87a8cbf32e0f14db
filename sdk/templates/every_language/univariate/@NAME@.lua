-- @ID@ in three places: a coupling, a masked autoregressive flow, and by itself on every feature.
local weir = require "weir"
local here = arg[0]:match "^(.*)/[^/]*$" or "."
weir.open { plugin_path = here .. "/@BUILT@" }
local function mine() return @MODULE@ end

local data = weir.data.two_moons { n = 4000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local function coupling(i)
  return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = mine(), network = weir.mlp { hidden = { 64, 64 } } },
         weir.lu_linear()
end

local function autoregressive()
  return weir.autoregressive { univariate = mine(), network = weir.made { hidden = { 64, 64 } } }, weir.lu_linear()
end

local function elementwise()
  return weir.elementwise { univariate = mine() }, weir.lu_linear()
end

for _, use in ipairs { { "coupling", coupling }, { "autoregressive", autoregressive }, { "elementwise", elementwise } } do
  local name, layers = use[1], use[2]
  local flow = weir.flow { weir.standardize(), weir.stack(6, layers) }
  flow:fit(data, { epochs = 20, lr = 2e-3 })
  print(("%-16s %7.3f nats: mean log-likelihood of the test data"):format(name, flow:log_prob(data.test):mean()))
  flow:save("@NAME@_" .. name .. ".safetensors")
end

print((weir.load("@NAME@_coupling.safetensors"):sample(3)))
