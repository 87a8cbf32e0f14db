#!/bin/bash
# weir layers and weir check.
. "$(dirname "$0")/expect.bash"

expect 0 "" "$WEIR" layers
has "^layer, [0-9]+$" stdout
has "^[0-9]+ modules; " stdout
has '^  coupling +' stdout
expect 0 "" "$WEIR" layers --json
json stdout '#v > 15 and (function() for _, m in ipairs(v) do for _, key in ipairs { "id", "kind", "version", "summary", "options", "supplied_by_host", "dtypes", "plugin" } do if m[key] == nil then error(key) end end end return true end)()'
expect 0 "" "$WEIR" layers rq_spline --json
json stdout '#v == 1 and v[1].id == "rq_spline" and v[1].kind == "univariate" and #v[1].options > 0'
expect 0 "" "$WEIR" layers rq_spline
has 'bins +integer, 2 to 256, default 8' stdout

expect 0 "" "$WEIR" check additive --json
json stdout 'v.module == "additive" and #v.checks > 5 and (function() for _, c in ipairs(v.checks) do if c.name == nil or c.rule == nil or c.ok == nil or c.figure == nil or c.limit == nil then return false end end return true end)()'
expect 2 'JSON object' "$WEIR" check additive --with 3
printf 'not a plugin' >text.so
expect 1 'text.so' "$WEIR" check ./text.so

# a broken module is found out
broken=$WEIR_TEST_BUILD/tests/fixtures/broken_log_det_sign.so
if [ -e "$broken" ]; then
  "$WEIR" check "$broken" --quiet >stdout 2>stderr
  [ $? = 1 ] || fail "a wrong log-det passes"
  has FAILED stdout
fi

# one that takes longer than its time, and works all the while or sleeps in between, is no module that hangs
naps=$WEIR_TEST_BUILD/tests/fixtures/naps.so
if [ -e "$naps" ]; then
  expect 0 "" "$WEIR" check "$naps" --with '{"timeout": 0.6, "only": "forward.bounds"}'
  has ' 0 failed' stdout
fi

# nor does one pass that ends the process in the middle of a check, however content it is, or that is never done; all
# other checks still run, and the check, the call and the stack are named
fixtures=$WEIR_TEST_BUILD/tests/fixtures
ends() { # ends FIXTURE CHECK RULE PATTERN [argument...]: status 1, and the line of the check says how it ended
  local name=$1 check=$2 rule=$3 pattern=$4
  shift 4
  "$WEIR" check "$fixtures/$name.so" --quiet "$@" >stdout 2>stderr
  [ $? = 1 ] || fail "$name: not status 1"
  has "^FAILED $check +$rule .*$pattern" stdout
  grep -q "again: weir check '.*$name.so' --seed 1.* --only $check" stdout || fail "$name: no word on how to see it again"
  [ "$(grep -c . stderr)" = 1 ] || fail "$name: not one line on stderr: $(head -n 3 stderr)"
}
if [ -e "$fixtures/exits_in_call.so" ]; then
  ends exits_in_call forward.bounds 48 'it called exit\(0\) in forward'
  has '#[0-9]+ exits in exits_in_call\.so\+0x' stdout
  ends aborts_in_call forward.bounds 48 'Aborted in forward'
  has '^  rule 48: Nothing unwinds across the border, and nothing ends the process' stdout
  has '^         at the same place$' stdout
  has '#[0-9]+ aborts in aborts_in_call\.so\+0x' stdout
  has '^fixture.aborts_in_call: [0-9]+ checks' stdout
  ends crashes loads 4 'Segmentation fault'
  ends exits loads 4 'it called exit'
  ends hangs loads 4 'no end after 0.5 seconds' --timeout 0.5
  expect 1 'called exit in [a-z_]+;.*rule 48' "$WEIR" check "$fixtures/exits_in_call.so" --in-process
  WEIR_CHECKER=/bin/false "$WEIR" check additive >stdout 2>stderr || fail "without a checker"
  has 'did not answer.*in this process' stderr
fi
expect 2 'half is not one of quick, full' "$WEIR" check additive --level half
expect 1 'no check "no_such"' "$WEIR" check additive --only no_such
expect 0 "" "$WEIR" check additive --level full --only forward.bounds --seed 9
has '^additive: 1 checks, 0 failed' stdout

# the prompt: expressions are shown, statements may go on, errors do not end it
printf 'weir.version\nx = {\n1, 2 }\n#x\nerror "oops"\n3 * 4\n' | "$WEIR" repl >stdout 2>stderr || fail "repl"
has '^2$' stdout
has '^12$' stdout
has 'oops' stderr
finish
