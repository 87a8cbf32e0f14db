#!/bin/bash
# Every rule of sdk/ABI.md names a test that exists: a ctest entry (unit.x.y.z, static.x, sdk.x, ...) or, as check:NAME,
# a check of `weir check`.
set -eu
table=$WEIR_TEST_SOURCE/sdk/ABI.md
entries=$(ctest --test-dir "$WEIR_TEST_BUILD" --show-only=json-v1 | grep -oE '"name" : "[^"]+"' | sed -E 's/.*: "(.*)"/\1/')
wrong=0
rows=0
last=0
while IFS='|' read -r _ number _ _ _ _ tests _; do
  number=$(echo "$number" | tr -d ' ')
  case $number in '' | *[!0-9]*) continue ;; esac
  rows=$((rows + 1))
  if [ "$number" -ne $((last + 1)) ]; then echo "rule $number follows rule $last"; wrong=1; fi
  last=$number
  named=0
  for test in $(echo "$tests" | grep -oE '`[^`]+`' | tr -d '`'); do
    named=1
    case $test in
    check:*)
      grep -qw "X(${test#check:})" "$WEIR_TEST_SOURCE/core/src/check/checks.h" || { echo "rule $number: weir check has no check called ${test#check:}"; wrong=1; } ;;
    *)
      echo "$entries" | grep -qxF "$test" || { echo "rule $number: there is no test $test"; wrong=1; } ;;
    esac
  done
  if [ $named = 0 ] && ! echo "$tests" | grep -q 'review'; then echo "rule $number names no test"; wrong=1; fi
done < "$table"
[ $rows -ge 20 ] || { echo "only $rows rules found in $table"; wrong=1; }
exit $wrong
