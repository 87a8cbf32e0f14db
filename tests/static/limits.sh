#!/bin/bash
# core/LIMITS.md and the limits of the source say the same: name, value and file, in both directions; the test that reaches
# each is an entry of ctest.
set -eu
cd "$WEIR_TEST_SOURCE"
# shellcheck disable=SC2016 # the backquotes are those of the table
sed -nE 's/^\|[^|]*\| `([A-Z_]+)` \| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|$/\3 \1 \2\t\4/p' core/LIMITS.md | sort >"$OLDPWD/rows"
# MAX, MOST, LIMIT at the end of a name, or DEEPEST; array_reduce.c counts its reductions
grep -rE '^#define +([A-Z_]+_(MAX|MOST|LIMIT)|NAME_MAX_LENGTH|DEEPEST) ' core/src/api core/src/file core/src/lua core/src/method \
  core/src/model core/src/plugin |
  sed -E 's|/\*.*\*/||; s/^([^:]+):#define +([A-Z_]+) +/\1 \2 /; s/ +$//' | sort >"$OLDPWD/source"
cd "$OLDPWD"
cut -f 1 rows | sort >table
[ "$(wc -l <table)" -ge 20 ] || { echo "the table cannot be read"; exit 1; }
diff table source || { echo "core/LIMITS.md (<) and the source (>) differ"; exit 1; }
ctest --test-dir "$WEIR_TEST_BUILD" --show-only=json-v1 | sed -nE 's/.*"name" : "([^"]+)".*/\1/p' >entries
wrong=0
while IFS=$'\t' read -r limit test; do
  grep -qxF "$test" entries || { echo "$limit: there is no test $test"; wrong=1; }
done <rows
exit $wrong
