--- Colours of plots.

local colour = {}

colour.ink = { 0.13, 0.15, 0.19 }
colour.faint = { 0.62, 0.65, 0.70 }
colour.grid = { 0.90, 0.91, 0.93 }
colour.first = { 0.12, 0.42, 0.70 }
colour.second = { 0.87, 0.42, 0.12 }
colour.third = { 0.20, 0.55, 0.30 }

--- Anchors of a map that is even to the eye and to the colour-blind, dark to light (after viridis).
local anchors = {
  { 0.267, 0.005, 0.329 }, { 0.283, 0.141, 0.458 }, { 0.254, 0.265, 0.530 }, { 0.207, 0.372, 0.553 },
  { 0.164, 0.471, 0.558 }, { 0.128, 0.567, 0.551 }, { 0.135, 0.659, 0.518 }, { 0.267, 0.749, 0.441 },
  { 0.478, 0.821, 0.318 }, { 0.741, 0.873, 0.150 }, { 0.993, 0.906, 0.144 },
}

--- r, g, b of a value from 0 to 1.
function colour.heat(value)
  local at = math.max(0, math.min(1, value)) * (#anchors - 1)
  local i = math.min(#anchors - 1, math.floor(at) + 1)
  local low, high, t = anchors[i], anchors[i + 1], at - i + 1
  return low[1] + t * (high[1] - low[1]), low[2] + t * (high[2] - low[2]), low[3] + t * (high[3] - low[3])
end

return colour
