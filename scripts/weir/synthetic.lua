--- Small data sets with known shapes, in two dimensions unless said. Each takes {n, noise, seed}.

local core = require "weir.core"
local check = require "weir.check"

local synthetic = {}
local known = { n = true, noise = true, seed = true }

--- n points of `columns` numbers, written by point(random, noise).
local function generate(name, options, columns, usual_noise, point)
  check.keys(options, known, "weir.data." .. name, 3)
  local n = check.integer(options.n or 1000, 1, 1e8, name .. ": n", 3)
  local noise = check.number(options.noise or usual_noise, 0, math.huge, name .. ": noise", 3)
  local random, array = core.random(options.seed or 0), core.array.new("f32", n, columns)
  for i = 1, n do
    local values = { point(random, noise) }
    for j = 1, columns do array:set(i, j, values[j]) end
  end
  return array
end

--- Two half circles that reach into each other.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.06), seed (0)
-- @return array (f32)
function synthetic.two_moons(options)
  return generate("two_moons", options, 2, 0.06, function(random, noise)
    local angle, upper = math.pi * random:uniform(), random:uniform() < 0.5
    local x, y = math.cos(angle), math.sin(angle)
    if not upper then x, y = 1 - x, 0.5 - y end
    return x - 0.5 + noise * random:normal(), y - 0.25 + noise * random:normal()
  end)
end

--- Three circles around one centre.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.06), seed (0)
-- @return array (f32)
function synthetic.rings(options)
  return generate("rings", options, 2, 0.06, function(random, noise)
    local angle, radius = 2 * math.pi * random:uniform(), random:integer(3) + noise * random:normal()
    return radius * math.cos(angle), radius * math.sin(angle)
  end)
end

--- Eight Gaussians on a circle.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.15), seed (0)
-- @return array (f32)
function synthetic.eight_gaussians(options)
  return generate("eight_gaussians", options, 2, 0.15, function(random, noise)
    local angle = 2 * math.pi * random:integer(8) / 8
    return 2 * math.cos(angle) + noise * random:normal(), 2 * math.sin(angle) + noise * random:normal()
  end)
end

--- The black fields of a board of four by four.
-- @param options table: n (rows, 1000), noise (standard deviation, 0), seed (0)
-- @return array (f32)
function synthetic.checkerboard(options)
  return generate("checkerboard", options, 2, 0, function(random, noise)
    local column, row = random:integer(4) - 1, random:integer(2) - 1
    local y = 2 * row + column % 2 + random:uniform()
    return column + random:uniform() - 2 + noise * random:normal(), y - 2 + noise * random:normal()
  end)
end

--- Two arms of a spiral.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.08), seed (0)
-- @return array (f32)
function synthetic.spirals(options)
  return generate("spirals", options, 2, 0.08, function(random, noise)
    local t, sign = math.sqrt(random:uniform()) * 3 * math.pi, random:uniform() < 0.5 and 1 or -1
    return sign * -math.cos(t) * t / 3 + noise * random:normal(), sign * math.sin(t) * t / 3 + noise * random:normal()
  end)
end

--- Five arms that are swept round as they leave the centre.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.1), seed (0)
-- @return array (f32)
function synthetic.pinwheel(options)
  return generate("pinwheel", options, 2, 0.1, function(random, noise)
    local arm, along = random:integer(5), 1 + 0.3 * random:normal()
    local x, y = along, noise * random:normal()
    local angle = 2 * math.pi * arm / 5 + 0.25 * math.exp(along)
    return 2 * (math.cos(angle) * x - math.sin(angle) * y), 2 * (math.sin(angle) * x + math.cos(angle) * y)
  end)
end

--- One dimension: two unequal peaks and a flat stretch.
-- @param options table: n (rows, 1000), noise (standard deviation, 0.3), seed (0)
-- @return array (f32)
function synthetic.peaks(options)
  return generate("peaks", options, 1, 0.3, function(random, noise)
    local which = random:uniform()
    if which < 0.5 then return -2 + noise * random:normal() end
    if which < 0.8 then return 1 + 0.5 * noise * random:normal() end
    return 2 + 2 * random:uniform()
  end)
end

return synthetic
