--- One dimension, three base densities: the same data brought to a uniform, to Beta(5, 5) and to a normal base.
--
--     weir examples/bases.lua
--
-- A flow in one dimension is a monotone curve: what it learns is the quantiles of the base at the data's. The pictures
-- above are the densities over the data, those below the data's latents under the base density.

local weir = require "weir"

local data = weir.data.peaks { n = 6000, seed = 1 }:split { 0.8, 0.1, 0.1, seed = 1 }

local function each(univariate) return weir.elementwise { univariate = univariate } end

-- A mixture's distribution function leads into (0, 1) by itself, a spline by way of the sigmoid.
local works = {
  { "uniform base", weir.uniform(), { each(weir.gaussian_mixture_cdf { components = 12, codomain = "unit" }) } },
  { "Beta(5, 5) base", weir.beta { a = { 5 }, b = { 5 } }, { each(weir.rq_spline { bins = 24 }), each "sigmoid" } },
  { "normal base", weir.normal(), { each(weir.rq_spline { bins = 24 }) } },
}

local above, below = {}, {}
for i, work in ipairs(works) do
  local title, base, layers = work[1], work[2], work[3]
  local flow = weir.flow { weir.standardize(), layers, base = base, seed = 1 }
  flow:fit(data, { epochs = 200, batch = 256, lr = 2e-2 })
  print(("%-16s held-out log density %.4f nats"):format(title, flow:log_prob(data.test):mean()))
  above[i] = { title = title, density = flow, points = data.train }
  -- an empty flow is its base: the curve that the latent histogram should follow
  local unit = i < 3 and { -0.1, 1.1 } or { -4, 4 }
  below[i] = { title = "latent", density = weir.flow { features = 1, base = base }, x = unit,
    points = (flow:forward(data.train)) }
end

local panels = {}
for _, row in ipairs { above, below } do
  for _, panel in ipairs(row) do panels[#panels + 1] = panel end
end
weir.plot.panels(panels, { file = "bases.png", columns = 3 })
print "wrote bases.png"
