--- Choosing columns: "1-3,5" or "mass,charge", or a list of numbers and names.

local check = require "weir.check"

local columns = {}

local function index_of(names, name)
  for i, known in ipairs(names or {}) do
    if known == name then return i end
  end
end

local function add_range(out, first, last, total, item)
  if first < 1 or last > total or last < first then
    return nil, ("column %s: there are columns 1 to %d"):format(item, total)
  end
  for i = first, last do out[#out + 1] = i end
  return out
end

--- A name wins over a range, so that a column may be called x-1.
local function add_item(out, item, total, names)
  local i = index_of(names, item)
  if i then
    out[#out + 1] = i
    return out
  end
  if item:match("^%d+$") then return add_range(out, tonumber(item), tonumber(item), total, item) end
  local first, last = item:match("^(%d+)%s*%-%s*(%d+)$")
  if first then return add_range(out, tonumber(first), tonumber(last), total, item) end
  if not names then return nil, ("column %s: the data has no column names, use numbers from 1"):format(item) end
  return nil, ("no column is called %s%s"):format(item, check.hint(item, names))
end

--- The numbers of the columns that a specification names, in its order.
-- @return list, or nil and a message
function columns.parse(spec, total, names)
  local items = {}
  if type(spec) == "number" then spec = tostring(spec) end
  if type(spec) == "table" then
    for _, item in ipairs(spec) do items[#items + 1] = tostring(item) end
  else
    for item in (spec .. ","):gmatch("(.-),") do items[#items + 1] = item:match("^%s*(.-)%s*$") end
  end
  local out, seen = {}, {}
  for _, item in ipairs(items) do
    local added, message = add_item(out, item, total, names)
    if not added then return nil, message end
  end
  for _, i in ipairs(out) do
    if seen[i] then return nil, ("column %d is chosen twice"):format(i) end
    seen[i] = true
  end
  if #out == 0 then return nil, "no column is chosen" end
  return out
end

--- The columns of 1..total that none of the lists holds.
function columns.rest(total, ...)
  local taken, out = {}, {}
  for _, list in ipairs { ... } do
    for _, i in ipairs(list) do taken[i] = true end
  end
  for i = 1, total do
    if not taken[i] then out[#out + 1] = i end
  end
  return out
end

--- The names of the listed columns; nil without names.
function columns.names(names, list)
  if not names then return nil end
  local out = {}
  for i, j in ipairs(list) do out[i] = names[j] end
  return out
end

return columns
