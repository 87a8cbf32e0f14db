--- p(x | context): half a ring whose direction is a parameter and whose size is a class, learned by one conditional flow.
--
--     weir examples/conditional.lua
--
-- A network that is trained with the flow embeds the context, once for all layers inside; each coupling's conditioner sees
-- the eight numbers that come out of it. Writes conditional.png, a panel for each of eight contexts.

local weir = require "weir"

local n, random = 30000, weir.random(1)
local x, context = weir.array.new("f32", n, 2), weir.array.new("f32", n, 2)
for i = 1, n do
  local turns, class = random:uniform(), random:integer(2) -- in turns; 1: small, 2: large
  local angle, radius = 2 * math.pi * (turns + 0.5 * random:uniform()), class + 0.08 * random:normal()
  x:set(i, 1, radius * math.cos(angle))
  x:set(i, 2, radius * math.sin(angle))
  context:set(i, 1, turns)
  context:set(i, 2, class)
end

local data = weir.data.from(x):with { context = context }:split { 0.8, 0.1, 0.1, seed = 1 }
local flow = weir.flow { seed = 1, weir.embedding {
  features = 8,
  network = weir.mlp { hidden = { 64, 64 } },
  layer = weir.stack(6, function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = weir.rq_spline { bins = 8 },
      network = weir.mlp { hidden = { 64, 64 } } }, weir.lu_linear()
  end),
} }
flow:fit(data, { epochs = 40, batch = 256, lr = 2e-3 })

-- the true density is known: uniform along the half ring, normal across it
local truth = 0
for i = 1, data.test:rows() do
  local a, b, radius = data.test.x:get(i, 1), data.test.x:get(i, 2), data.test.context:get(i, 2)
  local r = math.sqrt(a * a + b * b)
  truth = truth - 0.5 * ((r - radius) / 0.08) ^ 2 - math.log(0.08 * math.sqrt(2 * math.pi)) - math.log(math.pi * r)
end
print(("held-out log density: flow %.3f nats, the true one %.3f"):format(flow:log_prob(data.test):mean(),
  truth / data.test:rows()))

local panels = {}
for class = 1, 2 do
  for quarter = 0, 3 do
    panels[#panels + 1] = { title = ("t = %.2f, class %d"):format(quarter / 4, class), density = flow,
      context = { quarter / 4, class } }
  end
end
weir.plot.panels(panels, { file = "conditional.png", columns = 4, size = 220, x = { -2.7, 2.7 }, y = { -2.7, 2.7 } })
print "wrote conditional.png"
