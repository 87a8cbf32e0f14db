--- A density over covariance matrices, learned from estimates, and matrices drawn from it: every one positive definite.
--
--     weir examples/covariances.lua
--
-- The data are covariances of two variables, three numbers (11, 21, 22) each. psd_cholesky takes such a matrix to three
-- free numbers, and a spline flow does the rest. Writes covariances.png: a matrix is drawn as its ellipse of one standard
-- deviation.

local weir = require "weir"
local axes = require "weir.plot.axes"
local canvas = require "weir.plot.canvas"
local colour = require "weir.plot.colour"

--- Covariance of `count` draws from a normal whose long axis points one of two ways.
local function estimate(random, count)
  local angle = random:uniform() < 0.6 and math.pi / 5 + 0.15 * random:normal() or -math.pi / 4 + 0.1 * random:normal()
  local long, short = math.exp(0.4 + 0.2 * random:normal()), math.exp(-0.9 + 0.2 * random:normal())
  local c, s = math.cos(angle), math.sin(angle)
  local xx, xy, yy = 0, 0, 0
  for _ = 1, count do
    local u, v = long * random:normal(), short * random:normal()
    local x, y = c * u - s * v, s * u + c * v
    xx, xy, yy = xx + x * x / count, xy + x * y / count, yy + y * y / count
  end
  return xx, xy, yy
end

local n, random = 20000, weir.random(1)
local x = weir.array.new("f32", n, 3)
for i = 1, n do
  local xx, xy, yy = estimate(random, 30)
  x:set(i, 1, xx)
  x:set(i, 2, xy)
  x:set(i, 3, yy)
end

local data = weir.data.from(x):split { 0.8, 0.1, 0.1, seed = 1 }
local flow = weir.flow {
  weir.psd_cholesky(),
  weir.standardize(),
  weir.stack(5, function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = weir.rq_spline { bins = 8 },
      network = weir.mlp { hidden = { 64, 64 } } }, weir.lu_linear()
  end),
  seed = 1,
}
flow:fit(data, { epochs = 40, batch = 256, lr = 2e-3 })
print(("held-out log density: %.4f nats"):format(flow:log_prob(data.test):mean()))

local sample = flow:sample(5000, { seed = 1 })
local least = math.huge
for i = 1, sample:rows() do
  least = math.min(least, sample:get(i, 1) * sample:get(i, 3) - sample:get(i, 2) ^ 2)
end
print(("smallest determinant of %d sampled matrices: %.3g"):format(sample:rows(), least))

--- Points of the ellipse L u, u on the unit circle, L the Cholesky factor.
local function ellipse(frame, a, b, d)
  local l11 = math.sqrt(a)
  local l21 = b / l11
  local l22, points = math.sqrt(math.max(0, d - l21 * l21)), {}
  for k = 0, 63 do
    local c, s = math.cos(2 * math.pi * k / 64), math.sin(2 * math.pi * k / 64)
    points[#points + 1], points[#points + 2] = frame:point(l11 * c, l21 * c + l22 * s)
  end
  return points
end

local c = canvas.new(860, 440)
for k, panel in ipairs { { "data", data.test.x, colour.first }, { "samples", sample, colour.second } } do
  local frame = axes.new(c, { x = { -3.2, 3.2 }, y = { -3.2, 3.2 }, left = 60 + 410 * (k - 1), top = 40, width = 350,
    height = 350, title = panel[1] })
  frame:grid()
  frame:inside(function()
    local t = panel[3]
    c:colour { t[1], t[2], t[3], 0.25 }
    for i = 1, 150 do
      c:line(ellipse(frame, panel[2]:get(i, 1), panel[2]:get(i, 2), panel[2]:get(i, 3)), 1, true)
    end
  end)
  frame:frame()
end
c:save "covariances.png"
print "wrote covariances.png"
