#!/bin/bash
# Bad usage: status 2, one line, the nearest name. Help everywhere.
. "$(dirname "$0")/expect.bash"
make_data

for command in fit eval sample layers check bench info plot run repl version help; do
  expect 0 "" "$WEIR" $command --help
  has "^usage: weir $command" stdout
done
expect 0 "" "$WEIR" --help
has '^  fit ' stdout
expect 0 "" "$WEIR" help sample
has 'weir sample MODEL -n N' stdout
expect 0 "" "$WEIR" --version
has '^weir [0-9]+\.[0-9]+\.[0-9]+$' stdout

expect 2 'did you mean eval' "$WEIR" evla
expect 2 'did you mean sample' "$WEIR" help sampel
expect 2 'TRAIN is missing' "$WEIR" fit
expect 2 'did you mean --epochs' "$WEIR" fit moons.csv --epoch 3
expect 2 'did you mean realnvp' "$WEIR" fit moons.csv --flow realnpv
expect 2 'did you mean mixing' "$WEIR" fit moons.csv --set mixin=lu
expect 2 'key=value' "$WEIR" fit moons.csv --set mixing
expect 2 'no such option' "$WEIR" fit moons.csv --flow realnvp --bins 4
for wrong in '--epochs 0' '--epochs x' '--epochs 2.5' '--batch -3' '--lr fast' '--dtype f16' '--hidden 3,,4' '--seed -1' '--threads 0'; do
  # shellcheck disable=SC2086
  expect 2 "$(echo "$wrong" | cut -d' ' -f1)" "$WEIR" fit moons.csv $wrong
done
expect 2 'needs a value' "$WEIR" fit moons.csv --lr
expect 2 'DATA is missing' "$WEIR" eval model.safetensors
expect 2 '-n N is missing' "$WEIR" sample model.safetensors
expect 2 'one word too many' "$WEIR" info a b
expect 2 'PNG' "$WEIR" plot model.safetensors -o picture.jpg
[ -z "$(ls ./*.safetensors 2>/dev/null)" ] || fail "bad usage wrote a file"
expect 1 'no column is called' "$WEIR" fit moons.csv --context zz
expect 1 'columns 1 to 2' "$WEIR" fit moons.csv --context 3
expect 1 'no column is left' "$WEIR" fit moons.csv --context 1-2
finish
