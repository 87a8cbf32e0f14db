local weir = require "weir"
local core = require "weir.core"

local function values(array) return array:to_table() end

describe("arrays", function()
  it("are made from tables and keep their numbers in every type", function()
    for _, dtype in ipairs { "f32", "f64", "u8", "i8", "u16", "i16", "u32", "i32", "i64" } do
      local a = weir.array.from({ { 1, 2, 3 }, { 4, 5, 6 } }, dtype)
      assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, values(a))
      assert.same({ 2, 3, 6, dtype }, { a:rows(), a:columns(), a:count(), a:dtype() })
    end
  end)

  it("count from 1 and refuse what lies outside", function()
    local a = weir.array.new("f32", 2, 3)
    a:set(2, 3, 7)
    assert.equal(7, a:get(2, 3))
    for _, place in ipairs { { 0, 1 }, { 3, 1 }, { 1, 0 }, { 1, 4 }, { 1.5, 1 }, { 0 / 0, 1 }, { 1e300, 1 }, { -1, 1 } } do
      assert.has_error(function() a:get(place[1], place[2]) end)
      assert.has_error(function() a:set(place[1], place[2], 0) end)
    end
    assert.has_error(function() a:get("x", 1) end)
    assert.has_error(function() weir.array.new("f32", 2, 0):get(1) end)
  end)

  it("refuse sizes that no machine has", function()
    assert.has_error(function() weir.array.new("f64", 2 ^ 40, 2 ^ 40) end)
    assert.has_error(function() weir.array.new("f64", -1, 2) end)
    assert.has_error(function() weir.array.new("f64", 1e308) end)
    assert.has_error(function() weir.array.new("f16", 1) end)
  end)

  it("refuse ragged and mixed tables", function()
    assert.has_error(function() weir.array.from { { 1, 2 }, { 3 } } end, "row 2 has 1 numbers, row 1 has 2")
    assert.has_error(function() weir.array.from { 1, "2" } end)
    assert.has_error(function() weir.array.from { { 1 }, 2 } end)
  end)

  it("round and clamp what an integer type cannot hold", function()
    local a = weir.array.from({ -3, 300, 2.6, 0 / 0, math.huge }, "u8")
    assert.same({ 0, 255, 3, 0, 255 }, values(a))
  end)

  it("give rows and columns by number", function()
    local a = weir.array.from { { 1, 2 }, { 3, 4 }, { 5, 6 } }
    assert.same({ { 3, 4 }, { 5, 6 } }, values(a:slice(2)))
    assert.same({ { 5, 6 } }, values(a:slice(-1)))
    assert.same({}, values(a:slice(3, 2)))
    assert.same({ { 5, 6 }, { 1, 2 }, { 5, 6 } }, values(a:take { 3, 1, 3 }))
    assert.same({ { 5, 6 } }, values(a:take(weir.array.from({ 3 }, "i64"))))
    assert.same({ { 2, 1 }, { 4, 3 }, { 6, 5 } }, values(a:select { 2, 1 }))
    assert.same({ { 1, 3, 5 }, { 2, 4, 6 } }, values(a:transpose()))
    assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, values(a:reshape(2, 3)))
    for _, wrong in ipairs { { 0 }, { 4 }, { 1.5 }, { "x" } } do
      assert.has_error(function() a:take(wrong) end)
      assert.has_error(function() a:select(wrong) end)
    end
    assert.has_error(function() a:slice(5) end)
    assert.has_error(function() a:reshape(4, 2) end)
  end)

  it("join and stack", function()
    local a, b = weir.array.from { { 1 }, { 2 } }, weir.array.from { { 3 }, { 4 } }
    assert.same({ { 1 }, { 2 }, { 3 }, { 4 } }, values(weir.array.concat { a, b }))
    assert.same({ { 1, 3 }, { 2, 4 } }, values(weir.array.join { a, b }))
    assert.has_error(function() weir.array.concat { a, weir.array.from { { 1, 2 } } } end)
    assert.has_error(function() weir.array.join { a, weir.array.from { { 1 } } } end)
    assert.has_error(function() weir.array.concat {} end)
    assert.has_error(function() weir.array.concat { a, 3 } end)
  end)

  it("calculate, with one row or column going with many", function()
    local a = weir.array.from { { 1, 2 }, { 3, 4 } }
    assert.same({ { 2, 3 }, { 4, 5 } }, values(a + 1))
    assert.same({ { 0, -1 }, { -2, -3 } }, values(1 - a))
    assert.same({ { 1, 4 }, { 9, 16 } }, values(a * a))
    assert.same({ { 1, 2 }, { 1.5, 2 } }, values(a / weir.array.from { 1, 2 }))
    assert.same({ { 10, 40 }, { 30, 80 } }, values(a * weir.array.from { { 10, 20 } }))
    assert.same({ { 11, 21 }, { 12, 22 } }, values(weir.array.from { { 10, 20 } } + weir.array.from { 1, 2 }))
    assert.same({ { -1, -2 }, { -3, -4 } }, values(-a))
    assert.same({ { 1, 4 }, { 9, 16 } }, values(a ^ 2))
    assert.same({ { 2, 2 }, { 3, 4 } }, values(a:maximum(2)))
    assert.same({ { 2, 3 }, { 4, 5 } }, values(a:map(function(x) return x + 1 end)))
    assert.has_error(function() return a + weir.array.from { { 1, 2, 3 } } end)
    assert.has_error(function() return a + "x" end)
    assert.has_error(function() return a:map(function() return "x" end) end)
  end)

  it("calculate long vectors in blocks", function()
    local n = 5000
    local a, b = weir.array.new("f64", n), weir.array.new("f64", n)
    for i = 1, n do a:set(i, i) b:set(i, 2 * i) end
    local c = a + b
    for i = 1, n, 97 do assert.equal(3 * i, c:get(i)) end
    assert.equal(n * (n + 1) / 2, a:sum())
  end)

  it("stay in f32 only among themselves", function()
    local a = weir.array.from({ 1 }, "f32")
    assert.equal("f32", (a + 1):dtype())
    assert.equal("f64", (a + weir.array.from { 1 }):dtype())
    assert.equal("f64", (weir.array.from({ 1 }, "u8") + 1):dtype())
  end)

  it("have elementary functions", function()
    local x = { 0.25, 1, 3 }
    local a = weir.array.from(x)
    for _, name in ipairs { "exp", "log", "tanh", "sqrt", "abs", "floor" } do
      local result = a[name](a)
      for i = 1, 3 do assert.near(math[name](x[i]), result:get(i), 1e-15) end
    end
  end)

  it("tell sums, means, spreads and extremes, of all or by column", function()
    local a = weir.array.from { { 1, 10 }, { 2, 30 }, { 6, 20 } }
    assert.equal(69, a:sum())
    assert.equal(11.5, a:mean())
    assert.same({ { 3, 20 } }, values(a:mean(1)))
    assert.same({ { 1, 10 } }, values(a:min(1)))
    assert.same({ { 6, 30 } }, values(a:max(1)))
    assert.near(math.sqrt(7), a:std(1):get(1, 1), 1e-14)
    assert.near(10, a:std(1):get(1, 2), 1e-14)
    assert.has_error(function() weir.array.new("f64", 0):mean() end)
  end)

  it("find the first number that is not finite", function()
    local a = weir.array.from { { 1, 2 }, { math.huge, 3 }, { 4, 0 / 0 } }
    assert.same({ 2, 1 }, { a:nonfinite() })
    assert.same({ 3, 2 }, { a:nonfinite(true) })
    assert.is_nil(weir.array.from({ 1 }, "u8"):nonfinite())
  end)

  it("have fingerprints of type, shape and contents", function()
    local a = weir.array.from { { 1, 2 }, { 3, 4 } }
    assert.equal(a:fingerprint(), weir.array.from({ { 1, 2 }, { 3, 4 } }):fingerprint())
    assert.not_equal(a:fingerprint(), a:cast("f32"):fingerprint())
    assert.not_equal(a:fingerprint(), a:reshape(1, 4):fingerprint())
    assert.not_equal(a:fingerprint(), (a + 1e-15):fingerprint())
  end)

  it("go to files and back", function()
    local a = weir.array.from { { 1.5, -2 }, { 3, 1e-300 } }
    a:save "array.npy"
    assert.same(values(a), values(weir.array.load "array.npy"))
    a:save("array.csv", { "one", "two" })
    local back, names = weir.array.load "array.csv"
    assert.same(values(a), values(back))
    assert.same({ "one", "two" }, names)
    assert.has_error(function() a:save("array.csv", { "one" }) end)
    local ok, message = pcall(a.save, a, "no/such/folder/array.npy")
    assert.is_false(ok)
    assert.is_nil(message:find "\n")
    assert.has_error(function() weir.array.load "missing.npy" end)
    local none, why = core.array.load "missing.npy"
    assert.is_nil(none)
    assert.is_string(why)
  end)

  it("give the Gaussian of highest likelihood", function()
    local random = weir.random(3)
    local x = random:normal(300, 11)
    for i = 1, 300 do x:set(i, 2, 0.5 * x:get(i, 1) + x:get(i, 2)) end
    local mean, covariance = x:covariance()
    for i = 1, 11, 5 do
      for j = 1, 11, 3 do
        local sum = 0
        for k = 1, 300 do sum = sum + (x:get(k, i) - mean:get(1, i)) * (x:get(k, j) - mean:get(1, j)) end
        assert.near(sum / 300, covariance:get(i, j), 1e-12)
      end
    end
    local factor = covariance:cholesky()
    local log_p = x:gaussian_log_prob(mean, factor)
    -- the mean of the quadratic form over the data it was fitted to is D
    local log_det = 0
    for i = 1, 11 do log_det = log_det + math.log(factor:get(i, i)) end
    assert.near(-0.5 * 11 * math.log(2 * math.pi) - log_det - 0.5 * 11, log_p:mean(), 1e-10)
    local none, why = weir.array.from({ { 1, 2 }, { 2, 1 } }):cholesky()
    assert.is_nil(none)
    assert.truthy(why:find "positive definite")
  end)

  it("survive the collector and print themselves", function()
    local text = tostring(weir.array.from { { 1, 2 } })
    assert.truthy(text:find "array f64 1 x 2")
    for _ = 1, 200 do weir.array.new("f64", 10000) end
    collectgarbage()
    assert.equal("array", getmetatable(weir.array.new("f64", 1)))
  end)
end)
