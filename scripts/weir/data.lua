--- Data sets: rows to fit, with context and weights beside them.

local core = require "weir.core"
local check = require "weir.check"
local columns = require "weir.columns"

local data = {}

--- A data set: x (array), and where there are any: context (array), weights (f64 vector), names and context_names (of
-- columns), layout (which columns of the file became what).
local Set = {}
Set.__index = Set

--- The parts of a split: train, validation, test.
local Parts = {}
Parts.__index = Parts

--- Whether a value is a data set.
-- @param value anything
-- @return boolean
function data.is_set(value) return getmetatable(value) == Set end
--- Whether a value is what Set:split gives.
-- @param value anything
-- @return boolean
function data.is_parts(value) return getmetatable(value) == Parts end
--- Whether a value is an array.
-- @param value anything
-- @return boolean
function data.is_array(value) return getmetatable(value) == "array" end

local known = { columns = true, context = true, weights = true, names = true, member = true }

local function choose(spec, array, names, what)
  if spec == nil then return {} end
  local list, message = columns.parse(spec, array:columns(), names)
  if not list then error(("%s: %s"):format(what, message), 0) end
  return list
end

local function take(array, list)
  local all = #list == array:columns()
  for i, j in ipairs(list) do all = all and i == j end
  return all and array or array:select(list)
end

--- Weights as an f64 vector; they must be finite and not negative.
local function weight_vector(array, what)
  if array:columns() ~= 1 then error(what .. ": weights are one number for each row", 0) end
  local weights = array:cast "f64"
  local row = weights:nonfinite()
  if row or weights:count() > 0 and weights:min() < 0 then
    error(("%s: weights must be finite and 0 or more"):format(what), 0)
  end
  return weights
end

--- A data set from an array, or from a list of rows.
-- @param values array or table of rows
-- @param options table: columns, context, weights (columns to use, "1-3,5" or names), names (of all columns)
-- @param what string: what messages call it
-- @return the data set; raises an error when no row or no column is left, or when weights are negative or not finite
function data.from(values, options, what)
  options, what = options or {}, what or "data"
  check.keys(options, known, "weir.data", 2)
  local array = data.is_array(values) and values or core.array.from(values)
  local names = options.names
  if array:rows() == 0 or array:columns() == 0 then error(what .. ": there are no numbers in it", 0) end
  local context = choose(options.context, array, names, what .. ": context")
  local weights = choose(options.weights, array, names, what .. ": weights")
  if #weights > 1 then error(what .. ": weights: choose one column", 0) end
  local chosen = options.columns and choose(options.columns, array, names, what .. ": columns")
    or columns.rest(array:columns(), context, weights)
  if #chosen == 0 then error(what .. ": no column is left for the data", 0) end
  return setmetatable({
    x = take(array, chosen),
    context = #context > 0 and array:select(context) or nil,
    weights = #weights > 0 and weight_vector(array:select(weights), what) or nil,
    names = columns.names(names, chosen),
    context_names = columns.names(names, context),
    layout = { total = array:columns(), data = chosen, context = context, weights = weights },
    source = what,
  }, Set)
end

--- A data set from a .npy, .npz, .csv or IDX file.
-- @param path string
-- @param options table: columns, context, weights, member (of an .npz)
-- @return the data set; its columns have the names of a CSV file's first line. Raises an error with the place in the file
function data.load(path, options)
  options = options or {}
  check.keys(options, known, "weir.data.load", 2)
  local array, names = core.array.load(path, options.member)
  if not array then error(names, 0) end
  return data.from(array, { columns = options.columns, context = options.context, weights = options.weights,
    names = names }, path)
end

--- Number of rows.
-- @return number
function Set:rows() return self.x:rows() end

local function same_rows(self, array, what)
  if array:rows() == self:rows() then return array end
  error(("%s: %d rows, the data has %d"):format(what, array:rows(), self:rows()), 3)
end

--- The set with other context or weights (arrays, one row for each of the data's).
-- @param parts table: context (array), weights (array of one column)
-- @return another set over the same rows; raises an error when the numbers of rows differ
function Set:with(parts)
  check.keys(parts, { context = true, weights = true }, "with", 2)
  local copy = {}
  for key, value in pairs(self) do copy[key] = value end
  if parts.context then copy.context = same_rows(self, parts.context, "context") end
  if parts.weights then copy.weights = weight_vector(same_rows(self, parts.weights, "weights"), "weights") end
  return setmetatable(copy, Set)
end

--- The set with the listed rows only, in that order.
-- @param list table or i64 array of row numbers, from 1
-- @return another set
function Set:take(list)
  local part = {}
  for key, value in pairs(self) do part[key] = value end
  part.x = self.x:take(list)
  part.context = self.context and self.context:take(list)
  part.weights = self.weights and self.weights:take(list)
  return setmetatable(part, Set)
end

--- Stops with the place of the first number that is not finite.
-- @param nan_only boolean: infinities pass
-- @return the set itself
function Set:refuse_nonfinite(nan_only)
  for what, array in pairs { [""] = self.x, ["context, "] = self.context } do
    local i, j = array:nonfinite(nan_only)
    if i then
      local names = what == "" and self.names or self.context_names
      error(("%s: %srow %d, column %s is %s: remove the row or fill it in"):format(self.source, what, i,
        names and names[j] or tostring(j), tostring(array:get(i, j))), 0)
    end
  end
  return self
end

--- Text that is the same for the same numbers only.
-- @return string
function Set:fingerprint()
  local parts = { self.x:fingerprint() }
  parts[#parts + 1] = self.context and self.context:fingerprint()
  parts[#parts + 1] = self.weights and "w" .. self.weights:fingerprint()
  return table.concat(parts, "-")
end

--- Random parts: split { 0.8, 0.1, 0.1, seed = 1 } gives train, validation and test; two fractions, train and validation.
-- @param options table: two or three fractions, together at most 1; seed (0)
-- @return table: train, validation and test (data sets); raises an error when a part would be empty
function Set:split(options)
  check.type(options, "table", "split", 2)
  check.keys(options, { true, true, true, seed = true }, "split", 2)
  local names, n, total = { "train", "validation", "test" }, self:rows(), 0
  for i, fraction in ipairs(options) do
    total = total + check.number(fraction, 0, 1, "split: fraction " .. i, 2)
  end
  if #options < 2 or total > 1 + 1e-9 then error("split: give two or three fractions that add up to at most 1", 2) end
  local order = core.permutation(n, options.seed or 0, 1)
  local parts, at, sum = {}, 0, 0
  for i, fraction in ipairs(options) do
    sum = sum + fraction
    local last = math.min(n, math.floor(sum * n + 0.5))
    if last <= at then
      error(("split: %d rows are too few: the part %s would be empty"):format(n, names[i]), 0)
    end
    parts[names[i]] = self:take(order:slice(at + 1, last))
    at = last
  end
  return setmetatable(parts, Parts)
end

function Set:__tostring()
  return ("data set, %d rows of %d%s%s"):format(self:rows(), self.x:columns(),
    self.context and (", context of %d"):format(self.context:columns()) or "", self.weights and ", weighted" or "")
end

function Parts:__tostring()
  local text = {}
  for _, name in ipairs { "train", "validation", "test" } do
    if self[name] then text[#text + 1] = ("%s %d"):format(name, self[name]:rows()) end
  end
  return "data in parts: " .. table.concat(text, ", ") .. " rows"
end

--- Arrays, tables of rows and data sets as a data set.
-- @param value array, table of rows or data set
-- @param what string: what messages call it
-- @return the data set
function data.as_set(value, what)
  if data.is_set(value) then return value end
  if data.is_array(value) or (type(value) == "table" and not data.is_parts(value)) then
    return data.from(value, nil, what)
  end
  error(("%s: expected an array or a data set, got a %s"):format(what, data.is_parts(value) and "split data set"
    or type(value)), 3)
end

-- The generators of weir.synthetic: weir.data.two_moons { n = 1000, seed = 1 } and the like.
for name, generate in pairs(require "weir.synthetic") do
  data[name] = function(options) return data.from(generate(options or {}), nil, name) end
end

return data
