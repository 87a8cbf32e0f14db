--- Pictures (PNG): densities, samples, image grids, training curves. They need the package libcairo2.

local check = require "weir.check"
local data = require "weir.data"
local core = require "weir.core"
local axes = require "weir.plot.axes"
local canvas = require "weir.plot.canvas"
local colour = require "weir.plot.colour"

local plot = {}

local function rows_of(values, what)
  if values == nil then return nil end
  if data.is_array(values) then return values end
  return data.as_set(values, what).x
end

--- The range of a column with a margin, its farthest thousandths left out.
local function range_of(array, column)
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

local function scatter(frame, c, array, first, second, radius, tone)
  c:colour(tone)
  for i = 1, array:rows() do
    local x, y = frame:point(array:get(i, first), array:get(i, second))
    if x - x == 0 and y - y == 0 then c:dot(x, y, radius) end
  end
end

local function limited(array, most)
  if not array or array:rows() <= most then return array end
  return array:take(core.permutation(array:rows(), 0, 3):slice(1, most))
end

--- The log densities of a flow over a grid, as a function of (i, j).
local function grid_of(flow, x, y, n, context)
  local points = core.array.new("f64", n * n, 2)
  for i = 1, n do
    for j = 1, n do
      points:set((i - 1) * n + j, 1, x[1] + (j - 0.5) / n * (x[2] - x[1]))
      points:set((i - 1) * n + j, 2, y[2] - (i - 0.5) / n * (y[2] - y[1]))
    end
  end
  return flow:log_prob(points, { context = context })
end

local function heat_map(flow, c, frame, context)
  local s, n = frame.spec, 220
  local log_p = grid_of(flow, s.x, s.y, n, context)
  local most = 0
  for i = 1, n * n do
    local p = math.exp(log_p:get(i))
    if p == p and p < math.huge then most = math.max(most, p) end
  end
  c:raster(s.left, s.top, s.width, s.height, n, n, function(i, j)
    local p = math.exp(log_p:get((i - 1) * n + j))
    return colour.heat(p == p and (p / math.max(most, 1e-300)) ^ 0.6 or 0) -- thin tails stay visible
  end, true)
end

local function names_of(options, first, second)
  local names = options.names or {}
  return names[first] or ("x" .. first), second and (names[second] or ("x" .. second))
end

--- One feature: the density as a curve over a histogram of the data.
local function density_line(flow, options, sample, rows)
  local c = canvas.new(640, 420)
  local x = range_of(rows or sample, 1)
  local n, points = 600, core.array.new("f64", 600, 1)
  for i = 1, n do points:set(i, 1, x[1] + (i - 0.5) / n * (x[2] - x[1])) end
  local log_p, most = flow:log_prob(points, { context = options.context }), 0
  for i = 1, n do most = math.max(most, math.exp(log_p:get(i))) end
  local bins, counts = 60, {}
  local shown = rows or sample
  for i = 1, shown:rows() do
    local k = math.floor((shown:get(i, 1) - x[1]) / (x[2] - x[1]) * bins) + 1
    counts[k] = (counts[k] or 0) + 1
  end
  local unit = bins / (x[2] - x[1]) / shown:rows()
  for k = 1, bins do most = math.max(most, (counts[k] or 0) * unit) end
  local frame = axes.new(c, { x = x, y = { 0, 1.08 * math.max(most, 1e-12) }, left = 70, top = 40, width = 540,
    height = 320, title = options.title or "density", x_label = (names_of(options, 1)), y_label = "p(x)" })
  frame:grid()
  frame:inside(function()
    c:colour { 0.75, 0.80, 0.87 }
    for k = 1, bins do
      local left, top = frame:point(x[1] + (k - 1) / bins * (x[2] - x[1]), (counts[k] or 0) * unit)
      local right, bottom = frame:point(x[1] + k / bins * (x[2] - x[1]), 0)
      c:rectangle(left, top, right - left - 0.5, bottom - top)
    end
    local curve = {}
    for i = 1, n do curve[2 * i - 1], curve[2 * i] = frame:point(points:get(i, 1), math.exp(log_p:get(i))) end
    c:colour(colour.first):line(curve, 2.2)
  end)
  frame:frame()
  frame:legend { { "flow", colour.first }, { rows and "data" or "samples", { 0.75, 0.80, 0.87 } } }
  return c
end

--- Two of many features: data and samples side by side.
local function pair_panels(options, sample, rows, first, second)
  local panels = {}
  if rows then panels[1] = { "data", rows, colour.first } end
  panels[#panels + 1] = { "samples", sample, colour.second }
  local c = canvas.new(60 + 430 * #panels, 460)
  local x, y = range_of(rows or sample, first), range_of(rows or sample, second)
  local x_label, y_label = names_of(options, first, second)
  for k, panel in ipairs(panels) do
    local frame = axes.new(c, { x = x, y = y, left = 70 + 430 * (k - 1), top = 40, width = 350, height = 350,
      title = panel[1], x_label = x_label, y_label = k == 1 and y_label or nil })
    frame:grid()
    local t = panel[3]
    frame:inside(function() scatter(frame, c, panel[2], first, second, 1.6, { t[1], t[2], t[3], 0.35 }) end)
    frame:frame()
  end
  return c
end

local density_keys = { file = true, data = true, title = true, names = true, columns = true, samples = true, seed = true,
  context = true }

--- The density of a flow: a curve (one feature), a heat map with samples (two), or data and samples of two columns.
-- @param options table: file (PNG), data (array or data set), samples (how many are drawn, 1000), columns {i, j}, names,
--   title, seed, context (one row)
function plot.density(flow, options)
  check.type(options, "table", "weir.plot.density", 2)
  check.keys(options, density_keys, "weir.plot.density", 2)
  check.type(options.file, "string", "weir.plot.density: file", 2)
  local rows = limited(rows_of(options.data, "weir.plot.density: data"), 20000)
  local sample = flow:sample(options.samples or 1000, { seed = options.seed or 0, context = options.context })
  local features = flow:get_model():get "features"
  local columns = options.columns or { 1, 2 }
  if features == 1 then return density_line(flow, options, sample, rows):save(options.file) end
  if features > 2 then
    check.integer(columns[1], 1, features, "weir.plot.density: columns", 2)
    check.integer(columns[2], 1, features, "weir.plot.density: columns", 2)
    return pair_panels(options, sample, limited(rows, 2000), columns[1], columns[2]):save(options.file)
  end
  local c = canvas.new(rows and 920 or 500, 470)
  local x, y = range_of(rows or sample, 1), range_of(rows or sample, 2)
  local x_label, y_label = names_of(options, 1, 2)
  for k = 1, rows and 2 or 1 do
    local heat = k == 1
    local frame = axes.new(c, { x = x, y = y, left = 70 + 430 * (k - 1), top = 40, width = 370, height = 370,
      title = heat and (options.title or "density and samples") or "data", x_label = x_label,
      y_label = heat and y_label or nil })
    if heat then heat_map(flow, c, frame, options.context) else frame:grid() end
    frame:inside(function()
      if heat then scatter(frame, c, sample, 1, 2, 1.1, { 1, 1, 1, 0.55 })
      else scatter(frame, c, limited(rows, 2000), 1, 2, 1.5, { 0.12, 0.42, 0.70, 0.4 }) end
    end)
    frame:frame()
  end
  return c:save(options.file)
end

local image_keys = { file = true, shape = true, columns = true, low = true, high = true, title = true }

--- Rows as a grid of images.
-- @param options table: file (PNG), shape {height, width} or {channels, height, width} (1 or 3 channels), columns (of the
--   grid), low and high (what is black and white), title
function plot.images(values, options)
  check.type(options, "table", "weir.plot.images", 2)
  check.keys(options, image_keys, "weir.plot.images", 2)
  check.type(options.file, "string", "weir.plot.images: file", 2)
  local array, shape = rows_of(values, "weir.plot.images"), check.type(options.shape, "table",
    "weir.plot.images: shape", 2)
  local channels = #shape == 3 and shape[1] or 1
  local height, width = shape[#shape - 1], shape[#shape]
  if channels * height * width ~= array:columns() or (channels ~= 1 and channels ~= 3) then
    error(("weir.plot.images: rows of %d are not images of this shape"):format(array:columns()), 2)
  end
  local low, high = options.low or array:min(), options.high or array:max()
  local across = options.columns or math.ceil(math.sqrt(array:rows()))
  local down = math.ceil(array:rows() / across)
  local zoom = math.max(1, math.floor(64 / math.max(height, width)))
  local cell_w, cell_h, top = width * zoom + 4, height * zoom + 4, options.title and 34 or 6
  local c = canvas.new(across * cell_w + 8, down * cell_h + top + 2)
  if options.title then c:colour(colour.ink):text((across * cell_w + 8) / 2, 22, options.title, 14, 0.5, nil, true) end
  for k = 1, array:rows() do
    local x, y = 6 + (k - 1) % across * cell_w, top + math.floor((k - 1) / across) * cell_h
    c:raster(x, y, width * zoom, height * zoom, width, height, function(i, j)
      local function channel(n)
        return (array:get(k, (n * height + i - 1) * width + j) - low) / math.max(1e-12, high - low)
      end
      local red = channel(0)
      return red, channels == 3 and channel(1) or red, channels == 3 and channel(2) or red
    end)
  end
  return c:save(options.file)
end

local function curve_points(frame, history, which)
  local points = {}
  for epoch, pair in ipairs(history) do
    if type(pair[which]) == "number" then
      local x, y = frame:point(epoch, pair[which])
      points[#points + 1], points[#points + 2] = x, y
    end
  end
  return points
end

--- The first epochs tower over the rest: the range is that of the later nine tenths, and the best.
local function curve_range(history)
  local low, high = math.huge, -math.huge
  for epoch, pair in ipairs(history) do
    for which = 1, 2 do
      local value = pair[which]
      if type(value) == "number" then
        high = math.max(high, value)
        if epoch > #history / 10 then low = math.min(low, value) end
      end
    end
  end
  if low > high then return { -1, 1 } end
  local margin = math.max(1e-6, 0.06 * (high - low))
  return { low - margin, high + margin }
end

--- The training curve of a fitted flow.
-- @param options table: file (PNG), title
function plot.training(flow, options)
  check.type(options, "table", "weir.plot.training", 2)
  check.keys(options, { file = true, title = true }, "weir.plot.training", 2)
  check.type(options.file, "string", "weir.plot.training: file", 2)
  local training = flow.metadata.training
  local history = type(training) == "table" and training.history
  if type(history) ~= "table" or #history == 0 then error("the model holds no record of its training", 0) end
  local c = canvas.new(680, 430)
  local frame = axes.new(c, { x = { 1, math.max(2, #history) }, y = curve_range(history), left = 74, top = 40,
    width = 570, height = 330, title = options.title or "training", x_label = "epoch", y_label = "log density, nats" })
  frame:grid()
  frame:inside(function()
    c:colour(colour.first):line(curve_points(frame, history, 1), 2)
    c:colour(colour.second):line(curve_points(frame, history, 2), 2)
    if training.best_epoch and training.best_epoch > 0 and type(training.best) == "number" then
      local x, y = frame:point(training.best_epoch, training.best)
      c:dot(x, y, 4)
    end
  end)
  frame:frame()
  frame:legend({ { "training", colour.first }, { "validation", colour.second } }, true)
  return c:save(options.file)
end

return plot
