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

# nor does one pass that ends the process in the middle of a check, however content it is
fixtures=$WEIR_TEST_BUILD/tests/fixtures
if [ -e "$fixtures/exits_in_call.so" ]; then
  expect 1 'exits_in_call\.so called exit in [a-z_]+;.*rule 48' "$WEIR" check "$fixtures/exits_in_call.so"
  "$WEIR" check "$fixtures/aborts_in_call.so" >stdout 2>stderr
  [ $? = 134 ] || fail "a module that aborts is not seen to"
fi

# the prompt: expressions are shown, statements may go on, errors do not end it
printf 'weir.version\nx = {\n1, 2 }\n#x\nerror "oops"\n3 * 4\n' | "$WEIR" repl >stdout 2>stderr || fail "repl"
has '^2$' stdout
has '^12$' stdout
has 'oops' stderr
finish
