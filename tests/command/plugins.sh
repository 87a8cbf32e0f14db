#!/bin/bash
# weir plugins, weir --locked, and what is said of plugins that end the process.
. "$(dirname "$0")/expect.bash"
fixtures=$WEIR_TEST_BUILD/tests/fixtures
export XDG_CACHE_HOME=$PWD/cache
unset WEIR_PLUGIN_PATH WEIR_LOCK
mkdir cache first second

# what is found where, which file wins, and why not
cp "$fixtures/good.so" first/
cp "$fixtures/twin.so" second/
cp "$fixtures/crashes.so" second/
printf 'text' >second/text.so
export WEIR_PLUGIN_PATH=$PWD/first:$PWD/second
"$WEIR" plugins >stdout 2>stderr || fail "weir plugins"
has "^$PWD/first\$" stdout
has '^  good\.so +good 1\.2\.3 +probed now +fixture\.good$' stdout
has "^ +fixture\.good is used from $PWD/first/good\.so\$" stdout
has '^  affine\.so +affine [0-9.]+ +manifest +affine$' stdout
has "^  $PWD/second/crashes\.so: crashed while loading: Segmentation fault\$" stdout
has "^  $PWD/second/text\.so: not an ELF file" stdout
has '^[0-9]+ plugins with [0-9]+ modules in use, 2 refused$' stdout
"$WEIR" plugins --json >stdout 2>/dev/null || fail "weir plugins --json"
json stdout '#v.folders > 2 and v.lock == null and #v.plugins > 15'
json stdout '(function() for _, p in ipairs(v.plugins) do if p.plugin == "good" then return p.state == "found" and p.checked == "before" and #p.sha256 == 64 and p.modules[1].used and p.modules[1].dtypes[1] == "f64" end end end)()'
json stdout '(function() for _, p in ipairs(v.plugins) do if p.plugin == "twin" then return not p.modules[1].used and p.modules[1].used_from:match "first/good.so$" end end end)()'
json stdout '(function() for _, p in ipairs(v.plugins) do if p.file:match "crashes.so$" then return p.state == "refused" and p.reason:match "^crashed" and p.plugin == null end end end)()'
"$WEIR" plugins --json 2>/dev/null | grep -o "$(sha256sum first/good.so | cut -d' ' -f1)" >digest || fail "the digest is not that of sha256sum"
rm second/*.so

# names that are no text, of a file and of a folder
odd=$(printf 'o\377d')
mkdir "$odd"
cp "$fixtures/good.so" "$odd/$odd.so"
printf 'text' >"$odd/t$odd.so"
WEIR_PLUGIN_PATH=$PWD/$odd "$WEIR" plugins >stdout 2>stderr || fail "a folder whose name is no text: $(cat stderr)"
has "^$PWD/o\?d\$" stdout
has '^  o\?d\.so +good 1\.2\.3 ' stdout
has "^  $PWD/o\?d/to\?d\.so: not an ELF file" stdout
rm -r "$odd"

# a model, its plugins, its lock
cat >make.lua <<'LUA'
local weir = require "weir"
local flow = weir.flow { weir.coupling { univariate = weir.affine() },
  weir.elementwise { univariate = weir["fixture.good"]() }, features = 2, dtype = "f64" }
flow:save "model.safetensors"
LUA
expect 0 "" "$WEIR" make.lua
expect 0 "" "$WEIR" plugins model.safetensors --lock model.lock
has 'good\.so' stdout
grep -q 'rq_spline\|splines' stdout && fail "a plugin is listed that the model does not use"
grep -q "$(sha256sum first/good.so | cut -d' ' -f1)" model.lock || fail "the lock has not the digest of good.so"
grep -q "$PWD" model.lock && fail "the lock names a folder of this machine"
cp model.lock again.lock
expect 0 "" "$WEIR" --locked model.lock plugins model.safetensors --lock again.lock
cmp -s model.lock again.lock || fail "a lock written twice is not the same"
expect 0 "" "$WEIR" --locked model.lock sample model.safetensors -n 5 -o a.csv --seed 1
[ "$(wc -l <a.csv)" -ge 5 ] || fail "no samples under the lock"
expect 1 'module "rq_spline": .*splines\.so: not in the lock .*model\.lock' "$WEIR" --locked model.lock layers rq_spline
expect 1 'module "rq_spline": .*not in the lock' env WEIR_LOCK=model.lock "$WEIR" layers rq_spline
"$WEIR" --locked model.lock plugins >stdout 2>stderr || fail "plugins under a lock"
has '; lock .*model\.lock$' stdout
has 'splines\.so: not in the lock .*\[.*rq_spline.*\]$' stdout

# a changed plugin, a missing one
printf 'x' >>first/good.so
expect 1 'model\.safetensors: needs module "fixture\.good" of plugin good 1\.2\.3: .*first/good\.so: not the file that the lock .* names \(plugin good 1\.2\.3, sha256 [0-9a-f]{12}\.\.\.\)' \
  "$WEIR" --locked model.lock sample model.safetensors -n 5 -o b.csv
[ ! -e b.csv ] || fail "a refused model has sampled"
expect 0 "" "$WEIR" sample model.safetensors -n 5 -o b.csv --seed 1
cmp -s a.csv b.csv || fail "without the lock the samples differ"
rm first/good.so
expect 1 "needs module \"fixture\.good\" of plugin good 1\.2\.3: .*the lock .* names good\.so of plugin good 1\.2\.3 .*no such file is in .*$PWD/first" \
  "$WEIR" --locked model.lock sample model.safetensors -n 5 -o b.csv
expect 1 "needs module \"fixture\.good\" of plugin good 1\.2\.3: .*searched $PWD/first, $PWD/second, " \
  "$WEIR" sample model.safetensors -n 5 -o c.csv
cp "$fixtures/crashes.so" first/good.so
"$WEIR" info model.safetensors >stdout 2>stderr
grep -q 'needs module "fixture\.good" of plugin good 1\.2\.3: .*first/good\.so: crashed while loading' stderr || fail "the reason is not told: $(cat stderr)"
rm first/good.so

# locks that are none
expect 2 'no lock file "none\.lock"' "$WEIR" --locked none.lock layers
expect 2 'no lock file ""' "$WEIR" --locked
printf '{}' >empty.lock
expect 1 'empty\.lock: not a lock file' "$WEIR" --locked empty.lock layers
chmod o+w again.lock
expect 1 'again\.lock: everybody may write' "$WEIR" --locked again.lock layers
expect 1 'cannot write' "$WEIR" plugins --lock no/such/folder.lock

# a script's own wish
cat >own.lua <<'LUA'
local weir = require "weir"
weir.open { lock = "model.lock" }
print(weir.affine().type)
print(pcall(function() return weir.softplus() end))
LUA
expect 0 "" "$WEIR" own.lua
has '^affine$' stdout
has '^false.*not in the lock' stdout

# a lock that is taken away does not leave the process of the checks without one
cp model.lock gone.lock
cat >gone.lua <<'LUA'
local weir = require "weir"
weir.open { lock = "gone.lock" }
os.remove "gone.lock"
print(require("weir.runtime").get():check "affine")
LUA
expect 0 "" "$WEIR" gone.lua
has '^nil.*gone\.lock' stdout

# a plugin that ends the process in a call is named; the process is lost
cat >use.lua <<'LUA'
local weir = require "weir"
local flow = weir.flow { weir.elementwise { univariate = weir["fixture." .. arg[1]]() }, features = 2, dtype = "f64" }
flow:log_prob(weir.array.from { { 1, 2 }, { 3, 4 } })
print "survived"
LUA
ends() { # ends FIXTURE STATUS WORDS
  cp "$fixtures/$1.so" first/
  "$WEIR" use.lua "$1" >stdout 2>stderr
  local status=$?
  [ $status = "$2" ] || fail "status $status, not $2, of $1: $(head -n 2 stderr)"
  grep -q "^weir: $PWD/first/$1\.so: this plugin $3; weir check" stderr || fail "$1 is not named: $(cat stderr)"
  [ ! -s stdout ] || fail "$1: $(cat stdout)"
  rm "first/$1.so"
}
ends aborts_in_call 134 'ended the process: abort'
ends exits_in_call 1 'called exit and ended the process'
[ "$WEIR_TEST_SANITIZED" = TRUE ] || ends smashes_stack_in_call 139 'ended the process: segmentation fault'
[ "$WEIR_TEST_SANITIZED" = TRUE ] || ends longjmps_in_call 134 'ended the process: abort'

# one that hangs in a call is stopped by whoever waits
cp "$fixtures/hangs_in_call.so" first/
timeout -s INT 3 "$WEIR" use.lua hangs_in_call >stdout 2>stderr
[ $? = 124 ] || fail "a plugin that hangs in a call"
[ ! -s stdout ] || fail "a plugin that hangs in a call came back"
rm first/hangs_in_call.so

# the script's own exit is its own affair
printf 'os.exit(3)\n' >leave.lua
"$WEIR" leave.lua >stdout 2>stderr
status=$?
[ "$status:$(cat stderr)" = "3:" ] || fail "os.exit of a script: status $status, $(cat stderr)"
finish
