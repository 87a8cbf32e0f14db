--- Where the pages of the SDK are: GUIDE.md, ABI.md, REFERENCE.md and FORMULAS.md.

local core = require "weir.core"

local own = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$" or "."

--- The full path of a page; nil when it is not there. An installed script lies in PREFIX/share/weir/weir/command, the pages
-- in PREFIX/share/doc/weir; one that was not lies in scripts/weir/command, beside sdk, and a build tree links to it.
local function find(name)
  return core.full_path(own .. "/../../../doc/weir/" .. name) or core.full_path(own .. "/../../../sdk/" .. name)
end

return { find = find }
