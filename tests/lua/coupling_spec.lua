local weir = require "weir"

local narrow = weir.mlp { hidden = { 5 }, activation = "tanh" }

--- A flow of the layers with random weights, so that nothing is near the identity.
local function random_flow(options)
  options.dtype = "f64"
  local flow = weir.flow(options)
  local dice = weir.random(3)
  for _, tensor in ipairs(flow:parameters()) do
    if tensor.kind == "parameter" then flow:set_tensor(tensor.name, dice:normal(tensor.count, 1) * 0.5) end
  end
  return flow
end

--- Gives `to` the tensors of `from` under other names: pairs of prefixes.
local function copy(from, to, prefixes)
  for _, tensor in ipairs(from:parameters()) do
    for old, new in pairs(prefixes) do
      if tensor.name:sub(1, #old) == old then to:set_tensor(new .. tensor.name:sub(#old + 1), from:tensor(tensor.name)) end
    end
  end
end

local function points(rows, features)
  return weir.random(7):normal(rows, features):cast "f64"
end

local function assert_equal_arrays(expected, actual, tolerance)
  for i = 1, expected:rows() do
    for j = 1, expected:columns() do assert.near(expected:get(i, j), actual:get(i, j), tolerance) end
  end
end

--- Both say the same in both directions.
local function assert_same_maps(one, other, features)
  local x = points(9, features)
  local z, log_det = one:forward(x)
  local z_other, log_det_other = other:forward(x)
  assert_equal_arrays(z, z_other, 1e-12)
  local back, log_back = one:inverse(z)
  local back_other, log_back_other = other:inverse(z)
  assert_equal_arrays(x, back, 1e-11)
  assert_equal_arrays(back, back_other, 1e-11)
  for i = 1, 9 do
    assert.near(log_det:get(i), log_det_other:get(i), 1e-12)
    assert.near(log_back:get(i), log_back_other:get(i), 1e-11)
  end
end

--- The features, from 1, that come through unchanged.
local function passing(options, features, image)
  options.network = narrow
  local flow = random_flow { weir.coupling(options), features = features, image = image }
  local x = points(3, features)
  local z, out = flow:forward(x), {}
  for f = 1, features do
    if z:get(1, f) == x:get(1, f) and z:get(2, f) == x:get(2, f) then out[#out + 1] = f end
  end
  return out
end

describe("a coupling's mask", function()
  it("divides pictures, channels first, then rows, then columns", function()
    local wide, tall = { 2, 3, 4 }, { 3, 2, 1 }
    local function of(mask) return passing({ mask = mask }, 24, wide) end
    assert.same({ 1, 2, 3, 4, 13, 14, 15, 16 }, of "top")
    assert.same({ 5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19, 20, 21, 22, 23, 24 }, of "bottom")
    assert.same({ 1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22 }, of "left")
    assert.same({ 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23, 24 }, of "right")
    assert.same({ 2, 4, 5, 7, 10, 12, 14, 16, 17, 19, 22, 24 }, of "checkerboard")
    assert.same({ 1, 3, 6, 8, 9, 11, 13, 15, 18, 20, 21, 23 }, of "checkerboard_swapped")
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, of "channel")
    assert.same({ 1, 2 }, passing({ mask = "channel" }, 6, tall))
    assert.same({ 3, 4, 5, 6 }, passing({ mask = "channel_swapped" }, 6, tall))
    assert.same({ 1, 3, 5 }, passing({ mask = "top" }, 6, tall))
  end)

  it("divides vectors", function()
    assert.same({ 1, 2 }, passing({ mask = "half" }, 5))
    assert.same({ 3, 4, 5 }, passing({ mask = "half_swapped" }, 5))
    assert.same({ 1, 3, 5 }, passing({ mask = "odd" }, 5))
    assert.same({ 2, 4 }, passing({ mask = "even" }, 5))
    assert.same({ 2, 5 }, passing({ mask = "given", pass = { 5, 2 } }, 5))
    assert.same({ 3, 4, 7 }, passing({ mask = "period", period = 2 }, 7))
    assert.same({ 1, 2, 5, 6 }, passing({ mask = "period", period = 2, first = 1 }, 7))
    assert.same({ 1, 2, 3, 4, 5, 6 }, passing({ mask = "period", period = 6, first = 1 }, 7))
  end)

  it("says what is missing", function()
    local function complaint(options, features, image)
      local ok, message = pcall(passing, options, features, image)
      assert.is_false(ok)
      return message
    end
    assert.truthy(complaint({ mask = "top" }, 6):find("image = {channels, height, width}", 1, true))
    assert.truthy(complaint({ mask = "channel" }, 6, { 1, 2, 3 }):find "nothing to pass in an image of 1 channels")
    assert.truthy(complaint({ mask = "left" }, 6, { 3, 2, 1 }):find "nothing to pass")
    assert.truthy(complaint({ mask = "checkerboard" }, 2, { 2, 1, 1 }):find "nothing to pass")
    assert.truthy(complaint({ mask = "checkerboard_swapped" }, 2, { 2, 1, 1 }):find "nothing to move")
    assert.truthy(complaint({ mask = "period", period = 6 }, 6):find "below the 6 features")
    assert.truthy(complaint({ mask = "period" }, 6):find "needs the option period")
    assert.truthy(complaint({ mask = "odd", period = 2 }, 6):find 'mask = "period" only')
    assert.truthy(complaint({ mask = "given", pass = { 1 }, first = 1 }, 6):find 'mask = "period" only')
    assert.truthy(complaint({}, 1):find "at least 2 features")
  end)
end)

describe("reversible", function()
  it("is two additive couplings", function()
    for _, features in ipairs { 2, 4, 5 } do
      local one = random_flow { weir.reversible { f = narrow, g = narrow }, features = features }
      local two = random_flow {
        weir.coupling { mask = "half_swapped", univariate = "additive", network = narrow },
        weir.coupling { mask = "half", univariate = "additive", network = narrow },
        features = features,
      }
      copy(one, two, { ["flow.1.f"] = "flow.1.network", ["flow.1.g"] = "flow.2.network" })
      assert_same_maps(one, two, features)
    end
  end)

  it("needs two features", function()
    assert.has_error(function() weir.flow { weir.reversible(), features = 1 } end)
  end)
end)

describe("gin", function()
  it("is an affine coupling whose scales have the product 1", function()
    local features = 7
    local gin = random_flow { weir.gin { network = narrow, bound = 1 }, features = features }
    local affine = random_flow { weir.coupling { univariate = weir.affine { bound = 1 }, network = narrow },
      features = features }
    copy(gin, affine, { ["flow.1"] = "flow.1" })
    local x = points(6, features)
    local z, log_det = gin:forward(x)
    local y, sum = affine:forward(x)
    -- with the shifts known from x = 0, the scales of the two differ by the same factor, whose logarithm is the mean
    local at_zero = x + 0
    for i = 1, 6 do
      for f = 4, 7 do at_zero:set(i, f, 0) end
    end
    local shift, shift_affine = gin:forward(at_zero), affine:forward(at_zero)
    for i = 1, 6 do
      assert.equal(0, log_det:get(i))
      for f = 4, 7 do
        local scale = (z:get(i, f) - shift:get(i, f)) / x:get(i, f)
        local scale_affine = (y:get(i, f) - shift_affine:get(i, f)) / x:get(i, f)
        assert.near(math.log(scale_affine) - sum:get(i) / 4, math.log(scale), 1e-9)
      end
    end
  end)

  it("is additive when one feature is moved", function()
    local gin = random_flow { weir.gin { network = narrow }, features = 2 }
    local additive = random_flow { weir.coupling { univariate = "additive", network = narrow }, features = 2 }
    copy(gin, additive, { ["flow.1"] = "flow.1" })
    assert_same_maps(gin, additive, 2)
  end)
end)

describe("all_in_one", function()
  local features = 5

  local function softplus(g) return math.log(1 + math.exp(g)) end

  --- The chain of its parts up to the permutation, with the same weights; scale_of(g) is the global scale.
  local function parts_of(one, scale_of, options, after)
    local chain = random_flow {
      weir.coupling { mask = options.mask, univariate = weir.affine { bound = options.bound or 2 }, network = narrow },
      weir.elementwise { univariate = weir.affine { bound = 0 } },
      after or weir.stack(0, function() end),
      features = features,
    }
    copy(one, chain, { ["flow.1.network"] = "flow.1.network" })
    local scale, shift, params = one:tensor "flow.1.scale", one:tensor "flow.1.shift", {}
    for f = 1, features do params[f] = { math.log(scale_of(scale:get(f))), shift:get(f) } end
    chain:set_tensor("flow.2.params", weir.array.from(params, "f64"))
    return chain
  end

  it("with a hard permutation is coupling, elementwise and permutation", function()
    for _, case in ipairs { { scale = "softplus", of = softplus, mask = "odd" }, { scale = "exp", of = math.exp, bound = 3 } } do
      local one = random_flow { weir.all_in_one { permutation = "hard", seed = 4, scale = case.scale, mask = case.mask,
        bound = case.bound, network = narrow }, features = features }
      local order, from_one = one:tensor "flow.1.order", {}
      for f = 1, features do from_one[f] = order:get(f) + 1 end
      assert.not_same({ 1, 2, 3, 4, 5 }, from_one)
      assert_same_maps(one, parts_of(one, case.of, case, weir.permutation { kind = "given", order = from_one }), features)
    end
  end)

  --- z = Q u for the rows of u.
  local function turned(q, u)
    local out = {}
    for i = 1, u:rows() do
      out[i] = {}
      for f = 1, features do
        local sum = 0
        for k = 1, features do sum = sum + q[f][k] * u:get(i, k) end
        out[i][f] = sum
      end
    end
    return weir.array.from(out, "f64")
  end

  --- H q with H the reflection along v.
  local function reflected(v, q)
    local square, out = 0, {}
    for f = 1, features do square = square + v[f] ^ 2 end
    for f = 1, features do
      out[f] = {}
      for k = 1, features do
        local along = 0
        for i = 1, features do along = along + v[i] * q[i][k] end
        out[f][k] = q[f][k] - 2 * v[f] * along / square
      end
    end
    return out
  end

  it("with a soft permutation turns what coupling and elementwise give", function()
    for reflections = 0, 2 do
      local one = random_flow { weir.all_in_one { reflections = reflections, network = narrow }, features = features }
      local q = one:tensor("flow.1.rotation"):to_table()
      for k = reflections, 1, -1 do q = reflected(one:tensor("flow.1.reflections"):to_table()[k], q) end
      for f = 1, features do
        for g = 1, features do
          local product = 0
          for k = 1, features do product = product + q[f][k] * q[g][k] end
          assert.near(f == g and 1 or 0, product, 1e-12)
        end
      end
      local x = points(9, features)
      local z, log_det = one:forward(x)
      local u, log_det_parts = parts_of(one, softplus, {}):forward(x)
      assert_equal_arrays(turned(q, u), z, 1e-12)
      local back, log_back = one:inverse(z)
      assert_equal_arrays(x, back, 1e-11)
      for i = 1, 9 do
        assert.near(log_det_parts:get(i), log_det:get(i), 1e-12)
        assert.near(-log_det:get(i), log_back:get(i), 1e-11)
      end
    end
  end)

  it("starts as the rotation alone", function()
    for _, scale in ipairs { "softplus", "exp" } do
      local flow = weir.flow { weir.all_in_one { scale = scale, network = narrow }, features = features, dtype = "f64" }
      local x = points(6, features)
      local z, log_det = flow:forward(x)
      assert_equal_arrays(turned(flow:tensor("flow.1.rotation"):to_table(), x), z, 1e-12)
      for i = 1, 6 do assert.near(0, log_det:get(i), 1e-12) end
    end
  end)

  it("that keeps volume is gin, a shift and a permutation", function()
    local one = random_flow { weir.all_in_one { permutation = "hard", seed = 4, volume_preserving = true,
      network = narrow }, features = features }
    local order, from_one = one:tensor "flow.1.order", {}
    for f = 1, features do from_one[f] = order:get(f) + 1 end
    local chain = random_flow { weir.gin { bound = 2, network = narrow }, weir.shift(),
      weir.permutation { kind = "given", order = from_one }, features = features }
    copy(one, chain, { ["flow.1.network"] = "flow.1.network", ["flow.1.shift"] = "flow.2.shift" })
    assert_same_maps(one, chain, features)
    local _, log_det = one:forward(points(4, features))
    for i = 1, 4 do assert.equal(0, log_det:get(i)) end
  end)

  it("keeps its draws in the file, and draws others elsewhere", function()
    for _, kind in ipairs { "soft", "hard" } do
      local layer = weir.all_in_one { permutation = kind, network = narrow }
      local flow = random_flow { layer, layer, features = 8 }
      local name = kind == "soft" and "rotation" or "order"
      assert.not_same(flow:tensor("flow.1." .. name):to_table(), flow:tensor("flow.2." .. name):to_table())
      flow:save "all_in_one.safetensors"
      local x = points(5, 8)
      assert.same(flow:forward(x):to_table(), weir.load("all_in_one.safetensors"):forward(x):to_table())
    end
  end)

  it("refuses tensors that are not what they must be", function()
    local function refused(options, name, value)
      options.network = narrow
      local flow = random_flow { weir.all_in_one(options), features = 3 }
      local ok, message = pcall(function()
        flow:set_tensor("flow.1." .. name, weir.array.from(value, "f64"))
        flow:forward(points(2, 3))
      end)
      assert.is_false(ok)
      return message
    end
    assert.truthy(refused({}, "rotation", { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1.001 } }):find "not an orthogonal matrix")
    assert.truthy(refused({ permutation = "hard" }, "order", { 0, 1, 1 }):find "out of range or there twice")
    assert.truthy(refused({}, "scale", { 0, -800, 0 }):find "scale of feature 2")
    assert.truthy(refused({ reflections = 1 }, "reflections", { { 0, 1 / 0, 0 } }):find "reflection 1 is not finite")
    assert.has_error(function()
      weir.flow { weir.all_in_one { permutation = "hard", reflections = 2 }, features = 3 }
    end)
  end)
end)
