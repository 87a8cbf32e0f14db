local weir = require "weir"

--- The bits of a mask by the formula's words, first feature first.
local function bits(mask, features)
  local out = {}
  for i = 0, features - 1 do
    out[#out + 1] = mask.first == 0 and math.floor(i / mask.period) % 2 or 1 - math.floor(i / mask.period) % 2
  end
  return table.concat(out)
end

local function listed(features)
  local out = {}
  for _, mask in ipairs(weir.mask_schedule(features)) do
    assert.equal("period", mask.mask)
    out[#out + 1] = bits(mask, features)
  end
  return out
end

describe("mask_schedule", function()
  it("of 8 features is as by hand", function()
    assert.same({ "01010101", "10101010", "00001111", "11110000", "00110011", "11001100" }, listed(8))
  end)

  it("rounds down, drops what came before, and stays below the number of features", function()
    local function all(features)
      local out = {}
      for i, mask in ipairs(weir.mask_schedule(features)) do
        assert.equal((i - 1) % 2, mask.first)
        if i % 2 == 1 then out[#out + 1] = mask.period end
      end
      return out
    end
    assert.same({ 1 }, all(2))
    assert.same({ 1, 2 }, all(3))
    assert.same({ 1, 2, 4 }, all(5))
    assert.same({ 1, 3, 2, 4 }, all(6))
    assert.same({ 1, 6, 2, 3, 4, 8 }, all(13))
    assert.has_error(function() weir.mask_schedule(1) end)
    assert.has_error(function() weir.mask_schedule "8" end)
  end)

  it("puts any two features on different sides of some mask", function()
    for features = 2, 20 do
      local masks = listed(features)
      for i = 1, features do
        for j = i + 1, features do
          local apart = false
          for _, mask in ipairs(masks) do apart = apart or mask:sub(i, i) ~= mask:sub(j, j) end
          assert.is_true(apart, ("%d and %d of %d"):format(i, j, features))
        end
      end
    end
  end)

  it("is taken by the presets, which then must know the size of the data", function()
    for _, name in ipairs { "nice", "realnvp", "nsf" } do
      local flow = weir.presets.flow(name, { masks = "schedule", transforms = 5, hidden = { 4 }, mixing = "none" },
        { features = 6 })
      local seen = {}
      for _, layer in ipairs(flow:info().flow.children) do
        if layer.type == "coupling" then seen[#seen + 1] = layer.options.period .. "/" .. layer.options.first end
      end
      assert.same({ "1/0", "1/1", "3/0", "3/1", "2/0" }, seen)
      local ok, err = pcall(weir.presets.flow, name, { masks = "schedule" })
      assert.is_false(ok)
      assert.truthy(err.usage:find "features")
      ok, err = pcall(weir.presets.flow, name, { masks = "scheduled" }, { features = 6 })
      assert.is_false(ok)
      assert.truthy(err.usage:find "alternate, schedule")
    end
  end)
end)
