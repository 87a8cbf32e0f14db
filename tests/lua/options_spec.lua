local options = require "weir.command.options"
local command = require "weir.command"

local example = {
  summary = "an example", usage = "FILE [MORE]", positional = { "FILE", "MORE?" },
  options = {
    { "--rate", value = "R", kind = "number", low = 0, help = "a number" },
    { "--count", short = "-n", value = "N", kind = "integer", low = 1, high = 10, help = "a whole number" },
    { "--hidden", value = "W", kind = "widths", help = "widths" },
    { "--dtype", value = "D", choices = { "f32", "f64" }, help = "a choice" },
    { "--set", value = "K=V", many = true, help = "a list" },
    { "--dry-run", help = "a switch" },
  },
}

local function parse(...) return options.parse(example, "example", { ... }) end

local function complaint(...)
  local ok, err = pcall(options.parse, example, "example", { ... })
  assert.is_false(ok)
  return err.usage
end

describe("command lines", function()
  it("are options of all kinds, in any order", function()
    local given = parse("--rate", "1e-3", "in.csv", "--count=3", "--hidden", "64,32", "--set", "a=1", "--set", "b=2",
      "--dry-run", "--dtype", "f64")
    assert.equal(1e-3, given.rate)
    assert.equal(3, given.count)
    assert.same({ 64, 32 }, given.hidden)
    assert.same({ "a=1", "b=2" }, given.set)
    assert.is_true(given.dry_run)
    assert.equal("in.csv", given.file)
    assert.is_nil(given.more)
    assert.equal(4, parse("-n", "4", "x").count)
    assert.equal("--odd", parse("--", "--odd").file)
  end)

  it("are refused with the nearest option", function()
    assert.truthy(complaint("x", "--cuont", "3"):find("did you mean --count?", 1, true))
    assert.truthy(complaint("x", "--dtype", "f46"):find("did you mean f64?", 1, true))
    assert.truthy(complaint("--rate", "3"):find "FILE is missing")
    assert.truthy(complaint("x", "--rate"):find "needs a value")
    assert.truthy(complaint("x", "y", "z"):find "one word too many: z")
    assert.truthy(complaint("x", "--dry-run=1"):find "takes no value")
  end)

  it("hold numbers to their range", function()
    for _, text in ipairs { "0", "11", "2.5", "x", "", "1e400", "nan", "0x5", "-1" } do
      assert.truthy(complaint("x", "--count", text):find "expected a whole number")
    end
    for _, text in ipairs { "-1", "x", "inf", "1e999" } do
      assert.truthy(complaint("x", "--rate", text):find "expected a number")
    end
    for _, text in ipairs { "", "a", "64,,32", "0", "-3" } do
      assert.truthy(complaint("x", "--hidden", text):find "expected widths")
    end
  end)

  it("have help for every command, with examples", function()
    for _, name in ipairs(command.names) do
      local text = options.help(command.get(name), name)
      assert.truthy(text:find("usage: weir " .. name, 1, true))
      assert.truthy(text:find("--help", 1, true))
      for _, option in ipairs(command.get(name).options) do
        assert.truthy(text:find(option[1], 1, true))
        assert.is_string(option.help)
      end
    end
  end)
end)
