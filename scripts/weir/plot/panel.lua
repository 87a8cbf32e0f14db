--- One panel of a picture: a density as a heat map or a curve, and points over or under it.

local core = require "weir.core"
local axes = require "weir.plot.axes"
local colour = require "weir.plot.colour"

local panel = {}

local bar_tone = { 0.75, 0.80, 0.87 }

--- The range of a column with a margin, its farthest thousandths left out.
function panel.range(array, column)
  local values = {}
  for i = 1, array:rows() do
    local value = array:get(i, column)
    if value - value == 0 then values[#values + 1] = value end
  end
  if #values == 0 then return { -1, 1 } end
  table.sort(values)
  local low = values[math.max(1, math.ceil(0.002 * #values))]
  local high = values[math.max(1, math.floor(0.998 * #values))]
  if high <= low then low, high = low - 1, high + 1 end
  local margin = 0.12 * (high - low)
  return { low - margin, high + margin }
end

--- At most so many rows, chosen by chance (the same ones each time).
function panel.limited(array, most)
  if not array or array:rows() <= most then return array end
  return array:take(core.permutation(array:rows(), 0, 3):slice(1, most))
end

--- log p at points, of a flow or of a function.
local function log_density(spec, points)
  if type(spec.density) == "function" then return (spec.density(points)) end
  return (spec.density:log_prob(points, { context = spec.context }))
end

local function is_number(p)
  return p == p and p < math.huge
end

--- exp of n log densities (NaN counts as 0), and the largest.
local function probabilities(log_p, n)
  local values, most = {}, 0
  for i = 1, n do
    local p = math.exp(log_p:get(i))
    values[i] = is_number(p) and p or 0
    most = math.max(most, values[i])
  end
  return values, math.max(most, 1e-300)
end

local function heat_map(c, spec)
  local n, x, y = 220, spec.x, spec.y
  local points = core.array.new("f64", n * n, 2)
  for i = 1, n do
    for j = 1, n do
      points:set((i - 1) * n + j, 1, x[1] + (j - 0.5) / n * (x[2] - x[1]))
      points:set((i - 1) * n + j, 2, y[2] - (i - 0.5) / n * (y[2] - y[1]))
    end
  end
  local p, most = probabilities(log_density(spec, points), n * n)
  c:raster(spec.left, spec.top, spec.width, spec.height, n, n, function(i, j)
    return colour.heat((p[(i - 1) * n + j] / most) ^ 0.6) -- thin tails stay visible
  end, true)
end

local function scatter(frame, c, spec)
  local first, second = (spec.columns or { 1, 2 })[1], (spec.columns or { 1, 2 })[2]
  local tone = spec.tone or (spec.density and { 1, 1, 1, 0.55 }) or colour.first
  c:colour { tone[1], tone[2], tone[3], tone[4] or 0.4 }
  for i = 1, spec.points:rows() do
    local x, y = frame:point(spec.points:get(i, first), spec.points:get(i, second))
    if x - x == 0 and y - y == 0 then c:dot(x, y, spec.radius or 1.1) end
  end
end

--- Two features.
local function draw_map(c, spec)
  spec.x = spec.x or panel.range(spec.points, 1)
  spec.y = spec.y or panel.range(spec.points, 2)
  local frame = axes.new(c, spec)
  if spec.density then heat_map(c, spec) else frame:grid() end
  if spec.points then frame:inside(function() scatter(frame, c, spec) end) end
  frame:frame()
end

--- Heights of a histogram as a density, and the largest.
local function histogram(points, x, bins)
  local heights, most = {}, 0
  for k = 1, bins do heights[k] = 0 end
  local unit = bins / (x[2] - x[1]) / math.max(1, points:rows())
  for i = 1, points:rows() do
    local k = math.floor((points:get(i, 1) - x[1]) / (x[2] - x[1]) * bins) + 1
    if heights[k] then heights[k] = heights[k] + unit end
  end
  for k = 1, bins do most = math.max(most, heights[k]) end
  return heights, most
end

local function draw_bars(frame, c, x, heights)
  c:colour(bar_tone)
  for k, height in ipairs(heights) do
    local left, top = frame:point(x[1] + (k - 1) / #heights * (x[2] - x[1]), height)
    local right, bottom = frame:point(x[1] + k / #heights * (x[2] - x[1]), 0)
    c:rectangle(left, top, right - left - 0.5, bottom - top)
  end
end

--- One feature.
local function draw_line(c, spec)
  local x, n = spec.x or panel.range(spec.points, 1), 600
  local points, heights, highest, p, most = core.array.new("f64", n, 1), {}, 0, {}, 0
  for i = 1, n do points:set(i, 1, x[1] + (i - 0.5) / n * (x[2] - x[1])) end
  if spec.density then p, most = probabilities(log_density(spec, points), n) end
  if spec.points then heights, highest = histogram(spec.points, x, 60) end
  spec.x, spec.y = x, { 0, 1.08 * math.max(most, highest, 1e-12) }
  local frame = axes.new(c, spec)
  frame:grid()
  frame:inside(function()
    draw_bars(frame, c, x, heights)
    local curve = {}
    for i, value in ipairs(p) do curve[2 * i - 1], curve[2 * i] = frame:point(points:get(i, 1), value) end
    if #curve > 0 then c:colour(colour.first):line(curve, 2.2) end
  end)
  frame:frame()
  if spec.legend then frame:legend { { spec.legend[1], colour.first }, { spec.legend[2], bar_tone } } end
end

local function features_of(spec)
  if spec.features then return spec.features end
  if spec.points and not spec.columns then return spec.points:columns() end
  return spec.columns and 2 or spec.density:get_model():get "features"
end

--- Draws a panel.
-- @param spec table: left, top, width, height (pixels); density (a flow, or a function from points to log densities),
--   points (array), features (when neither says it), columns, x, y (ranges), title, x_label, y_label, tone, radius, legend
function panel.draw(c, spec)
  if features_of(spec) == 1 then
    if spec.y_label == "x2" then spec.y_label = "p(x)" end
    return draw_line(c, spec)
  end
  return draw_map(c, spec)
end

return panel
