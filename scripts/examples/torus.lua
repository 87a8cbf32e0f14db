--- Two angles: a flow over the torus, whose density goes on where an angle wraps.
--
--     weir examples/torus.lua
--
-- Circular splines move each angle round its circle; their conditioners see the other angle by its cosine and sine, so
-- nothing jumps at the seam. Source: Rezende et al. 2020, "Normalizing Flows on Tori and Spheres", arXiv:2002.02428.

local weir = require "weir"

local pi = math.pi

local function wrapped(angle) return (angle + pi) % (2 * pi) - pi end

-- three clusters, one of them across both seams, and a band that winds round
local n, random = 20000, weir.random(1)
local x = weir.array.new("f32", n, 2)
for i = 1, n do
  local which = random:uniform()
  local a, b
  if which < 0.3 then a, b = pi + 0.4 * random:normal(), pi + 0.3 * random:normal()
  elseif which < 0.5 then a, b = -1 + 0.25 * random:normal(), 1 + 0.25 * random:normal()
  else
    a = 2 * pi * random:uniform()
    b = a + 0.5 * math.sin(a) - 1.5 + 0.15 * random:normal()
  end
  x:set(i, 1, wrapped(a))
  x:set(i, 2, wrapped(b))
end

local data = weir.data.from(x):split { 0.8, 0.1, 0.1, seed = 1 }
local flow = weir.flow {
  weir.stack(6, function(i)
    return weir.coupling {
      mask = i % 2 == 0 and "even" or "odd",
      univariate = weir.circular_spline { bins = 12 },
      network = weir.periodic { network = weir.mlp { hidden = { 64, 64 } } },
    }, weir.circle_shift()
  end),
  base = weir.uniform { lower = -pi, upper = pi }, seed = 1,
}
flow:fit(data, { epochs = 60, batch = 256, lr = 2e-3 })
print(("held-out log density: %.4f nats; a uniform one has %.4f"):format(flow:log_prob(data.test):mean(),
  -2 * math.log(2 * pi)))

local range = { -pi, pi }
weir.plot.panels({ { title = "data", points = data.train }, { title = "density", density = flow },
  { title = "samples", points = flow:sample(4000, { seed = 1 }) } },
  { file = "torus.png", x = range, y = range, size = 320, names = { "first angle", "second angle" } })
print "wrote torus.png"
