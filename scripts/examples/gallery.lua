--- Five shapes that a Gaussian cannot follow, each learned by the same neural spline flow.
--
--     weir examples/gallery.lua
--
-- Source of the flow: Durkan et al. 2019, "Neural Spline Flows", arXiv:1906.04032.

local weir = require "weir"

local shapes = { "eight_gaussians", "pinwheel", "checkerboard", "spirals", "rings" }
local clouds, densities = {}, {}

for i, name in ipairs(shapes) do
  local data = weir.data[name] { n = 12000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }
  local flow = weir.presets.flow("nsf", { transforms = 6, hidden = { 64, 64 }, bins = 10 }, { seed = 1 })
  flow:fit(data, { epochs = 60, batch = 256, lr = 2e-3 })
  print(("%-16s held-out log density %.3f nats"):format(name, flow:log_prob(data.test):mean()))
  local x, y = { -4, 4 }, { -4, 4 }
  clouds[i] = { title = (name:gsub("_", " ")), points = data.train, x = x, y = y }
  densities[i] = { title = "flow", density = flow, x = x, y = y }
end

local panels = {}
for _, list in ipairs { clouds, densities } do
  for _, panel in ipairs(list) do panels[#panels + 1] = panel end
end
weir.plot.panels(panels, { file = "gallery.png", columns = #shapes, size = 230 })
print "wrote gallery.png"
