--- The Lua side of a layer written in Lua: loads its file, checks what it gives, and makes the functions that C calls.
--
-- A state runs this once. Nothing here calls into C but to leaf functions (mathematics, scratch, tape, random numbers),
-- which never come back: LuaJIT does not survive a compiled call that re-enters its own state.

local cdef, real, address, info, source, name = ...

local ffi = require "ffi"
ffi.cdef("typedef " .. real .. " weir_real;\n" .. cdef)

-- Older LuaJIT (Debian 12's) makes a fused operation of a product and a sum in compiled code for 64-bit Arm, and rounds
-- them one by one in the interpreter: equal calls would give different bits. Later ones fuse when asked only, and know "fma".
if jit.arch == "arm64" and not pcall(jit.opt.start, "-fma") then jit.opt.start "-fuse" end

local call = ffi.cast("weir_lua_call *", address)
local real_size = ffi.sizeof "weir_real"
local reals = ffi.typeof "weir_real *"

ffi.metatype("weir_lua_tile", {
  __index = {
    --- The lane of feature f, from 0.
    lane = function(tile, f) return tile.data + f * tile.stride end,
  },
})

-- ---- what a script gets as its only argument ------------------------------------------------------------------------

local weir = {
  features = info.features,
  context = info.context,
  outputs = info.outputs,
  output_bias = info.output_bias,
  constants = info.constants,
  stream = info.stream,
  precision = info.precision,
  real = ffi.typeof "weir_real",
  reals = reals,
}

-- Zeroed: numbers that nobody has written could have the bits of anything.
local function given(memory, bytes)
  if memory == nil then error("the host has no memory left", 0) end
  ffi.fill(memory, bytes)
  return ffi.cast(reals, memory)
end

--- Scratch memory of `lanes` lanes (1), frame.stride apart, zero at first, gone when the call returns.
function weir.take(frame, lanes)
  local bytes = (lanes or 1) * tonumber(frame.stride) * real_size
  return given(frame.services.scratch_take(frame, bytes), bytes)
end

--- The same on the tape, for the VJP that follows; scratch when none will.
function weir.keep(frame, lanes)
  local bytes = (lanes or 1) * tonumber(frame.stride) * real_size
  if frame.tape == nil then return given(frame.services.scratch_take(frame, bytes), bytes) end
  return given(frame.services.tape_push(frame, bytes), bytes)
end

--- What keep kept, the newest first; it must be left as it is.
function weir.kept(frame, lanes)
  local memory = frame.services.tape_pop(frame, (lanes or 1) * tonumber(frame.stride) * real_size)
  if memory == nil then error("the tape does not hold what this call wants from it: keep and kept must match", 0) end
  return ffi.cast(reals, memory)
end

--- The lane of feature f of a tile of the frame (context, context_bar).
function weir.lane(tile, f)
  local lane = tile.lanes ~= nil and tile.lanes[f] or f
  return ffi.cast(reals, tile.data) + lane * tonumber(tile.stride)
end

--- The sum over the rows that count: what a parameter's gradient is made of.
function weir.sum(frame, lane)
  local sum = 0
  for r = 0, frame.rows - 1 do sum = sum + lane[r] end
  return sum
end

--- Marks a row that has no finite answer.
function weir.discard(frame, row)
  local word = bit.rshift(row, 6)
  frame.discard[word] = bit.bor(frame.discard[word], bit.lshift(1ULL, bit.band(row, 63)))
end

-- ---- loading -------------------------------------------------------------------------------------------------------------

-- A file stands alone: its digest, which the model keeps, must cover all that it does.
local modules = { ffi = ffi, bit = bit, jit = jit, math = math, string = string, table = table }
io, os, debug, package, dofile, loadfile, module = nil, nil, nil, nil, nil, nil, nil -- luacheck: ignore
function require(wanted) -- luacheck: ignore
  return modules[wanted] or error("a layer's file may require ffi, bit, jit, math, string and table only", 2)
end

local function wrong(format, ...) error(("%s: " .. format):format(name, ...), 0) end

local chunk, message = loadstring(source, "@" .. name)
if not chunk then error(message, 0) end
local given_table = chunk(weir)
if type(given_table) ~= "table" then
  wrong("returns %s, expected a table with forward, forward_vjp and so on", type(given_table))
end

-- ---- what it gives ---------------------------------------------------------------------------------------------------------

local calls_of = {
  univariate = { forward = true, forward_vjp = false, inverse = false, inverse_vjp = false },
  layer = { forward = true, forward_vjp = false, inverse = false, inverse_vjp = false },
  network = { forward = true, vjp = true },
  density = { log_density = true, vjp = true, sample = false, sample_vjp = false },
}
local calls = calls_of[info.kind]
calls.prepare, calls.prepare_vjp = false, false

local fields = { kind = "string", parameters = "table", derived = "table", domain = "table", codomain = "table" }
if info.kind == "univariate" then fields.params, fields.identity = "number", "table" end

for key, value in pairs(given_table) do
  local wanted = calls[key] ~= nil and "function" or fields[key]
  if not wanted then wrong("%s is nothing that a %s has", tostring(key), info.kind) end
  if type(value) ~= wanted then wrong("%s is a %s, expected a %s", key, type(value), wanted) end
end
if given_table.kind and given_table.kind ~= info.kind then
  wrong("says kind = \"%s\", expected \"%s\"%s", given_table.kind, info.kind,
    calls_of[given_table.kind] and ("; lua_%s takes it"):format(given_table.kind) or "")
end
for key, required in pairs(calls) do
  if required and not given_table[key] then wrong("%s is missing", key) end
end
if given_table.prepare and not given_table.prepare_vjp then wrong("prepare needs prepare_vjp") end
if given_table.inverse_vjp and not given_table.inverse then wrong("inverse_vjp needs inverse") end

local function whole(value, least, most)
  return type(value) == "number" and value >= least and value <= most and value == math.floor(value)
end

local spec = { tensors = {} }

if info.kind == "univariate" then
  spec.params = given_table.params or 0
  spec.identity = given_table.identity or {}
  if not whole(spec.params, 0, 4096) then wrong("params is how many parameters an element has, 0 to 4096") end
  if #spec.identity ~= spec.params then
    wrong("identity has %d numbers for %d params: give those that make the map the identity", #spec.identity, spec.params)
  end
  for i, value in ipairs(spec.identity) do
    if type(value) ~= "number" or value ~= value then wrong("identity[%d] is no number", i) end
  end
end

for _, key in ipairs { "domain", "codomain" } do
  local ends = given_table[key]
  if ends then
    local ordered = type(ends[1]) == "number" and type(ends[2]) == "number" and ends[1] < ends[2]
    if not ordered then wrong("%s is { lower, upper }", key) end
    spec[key] = ends
  end
end

local function count_of(tensor)
  local count = 1
  for i, side in ipairs(tensor.dims) do
    if not whole(side, 0, 2 ^ 31) then wrong("%s: side %d of its shape is no whole number", tensor.name, i) end
    count = count * side
    if count > 2 ^ 31 then wrong("%s is too large", tensor.name) end -- even where a side of 0 follows: C multiplies too
  end
  if #tensor.dims > 4 then wrong("%s has %d sides, 4 are the most", tensor.name, #tensor.dims) end
  return count
end

-- init: a number for all elements, a list of all of them, or { "normal", mean, deviation } or { "uniform", low, high }
local function initial(tensor, init)
  if init == nil then init = 0 end
  if type(init) == "number" then
    tensor.init, tensor.a, tensor.b = "constant", init, 0
  elseif type(init) == "table" and (init[1] == "normal" or init[1] == "uniform") then
    tensor.init, tensor.a, tensor.b = init[1], init[2], init[3]
    if type(tensor.a) ~= "number" or type(tensor.b) ~= "number" then wrong("%s: init has no two numbers", tensor.name) end
  elseif type(init) == "table" and #init == count_of(tensor) then
    tensor.init, tensor.values = "values", init
    for _, value in ipairs(init) do
      if type(value) ~= "number" then wrong("%s: init holds a %s", tensor.name, type(value)) end
    end
  else
    wrong("%s: init is a number, a list of %d, or { \"normal\" or \"uniform\", a, b }", tensor.name, count_of(tensor))
  end
end

local function declare(list, derived)
  for i, entry in ipairs(list or {}) do
    local tensor = type(entry) == "table" and { name = entry[1], dims = entry[2] or {}, derived = derived }
    if not tensor or type(tensor.name) ~= "string" or not tensor.name:match "^[a-z][a-z0-9_]*$" or #tensor.name > 60 then
      wrong("%s %d is not { name of a-z, 0-9 and _, { shape }, init }", derived and "derived" or "parameter", i)
    end
    if type(tensor.dims) ~= "table" then wrong("%s: its shape is no list", tensor.name) end
    count_of(tensor)
    if not derived then initial(tensor, entry[3]) end
    spec.tensors[#spec.tensors + 1] = tensor
  end
end
declare(given_table.parameters, false)
declare(given_table.derived, true)
if #spec.tensors > 60 then wrong("declares more than 60 tensors") end

-- What may not change while a model lives: compared when a file is loaded again.
local signature = { info.kind, spec.params or 0 }
for _, tensor in ipairs(spec.tensors) do
  signature[#signature + 1] = ("%s[%s]%s"):format(tensor.name, table.concat(tensor.dims, ","), tensor.derived and "'" or "")
end
for _, key in ipairs { "domain", "codomain" } do
  if spec[key] then signature[#signature + 1] = ("%s(%.17g,%.17g)"):format(key, spec[key][1], spec[key][2]) end
end
local names = {}
for key in pairs(calls) do
  if given_table[key] then names[#names + 1] = key end
end
table.sort(names)
spec.signature = table.concat(signature, " ") .. ": " .. table.concat(names, " ")

-- ---- the functions that C calls: no arguments, all comes through the one struct --------------------------------------------

local theta, theta_bar = {}, {}
if #spec.tensors > 0 then
  local members = {}
  for i, tensor in ipairs(spec.tensors) do members[i] = "weir_real *" .. tensor.name .. ";" end
  local form = ffi.typeof("struct { " .. table.concat(members, " ") .. " } *")
  theta, theta_bar = ffi.cast(form, call.tensors), ffi.cast(form, call.gradients)
end

local t0, t1, t2 = call.tile[0], call.tile[1], call.tile[2]
local t3, t4, t5 = call.tile[3], call.tile[4], call.tile[5]

local function univariate_map(map)
  return function()
    local frame, log_det, each, s = call.frame, call.lane, call.each, t1.stride
    local n = frame.width
    for f = 0, t0.features - 1 do
      map(frame, n, t0.data + f * t0.stride, t1.data + f * each * s, s, t2.data + f * t2.stride, log_det, theta)
    end
  end
end

local function univariate_vjp(vjp)
  return function()
    local frame, log_det_bar, each, s = call.frame, call.lane, call.each, t1.stride
    local n = frame.width
    for f = 0, t0.features - 1 do
      local first = f * each * s
      vjp(frame, n, t0.data + f * t0.stride, t1.data + first, s, t2.data + f * t2.stride, t3.data + f * t3.stride,
        log_det_bar, t4.data + f * t4.stride, t5.data + first, theta, theta_bar)
    end
  end
end

local function layer_map(map)
  return function() return map(call.frame, t0, t1, call.lane, theta) end
end

local function layer_vjp(vjp)
  return function() return vjp(call.frame, t0, t1, t2, call.lane, t3, theta, theta_bar) end
end

local function network_forward(forward)
  return function() return forward(call.frame, t0, t1, theta) end
end

local function network_vjp(vjp)
  return function() return vjp(call.frame, t0, t1, t2, t3, theta, theta_bar) end
end

local function density_log_density(log_density)
  return function() return log_density(call.frame, t0, call.lane, theta) end
end

local function density_vjp(vjp)
  return function() return vjp(call.frame, t0, call.lane, t1, theta, theta_bar) end
end

local function density_sample(sample)
  return function() return sample(call.frame, t0, theta) end
end

local function density_sample_vjp(vjp)
  return function() return vjp(call.frame, t0, t1, theta, theta_bar) end
end

local function whole_prepare(prepare)
  return function() return prepare(call.frame, theta) end
end

local function whole_prepare_vjp(vjp)
  return function() return vjp(call.frame, theta, theta_bar) end
end

local makers = {
  univariate = {
    forward = univariate_map, inverse = univariate_map, forward_vjp = univariate_vjp, inverse_vjp = univariate_vjp,
  },
  layer = { forward = layer_map, inverse = layer_map, forward_vjp = layer_vjp, inverse_vjp = layer_vjp },
  network = { forward = network_forward, vjp = network_vjp },
  density = {
    log_density = density_log_density, vjp = density_vjp, sample = density_sample, sample_vjp = density_sample_vjp,
  },
}
makers = makers[info.kind]
makers.prepare, makers.prepare_vjp = whole_prepare, whole_prepare_vjp

local run = {}
for key, make in pairs(makers) do
  if given_table[key] then run[key] = make(given_table[key]) end
end
return spec, run
