--- Weir: normalizing flows from plugins.
--
--     local weir = require "weir"
--     local data = weir.data.load("flights.csv"):split { 0.8, 0.1, 0.1, seed = 1 }
--     local flow = weir.flow { weir.standardize(), weir.autoregressive { univariate = "rq_spline" } }
--     flow:fit(data, { epochs = 50 })
--     print(flow:log_prob(data.test):mean())
--
-- Names that are not listed here are modules: weir.coupling { ... } describes one, `weir layers` says which there are. Mistakes
-- in a script raise an error at the line that made them; a file or a plugin that fails raises its one-line message.

local core = require "weir.core"
local check = require "weir.check"
local runtime = require "weir.runtime"
local node = require "weir.node"

local weir = { _VERSION = "weir " .. core.version, version = core.version, null = core.null }

--- Chooses threads and folders of plugins, before anything else is asked for; without it the defaults hold.
-- @function weir.open
-- @param settings table: threads (0: all processors), plugin_path ("a:b", searched first), lock (a lock file: no plugin is used
--   that it does not name; without it, what weir --locked or WEIR_LOCK says)
-- @return the runtime; raises an error when it is open already
weir.open = runtime.open

--- Bounds-checked numeric arrays: new("f32", rows, columns), from { { 1, 2 }, { 3, 4 } }, load(path).
weir.array = {
  new = core.array.new,
  from = core.array.from,
  concat = core.array.concat,
  join = core.array.join,
  --- The array of a file, and the names of its columns or nil.
  load = function(path, member) return check.ok(core.array.load(path, member)) end,
}

--- A random generator with methods uniform, normal ((rows, columns): an array) and integer(n).
weir.random = core.random

--- What is installed, as a list of {id, kind, summary, options, children, ...}.
-- @return table
function weir.modules()
  return check.ok(runtime.get():modules())
end

--- The layers of fn(1), fn(2), ... fn(n) one after the other; fn may return several.
-- @param n number: how many times
-- @param fn function(i): a module, several, or a list
-- @return table of modules, to be put among a flow's layers
function weir.stack(n, fn)
  check.integer(n, 0, 100000, "weir.stack: count", 2)
  check.type(fn, "function", "weir.stack", 2)
  local list = {}
  for i = 1, n do
    for _, layer in ipairs(node.list({ fn(i) }, "weir.stack", 2)) do list[#list + 1] = layer end
  end
  return list
end

--- A copy of the node whose parameters are shared by all nodes of that name.
-- @param name string
-- @param module node
-- @return node
function weir.share(name, module)
  check.type(name, "string", "weir.share: name", 2)
  if not node.is(module) then error("weir.share: expected a module", 2) end
  return setmetatable({ type = module.type, options = module.options, children = module.children,
    frozen = module.frozen, share = name }, getmetatable(module))
end

--- A copy of the node whose parameters are not trained.
-- @param module node
-- @return node
function weir.frozen(module)
  if not node.is(module) then error("weir.frozen: expected a module", 2) end
  return setmetatable({ type = module.type, options = module.options, children = module.children,
    share = module.share, frozen = true }, getmetatable(module))
end

--- A flow read from a model file or a checkpoint.
-- @param path string
-- @return the flow; raises an error when the file is damaged, or a module that it needs is missing
function weir.load(path)
  return require("weir.flow").load(path)
end

--- The module "repeat", whose name is a word of Lua's.
-- @param options table: as weir["repeat"] takes them, see `weir layers repeat`
-- @return node
function weir.repeated(options)
  return node.make("repeat", options)
end

local parts = { data = true, plot = true, optim = true, presets = true, mask_schedule = true }

-- weir.data and the like are read when first used; any other name is a module's.
setmetatable(weir, {
  __index = function(self, name)
    if type(name) ~= "string" then return nil end
    local value
    if parts[name] then
      value = require("weir." .. name)
    elseif name == "flow" then
      value = require("weir.flow").new
    else
      value = node.constructor(name, 2)
    end
    rawset(self, name, value)
    return value
  end,
})

return weir
