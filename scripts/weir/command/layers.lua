--- weir layers: the installed modules and their options.

local core = require "weir.core"
local check = require "weir.check"
local runtime = require "weir.runtime"

local order = { layer = 1, univariate = 2, network = 3, density = 4 }

local function by_kind(a, b)
  if a.kind ~= b.kind then return (order[a.kind] or 9) < (order[b.kind] or 9) end
  return a.id < b.id
end

local function list_all(modules)
  table.sort(modules, by_kind)
  local counts, widest, kind = {}, 0, nil
  for _, module in ipairs(modules) do
    counts[module.kind] = (counts[module.kind] or 0) + 1
    widest = math.max(widest, #module.id)
  end
  for _, module in ipairs(modules) do
    if module.kind ~= kind then
      io.stdout:write(("%s%s, %d\n"):format(kind and "\n" or "", module.kind, counts[module.kind]))
      kind = module.kind
    end
    io.stdout:write(("  %-" .. widest .. "s  %s\n"):format(module.id, module.summary))
  end
  io.stdout:write(("\n%d modules; weir layers ID shows a module's options\n"):format(#modules))
end

local function value_text(value)
  if value == core.null then return "-" end
  return core.json_encode(value)
end

local function option_lines(option)
  local range = ""
  if option.choices then range = ", one of " .. table.concat(option.choices, ", ") end
  if option.minimum then range = (", %.10g to %.10g"):format(option.minimum, option.maximum) end
  io.stdout:write(("  %-16s %s%s%s\n"):format(option.name, option.type, range,
    option.required and ", must be given" or ", default " .. value_text(option.default)))
  io.stdout:write(("  %-16s %s\n"):format("", option.summary))
end

local function show(module)
  io.stdout:write(("%s %s, a %s\n%s\n\n%s\n"):format(module.id, module.version, module.kind, module.summary, module.doc))
  if #module.options > 0 then io.stdout:write "\noptions\n" end
  for _, option in ipairs(module.options) do option_lines(option) end
  if #module.children > 0 then io.stdout:write "\nchildren\n" end
  for _, slot in ipairs(module.children) do
    io.stdout:write(("  %-16s %s%s%s\n  %-16s %s\n"):format(slot.name, slot.kind,
      type(slot.default) == "string" and ", default " .. slot.default or "", slot.optional and ", may be empty" or "", "",
      slot.summary))
  end
  if #module.methods > 0 then io.stdout:write "\nmethods\n" end
  for _, method in ipairs(module.methods) do
    io.stdout:write(("  %s%s\n  %-16s %s\n"):format(method.name, method.signature, "", method.summary))
  end
  if #(module.files or {}) > 0 then io.stdout:write "\nfiles in the plugin folders\n" end
  for _, file in ipairs(module.files or {}) do
    io.stdout:write(("  %s\n  %-16s %s\n"):format(file.name, "", file.good and file.about or "unusable: " .. file.about))
  end
  io.stdout:write(("\nprecisions  %s\n"):format(table.concat(module.dtypes, ", ")))
  if #module.supplied_by_host > 0 then
    io.stdout:write(("supplied by the host  %s\n"):format(table.concat(module.supplied_by_host, ", ")))
  end
  io.stdout:write(("plugin      %s\n"):format(type(module.file) == "string" and module.file or module.plugin))
end

local function run(given)
  local modules = check.ok(runtime.get():modules(given.id))
  if given.json then
    io.stdout:write(core.json_encode(core.list(modules)), "\n")
  elseif given.id then
    show(modules[1])
  else
    list_all(modules)
  end
  return 0
end

return {
  summary = "lists the installed modules, or explains one",
  usage = "[ID] [--json]",
  positional = { "ID?" },
  options = { { "--json", help = "print a list of modules with all their options as JSON" } },
  examples = { "weir layers", "weir layers coupling", "weir layers --json" },
  run = run,
}
