local weir = require "weir"
local data = weir.data

describe("data sets", function()
  local function write(name, text)
    local file = assert(io.open(name, "w"))
    file:write(text)
    file:close()
    return name
  end

  it("split into parts that share no row, the same for a seed", function()
    local rows = {}
    for i = 1, 100 do rows[i] = { i } end
    local parts = data.from(rows):split { 0.7, 0.2, 0.1, seed = 4 }
    local seen, count = {}, 0
    for _, name in ipairs { "train", "validation", "test" } do
      for i = 1, parts[name]:rows() do
        local value = parts[name].x:get(i, 1)
        assert.is_nil(seen[value])
        seen[value], count = true, count + 1
      end
    end
    assert.equal(100, count)
    assert.same({ 70, 20, 10 }, { parts.train:rows(), parts.validation:rows(), parts.test:rows() })
    local again = data.from(rows):split { 0.7, 0.2, 0.1, seed = 4 }
    assert.equal(parts.train:fingerprint(), again.train:fingerprint())
    assert.not_equal(parts.train:fingerprint(), data.from(rows):split({ 0.7, 0.3, seed = 5 }).train:fingerprint())
  end)

  it("refuse fractions that make no sense", function()
    local set = data.from { { 1 }, { 2 }, { 3 } }
    for _, wrong in ipairs { { 1 }, { 0.5, 0.6 }, { -0.5, 0.5 }, { 0.9, 0.1, sed = 1 }, { "x", 0.5 } } do
      assert.has_error(function() set:split(wrong) end)
    end
    assert.has_error(function() data.from({ { 1 }, { 2 } }):split { 0.9, 0.1 } end)
  end)

  it("take their columns from files, by number and name", function()
    local path = write("data.csv", "a,b,c,w\n1,2,3,1\n4,5,6,2\n")
    local set = data.load(path, { context = "b", weights = "w" })
    assert.same({ { 1, 3 }, { 4, 6 } }, set.x:to_table())
    assert.same({ { 2 }, { 5 } }, set.context:to_table())
    assert.same({ { 1 }, { 2 } }, set.weights:to_table())
    assert.same({ "a", "c" }, set.names)
    assert.same({ 1, 3 }, set.layout.data)
    assert.same({ { 3, 1 }, { 6, 4 } }, data.load(path, { columns = "3,1" }).x:to_table())
    assert.has_error(function() data.load(path, { context = "zz" }) end)
    assert.has_error(function() data.load(path, { weights = "1-2" }) end)
    assert.has_error(function() data.load(path, { context = "1-4" }) end)
    assert.has_error(function() data.load(path, { colums = "1" }) end)
  end)

  it("name the place of a bad number", function()
    local set = data.from({ { 1, 2 }, { 3, 0 / 0 } }, { names = { "a", "b" } })
    local ok, message = pcall(set.refuse_nonfinite, set)
    assert.is_false(ok)
    assert.truthy(message:find "row 2, column b is nan")
    assert.has_error(function() data.from({ { 1, -2 } }, { weights = "2" }) end)
  end)

  it("come from generators, the same for a seed", function()
    for _, name in ipairs { "two_moons", "rings", "pinwheel", "eight_gaussians", "checkerboard", "spirals", "peaks" } do
      local a, b = data[name] { n = 50, seed = 3 }, data[name] { n = 50, seed = 3 }
      assert.equal(a:fingerprint(), b:fingerprint())
      assert.not_equal(a:fingerprint(), data[name]({ n = 50, seed = 4 }):fingerprint())
      assert.equal(50, a:rows())
      assert.is_nil(a.x:nonfinite())
    end
    assert.has_error(function() data.two_moons { n = 0 } end)
    assert.has_error(function() data.two_moons { sed = 1 } end)
  end)

  it("shuffle without loss", function()
    local core = require "weir.core"
    local seen = {}
    local p = core.permutation(1000, 7, 2)
    for i = 1, 1000 do seen[p:get(i)] = true end
    for i = 1, 1000 do assert.is_true(seen[i]) end
    assert.same(p:to_table(), core.permutation(1000, 7, 2):to_table())
    assert.not_same(p:to_table(), core.permutation(1000, 7, 3):to_table())
    -- every place is as likely as any other for the first row
    local places = { 0, 0, 0, 0 }
    for seed = 1, 4000 do
      local q = core.permutation(4, seed)
      for i = 1, 4 do
        if q:get(i) == 1 then places[i] = places[i] + 1 end
      end
    end
    for i = 1, 4 do assert.near(1000, places[i], 120) end
  end)

  it("draw normal and uniform numbers", function()
    local random = weir.random(11)
    local u, n = random:uniform(20000), random:normal(20000)
    assert.near(0.5, u:mean(), 0.01)
    assert.near(math.sqrt(1 / 12), u:std(), 0.01)
    assert.truthy(u:min() >= 0 and u:max() < 1)
    assert.near(0, n:mean(), 0.03)
    assert.near(1, n:std(), 0.03)
  end)
end)
