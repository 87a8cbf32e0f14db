local core = require "weir.core"

describe("json", function()
  it("goes there and back", function()
    local value = { name = "x", list = { 1, 2.5, -3e-7 }, yes = true, no = false, deep = { a = { b = {} } },
      empty = core.list {}, nothing = core.null }
    local back = core.json_decode(core.json_encode(value))
    assert.same({ 1, 2.5, -3e-7 }, back.list)
    assert.is_true(back.yes)
    assert.is_false(back.no)
    assert.equal(core.null, back.nothing)
    assert.equal(core.json_encode(value), core.json_encode(back))
  end)

  it("keeps every bit of a number", function()
    local random = core.random(5)
    for _ = 1, 200 do
      local value = (random:uniform() - 0.5) * 10 ^ (random:integer(40) - 20)
      assert.equal(value, core.json_decode(core.json_encode { value })[1])
    end
    assert.equal("[3]", core.json_encode { 3 })
  end)

  it("writes keys in order, and empty tables as said", function()
    assert.equal('{"a":1,"b":2,"c":{}}', core.json_encode { c = {}, b = 2, a = 1 })
    assert.equal("[]", core.json_encode(core.list {}))
    assert.equal("[]", core.json_encode(core.json_decode "[]"))
    assert.equal("{}", core.json_encode(core.json_decode "{}"))
  end)

  it("follows tables 200 deep", function()
    local function nested(depth)
      local value = {}
      for _ = 1, depth do value = { value } end
      return value
    end
    assert.is_string(core.json_encode(nested(200)))
    local ok, message = pcall(core.json_encode, nested(201))
    assert.is_false(ok)
    assert.truthy(message:find "nested more than 200 deep")
    assert.is_table(core.json_decode(("["):rep(2000) .. ("]"):rep(2000)))
    assert.is_nil(core.json_decode(("["):rep(100000) .. ("]"):rep(100000)))
  end)

  it("refuses what has no JSON form", function()
    local loop = {}
    loop.loop = loop
    for _, value in ipairs { { print }, { 0 / 0 }, { math.huge }, { [1.5] = 1 }, { "\255" }, loop } do
      local ok, message = pcall(core.json_encode, value)
      assert.is_false(ok)
      assert.truthy(message:find "no JSON form")
    end
  end)

  it("says where a text is wrong", function()
    for _, text in ipairs { "", "{", "[1,]", '{"a":1,"a":2}', "nul", ("["):rep(100000) } do
      local value, message = core.json_decode(text)
      assert.is_nil(value)
      assert.truthy(message:find "^line %d+, column %d+: ")
    end
  end)
end)
