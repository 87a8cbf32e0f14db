--- weir info: what a model file holds.

local core = require "weir.core"
local tree = require "weir.tree"

local function add_plugins(node, found)
  if node.plugin ~= "host" then
    found[node.plugin] = found[node.plugin] or {}
    found[node.plugin][node.type] = node.version
  end
  for _, child in ipairs(node.children or {}) do add_plugins(child, found) end
end

--- The plugins in use, as {plugin: {module: version}}.
local function plugins(description)
  local found = {}
  add_plugins(description.flow, found)
  add_plugins(description.base, found)
  return found
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function print_plugins(found)
  io.stdout:write "plugins\n"
  for _, plugin in ipairs(sorted(found)) do
    local parts = {}
    for _, id in ipairs(sorted(found[plugin])) do parts[#parts + 1] = id .. " " .. found[plugin][id] end
    io.stdout:write(("  %-16s %s\n"):format(plugin, table.concat(parts, ", ")))
  end
end

local function print_table(title, values, skip)
  if type(values) ~= "table" or next(values) == nil then return end
  io.stdout:write(title, "\n")
  for _, key in ipairs(sorted(values)) do
    local value = values[key]
    if not skip[key] and type(value) ~= "userdata" then
      io.stdout:write(("  %-16s %s\n"):format(key, type(value) == "table" and core.json_encode(value) or tostring(value)))
    end
  end
end

local function run(given)
  local flow = require("weir.flow").load(given.model)
  local description = flow:info()
  local found = plugins(description)
  if given.json then
    description.plugins, description.metadata = found, flow.metadata
    description.training = flow.metadata.training
    io.stdout:write(core.json_encode(description), "\n")
    return 0
  end
  io.stdout:write(tree.text(description), "\n")
  print_plugins(found)
  print_table("data", flow.metadata.data, {})
  print_table("training", flow.metadata.training, { history = true })
  return 0
end

return {
  summary = "shows a model: its modules, shapes, plugins and training",
  usage = "MODEL [--json]",
  positional = { "MODEL" },
  options = { { "--json", help = "print all of it as JSON" } },
  examples = { "weir info flights.safetensors" },
  run = run,
}
