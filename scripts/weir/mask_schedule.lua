--- A schedule of masks for couplings in a row, from fine to coarse and back: no two features stay together for long.
--
--     local masks = weir.mask_schedule(8)
--     weir.stack(#masks, function(i) return weir.coupling(masks[i]) end)
--
-- A mask of period f and first bit b gives feature i (from 0) the bit b xor (floor(i / f) mod 2); bit 1 passes unchanged.
-- The periods are 1, D/2, 2, D/4, 4, D/8, ..., rounded down, at least 1, each once and below the number D of features;
-- the powers of two among them put any two features on different sides of some mask. Every period comes with the first
-- bit 0 and then, as its complement, with 1.

local check = require "weir.check"

--- 1, D/2, 2, D/4, ... while the power of two is below D, each once.
local function periods(features)
  local list, seen = {}, {}
  local function add(period)
    if not seen[period] then list[#list + 1], seen[period] = period, true end
  end
  local power = 1
  while power < features do
    add(power)
    add(math.max(1, math.floor(features / (2 * power))))
    power = 2 * power
  end
  return list
end

--- The masks as a list of options of weir.coupling, weir.gin or weir.all_in_one: { mask = "period", period = f, first = b }.
-- @param features integer: of the data, 2 or more
return function(features)
  check.integer(features, 2, 2 ^ 24, "weir.mask_schedule: features", 2)
  local masks = {}
  for _, period in ipairs(periods(features)) do
    for first = 0, 1 do masks[#masks + 1] = { mask = "period", period = period, first = first } end
  end
  return masks
end
