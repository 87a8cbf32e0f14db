--- The one runtime that scripts share, opened when it is first needed.

local core = require "weir.core"
local check = require "weir.check"

local runtime = {}
local opened
local schemas = {}

local known = { threads = true, plugin_path = true, lock = true }

--- Opens the runtime with settings of its own; before anything else that needs it.
-- @param settings table: threads (0: all processors), plugin_path ("a:b", searched first), lock (a lock file: no plugin
-- is used that it does not name; without it, what weir --locked or WEIR_LOCK says)
function runtime.open(settings)
  check.keys(settings or {}, known, "weir.open", 2)
  if opened then error("weir.open: the runtime is open already; call it first", 2) end
  opened = check.ok(core.open(settings or {}))
  return opened
end

--- The runtime.
function runtime.get()
  return opened or runtime.open()
end

--- The description of a module {id, kind, options, children, ...}; nil and a message when there is none.
function runtime.schema(id)
  if not schemas[id] then
    local list, message = runtime.get():modules(id)
    if not list then return nil, message end
    schemas[id] = list[1]
  end
  return schemas[id]
end

return runtime
