--- weir FILE.lua: a script, with its arguments in `arg`.

local core = require "weir.core"

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

local function run(given)
  local script = given.words[1]
  if not script then error { usage = "run: FILE.lua is missing; see weir run --help" } end
  if core.file_kind(script) ~= "file" then error(script .. ": no such file", 0) end
  local chunk, message = loadfile(script, "t")
  if not chunk then error(message:find("%.lua") and message or script .. ": " .. message, 0) end
  io.stdout:setvbuf "line" -- what a script prints is seen while it trains, also through a pipe
  _G.arg = { [0] = script, unpack(given.words, 2) }
  local folder = script:match "^(.*)/[^/]*$" or "."
  if not folder:find "[;?]" then package.path = package.path .. ";" .. folder .. "/?.lua" end
  require("weir.loop").trial = given.trial
  local ok, err = xpcall(function() return chunk(unpack(given.words, 2)) end, locate(script))
  if not ok then error(err, 0) end
  return type(err) == "number" and err or 0
end

return {
  summary = "runs a Lua script",
  usage = "[--trial] FILE.lua [WORD...]     (or simply: weir FILE.lua [WORD...])",
  positional = { "..." },
  options = {
    { "--trial", help = "every fit ends after one epoch of ten steps: see a script through before the long run" },
  },
  examples = { "weir flows.lua data.csv", "weir run --trial flows.lua data.csv",
    "WEIR_TRACEBACK=1 weir flows.lua data.csv   # where an error came from" },
  run = run,
}
