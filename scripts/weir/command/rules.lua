--- The numbered rules of the plugin interface, as ABI.md has them: what a failed check is about, in words.

local pages = require "weir.command.pages"

--- The rules by number, each up to the end of its first clause, and where the page is; nil when it is not installed.
local function read()
  local path = pages.find "ABI.md"
  local file = path and io.open(path, "rb")
  if not file then return nil end
  local rules = {}
  for line in file:lines() do
    local number, text = line:match "^| (%d+) | (.-) | "
    if number then rules[number] = text:gsub("[.;] .*", ""):gsub("%.$", "") end
  end
  file:close()
  return rules, path
end

return { read = read }
