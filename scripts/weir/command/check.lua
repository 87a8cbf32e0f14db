--- weir check: does a module keep the promises of the plugin interface? Of a layer in Lua its file will do.

local core = require "weir.core"
local rules = require "weir.command.rules"
local runtime = require "weir.runtime"

local function number_text(value)
  return type(value) == "number" and ("%.3g"):format(value) or "-"
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- What is broken, and how to see it again. A crash mostly ends many checks at one place: its stack is shown once.
local function show_failure(check, stacks)
  local stack = table.concat(check.stack or {}, "\n")
  if stacks[stack] then
    io.stdout:write "         at the same place\n"
  elseif stack ~= "" then
    stacks[stack] = true
    for depth, frame in ipairs(check.stack) do io.stdout:write(("         #%d %s\n"):format(depth - 1, frame)) end
  end
  if text(check.again) then io.stdout:write("         again: ", check.again, "\n") end
end

-- What the numbers behind the names of failed checks stand for.
local function show_rules(failed)
  local texts, path = rules.read()
  if not texts then return end
  for _, number in ipairs(failed) do
    if texts[number] then io.stdout:write(("  rule %s: %s\n"):format(number, texts[number])) end
  end
  io.stdout:write("  the rules in full: ", path, "\n")
end

local function show(result, name, quiet)
  local count, failed, stacks = 0, {}, {}
  for _, check in ipairs(result.checks) do
    local rule = tostring(check.rule)
    if not check.ok then
      count = count + 1
      if not failed[rule] then failed[#failed + 1] = rule end
      failed[rule] = true
    end
    if not (quiet and check.ok) then
      io.stdout:write(("%-6s %-44s %-10s %s (limit %s)%s\n"):format(check.ok and "ok" or "FAILED", check.name, rule,
        number_text(check.figure), number_text(check.limit), text(check.note) and "  " .. check.note or ""))
    end
    if not check.ok then show_failure(check, stacks) end
  end
  io.stdout:write(("%s: %d checks, %d failed\n"):format(name or result.module, #result.checks, count))
  if count > 0 then show_rules(failed) end
end

local no_kind = "check: %s: says no kind: put kind = \"univariate\", \"layer\", \"density\" or \"network\" into the table "
  .. "that it returns"

--- A layer in Lua: its folder, the id of the module that runs it, its bare name; nil when it is a plugin or an id.
local function lua_file(path)
  local folder, name = path:match "^(.*/)([^/]+%.lua)$"
  name = name or path:match "^[^/]+%.lua$"
  if not name then return nil end
  local file, message = io.open(path, "rb")
  if not file and not folder then return nil end -- acme.lua may be an id
  if not file then error("check: " .. message, 0) end
  local source = file:read "*a" or ""
  file:close()
  local kind = ("\n" .. source):match "\n%s*kind%s*=%s*[\"'](%l+)[\"']"
  if not kind then error(no_kind:format(path), 0) end
  return folder or "./", "lua_" .. kind, name
end

local function replaced(line, piece, by)
  local from, to = line:find(piece, 1, true)
  return from and line:sub(1, from - 1) .. by .. line:sub(to + 1) or line
end

--- A command as the host writes it, "weir check 'ID' --with FILE ...", with the file's path in place of both.
local function by_path(command, path, id, name)
  command = replaced(command, ("check '%s'"):format(id), ("check '%s'"):format(path:gsub("'", "'\\''")))
  return replaced(command, (" --with '{\"options\":{\"file\":\"%s\"}}'"):format(name), "")
end

local function settings(given)
  local value = {}
  if given.with then
    local decoded, message = core.json_decode(given.with)
    if type(decoded) ~= "table" then
      error { usage = ("check: --with: expected a JSON object%s"):format(message and ", " .. message or "") }
    end
    value = decoded
  end
  value.level = given.level or value.level
  value.seed = given.seed or value.seed
  value.only = given.only or value.only
  value.timeout = given.timeout or value.timeout
  if given.in_process then value.isolate = false end
  return next(value) ~= nil and value or nil
end

local function run(given)
  local wanted = settings(given)
  local folder, id, name = lua_file(given.module)
  if folder then
    runtime.open { plugin_path = folder }
    wanted = wanted or {}
    wanted.options = wanted.options or {}
    wanted.options.file = name
  end
  local list, ok = runtime.get():check(id or given.module, wanted)
  if not list then error(ok, 0) end
  for _, result in ipairs(name and list or {}) do
    for _, check in ipairs(result.checks) do
      check.again = text(check.again) and by_path(check.again, given.module, id, name)
    end
  end
  if given.json then
    io.stdout:write(core.json_encode(#list == 1 and list[1] or core.list(list)), "\n")
  else
    for _, result in ipairs(list) do show(result, name, given.quiet) end
  end
  if not ok then io.stderr:write(("weir: %s breaks a promise of the plugin interface\n"):format(given.module)) end
  return ok and 0 or 1
end

return {
  summary = "checks that a module, or every module of a plugin file, keeps its promises",
  usage = "ID|FILE.so|FILE.lua [options]",
  positional = { "MODULE" },
  options = {
    { "--level", value = "L", choices = { "quick", "full" },
      help = "quick (default) or full: all memory between pages that cannot be touched, and longer" },
    { "--with", value = "JSON",
      help = 'how to build it: {"options": {}, "children": {}, "features": n, "context": n, "image": [c, h, w]}' },
    { "--seed", value = "N", kind = "integer", low = 0, high = 2 ^ 53, help = "of points and weights (1)" },
    { "--only", value = "NAME", help = "this check alone, forward.bounds for instance" },
    { "--timeout", value = "S", kind = "number", low = 0.1, high = 86400, help = "seconds that one check may take (20)" },
    { "--in-process", help = "all in this process, for a debugger; a crash is a crash" },
    { "--quiet", help = "show only what fails" },
    { "--json", help = "print the figures as JSON" },
  },
  examples = { "weir check rq_spline", "weir check ./my_layer.so --level full", "weir check layers/my_layer.lua" },
  run = run,
}
