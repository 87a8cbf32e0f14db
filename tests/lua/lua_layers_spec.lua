-- Layers written in Lua, as a user meets them: found by name, known again by digest, reloaded, and wrong in many ways. What
-- they compute is checked by `weir check`, over the files in tests/lua/layers.
local weir = require "weir"

local folder = "lua_layer_files"
os.execute("rm -rf " .. folder .. " && mkdir " .. folder)
weir.open { plugin_path = folder }

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function fixture(name, as)
  local file = assert(io.open(os.getenv "WEIR_TEST_SOURCE" .. "/tests/lua/layers/" .. name))
  write(as or name, file:read "*a")
  file:close()
end

local function scale(factor)
  return ([[
    return {
      forward = function(frame, n, x, p, s, y, log_det)
        for i = 0, n - 1 do
          y[i] = %g * x[i]
          log_det[i] = log_det[i] + math.log(%g)
        end
      end,
      forward_vjp = function(frame, n, x, p, s, y, y_bar, log_det_bar, x_bar, p_bar)
        for i = 0, n - 1 do x_bar[i] = %g * y_bar[i] end
      end,
    }]]):format(factor, factor, factor)
end

local function flow_of(options, features)
  return weir.flow { weir.elementwise { univariate = weir.lua_univariate(options) }, features = features or 2 }
end

--- forward of { 1, 2 }, as numbers
local function image(flow)
  return flow:forward(weir.array.from { { 1, 2 } }):to_table()[1]
end

local function refused(pattern, call)
  local fine, message = pcall(call)
  assert.is_false(fine)
  assert.truthy(message:find(pattern), message)
  assert.falsy(message:find "\n")
end

local function build(text, options)
  write("made.lua", text)
  options = options or {}
  options.file = "made.lua"
  return image(flow_of(options))
end

describe("a layer in Lua", function()
  it("computes what its file says, in both precisions", function()
    write("double.lua", scale(2))
    assert.same({ 2, 4 }, image(flow_of { file = "double.lua" }))
    local double = weir.flow { weir.elementwise { univariate = weir.lua_univariate { file = "double.lua" } }, features = 2,
      dtype = "f64" }
    assert.same({ 2, 4 }, image(double))
    local x = weir.array.from { { 1, -3 } }
    assert.near(double:log_prob(x):get(1), 2 * math.log(2) - math.log(2 * math.pi) - (4 + 36) / 2, 1e-9)
    assert.same({ 1, -3 }, double:inverse(weir.array.from { { 2, -6 } }):to_table()[1])
  end)

  it("gets its constants, and trains with a host that supplies the inverse", function()
    fixture "affine.lua"
    fixture "bend.lua"
    local function univariate(i)
      return weir.lua_univariate { file = i % 2 == 0 and "affine.lua" or "bend.lua", constants = { 2 } }
    end
    local data = weir.data.two_moons { n = 600, seed = 3 }
    local flow = weir.flow {
      weir.standardize(),
      weir.stack(2, function(i)
        return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = univariate(i),
          network = weir.mlp { hidden = { 16 } } }
      end),
    }
    flow:fit(data, { epochs = 1, progress = false })
    local before = flow:log_prob(data):mean()
    flow:fit(data, { epochs = 20, lr = 5e-3, progress = false })
    assert.truthy(flow:log_prob(data):mean() > before + 0.1)
    local x, log_p = flow:sample(50, { seed = 1 })
    for i = 1, 50 do assert.near(flow:log_prob(x):get(i), log_p:get(i), 1e-3) end
  end)

  it("survives NaNs of any bits, which LuaJIT would take for values of other types", function()
    fixture "affine.lua"
    local ffi = require "ffi"
    local flow = weir.flow { weir.elementwise { univariate = weir.lua_univariate { file = "affine.lua" } }, features = 1,
      dtype = "f64" }
    local box = ffi.new "union { double number; uint64_t bits; }"
    local file = assert(io.open("nans.npy", "wb"))
    local header = "{'descr': '<f8', 'fortran_order': False, 'shape': (64, 1), }"
    header = header .. (" "):rep(64 - (10 + #header + 1) % 64) .. "\n"
    file:write("\147NUMPY\1\0", string.char(#header % 256, math.floor(#header / 256)), header)
    for i = 0, 63 do
      -- every tag that LuaJIT has, with an address that nobody may touch; and numbers in between
      box.bits = i % 2 == 0 and 0xfff8000000000000ULL + i * 0x0000400000000000ULL / 2 + 0x1234560ULL or 0
      file:write(ffi.string(box, 8))
    end
    file:close()
    for _ = 1, 20 do
      local log_p = flow:log_prob(weir.array.load "nans.npy")
      for i = 1, 64 do assert.equal(i % 2 == 1, log_p:get(i) ~= log_p:get(i)) end
    end
  end)

  it("is found by its bare name in the plugin folders only", function()
    refused("no file \"nowhere.lua\".*" .. folder, function() return image(flow_of { file = "nowhere.lua" }) end)
    for _, name in ipairs { "../" .. folder .. "/double.lua", "./double.lua", "/etc/passwd", ".hidden", "" } do
      refused("bare name", function() return image(flow_of { file = name }) end)
    end
    write("open.lua", scale(2))
    os.execute("chmod o+w " .. folder .. "/open.lua")
    refused("everybody may write", function() return image(flow_of { file = "open.lua" }) end)
  end)
end)

describe("what is refused", function()
  local cases = {
    { "made.lua:1: .*'=' expected", "nonsense here" },
    { "returns nil, expected a table", "local x = 1" },
    { "forward is missing", "return {}" },
    { "forward is a number, expected a function", "return { forward = 1 }" },
    { "backward is nothing that a univariate has", "return { forward = print, backward = print }" },
    { "params is how many", "return { forward = print, params = -1 }" },
    { "params is how many", "return { forward = print, params = 1e9 }" },
    { "identity has 0 numbers for 2 params", "return { forward = print, params = 2 }" },
    { "prepare needs prepare_vjp", "return { forward = print, prepare = print }" },
    { "inverse_vjp needs inverse", "return { forward = print, inverse_vjp = print }" },
    { "parameter 1 is not", "return { forward = print, parameters = { { 'Bad Name' } } }" },
    { "parameter 1 is not", "return { forward = print, parameters = { { '] int x; float *[' } } }" },
    { "too large", "return { forward = print, parameters = { { 'w', { 1e6, 1e6 } } } }" },
    { "too large", "return { forward = print, parameters = { { 'w', { 2 ^ 31, 2 ^ 31, 2 ^ 31, 0 } } } }" },
    { "w has 5 sides", "return { forward = print, parameters = { { 'w', { 1, 1, 1, 1, 1 } } } }" },
    { "no whole number", "return { forward = print, parameters = { { 'w', { 1.5 } } } }" },
    { "init is a number", "return { forward = print, parameters = { { 'w', { 3 }, { 1, 2 } } } }" },
    { "domain is { lower, upper }", "return { forward = print, domain = { 1, 0 } }" },
    { "declares a tensor's name twice", "return { forward = print, parameters = { { 'w' }, { 'w' } } }" },
    { "made.lua:1: may require ffi", "require 'socket'", "may require" },
    { "made.lua:1: attempt to index global 'os'", "os.execute 'true'" },
    { "made.lua:1: attempt to index global 'io'", "io.open 'x'" },
    { "an error that is no string", "error {}" },
    { "an error without words", "error('', 0)" },
    { "is compiled Lua", string.dump(function() return {} end) },
    { "is empty", "" },
    { "made.lua:1: mine", "return { forward = function() error 'mine' end }" },
    { "made.lua:1: attempt to index local 'x'", "return { forward = function() local x; return x.y end }" },
    { "longer than a layer's file may be", ("-"):rep(2 ^ 20 + 1) },
  }
  for i, case in ipairs(cases) do
    it(("case %d: %s"):format(i, case[1]), function()
      refused(case[3] or case[1], function() build(case[2]) end)
    end)
  end
end)

describe("a saved model", function()
  it("takes the file it was made with, and no other", function()
    write("kept.lua", scale(3))
    flow_of({ file = "kept.lua" }):build(2):save "kept.safetensors"
    assert.same({ 3, 6 }, image(weir.load "kept.safetensors"))
    write("kept.lua", scale(5))
    refused("kept.safetensors: .*kept.lua is not the file .*sha256", function() weir.load "kept.safetensors" end)
    write("kept.lua", scale(3))
    assert.same({ 3, 6 }, image(weir.load "kept.safetensors"))
    os.remove(folder .. "/kept.lua")
    refused("no file \"kept.lua\"", function() weir.load "kept.safetensors" end)
  end)

  it("takes another one when it was made to", function()
    write("loose.lua", scale(3))
    flow_of({ file = "loose.lua", allow_changed = true }):build(2):save "loose.safetensors"
    write("loose.lua", scale(5))
    assert.same({ 5, 10 }, image(weir.load "loose.safetensors"))
  end)
end)

describe("reload", function()
  local data = weir.array.from { { 0.1, 0.2 }, { 0.3, -0.4 } }
  local function step(flow)
    flow:fit(data, { epochs = 1, lr = 1e-6, progress = false, validation = false })
  end
  local function trained(options)
    -- a parameter, so that there is something to step
    return weir.flow { weir.elementwise { univariate = weir.lua_univariate(options) }, weir.lu_linear(), features = 2 }
  end

  it("is off unless asked for: a model keeps the file it was made with", function()
    write("still.lua", scale(2))
    local flow = trained { file = "still.lua" }
    step(flow)
    local before = flow:log_prob(data):get(1)
    write("still.lua", scale(7) .. "\n")
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
  end)

  it("takes a new version between steps, and leaves a broken one aside", function()
    write("live.lua", scale(2))
    local flow = trained { file = "live.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    write("live.lua", "nonsense" .. scale(3))
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
    write("live.lua", "return { forward = function() error 'at once' end, forward_vjp = print }")
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
    write("live.lua", (scale(3):gsub("return {", "return { params = 1, identity = { 0 },")))
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
    write("live.lua", scale(4) .. "\n")
    step(flow)
    local after = flow:log_prob(data):get(1)
    -- log|det| grows by 2 log 2; the base's argument is 4 x, not 2 x
    local moved = 2 * math.log(2) - (16 - 4) * (0.01 + 0.04) / 2
    assert.near(before + moved, after, 1e-2)
    flow:save "live.safetensors"
    write("live.lua", scale(2) .. "\n\n")
    assert.near(before, weir.load("live.safetensors"):log_prob(data):get(1), 1e-2)
  end)

  it("leaves a version aside that lives on another domain than the model was composed for", function()
    write("tame.lua", scale(2))
    local flow = trained { file = "tame.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    for _, word in ipairs { "domain", "codomain" } do
      write("tame.lua", (scale(3):gsub("return {", "return { " .. word .. " = { -9, 9 },")))
      step(flow)
      assert.near(before, flow:log_prob(data):get(1), 1e-3)
    end
  end)

  it("takes a new version of the same size and the same time", function()
    write("twin.lua", scale(2))
    os.execute("cp -p " .. folder .. "/twin.lua " .. folder .. "/first.lua")
    local flow = trained { file = "twin.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    write("twin.lua", scale(4))
    os.execute("touch -r " .. folder .. "/first.lua " .. folder .. "/twin.lua")
    step(flow)
    assert.truthy(math.abs(flow:log_prob(data):get(1) - before) > 0.3)
  end)

  it("does not wait for a pipe that stands where the file stood", function()
    write("pipe.lua", scale(2))
    local flow = trained { file = "pipe.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    os.execute(("rm %s/pipe.lua && mkfifo %s/pipe.lua"):format(folder, folder))
    step(flow)
    local after = flow:log_prob(data):get(1)
    os.remove(folder .. "/pipe.lua")
    assert.near(before, after, 1e-3)
  end)

  it("leaves a version aside that everybody may write", function()
    write("mine.lua", scale(2))
    local flow = trained { file = "mine.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    os.execute("chmod o+w " .. folder .. "/mine.lua")
    write("mine.lua", scale(4))
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
  end)

  it("leaves nothing behind of a version that fails", function()
    local text = [[
      return {
        parameters = { { "unused", {}, 0 } },
        derived = { { "factor", {} } },
        prepare = function(_, theta) theta.factor[0] = %s end,
        prepare_vjp = function() end,
        forward = function(frame, n, x, p, s, y, log_det, theta)
          %s
          for i = 0, n - 1 do
            y[i] = theta.factor[0] * x[i]
            log_det[i] = log_det[i] + math.log(theta.factor[0])
          end
        end,
        forward_vjp = function(frame, n, x, p, s, y, y_bar, log_det_bar, x_bar, p_bar, theta)
          for i = 0, n - 1 do x_bar[i] = theta.factor[0] * y_bar[i] end
        end,
      }]]
    write("sums.lua", text:format("theta.factor[0] + 2", ""))
    local flow = trained { file = "sums.lua", reload = true }
    step(flow)
    local before = flow:log_prob(data):get(1)
    write("sums.lua", text:format("5", "error 'in forward'"))
    step(flow)
    assert.near(before, flow:log_prob(data):get(1), 1e-3)
  end)
end)
