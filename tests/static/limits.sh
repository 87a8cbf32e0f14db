#!/bin/bash
# core/LIMITS.md and the limits of the source say the same: name, value and file, in both directions.
set -eu
cd "$WEIR_TEST_SOURCE"
# shellcheck disable=SC2016 # the backquotes are those of the table
sed -nE 's/^\|[^|]*\| `([A-Z_]+)` \| `([^`]+)` \| `([^`]+)` \|$/\3 \1 \2/p' core/LIMITS.md | sort >"$OLDPWD/table"
# MAX, MOST, LIMIT at the end of a name, or DEEPEST; array_reduce.c counts its reductions
grep -rE '^#define +([A-Z_]+_(MAX|MOST|LIMIT)|NAME_MAX_LENGTH|DEEPEST) ' core/src/file core/src/model core/src/plugin core/src/lua |
  sed -E 's|/\*.*\*/||; s/^([^:]+):#define +([A-Z_]+) +/\1 \2 /; s/ +$//' | sort >"$OLDPWD/source"
cd "$OLDPWD"
[ "$(wc -l <table)" -ge 20 ] || { echo "the table cannot be read"; exit 1; }
diff table source || { echo "core/LIMITS.md (<) and the source (>) differ"; exit 1; }
