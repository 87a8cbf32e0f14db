local weir = require "weir"
local runtime = require "weir.runtime"

describe("methods of modules", function()
  local flow = weir.flow {
    weir.linear { parameterization = "full" },
    weir.elementwise { univariate = weir.rq_spline { bins = 4 } },
    weir.permutation { kind = "given", order = { 2, 3, 1 } },
    base = weir.normal { trainable = true, covariance = "full" },
    features = 3, dtype = "f64",
  }

  local function refused(pattern, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(pattern, 1, true), tostring(message))
  end

  it("give arrays and numbers", function()
    flow:set_tensor("flow.1.weight", weir.array.from { { 1, 2, 3 }, { 0, 1, 4 }, { 0, 0, 1 } })
    assert.equal(4, flow:node("flow.1"):matrix():get(2, 3))
    assert.equal(4, flow:node(1):matrix():get(2, 3))
    assert.equal(3, flow:node(3):order():get(2))
    assert.equal(1, flow:node("base"):covariance():get(1, 1))
  end)

  it("take arrays, tables and numbers", function()
    local theta = flow:node(2):parameters(3)
    local spline = flow:node "flow.2.univariate"
    local x, y, slope = spline:knots(theta)
    assert.equal(-5, x:get(1))
    assert.equal(5, x:get(5))
    assert.is_true(math.abs(x:get(4) - 2.5) < 1e-12 and math.abs(y:get(3)) < 1e-12)
    assert.is_true(math.abs(slope:get(3) - 1) < 1e-12)
    local zeros = {}
    for i = 1, 11 do zeros[i] = 0 end
    assert.is_true(math.abs((spline:knots(zeros)):get(4) - 2.5) < 1e-12)
  end)

  it("follow the parameters", function()
    local before = flow:node(1):matrix():get(1, 2)
    flow:set_tensor("flow.1.weight", weir.array.from { { 1, 7, 3 }, { 0, 1, 4 }, { 0, 0, 1 } })
    assert.are_not.equal(before, flow:node(1):matrix():get(1, 2))
  end)

  it("are refused with what was expected", function()
    local many = {}
    for i = 1, 17 do many[i] = i end
    refused("17 arguments are too many", function() flow:node("flow.1"):matrix(unpack(many)) end)
    local spline = flow:node "flow.2.univariate"
    refused('did you mean "knots"?', spline.knotes, spline)
    refused("expected 1 argument, got 0", spline.knots, spline)
    refused("expected real theta[params], here 11, got 2 numbers", spline.knots, spline, { 1, 2 })
    refused("expected real theta[params], got a text", spline.knots, spline, "zeros")
    refused("expected a number, a text or an array", spline.knots, spline, true)
    refused("not finite", spline.knots, spline, { 0 / 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })
    refused("there is no feature 4", function() return flow:node(2):parameters(4) end)
    refused("expected integer feature, got 1.5", function() return flow:node(2):parameters(1.5) end)
    refused("did you mean flow.2?", flow.node, flow, "flow.22")
    refused("call it with a colon", spline.knots)
    refused("no fields to set", function() spline.knots = 1 end)
  end)

  it("are listed", function()
    local module = runtime.schema "linear"
    assert.equal("matrix", module.methods[1].name)
    assert.equal("() -> real w[out][in]", module.methods[1].signature)
    assert.equal("module flow.1", tostring(flow:node(1)))
  end)
end)
