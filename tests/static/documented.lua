--- documented.lua ROOT: every function that a file of scripts/weir gives away has a comment of its own; those of the pages that
-- scripts/docs.sh makes say of each parameter what it is, and what comes back. What is written in C has its page too.
local root = arg[1]
local config = {}
setfenv(assert(loadfile(root .. "/scripts/config.ld")), config)()
local has_page = {}
for _, path in ipairs(config.file) do has_page[path] = true end

local complaints, count = 0, 0
local function complain(...)
  complaints = complaints + 1
  print(("%s:%d: %s"):format(...))
end

--- The comment that ends before line `at`, or nil.
local function comment_before(lines, at)
  local first = at
  while first > 1 and lines[first - 1]:match "^%-%-" do first = first - 1 end
  return first < at and lines[first]:match "^%-%-%-" and table.concat(lines, "\n", first, at - 1)
end

--- The lines of a function that begins at column 0.
local function body(lines, at)
  local last = at
  if lines[at]:match "%f[%w]end%)?$" then return lines[at] end
  while lines[last] and not lines[last]:match "^end" do last = last + 1 end
  return table.concat(lines, "\n", at, math.min(last, #lines))
end

local function look_at(path)
  local lines = {}
  for line in io.lines(root .. "/scripts/" .. path) do lines[#lines + 1] = line end
  for at, line in ipairs(lines) do
    local name, params = line:match "^function ([%w_.:]+)%((.-)%)"
    if not name then name, params = line:match "^([%w_]+%.[%w_.]+) = function%((.-)%)" end
    if name and not name:match "[.:]__" then
      count = count + 1
      local comment = comment_before(lines, at)
      if not comment then
        complain(path, at, name .. " has no comment that begins with ---")
      elseif has_page[path] then
        for param in params:gmatch "[%w_]+" do
          if not param:match "^_" and not comment:find("@param " .. param .. " ", 1, true) then
            complain(path, at, ("%s: nothing is said of %s"):format(name, param))
          end
        end
        if body(lines, at):find "%f[%w]return [^n]" and not comment:find("@return", 1, true) then
          complain(path, at, name .. ": what it returns is not said")
        end
      end
    end
  end
end

--- Names of the functions that the C files of arrays give to Lua, and those that their page has: the same.
local function look_at_c(folder, page)
  local given, said = {}, {}
  local files = io.popen(("cat '%s'/array*.c '%s'/random.c"):format(folder, folder))
  for name in files:read "*a":gmatch '{"([%w_]+)", [%w_]+}' do
    given[name] = not name:match "^__" or nil
  end
  files:close()
  given.permutation = nil -- the library's own
  for line in io.lines(page) do
    local name = line:match "^%-%- @function .-([%w_]+)$"
    if name then said[name] = true end
  end
  for name in pairs(given) do
    count = count + 1
    if not said[name] then complain(page, 1, name .. " of core/src/lua is missing") end
  end
  for name in pairs(said) do
    if not given[name] then complain(page, 1, name .. " is nothing that core/src/lua has") end
  end
end

local found = io.popen(("cd '%s/scripts' && find weir -name '*.lua' | sort"):format(root))
for path in found:lines() do look_at(path) end
found:close()
look_at_c(root .. "/core/src/lua", root .. "/scripts/docs/array.lua")
print(("%d functions"):format(count))
os.exit(complaints == 0 and count > 150 and 0 or 1)
