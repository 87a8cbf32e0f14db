--- weir repl: a prompt. Expressions are printed; a statement that is not complete goes on in the next line.

local core = require "weir.core"

local function compile(text)
  local chunk = loadstring("return " .. text, "=repl")
  if chunk then return chunk end
  return loadstring(text, "=repl")
end

local function show(ok, ...)
  if not ok then
    io.stderr:write(tostring((...)), "\n")
    return
  end
  if select("#", ...) == 0 then return end
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  io.stdout:write(table.concat(parts, "\t"), "\n")
end

local function read(prompt)
  if core.terminal(1) then io.stdout:write(prompt) end
  io.stdout:flush()
  return io.read "*l"
end

local function run()
  _G.weir = require "weir"
  if core.terminal(1) then
    io.stdout:write("weir ", core.version, ", ", jit.version, '; the library is in "weir", Ctrl-D leaves\n')
  end
  local text = read "> "
  while text do
    local chunk, message = compile(text)
    if not chunk and message:find "'<eof>'" then
      local more = read ">> "
      if not more then break end
      text = text .. "\n" .. more
    else
      if chunk then
        core.catch_interrupt(true) -- Ctrl-C stops training, not the session
        show(pcall(chunk))
        core.interrupted(true)
        core.catch_interrupt(false)
      else
        io.stderr:write(message, "\n")
      end
      text = read "> "
    end
  end
  return 0
end

return {
  summary = "an interactive Lua prompt with weir loaded",
  usage = "",
  positional = {},
  options = {},
  examples = { "weir repl", "echo 'print(weir.version)' | weir repl" },
  run = run,
}
