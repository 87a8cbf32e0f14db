--- Planar flows fitted to four densities that are known up to a constant only: variational inference by reverse KL.
--
--     weir examples/planar_energies.lua
--
-- Energies U1 to U4, and the annealing of the target, of Rezende and Mohamed 2015, "Variational Inference with
-- Normalizing Flows", arXiv:1505.05770 (table 1 and equation 20). More layers follow the energy more closely. U2 to U4 do
-- not fall off along x1, so a soft wall stands at |x1| = 4, the edge of the paper's pictures.

local weir = require "weir"

local layers = { 2, 8, 32 }
local steps = 6000

--- -log of a sum of two bells exp(-(a/s)^2/2) + exp(-(b/t)^2/2), and its derivatives in a and b.
local function two_bells(a, s, b, t)
  local p, q = -0.5 * (a / s) ^ 2, -0.5 * (b / t) ^ 2
  local most = math.max(p, q)
  local sum = math.exp(p - most) + math.exp(q - most)
  local first, second = math.exp(p - most) / sum, math.exp(q - most) / sum
  return -most - math.log(sum), first * a / s ^ 2, second * b / t ^ 2
end

--- The soft wall: energy and derivative in x.
local function wall(x)
  local beyond = math.max(0, math.abs(x) - 4)
  return 0.5 * (beyond / 0.2) ^ 2, (x < 0 and -1 or 1) * beyond / 0.2 ^ 2
end

local function wave(x)
  return math.sin(math.pi * x / 2), math.pi / 2 * math.cos(math.pi * x / 2)
end

local function bump(x)
  local w = 3 * math.exp(-0.5 * ((x - 1) / 0.6) ^ 2)
  return w, -w * (x - 1) / 0.36
end

local function rise(x)
  local s = 1 / (1 + math.exp(-(x - 1) / 0.3))
  return 3 * s, 3 * s * (1 - s) / 0.3
end

--- Two waves, one of them moved by the function `apart`.
local function waves(s, t, apart)
  return function(x, y)
    local w, dw = wave(x)
    local v, dv = apart(x)
    local u, da, db = two_bells(y - w, s, y - w + v, t)
    local barrier, push = wall(x)
    return u + barrier, -da * dw + db * (dv - dw) + push, da + db
  end
end

--- Energies as functions (x, y) -> U, dU/dx, dU/dy.
local energies = {
  function(x, y)
    local r = math.max(1e-12, math.sqrt(x * x + y * y))
    local ring = (r - 2) / 0.4
    local u, da, db = two_bells(x - 2, 0.6, x + 2, 0.6)
    return 0.5 * ring ^ 2 + u, ring / 0.4 * x / r + da + db, ring / 0.4 * y / r
  end,
  function(x, y)
    local w, dw = wave(x)
    local barrier, push = wall(x)
    local away = (y - w) / 0.16
    return 0.5 * (y - w) * away + barrier, -away * dw + push, away
  end,
  waves(0.35, 0.35, bump),
  waves(0.4, 0.35, rise),
}

--- log p and its gradient at the rows of an array, for an energy and a temperature.
local function evaluate(energy, points, heat)
  local n = points:rows()
  local log_p, slope = weir.array.new("f64", n, 1), weir.array.new("f64", n, 2)
  for i = 1, n do
    local u, dx, dy = energy(points:get(i, 1), points:get(i, 2))
    log_p:set(i, 1, -heat * u)
    slope:set(i, 1, -heat * dx)
    slope:set(i, 2, -heat * dy)
  end
  return log_p, slope
end

local panels = {}
for k, energy in ipairs(energies) do
  panels[#panels + 1] = { title = "U" .. k, features = 2, density = function(x) return evaluate(energy, x, 1) end }
  for _, count in ipairs(layers) do
    local flow = weir.flow { features = 2, seed = k,
      weir.stack(count, function() return weir.planar { explicit = "inverse" } end) }
    local calls = 0
    flow:fit(nil, { epochs = 10, steps_per_epoch = steps / 10, samples = 256, lr = 5e-3, seed = k, keep = "last",
      patience = 0, target = function(x)
      calls = calls + 1
      return evaluate(energy, x, math.min(1, 0.01 + calls / (0.6 * steps)))
    end })
    panels[#panels + 1] = { title = ("K = %d"):format(count), density = flow }
  end
end
weir.plot.panels(panels, { file = "planar_energies.png", columns = 1 + #layers, size = 220, x = { -4.5, 4.5 },
  y = { -4.5, 4.5 } })
print "wrote planar_energies.png"
