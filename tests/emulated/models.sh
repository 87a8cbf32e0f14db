#!/bin/bash
# A model file made on one processor is the same density on the other, and draws the same samples: flows are trained on the
# emulated processor and on this one, and each file is used on both. WEIR is the command there, WEIR_HERE the one here.
. "$(dirname "$0")/../command/expect.bash"
[ -x "$WEIR_HERE" ] || { echo "skipped: no $WEIR_HERE; scripts/build.sh makes it"; exit 77; }
there=$WEIR

expect 0 "" "$there" version
has '^neon kernels$' stdout
expect 0 "" env WEIR_MATH=plain "$there" version
has '^plain kernels$' stdout

cat >data.lua <<'LUA'
local weir = require "weir"
weir.data.two_moons { n = 500, seed = 1 }.x:save("moons.csv", { "a", "b" })
weir.random(2):normal(400, 7):save "seven.npy"
LUA
expect 0 "" "$WEIR_HERE" data.lua

# close LIMIT A B PLUS: two arrays, element by element: |A - B| <= LIMIT (PLUS + |B|).
close() {
  cat >close.lua <<LUA
local weir = require "weir"
local a, b = weir.array.load "$2", weir.array.load "$3"
local far = ((a - b):abs() / (b:abs() + $4)):max()
if not (a:rows() == b:rows() and a:rows() > 0 and far <= $1) then error("$2 and $3 differ: " .. far, 0) end
print("$2 and $3: " .. far)
LUA
  "$WEIR_HERE" close.lua >close.out 2>&1 || fail "$(cat close.out)"
  cat close.out
}

# carried MODEL WEIR DTYPE LIMIT DATA FEATURES fit's options...: trains with that command, and compares both.
carried() {
  local model=$1 weir=$2 dtype=$3 limit=$4 data=$5 features=$6 place
  shift 6
  expect 0 "" "$weir" fit "$data" --dtype "$dtype" --epochs 3 --batch 64 --seed 5 "$@" -o "$model.safetensors"
  for place in here there; do
    if [ $place = here ]; then weir=$WEIR_HERE; else weir=$there; fi
    expect 0 "" "$weir" eval "$model.safetensors" "$data" -o "$model-density-$place.npy"
    expect 0 "" "$weir" sample "$model.safetensors" -n 50 --seed 3 -o "$model-sample-$place.npy"
  done
  close "$limit" "$model-density-there.npy" "$model-density-here.npy" "$features"
  close "$limit" "$model-sample-there.npy" "$model-sample-here.npy" 1
}
splines="--flow nsf --transforms 3 --hidden 24,24"
masked="--flow maf --transforms 3 --hidden 40,40"
# shellcheck disable=SC2086
for precision in "f32 1e-5" "f64 1e-10"; do
  carried "splines-${precision% *}-of-there" "$there" $precision moons.csv 2 $splines
  carried "splines-${precision% *}-of-here" "$WEIR_HERE" $precision moons.csv 2 $splines
  carried "masked-${precision% *}-of-there" "$there" $precision seven.npy 7 $masked
  carried "masked-${precision% *}-of-here" "$WEIR_HERE" $precision seven.npy 7 $masked
done
finish
