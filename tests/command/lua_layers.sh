#!/bin/bash
# Layers written in Lua from outside: the same bits for any number of threads (each worker has a Lua state of its own), `weir
# check`, and `weir layers`.
. "$(dirname "$0")/expect.bash"
layers=$WEIR_TEST_SOURCE/tests/lua/layers

cat >train.lua <<'LUA'
local threads, out, layers = tonumber(arg[1]), arg[2], arg[3]
local weir = require "weir"
weir.open { threads = threads, plugin_path = layers }
local data = weir.data.two_moons { n = 1500, seed = 1 }
local flow = weir.flow {
  weir.standardize(),
  weir.coupling { univariate = weir.lua_univariate { file = "sinh_arcsinh.lua" }, network = weir.mlp { hidden = { 16 } } },
  weir.lua_layer { file = "shear.lua" },
  weir.coupling { mask = "odd", univariate = weir.lua_univariate { file = "bend.lua" },
    network = weir.lua_network { file = "wave.lua" } },
  base = weir.lua_density { file = "logistic.lua" },
}
flow:fit(data, { epochs = 3, batch = 512, progress = false })
flow:save(out .. ".safetensors")
flow:sample(700, { seed = 3 }):save(out .. ".npy")
LUA
for threads in 1 2 5; do
  expect 0 "" "$WEIR" train.lua $threads "threads$threads" "$layers"
  cmp threads1.safetensors "threads$threads.safetensors" || fail "other parameters with $threads threads"
  cmp threads1.npy "threads$threads.npy" || fail "other samples with $threads threads"
done

export WEIR_PLUGIN_PATH=$layers
expect 0 "" "$WEIR" check lua_univariate --with '{"options": {"file": "bend.lua"}}' --quiet
expect 0 "" "$WEIR" info threads1.safetensors
"$WEIR" layers lua_layer >stdout || fail "weir layers lua_layer"
has 'forward_vjp' stdout

# A file whose derivative is wrong is found out
mkdir -p wrong
sed 's/0\.9 \* k\[i\] \* sech2/0.8 * k[i] * sech2/' "$layers/bend.lua" >wrong/bend.lua
cmp -s wrong/bend.lua "$layers/bend.lua" && fail "bend.lua was not changed"
export WEIR_PLUGIN_PATH=$PWD/wrong
expect 1 'lua_univariate breaks a promise' "$WEIR" check lua_univariate --with '{"options": {"file": "bend.lua"}}' --quiet
has '^  rule 37: VJPs are the exact derivative of outputs and log-det' stdout
finish
