# expect.bash - what the tests of the command share. Source it: . "$(dirname "$0")/expect.bash"
# Each check prints a line when it does not hold; `finish` turns any into a failure.
set -u
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

finish() {
  [ "$failures" = 0 ] || { echo "$failures checks failed"; exit 1; }
  exit 0
}

# expect STATUS PATTERN command...: the exit status, and a pattern (extended, "" for none) in what goes to stderr. A failure
# must be exactly one line there, and say nothing on stdout.
expect() {
  local wanted=$1 pattern=$2
  shift 2
  "$@" >stdout 2>stderr
  local status=$?
  [ "$status" = "$wanted" ] || fail "status $status, not $wanted: $* ($(head -n 2 stderr))"
  [ -z "$pattern" ] || grep -qE -- "$pattern" stderr || fail "no \"$pattern\" on stderr: $* ($(head -n 2 stderr))"
  if [ "$wanted" != 0 ] && [ "$wanted" != 130 ]; then
    [ "$(grep -vc '^epoch ' stderr)" = 1 ] || fail "not one line on stderr: $* ($(head -n 3 stderr))"
    grep -q '^weir: ' <(grep -v '^epoch ' stderr) || fail "the line does not begin with weir: $*"
  fi
}

# has PATTERN FILE: a line that matches.
has() {
  grep -qE -- "$1" "$2" || fail "no \"$1\" in $2: $(head -n 5 "$2")"
}

# json FILE EXPRESSION: a Lua expression over the decoded value `v` is true.
json() {
  cat >json_check.lua <<LUA
local core = require "weir.core"
local file = assert(io.open("$1"))
local v, message = core.json_decode(file:read "*a")
if v == nil then error("not JSON: " .. message) end
local null = core.null
local fine = null ~= nil and ($2)
if not fine then error("not true of $1: $(printf %s "$2" | tr '"' "'")", 0) end
LUA
  "$WEIR" json_check.lua >json_out 2>&1 || fail "$(cat json_out)"
}

# make_data: moons.csv (columns a, b), test.csv, three.npy (3 columns), gauss.csv (x, c, w)
make_data() {
  cat >make_data.lua <<'LUA'
local weir = require "weir"
weir.data.two_moons { n = 1500, seed = 1 }.x:save("moons.csv", { "a", "b" })
weir.data.two_moons { n = 300, seed = 2 }.x:save("test.csv", { "a", "b" })
weir.random(1):normal(400, 3):save "three.npy"
local random, rows = weir.random(2), {}
for i = 1, 1200 do
  local c = random:uniform() * 2 - 1
  rows[i] = { 2 * c + 0.2 * random:normal(), c, random:uniform() + 0.5 }
end
weir.array.from(rows):save("gauss.csv", { "x", "c", "w" })
LUA
  "$WEIR" make_data.lua || fail "cannot make the data"
}
