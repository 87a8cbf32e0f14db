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

# A lock: of all files in the plugin folders, of those of a model, and what it says to a file that changes while a model lives
mkdir -p own
cat >own/double.lua <<'LUA'
return {
  forward = function(_, n, x, _, _, y, log_det)
    for i = 0, n - 1 do y[i], log_det[i] = 2 * x[i], log_det[i] + math.log(2) end
  end,
  forward_vjp = function(_, n, _, _, _, _, y_bar, _, x_bar)
    for i = 0, n - 1 do x_bar[i] = 2 * y_bar[i] end
  end,
}
LUA
cp own/double.lua first.lua
cp "$layers/bend.lua" own/shared.lua
printf 'no script' >own/notes.txt
printf 'return 1' >own/open.lua
chmod o+w own/open.lua
export WEIR_PLUGIN_PATH=$PWD/own:$layers
expect 0 "" "$WEIR" plugins --lock all.lock
for file in own/double.lua own/shared.lua "$layers/bend.lua" "$layers/wave.lua"; do
  grep -q "$(sha256sum "$file" | cut -d' ' -f1)" all.lock || fail "the lock of everything has not $file"
  grep -q "\"file\": \"${file##*/}\"" all.lock || fail "the lock of everything does not name $file"
done
grep -q 'notes\.txt\|open\.lua\|manifest\.json' all.lock && fail "the lock names what no module may ask for"
expect 0 "" "$WEIR" --locked all.lock info threads1.safetensors
cat >live.lua <<'LUA'
local weir = require "weir"
local flow = weir.flow { weir.elementwise { univariate = weir.lua_univariate { file = "double.lua", reload = true } },
  weir.lu_linear(), features = 2 }
local x = weir.array.from { { 0.1, 0.2 }, { 0.3, -0.4 } }
local function step()
  flow:fit(x, { epochs = 1, lr = 1e-6, progress = false, validation = false })
  return flow:log_prob(x):get(1)
end
local before = step()
assert(os.execute(arg[1]) == 0)
print(math.abs(step() - before) < 1e-2 and "kept" or "changed")
LUA
expect 0 "" "$WEIR" live.lua "sed -i 's/2/3/g' own/double.lua"
has '^changed$' stdout
cp first.lua own/double.lua
"$WEIR" --locked all.lock live.lua "sed -i 's/2/3/g' own/double.lua" >stdout 2>stderr || fail "under a lock: $(cat stderr)"
has '^kept$' stdout
has "^weir: double\.lua: the new version is left aside, .*own/double\.lua: not the file that the lock .*all\.lock names" stderr
expect 1 'own/double\.lua: not the file that the lock' "$WEIR" --locked all.lock live.lua true
cp first.lua own/double.lua

# A file whose derivative is wrong is found out
mkdir -p wrong
sed 's/0\.9 \* k\[i\] \* sech2/0.8 * k[i] * sech2/' "$layers/bend.lua" >wrong/bend.lua
cmp -s wrong/bend.lua "$layers/bend.lua" && fail "bend.lua was not changed"
export WEIR_PLUGIN_PATH=$PWD/wrong
expect 1 'lua_univariate breaks a promise' "$WEIR" check lua_univariate --with '{"options": {"file": "bend.lua"}}' --quiet
has '^  rule 37: VJPs are the exact derivative of outputs and log-det' stdout
finish
