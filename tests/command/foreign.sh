#!/bin/bash
# Functions of installed libraries as univariates: what `weir layers` says of their declarations, that a model is of one
# declaration and names nothing but that, and one clear line where a library cannot be used.
. "$(dirname "$0")/expect.bash"
mkdir -p plugins
export WEIR_PLUGIN_PATH=$PWD/plugins

declare_as() { # declare_as NAME TEXT
  printf '%s\n' "$2" >"plugins/$1.foreign.json"
}
refused() { # refused PATTERN TEXT: a flow over this declaration
  declare_as bad "$2"
  expect 1 "bad\.foreign\.json: $1" "$WEIR" use.lua bad
}
cat >use.lua <<'LUA'
local weir = require "weir"
local flow = weir.flow { weir.elementwise { univariate = weir[arg[2] or "foreign"] { declaration = arg[1] } }, features = 2, dtype = "f64" }
local z = flow:forward { { 0, 1 }, { -2, 0.5 } }
assert(math.abs(z:get(1, 2) - (math.exp(1) - math.exp(-1)) / 2) < (arg[2] and 1e-6 or 1e-12))
LUA
functions='"forward": "sinh", "inverse": "asinh", "derivative": "cosh"'

# ---- declarations ----

declare_as mine "{\"summary\": \"sinh, once more\", \"library\": \"libm.so.6\", \"signature\": \"d(d)\", $functions}"
declare_as single '{"summary": "in float", "library": "libm.so.6", "signature": "f(f)", "forward": "sinhf", "derivative": "coshf"}'
declare_as lacking "{\"summary\": \"x\", \"library\": \"libmissing.so.9\", \"signature\": \"d(d)\", $functions}"
expect 0 "" "$WEIR" use.lua mine
expect 0 "" "$WEIR" use.lua sinh
expect 0 "" "$WEIR" use.lua single foreign_float
"$WEIR" layers foreign >listed || fail "weir layers foreign"
has 'sinh, once more: sinh of libm\.so\.6; second derivative: differences of the first' listed
has 'the hyperbolic sine of the C library: sinh of libm\.so\.6$' listed
has 'unusable: lacking\.foreign\.json: forward: library libmissing\.so\.9 cannot be used: .*No such file' listed
grep -q single listed && fail "a declaration of float functions is listed for foreign"
"$WEIR" layers foreign_float --json >listed.json
json listed.json 'v[1].files[1].name == "lacking.foreign.json" or v[1].files[1].about:find "roots found by the host"'
rm plugins/lacking.foreign.json

expect 1 'single\.foreign\.json declares functions of float: use the module foreign_float' "$WEIR" use.lua single
expect 1 'mine\.foreign\.json declares functions of double: use the module foreign$' "$WEIR" use.lua mine foreign_float
expect 1 'there is no file "nowhere\.foreign\.json"' "$WEIR" use.lua nowhere
expect 1 'is not the bare name of a file' "$WEIR" use.lua ../plugins/mine

# ---- declarations that are none ----

refused 'is no JSON object' '['
refused 'is no JSON object' '[]'
refused 'unknown word "libary"; there are summary, library' '{"libary": "libm.so.6"}'
refused '"summary" must be a text' '{}'
refused '"forward" must be there' '{"summary": "x"}'
refused '"derivative" must be there' '{"summary": "x", "library": "libm.so.6", "signature": "d(d)", "forward": "sinh"}'
refused 'forward: "v\(d\)" is no signature' "{\"summary\": \"x\", \"library\": \"libm.so.6\", \"signature\": \"v(d)\", $functions}"
refused 'forward: "arguments" must list' "{\"summary\": \"x\", \"library\": \"libm.so.6\", \"signature\": \"d(dd)\", $functions}"
refused 'forward: "x" must be among the arguments once' "{\"summary\": \"x\", \"library\": \"libm.so.6\", \"signature\": \"d(dd)\", \"arguments\": [1, 2], $functions}"
refused 'forward: an argument is neither' "{\"summary\": \"x\", \"library\": \"libm.so.6\", \"signature\": \"d(di)\", \"arguments\": [\"x\", 0.5], $functions}"
refused 'derivative: all functions must take x' '{"summary": "x", "library": "libm.so.6", "signature": "d(d)", "forward": "sinh", "derivative": {"symbol": "coshf", "signature": "f(f)"}}'
refused '"domain" must be \[lower, upper\]' "{\"summary\": \"x\", \"library\": \"libm.so.6\", \"signature\": \"d(d)\", \"domain\": [1, 0], $functions}"
refused 'forward: library "dir/libm\.so" is no bare name' "{\"summary\": \"x\", \"library\": \"dir/libm.so\", \"signature\": \"d(d)\", $functions}"
refused 'forward: library libm\.so\.6 has no symbol "sinhh"' '{"summary": "x", "library": "libm.so.6", "signature": "d(d)", "forward": "sinhh", "derivative": "cosh"}'
refused 'forward: "signgam" of library libm\.so\.6 is no function but data' '{"summary": "x", "library": "libm.so.6", "signature": "d(d)", "forward": "signgam", "derivative": "cosh"}'
# a library beside the declaration: one that is none, and one for another machine
printf 'no library' >plugins/libother.so.1
refused 'forward: library \./libother\.so\.1 cannot be used: .*(file too short|invalid ELF header)' "{\"summary\": \"x\", \"library\": \"./libother.so.1\", \"signature\": \"d(d)\", $functions}"
own=$(sed -nE 's|.* (/[^ ]*libm\.so\.6)$|\1|p' /proc/self/maps | head -n 1)
[ -n "$own" ] || own=$(ldd "$WEIR" | sed -nE 's|.*libm\.so\.6 => ([^ ]+) .*|\1|p')
cp "$own" plugins/libother.so.1
printf '\000\267' | dd of=plugins/libother.so.1 bs=1 seek=17 conv=notrunc 2>/dev/null # e_machine: another processor's
refused 'forward: library \./libother\.so\.1 cannot be used: it is built for another machine \(ELF 183, this is [0-9]+\)' "{\"summary\": \"x\", \"library\": \"./libother.so.1\", \"signature\": \"d(d)\", $functions}"
rm plugins/bad.foreign.json plugins/libother.so.1

# ---- a model ----

cat >save.lua <<'LUA'
local weir = require "weir"
weir.flow { weir.elementwise { univariate = weir.foreign { declaration = "mine" } }, features = 2 }:save "mine.safetensors"
LUA
cat >load.lua <<'LUA'
local weir = require "weir"
local flow = weir.load "mine.safetensors"
flow:log_prob(weir.array.from { { 0, 1 } })
LUA
expect 0 "" "$WEIR" save.lua
expect 0 "" "$WEIR" load.lua
grep -qE 'libm|asinh|cosh' mine.safetensors && fail "the model names a library or a symbol"
expect 0 "" "$WEIR" plugins mine.safetensors --lock mine.lock
has '"mine\.foreign\.json"' mine.lock
expect 0 "" "$WEIR" --locked mine.lock run load.lua
printf '\n' >>plugins/mine.foreign.json
expect 1 'mine\.foreign\.json is not the declaration that the model was made with \(sha256 [0-9a-f]{12}\.\.\., it was [0-9a-f]{12}\.\.\.\)' "$WEIR" load.lua
expect 1 'mine\.foreign\.json: not the file that the lock' "$WEIR" --locked mine.lock run load.lua
rm plugins/mine.foreign.json
expect 1 'there is no file "mine\.foreign\.json" in the plugin folders' "$WEIR" load.lua
finish
