#!/bin/bash
# The example scripts run as they are, by the command and by a plain luajit.
. "$(dirname "$0")/expect.bash"
examples=$WEIR_TEST_SOURCE/scripts/examples

# What takes seconds is run to its end, and must come out as promised
for name in two_moons one_dimension tabular; do
  expect 0 "" "$WEIR" "$examples/$name.lua"
  for file in $name.safetensors $name.png; do
    [ -s "$file" ] || fail "$name.lua wrote no $file"
  done
done

# The others are run through, every fit cut short, and write their pictures
for file in "$examples"/*.lua; do
  name=$(basename "$file" .lua)
  case $name in two_moons | one_dimension | tabular | fashion_mnist) continue ;; esac
  expect 0 "" "$WEIR" run --trial "$file"
  [ -s "$name.png" ] || fail "$name.lua wrote no $name.png"
done

# Fashion-MNIST takes minutes; here it must at least be a script without mistakes of syntax, and say what it lacks
expect 1 'train-images' "$WEIR" "$examples/fashion_mnist.lua" ./no_such_folder

if [ "$WEIR_TEST_SANITIZED" != TRUE ] && command -v luajit >/dev/null; then
  export LUA_PATH="$WEIR_TEST_SOURCE/scripts/?.lua;$WEIR_TEST_SOURCE/scripts/?/init.lua;;"
  export LUA_CPATH="$WEIR_TEST_BUILD/lua/?.so;;"
  luajit -e 'local weir = require "weir"; print(weir.version)' >stdout 2>stderr || fail "plain luajit: $(cat stderr)"
  has '^[0-9.]+$' stdout
fi
finish
