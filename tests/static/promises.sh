#!/bin/bash
# tests/PROMISES.md is what tests/promises.lua makes of the rules, rows and fixtures; every rule that is enforced is broken by
# a fixture that exists, and caught by a test that exists; and no fixture that breaks something is left out.
set -eu
cd "$WEIR_TEST_SOURCE"
command -v luajit >/dev/null || { echo "skipped: no luajit here"; exit 77; }
work=$OLDPWD
wrong=0
luajit tests/promises.lua >"$work/page" || exit 1
if ! diff tests/PROMISES.md "$work/page" >"$work/difference"; then
  head -n 20 "$work/difference"
  echo "tests/PROMISES.md is not what the rules and fixtures say: luajit tests/promises.lua > tests/PROMISES.md"
  wrong=1
fi
ctest --test-dir "$WEIR_TEST_BUILD" --show-only=json-v1 | sed -nE 's/.*"name" : "([^"]+)".*/\1/p' >"$work/entries"
grep '^|' "$work/page" | tail -n +3 | while IFS='|' read -r _ _ _ _ fixture caught _; do
  # shellcheck disable=SC2016 # the backquotes are those of the table
  fixture=$(sed -nE 's/^ `(.*)` $/\1/p' <<<"$fixture")
  [ -z "$fixture" ] || [ -e "tests/fixtures/$fixture" ] || [ -e "tests/fixtures/$fixture.c" ] || [ -e "tests/sdk/$fixture" ] ||
    echo "there is no fixture $fixture"
  # shellcheck disable=SC2016
  test=$(sed -nE 's/.*`([^`]+)` $/\1/p' <<<"$caught")
  [ -z "$test" ] || grep -qxF "$test" "$work/entries" || echo "there is no test $test"
done >"$work/absent"
if [ -s "$work/absent" ]; then cat "$work/absent"; wrong=1; fi
for fixture in tests/fixtures/broken_*; do
  grep -q "\`$(basename "$fixture")\`" "$work/page" || { echo "$fixture breaks no promise of the table"; wrong=1; }
done

# A rule whose only fixture is gone is found out.
mkdir -p "$work/copy/tests/fixtures" "$work/copy/sdk" "$work/copy/core/src/check" "$work/copy/tests/conformance"
cp tests/promises.lua "$work/copy/tests/"
cp sdk/ABI.md "$work/copy/sdk/"
cp core/src/check/table.c "$work/copy/core/src/check/"
cp tests/fixtures/promises.txt "$work/copy/tests/fixtures/"
grep -v 'broken_in_place' tests/conformance/rows.h >"$work/copy/tests/conformance/rows.h"
if luajit "$work/copy/tests/promises.lua" >/dev/null 2>"$work/message"; then echo "a rule without a fixture passes"; wrong=1; fi
grep -q 'that breaks them: 24' "$work/message" || { cat "$work/message"; wrong=1; }
exit $wrong
