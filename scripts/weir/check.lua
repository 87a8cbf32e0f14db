--- Checking the tables that users hand in.

local nearest = require "weir.nearest"

local check = {}

--- " (did you mean NAME?)" or a list of what is known.
function check.hint(word, known)
  local near = nearest(tostring(word), known)
  if near then return ("; did you mean %s?"):format(near) end
  local names = {}
  for key, value in pairs(known) do names[#names + 1] = type(key) == "string" and key or value end
  table.sort(names)
  return #names > 0 and #names <= 40 and "; known: " .. table.concat(names, ", ") or ""
end

--- Raises an error when `given` has a key that `known` lacks.
-- @param what string: whose options they are
-- @param level number: as of error(), counted from the caller
function check.keys(given, known, what, level)
  for key in pairs(given) do
    if known[key] == nil then
      error(("%s: unknown option %s%s"):format(what, tostring(key), check.hint(key, known)), (level or 1) + 1)
    end
  end
end

--- The value when it has the type, else an error.
function check.type(value, expected, what, level)
  if type(value) == expected then return value end
  error(("%s: expected a %s, got a %s"):format(what, expected, type(value)), (level or 1) + 1)
end

--- A whole number in [low, high].
function check.integer(value, low, high, what, level)
  if type(value) == "number" and value % 1 == 0 and value >= low and value <= high then return value end
  local range = high == math.huge and ("%g or more"):format(low) or ("from %g to %g"):format(low, high)
  error(("%s: expected a whole number, %s, got %s"):format(what, range, tostring(value)), (level or 1) + 1)
end

--- A finite number in [low, high].
function check.number(value, low, high, what, level)
  if type(value) == "number" and value >= low and value <= high and value - value == 0 then return value end
  local range = high == math.huge and ("%g or more"):format(low) or ("from %g to %g"):format(low, high)
  error(("%s: expected a number, %s, got %s"):format(what, range, tostring(value)), (level or 1) + 1)
end

--- Passes results on; raises the message of a failure (nil, message) without a position: it is the world's fault.
function check.ok(value, ...)
  if value == nil then error((...), 0) end
  return value, ...
end

return check
