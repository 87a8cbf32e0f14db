-- Flows over constrained spaces, as a script makes them: the layer names the space, all else is as usual.
local weir = require "weir"

local function mixed()
  return weir.stack(2, function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", network = weir.mlp { hidden = { 16 } } }
  end)
end

-- Shares of three parts: two ratios that follow a bent law, and what is left.
local function shares(rows, seed)
  local random = weir.random(seed)
  local noise = random:normal(rows, 2)
  local out = {}
  for i = 1, rows do
    local a, b = noise:get(i, 1), noise:get(i, 2)
    local parts = { math.exp(a), math.exp(0.3 * b + a * a / 3), 1 }
    local sum = parts[1] + parts[2] + parts[3]
    out[i] = { parts[1] / sum, parts[2] / sum, parts[3] / sum }
  end
  return out
end

describe("flows over constrained spaces", function()
  local folder = os.tmpname()
  os.remove(folder)

  it("fit shares, and sample shares", function()
    local data = weir.data.from(shares(600, 1))
    local flow = weir.flow { weir.stick_breaking(), mixed() }
    flow:fit(data, { epochs = 20, batch = 64, lr = 5e-3, progress = false })
    local x, log_p = flow:sample(300, { seed = 2 })
    assert.equal(300, x:rows())
    assert.equal(3, x:columns())
    for i = 1, 300 do
      assert.near(1, x:get(i, 1) + x:get(i, 2) + x:get(i, 3), 1e-6)
      assert.truthy(x:get(i, 1) >= 0 and x:get(i, 2) >= 0 and x:get(i, 3) >= 0)
    end
    local again = flow:log_prob(x)
    for i = 1, 300 do assert.near(again:get(i), log_p:get(i), 1e-2) end
  end)

  it("keep their space in a file", function()
    local path = folder .. ".safetensors"
    local data = weir.data.from(shares(200, 3))
    local flow = weir.flow { weir.stick_breaking(), mixed() }
    flow:fit(data, { epochs = 1, progress = false })
    flow:save(path)
    local again = weir.load(path)
    os.remove(path)
    assert.same(flow:sample(5, { seed = 1 }):to_table(), again:sample(5, { seed = 1 }):to_table())
  end)

  it("are refused where spaces do not meet, by name", function()
    assert.has_error(function() weir.flow { features = 3, weir.stick_breaking(), weir.stick_breaking() } end)
    local ok, message = pcall(weir.flow, { features = 3, weir.stick_breaking(), weir.sphere() })
    assert.falsy(ok)
    assert.truthy(tostring(message):find("flow.1 (stick_breaking)", 1, true), tostring(message))
    assert.truthy(tostring(message):find("flow.2 (sphere)", 1, true), tostring(message))
  end)
end)
