--- weir FILE.lua: a script, with its arguments in `arg`.

local core = require "weir.core"
local sandbox = require "weir.command.sandbox"

--- The error with the line of the script it came through, when it does not begin with a place already.
local function locate(script)
  return function(err)
    if type(err) ~= "string" then return err end
    if os.getenv "WEIR_TRACEBACK" then io.stderr:write(debug.traceback(err, 2), "\n") end
    if err == "interrupted" or err:find(script .. ":", 1, true) then return err end
    for level = 2, 60 do
      local info = debug.getinfo(level, "Sl")
      if not info then break end
      if info.source == "@" .. script then return ("%s:%d: %s"):format(script, info.currentline, err) end
    end
    return err
  end
end

local values = { ["--memory"] = "memory", ["--time"] = "time", ["--output"] = "output" }

--- After FILE the words are the script's, but --sandbox there must not pass for one of them: whoever writes it means it.
-- With it, the sandbox's other options count there too; "--" keeps what follows for the script.
local function take_sandbox(given)
  local words, rest, found, i = given.words, {}, {}, 2
  while i <= #words and words[i] ~= "--" do
    local head, attached = words[i]:match "^(%-%-[^=]+)=(.*)$"
    local key = values[head or words[i]]
    if words[i] == "--sandbox" then
      found.sandbox = true
    elseif key then
      if not attached then i = i + 1 end
      found[key] = attached or words[i] or false
    else
      rest[#rest + 1] = words[i]
    end
    i = i + 1
  end
  if not (found.sandbox or given.sandbox) then return { unpack(words, 2) } end
  for j = i + 1, #words do rest[#rest + 1] = words[j] end
  for key, value in pairs(found) do
    if not value then error { usage = ("run: --%s needs a value; see weir run --help"):format(key) } end
    given[key] = value
  end
  return rest
end

local function refuse_idle(given)
  for option, key in pairs(values) do
    if given[key] and not given.sandbox then error { usage = ("run: %s goes with --sandbox"):format(option) } end
  end
end

local function read(script, env)
  if core.file_kind(script) ~= "file" then error(script .. ": no such file", 0) end
  local chunk, message = loadfile(script, "t", env)
  if not chunk then error(message:find("%.lua") and message or script .. ": " .. message, 0) end
  return chunk
end

--- As the script left it; in a sandbox errors are told as text, whatever they are.
local function call(chunk, script, words, inside)
  local ok, err = xpcall(function() return chunk(unpack(words)) end, locate(script))
  if ok then return type(err) == "number" and err or 0 end
  if inside and type(err) ~= "string" then err = "an error that is not text" end
  if inside and err ~= "interrupted" and not err:find(script, 1, true) then err = script .. ": " .. err end
  error(err, 0)
end

local function run(given)
  local script = given.words[1]
  if not script then error { usage = "run: FILE.lua is missing; see weir run --help" } end
  local words = take_sandbox(given)
  refuse_idle(given)
  io.stdout:setvbuf "line" -- what a script prints is seen while it trains, also through a pipe
  require("weir.loop").trial = given.trial
  if given.sandbox then
    read(script) -- a mistake in it is told before anything starts
    local env, status = sandbox.enter(script, words, given)
    if not env then return status end
    return call(read(script, env), script, words, true)
  end
  local chunk = read(script, _G)
  _G.arg = { [0] = script, unpack(words) }
  local folder = script:match "^(.*)/[^/]*$" or "."
  if not folder:find "[;?]" then package.path = package.path .. ";" .. folder .. "/?.lua" end
  return call(chunk, script, words)
end

local function details()
  return ([[
A sandboxed script has weir, print, load (of text), and Lua's string, table, math, bit and coroutine; not io, os, debug,
ffi, package, or other modules to require. It reads the files, and what lies in the folders, that are words of its command
line; it writes data, models, logs and pictures in --output alone (the script finds it in arg.output). Plugins and layers
in Lua come from the folders of plugins as they stood, and are trusted: a sandbox is no place for a plugin you do not
trust. Memory is capped at --memory (%s), no file gets larger than that, and after --time (%s seconds) the process is
killed, whatever it is at. The last words of a script may follow "--".]]):format(sandbox.bytes, sandbox.seconds)
end

return {
  summary = "runs a Lua script",
  usage = "[--trial] [--sandbox] FILE.lua [WORD...]     (or simply: weir FILE.lua [WORD...])",
  positional = { "..." },
  options = {
    { "--trial", help = "every fit ends after one epoch of ten steps: see a script through before the long run" },
    { "--sandbox", help = "for a script you do not trust; may also follow FILE.lua, as may the next three" },
    { "--memory", value = "SIZE", help = "of a sandbox: 512M, 4G, ..." },
    { "--time", value = "SECONDS", help = "of a sandbox, by the clock" },
    { "--output", value = "FOLDER", help = "where a sandbox may write; made when it is missing" },
  },
  details = details,
  examples = { "weir flows.lua data.csv", "weir run --trial flows.lua data.csv",
    "weir strangers.lua --sandbox --time 60 --output out data.csv",
    "WEIR_TRACEBACK=1 weir flows.lua data.csv   # where an error came from" },
  run = run,
}
