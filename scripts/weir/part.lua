--- One module of a flow: what flow:node(name) gives.
--
-- Every method of the module is a method here, part:matrix(). Arguments are numbers, texts, arrays and tables of numbers;
-- results are numbers and arrays.

local core = require "weir.core"
local check = require "weir.check"

local part = {}
local hidden = setmetatable({}, { __mode = "k" }) -- what a part is of; its fields are all methods

local function converted(value)
  if type(value) == "table" then return core.array.from(value) end
  return value
end

local Part = {}

function Part.__index(self, method)
  if type(method) ~= "string" then return nil end
  return function(given, ...)
    local of = hidden[self]
    if given ~= self then error(("call it with a colon: part:%s()"):format(method), 2) end
    local arguments, count = { ... }, select("#", ...)
    for i = 1, count do arguments[i] = converted(arguments[i]) end
    return check.ok(of.model:call(of.name, method, unpack(arguments, 1, count)))
  end
end

function Part.__tostring(self)
  return ("module %s"):format(hidden[self].name)
end

function Part.__newindex()
  error("a module of a flow has no fields to set", 2)
end

local function names_of(tree, names)
  names[#names + 1] = tree.name
  for _, child in ipairs(tree.children) do names_of(child, names) end
  return names
end

--- The module of that name; an error that says the nearest when there is none.
function part.new(model, name)
  local info = check.ok(model:describe())
  local names = names_of(info.base, names_of(info.flow, {}))
  local known = {}
  for _, each in ipairs(names) do known[each] = true end
  if not known[name] then
    error(("the flow has no module %q%s"):format(name, check.hint(name, known)), 3)
  end
  local made = setmetatable({}, Part)
  hidden[made] = { model = model, name = name }
  return made
end

return part
