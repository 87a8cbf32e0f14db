--- Ready-made flows. Each is a Lua file in the folder presets/ (or anywhere, named by its path): a table with
--
--     summary   one line
--     options   a list of { name, default, meaning }
--     training  options of flow:fit that suit it better than the usual ones
--     layers    function(options, features): the layers, data side first; features is nil when the data is not known yet
--     base      function(options): the base density; may be missing (normal)
--
-- Adding a file adds a preset; nothing else has to know.

local core = require "weir.core"
local check = require "weir.check"

local presets = {}
local loaded = {}

local folder = debug.getinfo(1, "S").source:match "^@(.*)presets%.lua$" .. "presets"

local function names_in_folder()
  local names = {}
  for _, file in ipairs(check.ok(core.list_folder(folder))) do
    names[#names + 1] = file:match "^([%w_]+)%.lua$"
  end
  table.sort(names)
  return names
end

--- The names of the presets in the folder, sorted.
-- @return table
function presets.names()
  return names_in_folder()
end

local function read(path)
  local chunk, message = loadfile(path, "t")
  if not chunk then error(message:find("%.lua") and message or path .. ": " .. message, 0) end
  local preset = chunk()
  if type(preset) ~= "table" or type(preset.layers) ~= "function" then
    error(path .. ": a preset returns a table with a function layers", 0)
  end
  return preset
end

--- The preset of a name, or of a file whose path ends in .lua.
-- @param name string
-- @return table: summary, options, training, layers, base; raises an error with the nearest name when there is none
function presets.get(name)
  if loaded[name] then return loaded[name] end
  -- Not presets.names: a sandboxed script may have put its own there, and what is found here is run.
  local names, path = names_in_folder(), name
  if name:match "%.lua$" then
    core.reach(name, "run")
  else
    local found = false
    for _, known in ipairs(names) do found = found or known == name end
    if not found then error({ usage = ("unknown flow %s%s"):format(name, check.hint(name, names)) }, 0) end
    path = folder .. "/" .. name .. ".lua"
  end
  loaded[name] = read(path)
  return loaded[name]
end

--- The options of a preset, given ones over its defaults.
-- @param preset table, as get gives it
-- @param given table: values by name, nil for none
-- @return table; raises an error when an option is unknown
function presets.options(preset, given)
  local out, known = {}, {}
  for _, option in ipairs(preset.options or {}) do
    known[option[1]] = true
    out[option[1]] = option[2]
  end
  check.keys(given or {}, known, "preset", 2)
  for key, value in pairs(given or {}) do out[key] = value end
  return out
end

--- Layers for integers 0 .. levels - 1: noise within each level, then the whole line.
local function for_levels(levels)
  local weir = require "weir"
  return levels and { weir.dequantize { levels = levels }, weir.logit { alpha = 1e-6 } } or {}
end

--- A flow of a preset.
-- @param name string
-- @param given table: options of the preset
-- @param flow_options table: options of weir.flow (masks = schedule needs features), and levels (of integer data; nil:
--   the data is continuous)
-- @return the flow
function presets.flow(name, given, flow_options)
  local preset = presets.get(name)
  local o = presets.options(preset, given)
  local description = { base = preset.base and preset.base(o) }
  for key, value in pairs(flow_options or {}) do description[key] = value end
  description[1], description[2], description.levels = for_levels(description.levels), preset.layers(o, description.features), nil
  return require("weir.flow").new(description)
end

--- What presets put before their i-th transform to mix the features: "lu", "random" or "none".
-- @param kind string
-- @param i number: which transform, from 1; before the first stands nothing
-- @return node, or an empty table
function presets.mixing(kind, i)
  local weir = require "weir"
  if i == 1 or kind == "none" then return {} end
  if kind == "lu" then return weir.lu_linear() end
  if kind == "random" then return weir.permutation { kind = "random" } end
  error({ usage = ("mixing: %s is not one of lu, random, none"):format(tostring(kind)) }, 0)
end

--- The options of the i-th coupling of a preset, with its mask: "alternate" is even, odd, even, ...; "schedule" goes
--- through weir.mask_schedule of so many features, again and again.
-- @param kind string
-- @param i number: which coupling, from 1
-- @param features number of columns; nil when not known yet
-- @param options table, which gets the mask
-- @return options
function presets.masked(kind, i, features, options)
  local masks = { { mask = "even" }, { mask = "odd" } }
  if kind == "schedule" then
    if not features then error({ usage = "masks = schedule needs the size of the data: say features = n" }, 0) end
    masks = require("weir").mask_schedule(features)
  elseif kind ~= "alternate" then
    error({ usage = ("masks: %s is not one of alternate, schedule"):format(tostring(kind)) }, 0)
  end
  for key, value in pairs(masks[(i - 1) % #masks + 1]) do options[key] = value end
  return options
end

return presets
