local columns = require "weir.columns"

describe("column choices", function()
  local names = { "mass", "charge", "x-1", "2" }

  it("are numbers, ranges and names", function()
    assert.same({ 1, 2, 3, 5 }, columns.parse("1-3,5", 6))
    assert.same({ 4, 1 }, columns.parse(" 4 , 1 ", 6))
    assert.same({ 2, 1 }, columns.parse("charge,mass", 4, names))
    assert.same({ 1, 3 }, columns.parse({ 1, "x-1" }, 4, names))
    assert.same({ 3 }, columns.parse(3, 6))
  end)

  it("take a name before a number or range that looks the same", function()
    assert.same({ 3 }, columns.parse("x-1", 4, names))
    assert.same({ 4 }, columns.parse("2", 4, names))
  end)

  it("say what is wrong", function()
    local function message(...) return select(2, columns.parse(...)) end
    assert.truthy(message("7", 6):find "columns 1 to 6")
    assert.truthy(message("0", 6):find "columns 1 to 6")
    assert.truthy(message("3-2", 6):find "columns 1 to 6")
    assert.truthy(message("1,1-2", 6):find "twice")
    assert.truthy(message("", 6):find "column")
    assert.truthy(message("chrage", 4, names):find "did you mean charge")
    assert.truthy(message("mass", 4):find "no column names")
  end)

  it("leave the rest", function()
    assert.same({ 2, 4 }, columns.rest(5, { 1 }, { 3, 5 }))
    assert.same({ "charge" }, columns.names(names, { 2 }))
  end)
end)
