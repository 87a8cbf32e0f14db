#!/bin/bash
# weir fit, eval, sample and info, by the contract of the command.
. "$(dirname "$0")/expect.bash"
make_data

quick=(--flow nsf --transforms 4 --hidden 32 --epochs 5 --seed 3)
expect 0 "" "$WEIR" fit moons.csv --test test.csv "${quick[@]}" --log log.jsonl -o moons.safetensors
has '^validation +log_prob -?[0-9.]+ \+- [0-9.]+ nats \(150 rows\)$' stdout
has '^test +log_prob -?[0-9.]+ \+- [0-9.]+ nats \(300 rows\)$' stdout
[ "$(wc -l <log.jsonl)" = 5 ] || fail "the log has not one line for each epoch"
tail -n 1 log.jsonl >last.json
json last.json 'v.epoch == 5 and type(v.train) == "number" and type(v.validation) == "number" and v.seconds > 0'
[ ! -e moons.checkpoint.safetensors ] || fail "a checkpoint that nobody asked for"

# the plain lines of something that is no terminal hold no control characters
LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f]' stderr && fail "control characters on stderr"
has '^epoch 5/5 .* rows/s' stderr

# the default name, --json, and no overwriting
expect 0 "" "$WEIR" fit moons.csv "${quick[@]}" --json --overwrite
json stdout 'v.model == "moons.safetensors" and v.flow == "nsf" and v.epochs == 5 and v.test == null and v.validation.rows == 150'
cp moons.safetensors before.safetensors
expect 1 'the file exists.*--overwrite' "$WEIR" fit moons.csv "${quick[@]}" --epochs 1
cmp -s moons.safetensors before.safetensors || fail "the model was touched"

# eval
expect 0 "" "$WEIR" eval moons.safetensors test.csv
has '^log_prob -?[0-9]+\.[0-9]+ \+- [0-9]+\.[0-9]+ nats \(300 rows\)$' stdout
[ "$(wc -l <stdout)" = 1 ] || fail "eval prints more than its line"
expect 0 "" "$WEIR" eval moons.safetensors test.csv --json
json stdout 'type(v.mean) == "number" and v.stderr > 0 and v.rows == 300 and v.discarded == 0 and v.bits_per_dim == null'
# columns are found by their names
printf 'b,z,a\n0.3,7,0.5\n-0.1,7,1.2\n' >shuffled.csv
printf 'a,b\n0.5,0.3\n1.2,-0.1\n' >straight.csv
"$WEIR" eval moons.safetensors shuffled.csv >one
"$WEIR" eval moons.safetensors straight.csv >two
cmp -s one two || fail "columns are not matched by name"

# sample
expect 0 "" "$WEIR" sample moons.safetensors -n 50 --seed 4 -o one.csv
has '^a,b$' one.csv
[ "$(wc -l <one.csv)" = 51 ] || fail "not 50 samples"
expect 0 "" "$WEIR" sample moons.safetensors -n 50 --seed 4 -o two.csv --threads 1
cmp -s one.csv two.csv || fail "samples depend on the threads"
expect 0 "" "$WEIR" sample moons.safetensors -n 50 --seed 5 -o two.csv
cmp -s one.csv two.csv && fail "samples do not depend on the seed"
expect 0 "" "$WEIR" sample moons.safetensors -n 20 -o s.npy
expect 0 "" "$WEIR" eval moons.safetensors s.npy
expect 0 "" "$WEIR" sample moons.safetensors -n 3
[ "$(wc -l <stdout)" = 4 ] || fail "samples on stdout"

# info
expect 0 "" "$WEIR" info moons.safetensors
has '^flow of 2 features, f32' stdout
has 'coupling' stdout
has 'best_epoch' stdout
expect 0 "" "$WEIR" info moons.safetensors --json
json stdout 'v.features == 2 and v.parameters > 0 and v.plugins.coupling.coupling ~= nil and v.training.epochs == 5 and #v.metadata.data.columns == 2'
grep -qiE '"(time|date|host|threads|seconds)":' stdout && fail "the model remembers time or machine"

# the same bits for any number of threads
expect 0 "" "$WEIR" fit moons.csv "${quick[@]}" --threads 1 -o t1.safetensors
expect 0 "" "$WEIR" fit moons.csv "${quick[@]}" --threads 2 -o t2.safetensors
cmp -s t1.safetensors t2.safetensors || fail "the model depends on the threads"
expect 0 "" "$WEIR" fit moons.csv "${quick[@]}" --seed 4 -o t3.safetensors
cmp -s t1.safetensors t3.safetensors && fail "the model does not depend on the seed"

# every preset that help lists, in both precisions
"$WEIR" fit --help >help
for flow in realnvp nice maf iaf nsf nsf_ar; do
  has "^  $flow " help
  expect 0 "" "$WEIR" fit three.npy --flow $flow --transforms 2 --hidden 16 --epochs 2 --dtype f64 --val three.npy -o p.safetensors --overwrite
done

# integer data: 8-bit files by themselves, others by --levels; eval then gives bits per dimension
cat >make_integers.lua <<'LUA'
local weir = require "weir"
local random, a = weir.random(1), weir.array.new("u8", 800, 3)
for i = 1, 800 do
  for j = 1, 3 do a:set(i, j, math.max(0, math.min(255, math.floor(128 + 20 * random:normal())))) end
end
a:save "bytes.npy"
a:cast("f32"):save "floats.npy"
LUA
expect 0 "" "$WEIR" make_integers.lua
expect 0 "" "$WEIR" fit bytes.npy --flow maf --transforms 1 --epochs 20 -o bytes.safetensors
expect 0 "" "$WEIR" eval bytes.safetensors bytes.npy --json
# a Gaussian of standard deviation 20 has log2(20 sqrt(2 pi e)) = 6.37 bits
json stdout 'math.abs(v.bits_per_dim - 6.37) < 0.1 and math.abs(v.bits_per_dim + v.mean / 3 / math.log(2)) < 1e-9'
expect 0 "" "$WEIR" fit floats.npy --flow maf --transforms 1 --epochs 1 --levels 256 -o floats.safetensors
expect 0 "" "$WEIR" eval floats.safetensors floats.npy --json
json stdout 'type(v.bits_per_dim) == "number"'
expect 1 '--levels 16: the data reaches' "$WEIR" fit floats.npy --levels 16 -o x.safetensors

# context and weights by column
expect 0 "" "$WEIR" fit gauss.csv --context c --weights w --flow maf --transforms 2 --hidden 32 --epochs 40 --lr 0.005 -o c.safetensors
expect 0 "" "$WEIR" sample c.safetensors -n 400 --context c=0.5 -o half.npy
expect 0 "" "$WEIR" sample c.safetensors -n 400 --context c=-0.5 -o minus.npy
cat >means.lua <<'LUA'
local weir = require "weir"
local a, b = weir.array.load "half.npy", weir.array.load "minus.npy"
if math.abs(a:mean() - 1) > 0.15 or math.abs(b:mean() + 1) > 0.15 then error(a:mean() .. " " .. b:mean()) end
LUA
expect 0 "" "$WEIR" means.lua
expect 0 "" "$WEIR" eval c.safetensors gauss.csv
printf 'x\n1\n-1\n' >x.csv
printf 'c\n0.5\n-0.5\n' >c.csv
expect 0 "" "$WEIR" eval c.safetensors x.csv --context c.csv
expect 1 'context' "$WEIR" eval c.safetensors x.csv
expect 1 'context' "$WEIR" sample c.safetensors -n 2
expect 1 'no column d' "$WEIR" sample c.safetensors -n 2 --context d=1
expect 2 'name=value' "$WEIR" sample c.safetensors -n 2 --context c=x
expect 0 "" "$WEIR" fit gauss.csv --context 2-3 --flow maf --transforms 1 --epochs 1 -o c2.safetensors

# options that --set reaches
expect 0 "" "$WEIR" fit moons.csv --epochs 2 --transforms 2 --hidden 8 --set mixing=random --set schedule=plateau --set warmup=5 -o s.safetensors
expect 0 "" "$WEIR" fit three.npy --flow realnvp --epochs 1 --transforms 3 --hidden 8 --set masks=schedule -o m.safetensors
"$WEIR" info m.safetensors >info
has 'coupling .*first=0 mask=period period=2' info
expect 2 'masks: .* alternate, schedule' "$WEIR" fit three.npy --flow nice --set masks=odd -o x.safetensors

# data that are pictures, for a flow that divides them
cat >rows.lua <<'LUA'
local weir = require "weir"
return { layers = function() return { weir.standardize(), weir.coupling { mask = "top" } } end }
LUA
expect 0 "" "$WEIR" fit three.npy --flow ./rows.lua --epochs 1 --image 1,3,1 -o picture.safetensors
expect 1 'image = .channels, height, width.' "$WEIR" fit three.npy --flow ./rows.lua --epochs 1 -o x.safetensors
expect 1 'with product 3' "$WEIR" fit three.npy --flow ./rows.lua --epochs 1 --image 1,2,2 -o x.safetensors
finish
