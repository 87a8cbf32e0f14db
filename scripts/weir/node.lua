--- Descriptions of modules: what weir.coupling { ... } gives.
--
-- A node is a plain description, {type, options, children, share, frozen}; it becomes layers when a flow is built. The
-- same node used twice gives two modules with parameters of their own, unless it is shared by name.

local core = require "weir.core"
local runtime = require "weir.runtime"
local check = require "weir.check"

local node = {}
local Node = {}
Node.__index = Node

--- Whether a value is a node.
-- @param value anything
-- @return boolean
function node.is(value)
  return getmetatable(value) == Node
end

--- Nodes and lists of nodes (what weir.stack gives) as one list.
local function flatten(values, out, what, level)
  for i, value in ipairs(values) do
    if type(value) == "string" then
      out[#out + 1] = node.make(value, {}, level + 1)
    elseif node.is(value) then
      out[#out + 1] = value
    elseif type(value) == "table" then
      flatten(value, out, what, level + 1)
    else
      error(("%s: entry %d is a %s, not a module"):format(what, i, type(value)), level + 1)
    end
  end
  return out
end

--- One list of nodes from lists within lists.
-- @param values table of nodes, names of modules, and such tables
-- @param what string: what messages call it
-- @param level number: where errors are placed, as for error (1)
-- @return table of nodes
function node.list(values, what, level)
  return flatten(values, {}, what, (level or 1) + 1)
end

local function by_name(list)
  local out = {}
  for _, entry in ipairs(list) do out[entry.name] = entry end
  return out
end

--- What stands in a slot: one node, or a list for a slot that takes several.
local function child(value, slot, what, level)
  if type(value) == "string" then value = node.make(value, {}, level + 1) end
  if node.is(value) then return slot.name == "layers" and core.list { value } or value end
  if type(value) ~= "table" then
    error(("%s: %s: expected a %s such as weir.%s(), got a %s"):format(what, slot.name, slot.kind,
      type(slot.default) == "string" and slot.default or slot.kind, type(value)), level + 1)
  end
  local list = node.list(value, what .. ": " .. slot.name, level + 1)
  if slot.name == "layers" then return core.list(list) end
  if #list == 1 then return list[1] end
  return slot.kind == "layer" and node.make("chain", list, level + 1) or core.list(list)
end

--- The slot that entries without a name go to: the only one for layers, or the only one there is.
local function open_slot(schema)
  local found
  if #schema.children == 1 then return schema.children[1] end
  for _, slot in ipairs(schema.children) do
    if slot.kind == "layer" then
      if found then return nil end
      found = slot
    end
  end
  return found
end

local function mark_lists(value)
  return type(value) == "table" and core.list(value) or value
end

--- A node of the module `id` from one table of options and children.
-- @param id string
-- @param given table: options and children by name, children without a name in the module's open slot; nil: all defaults
-- @param level number: where errors are placed, as for error (1)
-- @return node; raises an error with the nearest name when the module or an option is unknown. Values are checked when the
--   flow is built
function node.make(id, given, level)
  level = (level or 1) + 1
  local schema, message = runtime.schema(id)
  if not schema then error(message, level) end
  if node.is(given) then given = { given } end
  if given ~= nil and type(given) ~= "table" then
    error(("weir.%s: expected a table of options, got a %s"):format(id, type(given)), level)
  end
  local what = "weir." .. id
  local options, slots = by_name(schema.options), by_name(schema.children)
  local made = { type = id, options = {}, children = {} }
  local positional = {}
  for key, value in pairs(given or {}) do
    if type(key) == "number" then
      positional[key] = value
    elseif slots[key] then
      made.children[key] = child(value, slots[key], what, level)
    elseif options[key] then
      made.options[key] = mark_lists(value)
    elseif key == "share" or key == "frozen" then
      made[key] = value
    else
      local known = {}
      for name in pairs(options) do known[name] = true end
      for name in pairs(slots) do known[name] = true end
      error(("%s: unknown option %s%s"):format(what, key, check.hint(key, known)), level)
    end
  end
  if next(positional) ~= nil then
    local slot = open_slot(schema)
    if not slot then error(("%s: takes options by name only"):format(what), level) end
    made.children[slot.name] = child(positional, slot, what, level)
  end
  return setmetatable(made, Node)
end

--- A function that makes nodes of one module.
-- @param id string
-- @param level number: where errors are placed, as for error (1)
-- @return function(options); raises an error when there is no such module
function node.constructor(id, level)
  local schema, message = runtime.schema(id)
  if not schema then error(message, (level or 1) + 1) end
  return function(options) return node.make(id, options) end -- a tail call: the next level up is the user's
end

--- The description as plain tables, for weir.core.
-- @param value node, or anything else, which stays as it is
-- @return table
function node.plain(value)
  if not node.is(value) then return value end
  local out = { type = value.type, share = value.share, frozen = value.frozen }
  if next(value.options) ~= nil then out.options = value.options end
  for slot, content in pairs(value.children) do
    out.children = out.children or {}
    if node.is(content) then
      out.children[slot] = node.plain(content)
    else
      local list = {}
      for i, entry in ipairs(content) do list[i] = node.plain(entry) end
      out.children[slot] = core.list(list)
    end
  end
  return out
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function text_of(value)
  if node.is(value) then return tostring(value) end
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for i, entry in ipairs(value) do parts[i] = text_of(entry) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

function Node:__tostring()
  local parts = {}
  for _, key in ipairs(sorted(self.options)) do parts[#parts + 1] = key .. " = " .. text_of(self.options[key]) end
  for _, key in ipairs(sorted(self.children)) do parts[#parts + 1] = key .. " = " .. text_of(self.children[key]) end
  local name = self.type:find(".", 1, true) and ("weir[%q]"):format(self.type) or "weir." .. self.type
  if #parts == 0 then return name .. "()" end
  return ("%s { %s }"):format(name, table.concat(parts, ", "))
end

return node
