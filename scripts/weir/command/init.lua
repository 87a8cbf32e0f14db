--- The weir command: finds the command that the first word names, and turns errors into one line and an exit status.
--
-- A command is a file beside this one: a table {summary, usage, options, examples, run}. Status 0 is success, 1 a failure,
-- 2 bad usage, 130 an interrupt.

local core = require "weir.core"
local nearest = require "weir.nearest"
local options = require "weir.command.options"

local command = {}

--- In the order of help.
local names = { "fit", "eval", "sample", "info", "plot", "layers", "plugins",
  "check", "new", "bench", "run", "repl", "version", "help" }
command.names = names

local known = {}
for _, name in ipairs(names) do known[name] = true end

--- The table of a command; nil when there is none of that name.
function command.get(name)
  return known[name] and require("weir.command." .. name) or nil
end

local function complain(text)
  io.stderr:write("weir: ", (text:gsub("[%c]", " ")), "\n")
end

--- What an error becomes: usage errors are tables {usage = text}, the rest is text.
local function report(err)
  if type(err) == "table" and err.usage then
    complain(err.usage)
    return 2
  end
  if type(err) == "table" and err.status then return err.status end
  if err == "interrupted" then
    complain "interrupted"
    return 130
  end
  complain(tostring(err))
  return 1
end

--- Where a plain error of the scripts themselves came from helps nobody but us: kept behind a variable.
local function handler(err)
  if type(err) == "string" and os.getenv "WEIR_TRACEBACK" then io.stderr:write(debug.traceback(err, 2), "\n") end
  return err
end

local function run_command(name, words)
  local chosen = command.get(name)
  local given = options.parse(chosen, name, words)
  if given.help then
    io.stdout:write(options.help(chosen, name))
    return 0
  end
  return chosen.run(given) or 0
end

local function is_script(word)
  return word:match "%.lua$" or core.file_kind(word) == "file"
end

local function dispatch(words)
  local first = words[1]
  if first == nil then
    io.stderr:write(command.get("help").text())
    return 2
  end
  if first == "--help" or first == "-h" then first = "help" end
  if first == "--version" or first == "-V" then first = "version" end
  if known[first] then return run_command(first, { unpack(words, 2) }) end
  if is_script(first) or first == "--sandbox" then return run_command("run", words) end
  local near = nearest(first, known)
  error { usage = ("unknown command or script %s%s; weir help lists the commands"):format(first,
    near and "; did you mean " .. near .. "?" or "") }
end

--- Runs the command line.
-- @param words list of strings
-- @return number: the exit status
local function main(words)
  local ok, result = xpcall(dispatch, handler, words)
  if not ok then result = report(result) end
  collectgarbage()
  return result
end

return setmetatable(command, { __call = function(_, words) return main(words) end })
