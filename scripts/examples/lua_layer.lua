--- A layer of one's own, in Lua: the univariate of layers/ripple.lua inside couplings, trained on two moons.
--
--     weir examples/lua_layer.lua
--     weir check examples/layers/ripple.lua
--
-- The second line checks every promise of the layer: inverse, log-det, each derivative. With reload = true an edit of the
-- file takes effect between two steps.

local here = arg[0]:match "^(.*)/[^/]*$" or "."
local weir = require "weir"
weir.open { plugin_path = here .. "/layers" } -- where files of layers are sought, by name

local data = weir.data.two_moons { n = 6000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local flow = weir.flow {
  weir.standardize(),
  weir.stack(8, function(i)
    local mask = i % 2 == 0 and "even" or "odd"
    return {
      weir.coupling { mask = mask, univariate = weir.affine(), network = weir.mlp { hidden = { 64, 64 } } },
      weir.coupling { mask = mask, univariate = weir.lua_univariate { file = "ripple.lua" },
        network = weir.mlp { hidden = { 64, 64 } } },
    }
  end),
}
flow:fit(data, { epochs = 40, batch = 256, lr = 2e-3 })
print(("held-out log density: %.4f nats"):format(flow:log_prob(data.test):mean()))
weir.plot.density(flow, { file = "lua_layer.png", data = data.test, samples = 1500 })

-- The model knows the file by name and digest. It is loaded where the same file is found.
flow:save "lua_layer.safetensors"
print(("loaded again:         %.4f nats"):format(weir.load("lua_layer.safetensors"):log_prob(data.test):mean()))
print "wrote lua_layer.safetensors and lua_layer.png"
