#!/bin/bash
# weir run --sandbox: what a stranger's script cannot do, each way out tried by itself, and what it still can.
. "$(dirname "$0")/expect.bash"
if [ "${WEIR_TEST_COUNTED:-}" = TRUE ]; then echo "skipped: libgcov complains that the sandbox keeps it from its files"; exit 77; fi
# A sandboxed process starts no other, so that a sanitizer's report is without the names of functions.
[ -z "${ASAN_OPTIONS:-}" ] || export ASAN_OPTIONS=$ASAN_OPTIONS:symbolize=0
make_data
mkdir -p secret out granted
cp moons.csv secret/moons.csv
cp moons.csv granted/moons.csv
ln -s ../secret/moons.csv granted/link.csv
ln -s ../secret/moons.csv out/link.csv
ln -s ../secret/none.csv out/dangling.csv
ln -s ../secret out/folder
printf 'return { summary = "x", layers = function() return {} end, escaped = io.open("escaped", "w") }\n' >preset.lua
printf 'return { secret = io.open("escaped", "w") }\n' >neighbour.lua
cp neighbour.lua out/neighbour.lua
cp neighbour.lua granted/neighbour.lua
before=$(ls secret)

# escape WHAT <<LUA: the script ends well only when it did not get out; `refused` wants an error that matches.
escape() {
  cat >escape.lua <<'LUA'
local weir = require "weir"
local function refused(pattern, ...)
  local ok, message = pcall(...)
  if ok then error("went through: " .. tostring(message), 0) end
  if not tostring(message):find(pattern) then error("refused by another line: " .. tostring(message), 0) end
end
local reach = "sandbox's reach"
LUA
  cat >>escape.lua
  "$WEIR" run --sandbox --time 60 --output out escape.lua moons.csv granted >stdout 2>stderr ||
    fail "$1: $(head -n 2 stderr)"
  [ ! -e escaped ] || fail "$1: a file was opened"
}

escape "globals" <<'LUA'
for _, name in ipairs { "io", "os", "debug", "ffi", "package", "jit", "dofile", "loadfile", "module", "getfenv", "setfenv",
  "newproxy", "collectgarbage", "gcinfo" } do
  assert(rawget(_G, name) == nil and _G[name] == nil, name)
end
assert(string.dump == nil and ("").dump == nil and getmetatable(_G) == nil)
LUA

escape "require" <<'LUA'
for _, name in ipairs { "ffi", "io", "os", "debug", "jit", "jit.util", "package", "weir.core", "weir.runtime", "weir.command",
  "weir.plot.canvas", "neighbour", "preset", "./neighbour", "_G", "table.new", "string.buffer" } do
  refused("only weir", require, name)
end
refused("only weir", require)
LUA

escape "load" <<'LUA'
refused("text", load, function() return "return io" end)
local compiled = "\27LJ\2\2\8\0\1\3\0\0\1\0\3K\0\1\0\0"
assert(not load(compiled) and not loadstring(compiled))
assert(load "return _G"() == _G and loadstring "return io"() == nil and load "x = 1" and load("return string.dump")() == nil)
assert(not load("return 1", "=x", "b", { }) or load("return io", "=x", "b", { io = 1 })() == nil)
LUA

escape "shared metatables" <<'LUA'
local array = weir.array.new("f64", 2, 2)
assert(getmetatable "" == nil and getmetatable(array) == nil and getmetatable(print) == nil)
assert(getmetatable(coroutine.create(print)) == nil and getmetatable(1LL) == nil)
refused("table", setmetatable, "", {})
refused("table", setmetatable, array, {})
string.format, string.rep = error, error
assert(("%d"):format(3) == "3") -- what trusted code uses is another table
LUA

escape "the library's own tables, spoilt" <<'LUA'
local flow = weir.flow { features = 2, weir.actnorm() }
local Flow = getmetatable(flow)
for name in pairs(Flow.__index or {}) do assert(name ~= "core") end
rawset(weir, "open", nil)
refused("", function() return weir.open { plugin_path = "granted" } end)
weir.data.from = function(array) return array end
refused(reach, weir.data.load, "secret/moons.csv")
LUA

escape "reading" <<'LUA'
for _, path in ipairs { "secret/moons.csv", "./granted/../secret/moons.csv", "granted/link.csv", "out/link.csv", "test.csv",
  "out/folder/moons.csv", "/etc/passwd", "/proc/self/maps", "/proc/self/cwd/test.csv", "/dev/stdin", "", ".", "granted2",
  "moons.csv\0/../x", "escape.lua", "/dev/fd/0", "none" } do
  if path ~= "moons.csv\0/../x" then
    refused(reach, weir.array.load, path)
    refused(reach, weir.data.load, path)
    refused(reach, weir.load, path)
    refused(reach, weir.plot.read_grey, path)
  end
end
assert(weir.array.load "moons.csv":rows() == 1500 and weir.data.load "granted/moons.csv":rows() == 1500)
assert(weir.array.load("moons.csv\0/../../etc/passwd"):rows() == 1500)
LUA

escape "writing" <<'LUA'
local array = weir.array.new("f64", 2, 2)
local flow = weir.flow { features = 2, weir.actnorm() }
local paths = { "moons.csv", "new.csv", "granted/new.csv", "secret/new.csv", "out/../new.csv", "out/folder/new.csv",
  "out/link.csv", "out/dangling.csv", "out/.hidden.csv", "out/x.so", "out/x.so.1", "out/x.lua", "out/x.LUA", "out/x.sh", "out",
  "out/", "out/.", "out/..", "/tmp/new.csv", "/dev/null", "" }
local set = weir.data.two_moons { n = 64, seed = 1 }
for _, path in ipairs(paths) do
  refused(reach, array.save, array, path)
  refused(reach, flow.save, flow, path)
  refused(reach, flow.get_model(flow).save, flow:get_model(), path)
  refused(reach, weir.plot.images, array, { file = path, shape = { 1, 2 } })
  refused(reach, flow.fit, flow, set, { epochs = 1, progress = false, log = path })
  refused(reach, flow.fit, flow, set, { epochs = 1, progress = false, checkpoint = path })
  refused(reach, flow.fit, flow, set, { epochs = 1, progress = false, resume = path == "moons.csv" and "test.csv"
    or path:find "^out" and "secret/moons.csv" or "x" })
end
LUA

escape "writing by what the library hands out" <<'LUA'
local flow, seen = weir.flow { features = 2, weir.actnorm() }, false
refused("^escaped: out of the " .. reach, flow.fit, flow, weir.data.two_moons { n = 64, seed = 1 }, { epochs = 1,
  progress = false, log = "out/log.json", on_epoch = function(_, run)
    refused(reach, run.model.save, run.model, "escaped")
    refused(reach, run.trainer.save, run.trainer, "escaped", {})
    assert(getmetatable(run.log) == nil and not run.log.open)
    run.options.checkpoint, seen = "escaped", true -- the loop saves there next
  end })
assert(seen)
LUA

escape "plugins, layers and presets by path" <<'LUA'
refused("sandbox", weir.open, { plugin_path = "granted" })
refused("sandbox", weir.open, { lock = "granted/lock" })
for _, file in ipairs { "neighbour.lua", "granted/neighbour.lua", "../neighbour.lua", "/neighbour.lua" } do
  refused("neighbour", weir.flow, { features = 2, weir.lua_layer { file = file } })
end
refused("sandbox", weir.presets.get, "preset.lua")
refused("sandbox", weir.presets.get, "granted/neighbour.lua")
refused("sandbox", weir.presets.flow, "./preset.lua")
LUA

# What the library asks its own tables is the script's to answer.
escape "presets by names of the script's making" <<LUA
local path = ("../"):rep(60) .. "$PWD/granted/neighbour"
weir.presets.names = function() return { path } end
for _, way in ipairs { weir.presets.get, weir.presets.flow } do
  local ok, err = pcall(way, path, nil, { features = 2 })
  assert(not ok and err.usage:find "unknown flow")
end
LUA

escape "tables that close what the call works with" <<'LUA'
local flow = weir.flow { features = 2, weir.actnorm() }
local array, called = weir.array.new("f64", 4, 2), false
local model, trainer = flow:get_model(), nil
local traitor = setmetatable({}, { __index = function(_, key)
  called = true
  model:close()
  if trainer then trainer:close() end
  return key == "context" and weir.array.new("f64", 4, 2) or nil
end })
for _, method in ipairs { "log_prob", "forward", "inverse", "score", "initialize" } do model[method](model, array, traitor) end
model:sample(4, traitor)
flow:fit(weir.data.two_moons { n = 64, seed = 1 }, { epochs = 1, progress = false, on_epoch = function(_, run)
  trainer, model = run.trainer, run.model
  refused("a step needs", trainer.step, trainer, traitor)
  refused("a step needs", trainer.gradient, trainer, traitor)
end })
assert(trainer and not called)
LUA

escape "userdata for text, and numbers for sizes" <<'LUA'
local array = weir.array.new("f64", 1, 4)
weir.plot.images(array, { file = "out/title.png", shape = { 2, 2 }, title = array, low = 0, high = 1 })
local liar = setmetatable({}, { __tostring = function() return array end })
refused("cannot be drawn as text", weir.plot.images, array, { file = "out/title.png", shape = { 2, 2 }, title = liar, low = 0,
  high = 1 })
for _, shape in ipairs { { -2, -2 }, { 2 ^ 32 + 2, 2 }, { 0.5, 8 }, { 0 / 0, 4 }, { array, array } } do
  pcall(weir.plot.images, array, { file = "out/shape.png", shape = shape })
end
LUA

# What it may: read what it is given, train, write in the folder, and end by its own status.
cat >fair.lua <<'LUA'
local weir = require "weir"
local data = weir.data.load(arg[1])
local flow = weir.flow { weir.standardize(), weir.coupling { network = weir.mlp { hidden = { 8 } } } }
flow:fit(data, { epochs = 2, progress = false, log = arg.output .. "/log.json", checkpoint = arg.output .. "/c.safetensors" })
flow:save(arg.output .. "/m.safetensors")
weir.load(arg.output .. "/m.safetensors"):sample(10, { seed = 1 }):save(arg.output .. "/s.csv")
weir.presets.flow("realnvp", nil, { features = 2 })
print(arg[2], arg[3], #arg)
return 3
LUA
"$WEIR" fair.lua --sandbox moons.csv --output=new_out --time 100 x -- --sandbox >stdout 2>stderr
status=$?
[ $status = 3 ] || fail "a fair script: status $status, $(cat stderr)"
has '^x[[:space:]]--sandbox[[:space:]]3$' stdout
for file in log.json c.safetensors m.safetensors s.csv; do
  [ -s new_out/$file ] || fail "no new_out/$file"
done
[ -z "$(find new_out -name '*.tmp')" ] || fail "a temporary file was left"

# The kernel's wall stands by itself, where the kernel has one: a script with nothing else in its way.
cat >wall.lua <<'LUA'
local core = require "weir.core"
if not core.keep_to({ "granted" }, "out") then return end
assert(not io.open("escaped", "w") and not io.open("secret/moons.csv", "a") and not os.rename("moons.csv", "out/moons.csv"))
assert(os.execute "true" ~= 0 and not os.remove "moons.csv")
assert(io.open("out/inside.csv", "w")):close()
assert(not pcall(core.keep_to, { "secret" }))
LUA
expect 0 "" "$WEIR" wall.lua

# Limits of the process
loops=('while true do end' 'local x = 0 while true do x = x + 1 end'
  'coroutine.wrap(function() while true do pcall(error) end end)()' 'while true do pcall(coroutine.wrap(function() error() end)) end'
  'local s = ("a"):rep(30000) s:find((".-"):rep(30) .. "b")' 'setmetatable({}, { __index = function(t, k) return t[k] end })[1] = 1 while true do end')
for loop in "${loops[@]}"; do
  printf '%s\n' "$loop" >loop.lua
  expect 1 'loop.lua: stopped after 0.3 seconds' "$WEIR" run --sandbox --time 0.3 loop.lua
done
if [ "${WEIR_TEST_SANITIZED:-0}" = 0 ]; then
  large=('local s = "x" while true do s = s .. s end' 'return ("x"):rep(2 ^ 31 - 64):rep(40)' 'local t = {} for i = 1, 1e10 do t[i] = i .. ("x"):rep(1000) end'
    'local w = require "weir" local t = {} for i = 1, 1e6 do t[i] = w.array.new("f64", 1000, 1000) end'
    'return require("weir").array.new("f64", 1e5, 1e5)')
  for script in "${large[@]}"; do
    printf '%s\n' "$script" >large.lua
    expect 1 'large.lua' "$WEIR" run --sandbox --memory 200M --time 30 large.lua
    grep -q 'seconds' stderr && fail "memory had no limit: $script"
  done
fi

# What is sent to the parent reaches the child, and a parent that is killed leaves no child
printf 'print "ready" while true do end\n' >loop.lua
gone() {
  local i
  for ((i = 0; i < 100; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.02
  done
  return 1
}
for signal in TERM KILL; do
  : >ready
  "$WEIR" run --sandbox --time 100 loop.lua >ready 2>stderr &
  job=$!
  for ((i = 0; i < 500; i++)); do
    [ -s ready ] && break
    sleep 0.02
  done
  child=$(pgrep -P $job)
  kill -$signal $job
  wait $job 2>/dev/null
  status=$?
  [ -n "$child" ] || fail "$signal: no child was seen"
  gone "$child" || fail "the child outlived $signal"
  if [ $signal = TERM ]; then
    [ $status = 1 ] || fail "status $status after TERM"
    has 'ended by signal 15' stderr
  fi
done

# Usage
printf 'error { "x" }\n' >object.lua
expect 1 'object.lua: an error that is not text' "$WEIR" run --sandbox object.lua
expect 2 '--memory' "$WEIR" run --sandbox --memory lots loop.lua
expect 2 '--memory' "$WEIR" run --sandbox --memory 1K loop.lua
expect 2 '--time' "$WEIR" loop.lua --sandbox --time -1
expect 2 'output needs a value' "$WEIR" loop.lua --sandbox --output
expect 2 'goes with --sandbox' "$WEIR" run --output out loop.lua
expect 1 'output' "$WEIR" run --sandbox --output moons.csv loop.lua
mkdir -m 755 plugins plugins/below
for folder in plugins plugins/below .; do
  expect 1 'plugins are searched' env WEIR_PLUGIN_PATH="$PWD/plugins" "$WEIR" run --sandbox --output $folder loop.lua
done
[ "$(ls secret)" = "$before" ] || fail "the secret folder was touched"
cmp -s secret/moons.csv moons.csv || fail "a file out of reach was changed"
finish
