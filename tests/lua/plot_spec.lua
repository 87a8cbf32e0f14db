local weir = require "weir"
local axes = require "weir.plot.axes"

--- Width and height out of a PNG's header.
local function size_of(path)
  local file = assert(io.open(path, "rb"))
  local head = file:read(24)
  file:close()
  assert.equal("\137PNG\r\n\26\n", head:sub(1, 8))
  local function number(at)
    local a, b, c, d = head:byte(at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
  end
  return number(17), number(21)
end

describe("plots", function()
  it("have round ticks inside their range", function()
    assert.same({ 0, 20, 40, 60, 80, 100 }, axes.ticks(0, 100, 6))
    assert.same({ -1, 0, 1 }, axes.ticks(-1.2, 1.4, 4))
    for _, range in ipairs { { -3e-5, 2e-5 }, { 17, 17.3 }, { -1e9, 1e9 } } do
      local list = axes.ticks(range[1], range[2], 7)
      assert.truthy(#list >= 2 and #list <= 8)
      for _, value in ipairs(list) do assert.truthy(value >= range[1] - 1e-9 and value <= range[2] + 1e-9) end
    end
  end)

  it("are PNG files of densities in 1, 2 and more dimensions, and of training", function()
    local sets = { weir.data.peaks { n = 200 }, weir.data.two_moons { n = 200 },
      weir.data.from(weir.random(1):normal(200, 4)) }
    for k, set in ipairs(sets) do
      local flow = weir.flow { weir.standardize(), weir.autoregressive { network = weir.made { hidden = { 8 } } } }
      flow:fit(set, { epochs = 2, progress = false })
      local path = "density" .. k .. ".png"
      weir.plot.density(flow, { file = path, data = set, samples = 50 })
      local width, height = size_of(path)
      assert.truthy(width > 500 and height > 500)
      weir.plot.training(flow, { file = "curve.png" })
      assert.truthy(size_of "curve.png" > 500)
    end
    assert.has_error(function() weir.plot.training(weir.flow { features = 1 }, { file = "x.png" }) end)
  end)

  it("are grids of images", function()
    local images = weir.array.new("u8", 5, 12)
    weir.plot.images(images, { file = "grid.png", shape = { 3, 4 }, columns = 3, low = 0, high = 255 })
    local width, height = size_of "grid.png"
    assert.equal(2 * (3 * (4 * 16 + 4) + 8), width)
    assert.equal(2 * (2 * (3 * 16 + 4) + 8), height)
    weir.plot.images(images, { file = "colour.png", shape = { 3, 2, 2 } })
    assert.has_error(function() weir.plot.images(images, { file = "x.png", shape = { 5, 4 } }) end)
    assert.has_error(function() weir.plot.images(images, { file = "no/folder/x.png", shape = { 3, 4 } }) end)
  end)
end)
