#!/bin/bash
# Ctrl-C in the middle of training: status 130, a checkpoint and the best model; resuming ends in the same bits.
. "$(dirname "$0")/expect.bash"
make_data
fit=("$WEIR" fit moons.csv --flow nsf_ar --transforms 3 --hidden 64 --epochs 400 --patience 0 --batch 64 --seed 5)

"${fit[@]}" --epochs 80 -o whole.safetensors >stdout 2>stderr || fail "the whole run failed: $(cat stderr)"

# stopped as soon as the first epoch is in the log, which is long before the last
stop() { # stop LOG options...
  local log=$1
  shift
  "$@" --log "$log" >stdout 2>stderr &
  local job=$! tries=0
  while [ ! -s "$log" ] && kill -0 $job 2>/dev/null && [ $tries -lt 1200 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill -INT $job
  wait $job
  status=$?
}

stop log "${fit[@]}" -o part.safetensors --checkpoint part.checkpoint
[ "$status" = 130 ] || fail "status $status after Ctrl-C ($(tail -n 2 stderr))"
has 'weir: interrupted: part.safetensors .* part.checkpoint' stderr
[ -s part.checkpoint ] || fail "no checkpoint"
expect 0 "" "$WEIR" eval part.safetensors test.csv

# other data, other options
"$WEIR" sample part.safetensors -n 1500 -o other.csv
expect 1 'other training data' "$WEIR" fit other.csv --flow nsf_ar --transforms 3 --hidden 64 --epochs 400 --patience 0 --batch 64 --seed 5 --resume part.checkpoint -o x.safetensors
expect 1 'lr' "${fit[@]}" --lr 0.5 --resume part.checkpoint -o x.safetensors
[ ! -e x.safetensors ] || fail "a refused resume wrote a model"

# a run of 80 epochs, interrupted and resumed until it is through, by other numbers of threads
rm -f log
stop log "${fit[@]}" --epochs 80 -o bits.safetensors --checkpoint bits.checkpoint --threads 2
if [ "$status" = 130 ]; then
  expect 0 "" "${fit[@]}" --epochs 80 -o bits.safetensors --resume bits.checkpoint --threads 1
else
  fail "80 epochs were over before they could be interrupted (status $status)"
fi
cmp -s whole.safetensors bits.safetensors || fail "the resumed run ends in other bits"
finish
