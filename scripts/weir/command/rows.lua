--- Finding a model's columns in a data file again: by name where both have names, else by number.

local core = require "weir.core"
local check = require "weir.check"
local data = require "weir.data"

local rows = {}

--- What the model remembers of its columns; a model that was not made by weir fit has all of them in order.
local function layout_of(flow)
  local features, context = flow:get_model():get "features", flow:get_model():get "context"
  local saved = flow.metadata.data
  local layout = type(saved) == "table" and saved or {}
  local function list(value, count) return type(value) == "table" and #value == count and value or nil end
  return { features = features, context_count = context, total = layout.total,
    columns = list(layout.columns, features), context = list(layout.context, context),
    names = list(layout.names, features), context_names = list(layout.context_names, context) }
end

local function index_of(names)
  local out = {}
  for i, name in ipairs(names) do out[name] = out[name] or i end
  return out
end

--- Numbers of the wanted names; nil and the first that is missing.
local function find_all(wanted, names)
  local index, out = index_of(names), {}
  for i, name in ipairs(wanted) do
    out[i] = index[name]
    if not out[i] then return nil, name end
  end
  return out
end

local function wrong_width(path, got, layout)
  local wanted = ("%d"):format(layout.features)
  if layout.total and layout.total ~= layout.features then
    wanted = ("%s, or all %d columns of the training data"):format(wanted, layout.total)
  end
  error(("%s: %d columns; the model takes %s"):format(path, got, wanted), 0)
end

--- The numbers of the data's columns, and of the context's (nil when the file has none).
local function choose(path, array, names, layout, has_context)
  if names and layout.names then
    local found, missing = find_all(layout.names, names)
    if not found then
      error(("%s: the column %s, which the model needs, is missing%s"):format(path, missing,
        check.hint(missing, names)), 0)
    end
    local context = layout.context_names and layout.context_count > 0 and find_all(layout.context_names, names) or nil
    return found, context
  end
  if layout.total == array:columns() and layout.columns then return layout.columns, layout.context end
  if array:columns() ~= layout.features then wrong_width(path, array:columns(), layout) end
  if layout.context_count > 0 and not has_context then
    error(("%s: the model also needs %d columns of context: --context F"):format(path, layout.context_count), 0)
  end
  return nil, nil
end

--- A context file: the context's columns only, or named ones among others; as many rows as the data, or one for all.
function rows.context(flow, path, count)
  local layout = layout_of(flow)
  if layout.context_count == 0 then error(path .. ": the model takes no context", 0) end
  local array, names = core.array.load(path)
  if not array then error(names, 0) end
  local list = names and layout.context_names and find_all(layout.context_names, names)
  if list then
    array = array:select(list)
  elseif layout.total == array:columns() and layout.context and layout.total ~= layout.context_count then
    array = array:select(layout.context)
  elseif array:columns() ~= layout.context_count then
    error(("%s: %d columns; the model's context has %d"):format(path, array:columns(), layout.context_count), 0)
  end
  local i, j = array:nonfinite()
  if i then error(("%s: row %d, column %d is not a finite number"):format(path, i, j), 0) end
  if count and array:rows() ~= 1 and array:rows() ~= count then
    error(("%s: %d rows of context for %d rows of data: give as many, or one for all"):format(path, array:rows(), count), 0)
  end
  return array
end

--- "energy=3,angle=0.5" as one row.
function rows.context_values(flow, text)
  local layout = layout_of(flow)
  if layout.context_count == 0 then error("--context: the model takes no context", 0) end
  local names = layout.context_names or layout.context or {}
  local index, row = {}, {}
  for i = 1, layout.context_count do index[tostring(names[i] or i)] = i end
  for item in (text .. ","):gmatch "(.-)," do
    local name, value = item:match "^%s*(.-)%s*=%s*(.-)%s*$"
    local number = value and tonumber(value)
    if not number or number - number ~= 0 then
      error { usage = ("sample: --context: expected name=value,... or a file, got %s"):format(text) }
    end
    if not index[name] then
      error(("--context: the model's context has no column %s%s"):format(name, check.hint(name, index)), 0)
    end
    row[index[name]] = number
  end
  for i = 1, layout.context_count do
    if not row[i] then error(("--context: a value for %s is missing"):format(tostring(names[i] or i)), 0) end
  end
  return core.array.from { row }
end

--- The data set of a file for a model.
-- @param context_path string: a context file, or nil
function rows.load(flow, path, context_path)
  local array, names = core.array.load(path)
  if not array then error(names, 0) end
  local layout = layout_of(flow)
  local chosen, context = choose(path, array, names, layout, context_path)
  local set = data.from(array, { columns = chosen, names = names }, path):refuse_nonfinite(true)
  if context_path then
    set.context = rows.context(flow, context_path, array:rows())
  elseif context and #context > 0 then
    set = set:with { context = array:select(context) }
  elseif layout.context_count > 0 then
    error(("%s: the model needs %d columns of context: --context F"):format(path, layout.context_count), 0)
  end
  return set
end

--- The names of the model's columns, or nil.
function rows.names(flow)
  return layout_of(flow).names
end

return rows
