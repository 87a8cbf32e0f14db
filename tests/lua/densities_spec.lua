-- Base densities: values known in closed form, what lies outside a support, fitting, sampling, and what is refused.
local weir = require "weir"
local core = require "weir.core"

local function flow_of(base, features)
  return weir.flow { base = base, features = features, dtype = "f64" }
end

--- log p of every row of a table; a table.
local function log_p(flow, rows)
  local values, without = flow:log_prob(core.array.from(rows))
  local out = {}
  for i = 1, #rows do out[i] = values:get(i) end
  return out, without
end

local function expect(base, rows, wanted)
  local got, without = log_p(flow_of(base, #rows[1]), rows)
  assert.equal(0, without)
  for i = 1, #rows do
    if wanted[i] == -math.huge then assert.equal(wanted[i], got[i]) else assert.near(wanted[i], got[i], 1e-12) end
  end
end

local log, pi, inf = math.log, math.pi, math.huge

describe("densities of known formula", function()
  it("on the line", function()
    expect(weir.logistic(), { { 0 }, { 2 }, { -700 } }, { log(0.25), 2 - 2 * log(1 + math.exp(2)), -700 })
    expect(weir.logistic { location = 1, scale = 2 }, { { 1 } }, { log(0.25) - log(2) })
    expect(weir.laplace(), { { 0 }, { -3 }, { 1e30 } }, { log(0.5), log(0.5) - 3, -1e30 })
    expect(weir.laplace { location = 5, scale = 0.1 }, { { 5.2 } }, { log(5) - 2 })
    expect(weir.student_t(), { { 0 }, { 1 } }, { log(2 / (math.sqrt(3) * pi)), log(6 * math.sqrt(3) / (pi * 16)) })
    expect(weir.student_t { degrees_of_freedom = 1 }, { { 0 }, { 3 }, { 1e200 } },
      { -log(pi), -log(10 * pi), -log(pi) - 400 * log(10) })
    -- 2 degrees: (2 + x^2)^(-3/2); so many that the normal density is reached
    expect(weir.student_t { degrees_of_freedom = 2 }, { { 1.5 } }, { -1.5 * log(2 + 1.5 ^ 2) })
    local near_normal = log_p(flow_of(weir.student_t { degrees_of_freedom = 1e6 }, 1), { { 1 } })[1]
    assert.near(-log(2 * pi) / 2 - 0.5, near_normal, 1e-6)
  end)

  it("on intervals, and -infinity outside without a row being given up", function()
    expect(weir.beta { a = 3, b = 2 }, { { 0.25 }, { -0.1 }, { 1.5 }, { 0 }, { 1 } },
      { log(12 * 0.25 ^ 2 * 0.75), -inf, -inf, -inf, -inf })
    expect(weir.beta { a = 0.5, b = 0.5 }, { { 0.1 } }, { -log(pi * math.sqrt(0.09)) })
    expect(weir.beta { a = 1, b = 1 }, { { 1e-300 } }, { 0 })
    expect(weir.uniform { lowers = { 0, -1 }, uppers = { 2, 4 } }, { { 1, 3.9 }, { 1, -1.1 }, { 0, -1 } },
      { -log(10), -inf, -log(10) })
    expect(weir.truncated_normal { lower = 0 }, { { 1 }, { -1e-9 } }, { log(2) - log(2 * pi) / 2 - 0.5, -inf })
    -- Phi(2) - Phi(1) = 0.13590512198327787
    expect(weir.truncated_normal { lower = 1, upper = 2 }, { { 1.5 }, { 2.1 } },
      { -log(2 * pi) / 2 - 1.125 - log(0.13590512198327787), -inf })
    -- an interval so far out that the mass underflows: the density near its end is exponential with rate 100
    local far = log_p(flow_of(weir.truncated_normal { lower = 100 }, 1), { { 100 }, { 100.01 } })
    assert.near(log(100) + 1 / 100 ^ 2, far[1], 1e-7)
    assert.near(-1 - 0.01 ^ 2 / 2, far[2] - far[1], 1e-9)
  end)

  it("full normal, as the Gaussian of its mean and covariance", function()
    local flow = flow_of(weir.normal { trainable = true, covariance = "full" }, 3)
    local factor = { { 2, 0, 0 }, { -0.5, 0.7, 0 }, { 1.5, 0.3, 1.1 } }
    flow:set_tensor("base.mean", core.array.from { 1, -2, 3 })
    flow:set_tensor("base.log_scale", core.array.from { log(2), log(0.7), log(1.1) })
    flow:set_tensor("base.factor", core.array.from { -0.5, 1.5, 0.3 })
    local x = core.array.from { { 0, 0, 0 }, { 1, -2, 3 }, { 5, 5, -5 } }
    local wanted = x:gaussian_log_prob(core.array.from { { 1, -2, 3 } }, core.array.from(factor))
    local got = flow:log_prob(x)
    for i = 1, 3 do assert.near(wanted:get(i), got:get(i), 1e-12) end
    local _, covariance = flow:sample(200000, { seed = 1 }):covariance()
    for i = 1, 3 do
      for j = 1, 3 do
        local value = 0
        for k = 1, 3 do value = value + factor[i][k] * factor[j][k] end
        assert.near(value, covariance:get(i, j), 0.05)
      end
    end
  end)

  it("mixture, as the sum of its components", function()
    local flow = flow_of(weir.gaussian_mixture { components = 3 }, 2)
    local weights, mean = { 0.2, 0.5, 0.3 }, { { 0, 0 }, { 3, -1 }, { -2, 8 } }
    local scale = { { 1, 2 }, { 0.5, 0.1 }, { 3, 1 } }
    flow:set_tensor("base.logit", core.array.from { log(0.2) + 7, log(0.5) + 7, log(0.3) + 7 })
    flow:set_tensor("base.mean", core.array.from(mean))
    flow:set_tensor("base.log_scale", core.array.from(scale):log())
    local rows = { { 0, 0 }, { 3, -1 }, { -2, 7 }, { 40, -60 } }
    local got = log_p(flow, rows)
    for i, row in ipairs(rows) do
      local most, terms, sum = -inf, {}, 0
      for k = 1, 3 do
        terms[k] = log(weights[k]) - log(2 * pi)
        for j = 1, 2 do
          terms[k] = terms[k] - ((row[j] - mean[k][j]) / scale[k][j]) ^ 2 / 2 - log(scale[k][j])
        end
        most = math.max(most, terms[k])
      end
      for k = 1, 3 do sum = sum + math.exp(terms[k] - most) end
      assert.near(most + log(sum), got[i], 1e-11)
    end
  end)

  it("product, as the sum of its factors", function()
    local parts = { weir.beta { a = 2, b = 5 }, weir.student_t(), weir.truncated_normal { upper = 1 } }
    local rows = { { 0.3, 2, 0.5 }, { 0.9, -7, -4 }, { 0.9, -7, 4 } }
    local wanted = { 0, 0, 0 }
    for k, part in ipairs(parts) do
      local alone = {}
      for i, row in ipairs(rows) do alone[i] = { row[k] } end
      for i, value in ipairs((log_p(flow_of(part, 1), alone))) do wanted[i] = wanted[i] + value end
    end
    expect(weir.product(parts), rows, wanted)
    assert.equal(-inf, wanted[3])
    expect(weir.product { sizes = { 2, 1 }, "normal", weir.uniform() }, { { 0, 0, 0.5 } }, { -log(2 * pi) })
  end)

  it("a flow, as the same layers in the model's own flow", function()
    local function layers()
      return { weir.coupling { network = weir.mlp { hidden = 8 } }, weir.lu_linear() }
    end
    local under = layers()
    under.base = weir.logistic()
    local inside = weir.flow { base = weir.flow_density(under), features = 3, dtype = "f64", seed = 4 }
    local outside = layers()
    outside.base, outside.features, outside.dtype = weir.logistic(), 3, "f64"
    local plain = weir.flow(outside)
    local random = core.random(2)
    for _, tensor in ipairs(inside:parameters()) do
      if tensor.kind == "parameter" then
        local values = inside:tensor(tensor.name):map(function(v) return v + 0.3 * random:normal() end)
        inside:set_tensor(tensor.name, values)
        plain:set_tensor((tensor.name:gsub("^base%.layer", "flow")), values)
      end
    end
    local x = plain:sample(50, { seed = 3 })
    local a, b = inside:log_prob(x), plain:log_prob(x)
    for i = 1, 50 do assert.near(b:get(i), a:get(i), 1e-12) end
    local drawn, log_q = inside:sample(50, { seed = 3 })
    local again = plain:log_prob(drawn)
    for i = 1, 50 do assert.near(again:get(i), log_q:get(i), 1e-9) end
    local slope_in, slope_out = inside:score(x), plain:score(x)
    for i = 1, 50 do assert.near(slope_out:get(i, 2), slope_in:get(i, 2), 1e-11) end
  end)
end)

describe("a flow as a base", function()
  it("has the same gradients when its layers are recomputed on the way back", function()
    local function maf() return weir.autoregressive { network = weir.made { hidden = 8 } } end
    local base = weir.flow_density { weir.coupling { network = weir.mlp { hidden = 8 } }, weir.lu_linear(), maf(),
      base = weir.product { sizes = { 2, 1 }, weir.normal { trainable = true, covariance = "full" }, weir.laplace() } }
    local flow = weir.flow { maf(), weir.shift(), base = base, features = 3, dtype = "f64" }
    local random = core.random(1)
    for _, tensor in ipairs(flow:parameters()) do
      local values = tensor.kind == "parameter" and flow:tensor(tensor.name)
      if values then flow:set_tensor(tensor.name, values:map(function(v) return v + 0.2 * random:normal() end)) end
    end
    local x = flow:sample(200, { seed = 2 })
    local function gradients()
      local trainer = flow:trainer()
      local _, forward = trainer:gradient { x = x }
      local _, reverse = trainer:gradient { target = weir.normal(), samples = 128 }
      return forward, reverse
    end
    local forward, reverse = gradients()
    flow:get_model():set_recompute(true)
    local forward_again, reverse_again = gradients()
    assert.truthy(forward:abs():max() > 0.1 and reverse:abs():max() > 0.1)
    assert.near(0, (forward - forward_again):abs():max(), 1e-9)
    assert.near(0, (reverse - reverse_again):abs():max(), 1e-9)
  end)
end)

describe("trainable densities", function()
  local function fitted(base, x, options)
    local flow = flow_of(base, x:columns())
    local o = { epochs = 60, batch = 500, lr = 0.05, progress = false, patience = 0 }
    for key, value in pairs(options or {}) do o[key] = value end
    flow:fit(x, o)
    return flow
  end

  it("find the parameters that data were drawn with", function()
    local x = flow_of(weir.beta { a = { 3, 0.7 }, b = { 0.5, 20 } }, 2):sample(4000, { seed = 8 })
    local a, b = fitted(weir.beta { trainable = true }, x), { 3, 0.7 }
    for j = 1, 2 do assert.near(log(b[j]), a:tensor("base.log_a"):get(j), 0.1) end
    x = flow_of(weir.student_t { location = 5, scale = 0.2 }, 1):sample(4000, { seed = 8 })
    local t = fitted(weir.student_t { trainable = true, location = 4 }, x, { lr = 0.02 })
    assert.near(5, t:tensor("base.location"):get(1), 0.03)
    assert.near(log(0.2), t:tensor("base.log_scale"):get(1), 0.1)
    x = flow_of(weir.truncated_normal { location = 1, scale = 2, lower = 0, upper = 3 }, 1):sample(8000, { seed = 8 })
    local cut = fitted(weir.truncated_normal { trainable = true, lower = 0, upper = 3 }, x, { epochs = 120, lr = 0.03 })
    local drawn = cut:sample(4000, { seed = 1 })
    assert.near(x:mean(), drawn:mean(), 0.05)
    assert.truthy(drawn:min() >= 0 and drawn:max() <= 3)
  end)

  it("a mixture finds the clusters", function()
    local data = weir.data.eight_gaussians { n = 2000, seed = 1 }
    local mean, covariance = data.x:covariance()
    local gaussian = data.x:gaussian_log_prob(mean, covariance:cholesky()):mean()
    local mixture = fitted(weir.gaussian_mixture { components = 16, spread = 2 }, data.x)
    assert.truthy(mixture:log_prob(data):mean() > gaussian + 0.8)
  end)

  it("reverse KL moves a base whose samples carry gradients, and refuses one whose do not", function()
    local target = weir.normal()
    local function train(base, layer)
      local flow = weir.flow { layer, base = base, features = 1, dtype = "f64" }
      flow:fit(nil, { target = target, epochs = 3, steps_per_epoch = 60, samples = 256, lr = 0.05, progress = false,
        patience = 0 })
      return flow
    end
    local flow = train(weir.logistic { trainable = true, location = 2 })
    assert.near(0, flow:tensor("base.location"):get(1), 0.15)
    assert.near(log(0.59), flow:tensor("base.log_scale"):get(1), 0.15)
    local ok, message = pcall(train, weir.gaussian_mixture { components = 2 })
    assert.is_false(ok)
    assert.truthy(tostring(message):find("carry no gradient", 1, true), tostring(message))
    local moved = train(weir.gaussian_mixture { components = 2, spread = 0.1, frozen = true }, weir.scale { start = 3 })
    assert.near(1, moved:sample(20000, { seed = 1 }):std(), 0.1)
  end)
end)

describe("densities refuse", function()
  local function refusal(base, features, ...)
    local layers = { ... }
    layers.base, layers.features = base, features
    local ok, message = pcall(weir.flow, layers)
    assert.is_false(ok)
    message = tostring(message)
    assert.is_nil(message:find "\n")
    return message
  end
  local function says(text, ...)
    local message = refusal(...)
    assert.truthy(message:find(text, 1, true), message)
  end

  it("layers that leave their support, by name", function()
    says("base (beta) needs lane 1 in the interval 0 to 1, but flow.1 (lu_linear) gives the whole line", weir.beta(), 2,
      weir.lu_linear())
    says("base (truncated_normal) needs lane 2 in the interval 2 to inf", weir.truncated_normal { lower = { -1, 2 } }, 2,
      weir.elementwise { univariate = weir.softplus() })
    says("base (product) needs lane 2 in the interval 0 to 1", weir.product { "normal", "beta" }, 2, weir.lu_linear())
    says("base.base (beta) needs lane 1", weir.flow_density { weir.lu_linear(), base = "beta" }, 2)
  end)

  it("options that contradict each other", function()
    says("lower = 2 of feature 1 must be less than upper = 1", weir.truncated_normal { lower = 2, upper = 1 }, 1)
    says("lower = 4 must be less than upper = 4 (feature 2)", weir.uniform { lowers = { 0, 4 }, uppers = { 1, 4 } }, 2)
    says("a has 3 numbers for 2 features: give 1 or 2", weir.beta { a = { 1, 2, 3 } }, 2)
    says("covariance = full needs trainable = true", weir.normal { covariance = "full" }, 2)
    says("the 1 factors take 1 features, the input has 2", weir.product { "normal" }, 2)
    says("factor 3 needs 1 features, 0 of the input's 2 are left", weir.product { "normal", "beta", "normal" }, 2)
    says("sizes has 2 numbers for 1 factors", weir.product { sizes = { 1, 1 }, "normal" }, 2)
    says("sizes has 2 numbers, and there are more factors",
      weir.product { sizes = { 1, 1 }, "normal", "normal", "normal" }, 3)
    says("degrees_of_freedom", weir.student_t { degrees_of_freedom = 0 }, 1)
  end)

  it("a layer that starts from data where the data does not come", function()
    local flow = flow_of(weir.flow_density { weir.standardize() }, 1)
    local ok, message = pcall(function() flow:fit(weir.data.peaks { n = 50 }, { epochs = 1, progress = false }) end)
    assert.is_false(ok)
    assert.truthy(tostring(message):find("stands where the host cannot watch it", 1, true), tostring(message))
  end)
end)
