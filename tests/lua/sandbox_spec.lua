-- What a sandboxed script holds, and everything that can be reached from it through tables and their metatables. What it can
-- do with it is tried in command.sandbox.
local core = require "weir.core"
local weir = require "weir"

local function forbidden()
  local out = { [_G] = "_G", [string] = "string", [core] = "core" }
  local function ban(name, value)
    out[value] = name
    if type(value) ~= "table" then return end
    for key, entry in pairs(value) do
      if type(entry) == "function" or type(entry) == "table" then out[entry] = name .. "." .. tostring(key) end
    end
  end
  for _, name in ipairs { "io", "os", "debug", "package", "jit", "require", "dofile", "loadfile", "load", "loadstring", "getfenv",
    "setfenv", "newproxy", "collectgarbage", "module", "getmetatable" } do
    ban(name, _G[name])
  end
  ban("ffi", require "ffi")
  for key, value in pairs(core) do
    if type(value) == "function" and key ~= "random" then out[value] = "core." .. key end
  end
  return out
end

describe("a sandboxed script", function()
  local dump, open = string.dump, weir.open
  teardown(function()
    rawset(string, "dump", dump)
    weir.open = open
  end)

  -- From each root in turn: what was reached, by which way, and how many tables were seen.
  local function reached(roots)
    local banned, seen, count, ways = forbidden(), {}, 0, {}
    local function walk(value, way)
      if banned[value] then ways[#ways + 1] = way .. " is " .. banned[value] end
      if type(value) ~= "table" or seen[value] then return end
      seen[value], count = true, count + 1
      for key, entry in next, value do
        walk(key, way .. ".<key>")
        walk(entry, way .. "." .. tostring(key))
      end
      local metatable = getmetatable(value)
      if type(metatable) == "table" then walk(metatable, way .. ".<metatable>") end
    end
    for name, root in pairs(roots) do walk(root, name) end
    return ways, count
  end

  it("reaches nothing that leads out", function()
    local banned_open = weir.open
    local env = require("weir.command.sandbox").environment("x.lua", {}, nil)
    local set, run = weir.data.two_moons { n = 64, seed = 1 }, nil
    local flow = weir.flow { features = 2, weir.actnorm(), weir.coupling {} }
    flow:fit(set, { epochs = 1, progress = false, on_epoch = function(_, handed) run = handed end })
    local ways, count = reached { env = env, flow = flow, set = set, parts = set:split { 0.5, 0.5 }, run = run,
      node = weir.coupling {}, trainer = flow:trainer {}, plot = weir.plot, presets = weir.presets, optim = weir.optim,
      preset = weir.presets.get "maf", modules = weir.modules() }
    assert.same({}, ways)
    assert.is_true(count > 200)
    assert.not_equal(banned_open, env.require "weir".open)
  end)

  it("would be found out if it did", function()
    assert.same({ "root.a.<metatable>.b is io.open" }, (reached { root = { a = setmetatable({}, { b = io.open }) } }))
  end)
end)
