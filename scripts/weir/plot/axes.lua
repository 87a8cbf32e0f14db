--- A frame with ticks, labels and a title, and the map from numbers to pixels.

local colour = require "weir.plot.colour"

local axes = {}
local Axes = {}
Axes.__index = Axes

--- Round numbers in [low, high], about `count` of them.
function axes.ticks(low, high, count)
  local span = high - low
  if span <= 0 or span ~= span then return { low } end
  local step = 10 ^ math.floor(math.log(span / count) / math.log(10))
  for _, factor in ipairs { 1, 2, 5, 10 } do
    if span / (step * factor) <= count then
      step = step * factor
      break
    end
  end
  local out = {}
  for k = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do out[#out + 1] = k * step end
  return out
end

local function tick_text(value, span)
  if math.abs(value) < span * 1e-9 then return "0" end
  return (("%.6g"):format(value))
end

--- A frame on the canvas inside margins.
-- @param spec table: x = {low, high}, y = {low, high}, title, x_label, y_label, left, top, width, height
function axes.new(canvas, spec)
  return setmetatable({ canvas = canvas, spec = spec }, Axes)
end

--- Pixels of a point.
function Axes:point(x, y)
  local s = self.spec
  return s.left + (x - s.x[1]) / (s.x[2] - s.x[1]) * s.width, s.top + (s.y[2] - y) / (s.y[2] - s.y[1]) * s.height
end

--- Lines at the ticks.
function Axes:grid()
  local s, c = self.spec, self.canvas
  c:colour(colour.grid)
  for _, value in ipairs(axes.ticks(s.x[1], s.x[2], 7)) do
    local x = self:point(value, s.y[1])
    c:line({ x, s.top, x, s.top + s.height }, 1)
  end
  for _, value in ipairs(axes.ticks(s.y[1], s.y[2], 6)) do
    local _, y = self:point(s.x[1], value)
    c:line({ s.left, y, s.left + s.width, y }, 1)
  end
end

--- The border, the ticks and all words.
function Axes:frame()
  local s, c = self.spec, self.canvas
  c:colour(colour.ink):line({ s.left, s.top, s.left + s.width, s.top, s.left + s.width, s.top + s.height, s.left,
    s.top + s.height }, 1, true)
  for _, value in ipairs(axes.ticks(s.x[1], s.x[2], 7)) do
    local x = self:point(value, s.y[1])
    c:line({ x, s.top + s.height, x, s.top + s.height + 4 }, 1)
    c:text(x, s.top + s.height + 17, tick_text(value, s.x[2] - s.x[1]), 11, 0.5)
  end
  for _, value in ipairs(axes.ticks(s.y[1], s.y[2], 6)) do
    local _, y = self:point(s.x[1], value)
    c:line({ s.left - 4, y, s.left, y }, 1)
    c:text(s.left - 7, y + 4, tick_text(value, s.y[2] - s.y[1]), 11, 1)
  end
  if s.title then c:text(s.left + s.width / 2, s.top - 12, s.title, 14, 0.5, nil, true) end
  if s.x_label then c:text(s.left + s.width / 2, s.top + s.height + 36, s.x_label, 12, 0.5) end
  if s.y_label then c:text(s.left - 46, s.top + s.height / 2, s.y_label, 12, 0.5, -math.pi / 2) end
end

--- Drawing in fn stays inside the frame.
function Axes:inside(fn)
  local s = self.spec
  self.canvas:clipped(s.left, s.top, s.width, s.height, fn)
end

--- Names with a sample of their colour, inside the frame at the right: at the top, or at the bottom, which curves that
-- rise leave free.
function Axes:legend(entries, at_bottom)
  local s, c = self.spec, self.canvas
  local widest = 0
  for _, entry in ipairs(entries) do widest = math.max(widest, c:text_width(entry[1], 11)) end
  local left, top = s.left + s.width - widest - 44, s.top + 10
  if at_bottom then top = s.top + s.height - 18 * #entries - 12 end
  c:colour { 1, 1, 1, 0.85 }:rectangle(left - 6, top - 4, widest + 42, 18 * #entries + 6)
  for i, entry in ipairs(entries) do
    local y = top + 18 * i - 9
    c:colour(entry[2]):line({ left, y, left + 20, y }, 2.5)
    c:colour(colour.ink):text(left + 27, y + 4, entry[1], 11)
  end
end

return axes
