--- Pictures (PNG): densities, samples, image grids, training curves. They need the package libcairo2.

local check = require "weir.check"
local data = require "weir.data"
local axes = require "weir.plot.axes"
local canvas = require "weir.plot.canvas"
local colour = require "weir.plot.colour"
local panel = require "weir.plot.panel"

local plot = {}

local function rows_of(values, what)
  if values == nil then return nil end
  if data.is_array(values) then return values end
  return data.as_set(values, what).x
end

local function names_of(options, first, second)
  local names = options.names or {}
  return names[first] or ("x" .. first), second and (names[second] or ("x" .. second))
end

local density_keys = { file = true, data = true, title = true, names = true, columns = true, samples = true, seed = true,
  context = true }

--- Panels of one size, side by side, in a picture of their own.
local function draw_row(panels, size, file)
  local c = canvas.new(60 + (size.width + 60) * #panels, size.height + 100)
  for k, spec in ipairs(panels) do
    spec.left, spec.top, spec.width, spec.height = 70 + (size.width + 60) * (k - 1), 40, size.width, size.height
    if k > 1 then spec.y_label = nil end
    panel.draw(c, spec)
  end
  return c:save(file)
end

--- One feature: the density as a curve over a histogram of the data.
local function density_line(flow, options, sample, rows)
  local shown = rows or sample
  return draw_row({ { density = flow, context = options.context, points = shown, title = options.title or "density",
    x_label = names_of(options, 1), y_label = "p(x)", legend = { "flow", rows and "data" or "samples" } } },
    { width = 540, height = 320 }, options.file)
end

--- Two of many features: data and samples side by side.
local function pair_panels(options, sample, rows, first, second)
  local x_label, y_label = names_of(options, first, second)
  local shown, panels = rows or sample, {}
  local x, y = panel.range(shown, first), panel.range(shown, second)
  local function add(title, array, tone)
    panels[#panels + 1] = { title = title, points = array, columns = { first, second }, tone = tone, radius = 1.6,
      x = x, y = y, x_label = x_label, y_label = y_label }
  end
  if rows then add("data", rows, colour.first) end
  add("samples", sample, colour.second)
  return draw_row(panels, { width = 350, height = 350 }, options.file)
end

--- Two features: a heat map with samples, beside the data.
local function density_map(flow, options, sample, rows)
  local x_label, y_label = names_of(options, 1, 2)
  local shown = rows or sample
  local x, y = panel.range(shown, 1), panel.range(shown, 2)
  local panels = { { title = options.title or "density and samples", density = flow, context = options.context,
    points = sample, x = x, y = y, x_label = x_label, y_label = y_label } }
  if rows then
    panels[2] = { title = "data", points = panel.limited(rows, 2000), radius = 1.5, x = x, y = y, x_label = x_label }
  end
  return draw_row(panels, { width = 370, height = 370 }, options.file)
end

--- The density of a flow: a curve (one feature), a heat map with samples (two), or data and samples of two columns.
-- @param flow the flow
-- @param options table: file (PNG), data (array or data set), samples (how many are drawn, 1000), columns {i, j}, names,
--   title, seed, context (one row)
-- @return the path; raises an error when the picture cannot be written
function plot.density(flow, options)
  check.type(options, "table", "weir.plot.density", 2)
  check.keys(options, density_keys, "weir.plot.density", 2)
  check.type(options.file, "string", "weir.plot.density: file", 2)
  local rows = panel.limited(rows_of(options.data, "weir.plot.density: data"), 20000)
  local sample = flow:sample(options.samples or 1000, { seed = options.seed or 0, context = options.context })
  local features = flow:get_model():get "features"
  if features == 1 then return density_line(flow, options, sample, rows) end
  if features == 2 then return density_map(flow, options, sample, rows) end
  local columns = options.columns or { 1, 2 }
  check.integer(columns[1], 1, features, "weir.plot.density: columns", 2)
  check.integer(columns[2], 1, features, "weir.plot.density: columns", 2)
  return pair_panels(options, sample, panel.limited(rows, 2000), columns[1], columns[2])
end

--- The ranges of all panels that state none: those given, else of the first points there are.
local function shared_ranges(list, options)
  for _, spec in ipairs(list) do
    local rows = rows_of(spec.points, "weir.plot.panels: points")
    if rows and not spec.columns then
      return options.x or panel.range(rows, 1), options.y or rows:columns() > 1 and panel.range(rows, 2) or nil
    end
  end
  if not options.x then error("weir.plot.panels: no panel has points: say the ranges x and y", 3) end
  return options.x, options.y
end

local panels_keys = { file = true, columns = true, x = true, y = true, size = true, title = true, names = true }

--- Several densities and clouds of points in one picture, all over the same range.
-- @param list table: panels {title, density (a flow, or a function from an array of points to a vector of log
--   densities), points (array or data set), context (one row)}; one feature is drawn as a curve over a histogram, two as
--   a heat map under the points
-- @param options table: file (PNG), columns (of panels, 4), x and y {low, high} (else those of the first points), size (of a
--   panel in pixels, 260), names (of the features), title
-- @return the path; raises an error when the picture cannot be written
function plot.panels(list, options)
  check.type(list, "table", "weir.plot.panels", 2)
  check.type(options, "table", "weir.plot.panels", 2)
  check.keys(options, panels_keys, "weir.plot.panels", 2)
  check.type(options.file, "string", "weir.plot.panels: file", 2)
  local size, across = options.size or 260, math.min(#list, options.columns or 4)
  local x, y = shared_ranges(list, options)
  local head = options.title and 36 or 0
  local pitch_x, pitch_y = size + 66, size + 76
  local c = canvas.new(across * pitch_x + 20, math.ceil(#list / across) * pitch_y + head + 6)
  if options.title then c:colour(colour.ink):text(c.width / 2, 26, options.title, 16, 0.5, nil, true) end
  for k, given in ipairs(list) do
    local spec = {}
    for key, value in pairs(given) do spec[key] = value end
    spec.points = panel.limited(rows_of(given.points, "weir.plot.panels: points"), 4000)
    spec.x, spec.y = spec.x or x, spec.y or y
    spec.x_label, spec.y_label = names_of(options, 1, 2)
    spec.left, spec.top = 58 + (k - 1) % across * pitch_x, head + 30 + math.floor((k - 1) / across) * pitch_y
    spec.width, spec.height = size, size
    panel.draw(c, spec)
  end
  return c:save(options.file)
end

--- The brightness of a PNG file, 0 (black) to 1, as an array with a row for each row of pixels.
-- @param path string
-- @return array (f32); raises an error when the file cannot be read
function plot.read_grey(path)
  check.type(path, "string", "weir.plot.read_grey", 2)
  return canvas.load(path):grey()
end

local image_keys = { file = true, shape = true, columns = true, low = true, high = true, title = true }

--- Rows as a grid of images.
-- @param values array, data set or table of rows
-- @param options table: file (PNG), shape {height, width} or {channels, height, width} (1 or 3 channels), columns (of the
--   grid), low and high (what is black and white), title
-- @return the path; raises an error when the picture cannot be written
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
-- @param flow the flow
-- @param options table: file (PNG), title
-- @return the path; raises an error when the picture cannot be written
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
