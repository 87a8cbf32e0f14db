#!/bin/bash
# A model file is data: loading one opens no path that it names, and runs no plugin but those on the search path. Every name
# that a file could smuggle in leads to a trap: a plugin or Lua file that would work, and a pipe on which an open would hang.
. "$(dirname "$0")/expect.bash"
trap_plugin=$WEIR_TEST_BUILD/tests/fixtures/bare_univariate.so
[ -e "$trap_plugin" ] || fail "no fixture $trap_plugin"

# forge FILE MODULE-JSON [MODULES-JSON [METADATA-JSON [TENSOR]]]: a model of two features with that module in its chain
cat >forge.lua <<'LUA'
local core = require "weir.core"
local file, module, modules, metadata, tensor = unpack(arg)
local model = ('{"base":{"type":"normal"},"context":0,"features":2,"flow":{"type":"chain","children":{"layers":[%s]}}}')
  :format(module)
local about = { format = "weir", weir_model = model, weir_modules = modules ~= "" and modules or nil,
  weir_metadata = metadata ~= "" and metadata or nil }
local header = core.json_encode { __metadata__ = about,
  [tensor or "flow.1.params"] = { dtype = "F32", shape = core.list { 2, 2 }, data_offsets = core.list { 0, 16 } } }
header = header .. (" "):rep(-#header % 8)
local length = ""
for k = 0, 7 do length = length .. string.char(math.floor(#header / 256 ^ k) % 256) end
local out = assert(io.open(file, "wb"))
out:write(length, header, ("\0"):rep(16))
out:close()
LUA
forge() { "$WEIR" forge.lua "$@" || fail "cannot forge $*"; }
affine='{"type":"elementwise","children":{"univariate":{"type":"affine"}}}'

# The forger's own work loads, and the trap would work if it were on the search path.
forge good.safetensors "$affine"
expect 0 "" "$WEIR" info good.safetensors
mkdir -m 755 folder models trusted real
cp "$trap_plugin" folder/trap.so
cp "$trap_plugin" trusted/
forge named.safetensors '{"type":"elementwise","children":{"univariate":{"type":"test.bare_univariate"}}}' "" "" flow.1.theta
expect 1 'missing|shape' env WEIR_PLUGIN_PATH="$PWD/trusted" "$WEIR" info named.safetensors

# Traps where a loader that follows names would look: the working folder, the model's folder, and the paths themselves
for place in . models folder; do
  for name in trap.so test.bare_univariate test.bare_univariate.so trap libtrap.so; do
    [ -e $place/$name ] || cp "$trap_plugin" $place/$name
  done
  printf 'io.open("%s", "w")\nreturn {}\n' "$PWD/escaped" >$place/trap.lua
  mkfifo $place/pipe.so $place/pipe.lua $place/pipe
done
ln -s "$PWD/folder/trap.so" models/link.so
ln -s "$PWD/folder/trap.lua" models/link.lua

# refused PATTERN MODULE-JSON [...]: as a model beside the traps, and as one reached through a link
refused() {
  local pattern=$1
  shift
  forge models/hostile.safetensors "$@"
  ln -sf "$PWD/models/hostile.safetensors" real/hostile.safetensors
  for model in models/hostile.safetensors real/hostile.safetensors; do
    expect 1 "$pattern" timeout 20 "$WEIR" info $model
  done
  expect 1 "$pattern" timeout 20 env -C models "$WEIR" info hostile.safetensors
  [ ! -e escaped ] || fail "a file of the forger's was run: $*"
}

paths=(trap.so ./trap.so ../folder/trap.so folder/trap.so "$PWD/folder/trap.so" pipe.so ./pipe "$PWD/pipe.so" link.so ./link.so
  "file://$PWD/folder/trap.so" "trap.so\\\\u0000" test.bare_univariate)
for path in "${paths[@]}"; do
  path=${path//\\\\/\\}
  refused 'hostile.safetensors' '{"type":"'"$path"'"}'
  refused 'hostile.safetensors' '{"type":"elementwise","children":{"univariate":{"type":"'"$path"'"}}}'
  # paths beside a name that is not installed
  refused 'test.bare_univariate|not JSON' '{"type":"elementwise","children":{"univariate":{"type":"test.bare_univariate"}}}' \
    '[{"id":"test.bare_univariate","plugin":"'"$path"'","file":"'"$path"'","path":"'"$path"'","version":"1.0.0"}]'
  refused 'test.bare_univariate|not JSON|unknown' '{"type":"elementwise","children":{"univariate":{"type":"test.bare_univariate",'`
    `'"plugin":"'"$path"'","file":"'"$path"'","plugin_path":"'"$path"'"}}}'
  # and beside one that is: the installed one is used, or the file refused
  forge models/both.safetensors "$affine" '[{"id":"affine","plugin":"'"$path"'","file":"'"$path"'","version":"1.0.0"}]' \
    '{"plugin_path":"'"$path"'","lock":"'"$path"'"}'
  timeout 20 "$WEIR" info models/both.safetensors >stdout 2>stderr
  [ $? -le 1 ] || fail "a path in the list of modules: $path"
done

# Layers in Lua: the file is a bare name, looked for in plugin folders and nowhere else
for path in trap.lua ./trap.lua ../trap.lua models/trap.lua "$PWD/folder/trap.lua" pipe.lua "$PWD/pipe.lua" link.lua '..' '' \
  'trap.lua\u0000.x'; do
  refused 'trap.lua|pipe.lua|link.lua|bare name|not JSON' '{"type":"lua_layer","options":{"file":"'"$path"'"}}'
done

# Names of tensors and shared modules are names
for name in ../escaped "$PWD/escaped" 'flow.1.params/../../escaped'; do
  refused 'flow.1.params' "$affine" "" "" "$name"
  forge models/share.safetensors '{"type":"elementwise","share":"'"$name"'","children":{"univariate":{"type":"affine"}}}'
  timeout 20 "$WEIR" info models/share.safetensors >stdout 2>stderr
  [ $? -le 1 ] || fail "a shared module by the name of $name"
  [ ! -e escaped ] || fail "a file was made: $name"
done

# LUA_PATH and the linker's variables are the user's, but names in the working folder are not taken for modules of Lua
printf 'io.open("escaped", "w")\n' >weir.lua
mkdir -m 755 weir
cp weir.lua weir/core.lua
cp weir.lua weir/init.lua
expect 0 "" env LUA_PATH="$PWD/?.lua" LUA_CPATH="$PWD/?.so" "$WEIR" info good.safetensors
[ ! -e escaped ] || fail "a module of Lua was taken from the working folder"
finish
