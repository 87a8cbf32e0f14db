local weir = require "weir"

describe("presets", function()
  local data = weir.data.two_moons { n = 600, seed = 2 }

  it("are at least those of the manual", function()
    local names = {}
    for _, name in ipairs(weir.presets.names()) do names[name] = true end
    for _, name in ipairs { "realnvp", "nice", "maf", "iaf", "nsf", "nsf_ar" } do assert.is_true(names[name]) end
  end)

  it("all build, train and invert", function()
    for _, name in ipairs(weir.presets.names()) do
      local preset = weir.presets.get(name)
      assert.is_string(preset.summary)
      local flow = weir.presets.flow(name, { transforms = 2, hidden = { 16 } }, { dtype = "f64" })
      local record = flow:fit(data, { epochs = 4, batch = 64, lr = 3e-3, progress = false })
      local history = record.history
      assert.truthy(history[#history][2] > history[1][2], name .. " does not learn")
      local z = flow:forward(data)
      local x = flow:inverse(z)
      for i = 1, data:rows(), 40 do assert.near(data.x:get(i, 1), x:get(i, 1), 1e-7) end
    end
  end)

  it("know their options", function()
    local preset = weir.presets.get "nsf_ar"
    assert.equal(3, weir.presets.options(preset, { transforms = 3 }).transforms)
    assert.equal(5, weir.presets.options(preset, {}).transforms)
    assert.has_error(function() weir.presets.options(preset, { transform = 3 }) end)
    local ok, err = pcall(weir.presets.get, "realnpv")
    assert.is_false(ok)
    assert.truthy(err.usage:find "did you mean realnvp")
  end)

  it("may be files of one's own", function()
    local file = assert(io.open("mine.lua", "w"))
    file:write [[
      local weir = require "weir"
      return { summary = "mine", options = { { "transforms", 1, "how many" } },
        layers = function(o) return { weir.standardize(), weir.stack(o.transforms, function() return weir.lu_linear() end) } end }
    ]]
    file:close()
    local flow = weir.presets.flow("./mine.lua", { transforms = 2 }, { features = 2 })
    assert.equal(3, #flow:info().flow.children)
    file = assert(io.open("broken.lua", "w"))
    file:write "return 3"
    file:close()
    assert.has_error(function() weir.presets.get "./broken.lua" end)
  end)
end)
