-- Every preset is a density: it integrates to one over a line and over a plane, and in eight dimensions its importance
-- weights have mean one. At weights away from where training starts, in f64. A new preset is tested by being there.
local weir = require "weir"
local core = require "weir.core"

local small = { transforms = 2, hidden = 16 }

--- A preset with few and narrow layers, and every parameter moved by noise.
local function moved_flow(name, features, data)
  local options = {}
  for _, option in ipairs(weir.presets.get(name).options or {}) do
    local value = small[option[1]]
    if value then options[option[1]] = type(option[2]) == "table" and { value } or value end
  end
  local flow = weir.presets.flow(name, options, { features = features, dtype = "f64", seed = 7 })
  flow:initialize(data)
  local random, noise = core.random(11), features > 2 and 0.1 or 0.15
  for _, tensor in ipairs(flow:parameters()) do
    if tensor.kind == "parameter" then
      local values = flow:tensor(tensor.name)
      flow:set_tensor(tensor.name, values:map(function(v) return v + noise * random:normal() end))
    end
  end
  return flow
end

--- Rows that depend on each other, of unlike scales.
local function rows_of(features)
  local random, x = core.random(3), core.array.new("f64", 400, features)
  for i = 1, 400 do
    local before = 0
    for j = 1, features do
      before = 0.5 * before + random:normal()
      x:set(i, j, j + (1 + j / features) * before)
    end
  end
  return x
end

--- Every density has a name, presets that refuse so few features included: these map to what they say.
local function build(features)
  local flows, data = {}, rows_of(features)
  for _, name in ipairs(weir.presets.names()) do
    local ok, flow = pcall(moved_flow, name, features, data)
    flows[name] = ok and flow or tostring(type(flow) == "table" and flow.usage or flow)
  end
  return flows
end

--- The middle and the half-width of a box around all mass that matters, by samples.
local function box(flow, deviations)
  local x = flow:sample(4000, { seed = 5 })
  local middle, deviation, axes = x:mean(1), x:std(1), {}
  for j = 1, x:columns() do axes[j] = { middle:get(1, j), deviations * deviation:get(1, j) } end
  return axes
end

--- The midpoint rule with n points on each axis; `twist` is added to every log-density.
local function integral(flow, n, twist)
  local axes = box(flow, 9)
  local columns, cell = #axes, 1
  local count = n ^ columns
  local x = core.array.new("f64", count, columns)
  for j, axis in ipairs(axes) do
    cell = cell * 2 * axis[2] / n
    for i = 0, count - 1 do
      local k = math.floor(i / n ^ (columns - j)) % n
      x:set(i + 1, j, axis[1] + axis[2] * (2 * (k + 0.5) / n - 1))
    end
  end
  local log_p, without = flow:log_prob(x)
  assert.equal(0, without)
  return cell * (log_p + (twist or 0)):exp():sum()
end

describe("the integral of", function()
  it("every preset over a line is one, or one feature is refused in so many words", function()
    local accepted = 0
    for name, flow in pairs(build(1)) do
      if type(flow) == "string" then
        assert.truthy(flow:find("feature", 1, true) and flow:find("has 1", 1, true), name .. ": " .. flow)
      else
        accepted = accepted + 1
        assert.near(1, integral(flow, 20000), 1e-4, name)
      end
    end
    assert.truthy(accepted >= 3)
  end)

  it("every preset over a plane is one", function()
    for name, flow in pairs(build(2)) do
      assert.is_table(flow, name .. ": " .. tostring(flow))
      assert.near(1, integral(flow, 320), 1e-3, name)
    end
  end)

  it("what is off by a hundredth is not one", function()
    local flow = moved_flow("maf", 2, rows_of(2))
    assert.near(math.exp(0.01), integral(flow, 320, 0.01), 1e-3)
  end)
end)

-- ---- eight dimensions ---------------------------------------------------------------------------------------------

local freedom = 6

--- Rows of a multivariate t around the samples of a flow, somewhat wider than they are, and their log densities.
local function proposal(flow, n)
  local samples = flow:sample(20000, { seed = 9 })
  local d, mean, covariance = samples:columns(), samples:covariance()
  local factor, random = (covariance * 1.1):cholesky(), core.random(17)
  local x, log_q = core.array.new("f64", n, d), core.array.new("f64", n)
  -- Gamma((f + d)/2) / Gamma(f/2) for an even d
  local constant = -d / 2 * math.log(freedom * math.pi)
  for k = 0, d / 2 - 1 do constant = constant + math.log(freedom / 2 + k) end
  for j = 1, d do constant = constant - math.log(factor:get(j, j)) end
  for i = 1, n do
    local chi, square, e = 0, 0, {}
    for _ = 1, freedom do chi = chi + random:normal() ^ 2 end
    for j = 1, d do
      e[j] = random:normal() * math.sqrt(freedom / chi)
      square = square + e[j] ^ 2
      local value = mean:get(1, j)
      for k = 1, j do value = value + factor:get(j, k) * e[k] end
      x:set(i, j, value)
    end
    log_q:set(i, constant - (freedom + d) / 2 * math.log(1 + square / freedom))
  end
  return x, log_q
end

--- Mean weight, its standard error, and the effective sample size (sum w)^2 / sum w^2.
local function weigh(log_p, log_q)
  local w = (log_p - log_q):exp()
  local n, sum, squares = w:count(), w:sum(), (w * w):sum()
  local mean = sum / n
  return mean, math.sqrt((squares / n - mean ^ 2) / (n - 1)), sum ^ 2 / squares
end

describe("importance weights", function()
  local n = 20000

  it("of every preset in eight dimensions have mean one", function()
    for name, flow in pairs(build(8)) do
      assert.is_table(flow, name .. ": " .. tostring(flow))
      local x, log_q = proposal(flow, n)
      local log_p, without = flow:log_prob(x)
      local mean, deviation, effective = weigh(log_p, log_q)
      local text = ("%s: %.4f +- %.4f, %d of %d effective"):format(name, mean, deviation, effective, n)
      print("# " .. text)
      assert.equal(0, without, text)
      assert.truthy(effective > n / 20, text)
      assert.truthy(deviation < 0.035, text)
      assert.truthy(math.abs(mean - 1) < 4 * deviation, text)
    end
  end)

  it("tell a density that is off by a seventh, and one without its log-det", function()
    local flow = moved_flow("realnvp", 8, rows_of(8))
    local x, log_q = proposal(flow, n)
    local log_p = flow:log_prob(x)
    local _, log_det = flow:forward(x)
    for _, wrong in ipairs { log_p + math.log(8 / 7), log_p - log_det, log_p - log_det * 2 } do
      local mean, deviation = weigh(wrong, log_q)
      assert.truthy(math.abs(mean - 1) > 4 * deviation)
    end
  end)
end)
