--- weir check: does a module keep the promises of the plugin interface?

local core = require "weir.core"
local runtime = require "weir.runtime"

local function number_text(value)
  return type(value) == "number" and ("%.3g"):format(value) or "-"
end

local function show(result, quiet)
  local failed = 0
  for _, check in ipairs(result.checks) do
    if not check.ok then failed = failed + 1 end
    if not (quiet and check.ok) then
      io.stdout:write(("%-6s %-44s %-10s %s (limit %s)%s\n"):format(check.ok and "ok" or "FAILED", check.name,
        tostring(check.rule), number_text(check.figure), number_text(check.limit),
        type(check.note) == "string" and check.note ~= "" and "  " .. check.note or ""))
    end
  end
  io.stdout:write(("%s: %d checks, %d failed\n"):format(result.module, #result.checks, failed))
end

local function settings(given)
  if not given.with then return nil end
  local value, message = core.json_decode(given.with)
  if type(value) ~= "table" then
    error { usage = ("check: --with: expected a JSON object%s"):format(message and ", " .. message or "") }
  end
  return value
end

local function run(given)
  local list, ok = runtime.get():check(given.module, settings(given))
  if not list then error(ok, 0) end
  if given.json then
    io.stdout:write(core.json_encode(#list == 1 and list[1] or core.list(list)), "\n")
  else
    for _, result in ipairs(list) do show(result, given.quiet) end
  end
  if not ok then io.stderr:write(("weir: %s breaks a promise of the plugin interface\n"):format(given.module)) end
  return ok and 0 or 1
end

return {
  summary = "checks that a module, or every module of a plugin file, keeps its promises",
  usage = "ID|FILE.so [options]",
  positional = { "MODULE" },
  options = {
    { "--with", value = "JSON",
      help = 'how to build it: {"options": {}, "children": {}, "features": n, "context": n, "image": [c, h, w]}' },
    { "--quiet", help = "show only what fails" },
    { "--json", help = "print the figures as JSON" },
  },
  examples = { "weir check rq_spline", "weir check ./my_layer.so --json" },
  run = run,
}
