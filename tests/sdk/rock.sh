#!/bin/bash
# rock.sh: the rockspec names the files that are there, and luarocks makes of it a module that a plain LuaJIT loads, over an
# installed libweir. Nothing is fetched.
set -eu
source=$WEIR_TEST_SOURCE
version=$(sed -nE 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$WEIR_TEST_BUILD/CMakeCache.txt")
spec=packaging/weir-$version-1.rockspec
[ -e "$source/$spec" ] || { echo "no $spec: luajit packaging/rock.lua writes it"; exit 1; }
luajit "$source/packaging/rock.lua" | diff "$source/$spec" - || { echo "the rockspec is behind: luajit packaging/rock.lua > $spec"; exit 1; }
command -v luarocks >/dev/null || { echo "skipped: no luarocks here; scripts/setup.sh --all installs it"; exit 77; }

unset WEIR_PLUGIN_PATH LUA_PATH LUA_CPATH
export HOME=$PWD/home
mkdir -p home source/core/src
cp -r "$source/scripts" "$source/packaging" source/
cp -r "$source/core/src/lua" source/core/src/
cmake --install "$WEIR_TEST_BUILD" --prefix "$PWD/prefix" >install.log
luarocks lint "source/$spec"
folder=$(pkg-config --variable=includedir luajit)
(cd source && luarocks make --lua-version 5.1 --tree "$OLDPWD/tree" --deps-mode none "$spec" \
  WEIR_DIR="$OLDPWD/prefix" LUA_INCDIR="$folder") >make.log 2>&1 || { cat make.log; echo "luarocks make fails"; exit 1; }
cat >use.lua <<'LUA'
local weir = require "weir"
assert(debug.getinfo(weir.modules, "S").source:find("/tree/share/lua/5.1/weir/init.lua", 1, true), "another weir was loaded")
local flow = weir.flow { weir.coupling { univariate = weir.affine() }, features = 2 }
flow:fit(weir.data.two_moons { n = 200, seed = 1 }:split { 0.8, 0.2, seed = 1 }, { epochs = 1 })
flow:save "model.safetensors"
local x = weir.array.from { { 1, 2 } }
assert(weir.load "model.safetensors":log_prob(x):mean() == flow:log_prob(x):mean())
assert(#weir.presets.names() >= 6)
LUA
LUA_PATH="$PWD/tree/share/lua/5.1/?.lua;$PWD/tree/share/lua/5.1/?/init.lua" LUA_CPATH="$PWD/tree/lib/lua/5.1/?.so" luajit use.lua
