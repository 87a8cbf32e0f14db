local weir = require "weir"
local node = require "weir.node"

local function complaint(fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  return message
end

describe("module descriptions", function()
  it("come from the installed modules' own schemas", function()
    local made = weir.coupling { mask = "even", univariate = weir.rq_spline { bins = 4 }, network = "mlp" }
    assert.same({ type = "coupling", options = { mask = "even" },
      children = { univariate = { type = "rq_spline", options = { bins = 4 } }, network = { type = "mlp" } } },
      node.plain(made))
    for _, module in ipairs(weir.modules()) do
      assert.is_function(weir[module.id])
    end
  end)

  it("flatten lists into chains and wrap several layers", function()
    local chain = node.plain(weir.chain { weir.stack(2, function() return weir.lu_linear(), "standardize" end) })
    local types = {}
    for i, layer in ipairs(chain.children.layers) do types[i] = layer.type end
    assert.same({ "lu_linear", "standardize", "lu_linear", "standardize" }, types)
    local inverse = node.plain(weir.inverse { weir.lu_linear(), weir.standardize() })
    assert.equal("chain", inverse.children.layer.type)
    assert.equal("lu_linear", node.plain(weir.inverse(weir.lu_linear())).children.layer.type)
    assert.equal(3, node.plain(weir.repeated { count = 3, weir.lu_linear() }).options.count)
  end)

  it("share and freeze without touching the original", function()
    local plain = weir.lu_linear()
    assert.equal("s", node.plain(weir.share("s", plain)).share)
    assert.is_true(node.plain(weir.frozen(plain)).frozen)
    assert.is_nil(node.plain(plain).share)
  end)

  it("refuse with the nearest name, at the user's line", function()
    assert.truthy(complaint(function() return weir.cupling end):find "coupling")
    local line
    local message = complaint(function()
      line = debug.getinfo(1, "l").currentline + 1
      weir.coupling { masks = "even" }
    end)
    assert.truthy(message:find "did you mean mask")
    assert.truthy(message:find("node_spec.lua:" .. line .. ":", 1, true))
    assert.truthy(complaint(function() weir.coupling { weir.mlp() } end):find "by name only")
    assert.truthy(complaint(function() weir.coupling { network = 3 } end):find "network")
    assert.truthy(complaint(function() weir.flow { layers = {} } end):find "unknown option layers")
    assert.truthy(complaint(function() weir.flow { 3 } end):find "not a module")
  end)

  it("print as they are written", function()
    assert.equal('weir.coupling { mask = "odd", univariate = weir.affine { bound = 2 } }',
      tostring(weir.coupling { mask = "odd", univariate = weir.affine { bound = 2 } }))
  end)
end)
