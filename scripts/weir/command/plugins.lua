--- weir plugins: which plugin files were found where, whether they may be used, and a lock of those that are.

local core = require "weir.core"
local check = require "weir.check"
local runtime = require "weir.runtime"

local checked = {
  manifest = "manifest",
  now = "probed now",
  before = "probed before",
  never = "not probed",
}

--- Text, or nil for null.
local function text(value)
  return type(value) == "string" and value or nil
end

local function split(path)
  local folder, name = path:match "^(.*)/([^/]*)$"
  return folder or "", name or path
end

--- Control characters of a file's name must not reach the terminal.
local function clean(value)
  return (value:gsub("%c", "?"))
end

local function ids(plugin)
  local list = {}
  for i, module in ipairs(plugin.modules) do list[i] = module.id end
  return table.concat(list, ", ")
end

local function print_plugin(plugin)
  local _, name = split(plugin.file)
  local title = ("%s %s"):format(text(plugin.plugin) or "?", text(plugin.version) or "")
  io.stdout:write(("  %-22s %-26s %-13s %s\n"):format(clean(name), title,
    checked[plugin.checked] or plugin.checked, ids(plugin)))
  for _, module in ipairs(plugin.modules) do
    if text(module.used_from) then
      io.stdout:write(("  %-22s %s is used from %s\n"):format("", module.id, clean(module.used_from)))
    end
  end
end

local function print_used(list)
  local folder
  for _, plugin in ipairs(list) do
    local own = split(plugin.file)
    if own ~= folder then io.stdout:write(folder and "\n" or "", clean(own), "\n") end
    folder = own
    print_plugin(plugin)
  end
end

local function print_refused(list)
  if #list == 0 then return end
  io.stdout:write "\nrefused\n"
  for _, plugin in ipairs(list) do
    local held = ids(plugin)
    io.stdout:write(("  %s: %s%s\n"):format(clean(plugin.file), clean(plugin.reason),
      held ~= "" and (" [%s]"):format(held) or ""))
  end
end

local function print_all(found)
  local used, refused, modules = {}, {}, 0
  for _, plugin in ipairs(found.plugins) do
    table.insert(plugin.state == "refused" and refused or used, plugin)
    for _, module in ipairs(plugin.modules) do modules = modules + (module.used and 1 or 0) end
  end
  print_used(used)
  print_refused(refused)
  local empty = #found.plugins == 0 and "; searched " .. table.concat(found.folders, ", ") or ""
  io.stdout:write(("\n%d plugins with %d modules in use, %d refused%s%s\n"):format(#used, modules, #refused, empty,
    text(found.lock) and "; lock " .. clean(found.lock) or ""))
end

--- The ids of a model's modules, as a set.
local function ids_of(node, set)
  set[node.type] = true
  for _, child in ipairs(node.children or {}) do ids_of(child, set) end
  return set
end

--- Only the plugins that one of these ids comes from.
local function keep(plugins, wanted)
  local list = {}
  for _, plugin in ipairs(plugins) do
    local holds = false
    for _, module in ipairs(plugin.modules) do holds = holds or (module.used and wanted[module.id]) end
    if holds then list[#list + 1] = plugin end
  end
  return core.list(list)
end

local function run(given)
  local opened, model = runtime.get(), nil
  if given.model then model = require("weir.flow").load(given.model):get_model() end
  if given.lock then check.ok(opened:lock_plugins(given.lock, model)) end
  local found = check.ok(opened:plugins())
  if model then
    local description = check.ok(model:describe())
    found.plugins = keep(found.plugins, ids_of(description.base, ids_of(description.flow, {})))
  end
  if given.json then
    io.stdout:write(core.json_encode(found), "\n")
  else
    print_all(found)
  end
  return 0
end

return {
  summary = "lists the plugin files: where, checked or refused, and locks them",
  usage = "[MODEL] [--lock FILE] [--json]",
  positional = { "MODEL?" },
  options = {
    { "--lock", value = "FILE", help = "write the SHA-256 of every plugin listed, and of files beside them, to FILE" },
    { "--json", help = "print the list as JSON, with the SHA-256 of every file" },
  },
  details = function()
    return "With MODEL only the plugins that it uses. The lock also has files beside plugins, such as layers in Lua: with MODEL\n"
      .. "those that it names, else all *.lua and *.json in the plugin folders. weir --locked FILE COMMAND ... then uses those\n"
      .. "in FILE and no other: a file that was changed, or that FILE does not name, is refused before anything of it runs. A\n"
      .. "module that a file earlier on the path has too is used from there; a line under the file says so."
  end,
  examples = { "weir plugins", "weir plugins flights.safetensors --lock flights.lock",
    "weir --locked flights.lock sample flights.safetensors -n 10" },
  run = run,
}
