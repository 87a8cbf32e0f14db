#!/bin/bash
# rules.sh SOURCE: every check says which rule of sdk/ABI.md it watches, and that rule says so too; and every check has a
# fixture that breaks its promise, and that it finds.
set -eu
# What only a host could break: it refuses such a table, and such an option, before a module's code runs (unit tests of the
# registry).
hosts="option_schema option_refusals"
wrong=0
count=0
while read -r name rule; do
  count=$((count + 1))
  grep -qE "^\| $rule \|.*\`check:$name\`" "$1/sdk/ABI.md" || {
    echo "check $name says rule $rule, and that row of sdk/ABI.md does not name it"
    wrong=1
  }
  case " $hosts " in *" $name "*) continue ;; esac
  grep -qE "^BROKEN(_AS|_MODULE)?\\(.*\"([a-z_]+\\.)?$name\"[,)]" "$1/tests/conformance/rows.h" || {
    echo "no fixture breaks what check $name watches: add a BROKEN row to tests/conformance/rows.h"
    wrong=1
  }
done < <(sed -nE 's/^ *\{"([a-z_]+)", "([0-9]+)",.*/\1 \2/p' "$1/core/src/check/table.c")
[ "$count" -ge 40 ] || { echo "only $count checks found"; wrong=1; }
exit $wrong
