--- weir help [COMMAND]

local options = require "weir.command.options"

local function text()
  local command = require "weir.command"
  local out = { "weir - normalizing flows from plugins, scripted in Lua", "", "usage: weir COMMAND ...",
    "       weir FILE.lua [WORD...]", "" }
  for _, name in ipairs(command.names) do
    out[#out + 1] = ("  %-9s %s"):format(name, command.get(name).summary)
  end
  out[#out + 1] = "\nweir COMMAND --help says more. Errors go to stderr; status 1: failure, 2: bad usage, 130: interrupted."
  return table.concat(out, "\n") .. "\n"
end

local function run(given)
  local name = given.command
  if not name then
    io.stdout:write(text())
    return 0
  end
  local command = require "weir.command"
  local chosen = command.get(name)
  if not chosen then
    local near = require "weir.nearest"(name, command.names)
    error { usage = ("help: unknown command %s%s"):format(name, near and "; did you mean " .. near .. "?" or "") }
  end
  io.stdout:write(options.help(chosen, name))
  return 0
end

return {
  summary = "explains a command",
  usage = "[COMMAND]",
  positional = { "COMMAND?" },
  options = {},
  examples = { "weir help fit" },
  text = text,
  run = run,
}
