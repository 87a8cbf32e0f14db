--- The same data through four flows, side by side: RealNVP, MAF, IAF and NSF.
--
--     weir examples/compare.lua
--
-- All four have about as many parameters. Affine transforms of two features must bend a Gaussian step by step, splines
-- cut it; what an autoregressive flow of the one kind evaluates in one pass, that of the other kind samples in one pass.

local weir = require "weir"

local data = weir.data.two_moons { n = 12000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }
local flows = {
  { "RealNVP", "realnvp", { transforms = 8, hidden = { 64, 64 } } },
  { "MAF", "maf", { transforms = 8, hidden = { 64, 64 } } },
  { "IAF", "iaf", { transforms = 8, hidden = { 64, 64 } } },
  { "NSF", "nsf", { transforms = 4, hidden = { 64, 64 } } },
}

local panels = { { title = "data", points = data.train } }
for _, entry in ipairs(flows) do
  local title, preset, options = entry[1], entry[2], entry[3]
  local flow = weir.presets.flow(preset, options, { seed = 1 })
  flow:fit(data, { epochs = 60, batch = 256, lr = 2e-3 })
  local log_p = flow:log_prob(data.test):mean()
  print(("%-8s held-out log density %.3f nats, %d parameters"):format(title, log_p, flow:get_model():get "parameters"))
  panels[#panels + 1] = { title = ("%s  %.2f"):format(title, log_p), density = flow }
end
weir.plot.panels(panels, { file = "compare.png", columns = #panels, size = 230 })
print "wrote compare.png"
