--- A grey picture as a density over the plane: pixels are drawn with a probability as they are dark, a flow learns the
--- points, and its density stands beside the picture.
--
--     weir examples/picture.lua [PICTURE.png]
--
-- Without a picture the script draws a word. Writes picture.png.

local weir = require "weir"
local canvas = require "weir.plot.canvas"

local function drawn_word()
  local c = canvas.new(240, 120, 1)
  c:colour { 0.1, 0.1, 0.1 }:text(120, 88, "Weir", 84, 0.5, nil, true)
  return c:grey()
end

local grey = arg[1] and weir.plot.read_grey(arg[1]) or drawn_word()
local height, width = grey:rows(), grey:columns()
local scale = 8 / math.max(height, width)
print(("a picture of %d x %d pixels"):format(width, height))

--- Darkness summed over the pixels before and with each one, for drawing pixels by it.
local sums, total = {}, 0
for i = 1, height do
  for j = 1, width do
    total = total + 1 - grey:get(i, j)
    sums[#sums + 1] = total
  end
end
if total < 1 then error("the picture is white all over: there is nothing to draw from", 0) end

--- The first pixel at which the sum reaches a value.
local function pixel_at(value)
  local low, high = 1, #sums
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < value then low = middle + 1 else high = middle end
  end
  return low - 1
end

local random, n = weir.random(1), 60000
local points = weir.array.new("f32", n, 2)
for k = 1, n do
  local pixel = pixel_at(total * random:uniform())
  points:set(k, 1, (pixel % width + random:uniform() - width / 2) * scale)
  points:set(k, 2, (height / 2 - math.floor(pixel / width) - random:uniform()) * scale)
end

local data = weir.data.from(points):split { 0.9, 0.05, 0.05, seed = 1 }
local flow = weir.presets.flow("nsf", { transforms = 10, hidden = { 96, 96 }, bins = 16 }, { seed = 1 })
flow:fit(data, { epochs = 40, batch = 512, lr = 2e-3 })
print(("held-out log density %.3f nats"):format(flow:log_prob(data.test):mean()))
weir.plot.panels({ { title = "points from the picture", points = data.train, radius = 0.8 },
  { title = "density", density = flow }, { title = "samples", points = flow:sample(4000, { seed = 1 }), radius = 0.8 } },
  { file = "picture.png", size = 380, x = { -4, 4 }, y = { -4, 4 } })
print "wrote picture.png"
