#!/bin/bash
# Bad files: one line that says what and where, status 1, and nothing is lost.
. "$(dirname "$0")/expect.bash"
make_data
fit=("$WEIR" fit --epochs 1 --transforms 1 --hidden 8)

printf 'a,b\n1,2\n3\n' >ragged.csv
printf 'a,b\n1,2\nx,4\n' >text.csv
printf 'a,b\n1,nan\n3,4\n' >nan.csv
: >empty.csv
head -c 300 three.npy >cut.npy
head -c 5 three.npy >tiny.npy
expect 1 'ragged.csv.*line 3' "${fit[@]}" ragged.csv
expect 1 'text.csv.*line 3.*"x"' "${fit[@]}" text.csv
expect 1 'nan.csv.*line 2' "${fit[@]}" nan.csv
expect 1 'empty.csv' "${fit[@]}" empty.csv
expect 1 'cut.npy' "${fit[@]}" cut.npy
expect 1 'tiny.npy' "${fit[@]}" tiny.npy
expect 1 'missing.npy' "${fit[@]}" missing.npy
expect 1 'folder' "${fit[@]}" .
cat >make_nan.lua <<'LUA'
local weir = require "weir"
local a = weir.array.load "three.npy"
a:set(7, 2, 0 / 0)
a:save "nan.npy"
a:set(7, 2, math.huge)
a:save "inf.npy"
LUA
expect 0 "" "$WEIR" make_nan.lua
expect 1 'nan.npy: row 7, column 2 is -?nan' "${fit[@]}" nan.npy
expect 1 'inf.npy: row 7, column 2 is inf' "${fit[@]}" inf.npy
expect 1 '3 columns.*2' "${fit[@]}" moons.csv --val three.npy
printf '1,2\n' >one_row.csv
expect 1 'few' "${fit[@]}" one_row.csv

# models
expect 0 "" "${fit[@]}" three.npy -o good.safetensors
expect 1 'nan.npy: row 7, column 2' "$WEIR" eval good.safetensors nan.npy
expect 0 '1 of 400 rows have no finite density' "$WEIR" eval good.safetensors inf.npy --json
json stdout 'v.discarded == 1 and v.rows == 400 and type(v.mean) == "number"'
expect 1 'moons.csv: 2 columns; the model takes 3' "$WEIR" eval good.safetensors moons.csv
head -c 3000 good.safetensors >short.safetensors
cp good.safetensors altered.safetensors
size=$(wc -c <good.safetensors)
printf '\x55\xaa' | dd of=altered.safetensors bs=1 seek=$((size - 40)) conv=notrunc status=none
for command in "eval MODEL three.npy" "info MODEL" "sample MODEL -n 1" "plot MODEL curve"; do
  for model in short altered moons.csv missing empty.csv; do
    name=$model
    [ -e "$model" ] || name=$model.safetensors
    # shellcheck disable=SC2086
    expect 1 "$name" "$WEIR" ${command/MODEL/$name}
  done
done

# a plugin that a model needs is not there
foreign=$WEIR_TEST_BUILD/tests/fixtures/bare_univariate.so
if [ -e "$foreign" ]; then
  mkdir -m 755 plugins
  cp "$foreign" plugins/
  cat >foreign.lua <<'LUA'
local weir = require "weir"
weir.flow({ features = 2, weir.elementwise { univariate = "test.bare_univariate" } }):save "foreign.safetensors"
LUA
  expect 0 "" env WEIR_PLUGIN_PATH="$PWD/plugins" "$WEIR" foreign.lua
  expect 0 "" env WEIR_PLUGIN_PATH="$PWD/plugins" "$WEIR" info foreign.safetensors
  expect 1 'foreign.safetensors.*test.bare_univariate' "$WEIR" info foreign.safetensors
else
  fail "no fixture $foreign"
fi
expect 1 'did you mean "coupling"' "$WEIR" layers cuopling
expect 1 'unknown module' "$WEIR" check nothing_like_this

# a disk that is full (a limit on file sizes stands for it): the old model stays whole
cp good.safetensors old.safetensors
cp old.safetensors kept.safetensors
(
  trap '' XFSZ
  ulimit -f 4
  "$WEIR" fit three.npy --epochs 1 -o old.safetensors --overwrite >stdout 2>stderr
  echo $? >status
)
[ "$(cat status)" = 1 ] || fail "a full disk: status $(cat status)"
has 'old.safetensors: cannot write' stderr
cmp -s old.safetensors kept.safetensors || fail "the old model was lost on a full disk"
[ -z "$(find . -name '*.tmp*' -o -name '.*safetensors*')" ] || fail "a temporary file was left"
expect 1 'standard output' bash -c '"$WEIR" sample good.safetensors -n 100000 >/dev/full'

# scripts
printf 'local weir = require "weir"\n\nweir.coupling { masks = 1 }\n' >misuse.lua
expect 1 'misuse.lua:3: .*did you mean mask' "$WEIR" misuse.lua
printf 'local weir = require "weir"\nweir.load "none.safetensors"\n' >world.lua
expect 1 'world.lua:2: none.safetensors' "$WEIR" world.lua
printf 'local x = = 1\n' >syntax.lua
expect 1 'syntax.lua:1' "$WEIR" syntax.lua
printf '\x1bLJ\x02' >bytecode.lua
expect 1 'bytecode.lua' "$WEIR" bytecode.lua
expect 1 'none.lua' "$WEIR" none.lua
printf 'return 3\n' >three.lua
expect 3 '' bash -c '"$WEIR" three.lua; s=$?; echo "weir: status" >&2; exit $s'
finish
