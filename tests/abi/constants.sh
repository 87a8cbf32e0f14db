#!/bin/bash
# constants.sh [--write]: every public constant (kinds, flags, dtypes, the status ladder, ids of extensions) has the value
# that baseline/constants.txt records: compilers put it into plugins and programs, where no struct shows it. Lines are only
# added. --write (see renew.sh) records the constants of today.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${WEIR_TEST_SOURCE:-$here/../..}" && pwd)
record=$here/baseline/constants.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include <weir.h>\n#include <weir/build.h>\n#include <weir/files.h>\n' >"$work/all.c"
includes=(-I"$root/sdk/include" -I"$root/core/include")

# Versions are meant to change, and macros that are no values have none. A line of the second pass is "NAME its expansion".
names=$(cc -std=c11 "${includes[@]}" -dM -E "$work/all.c" | awk '$2 ~ /^WEIR_[A-Z0-9_]+$/ && NF > 2 { print $2 }' |
  grep -vE '^WEIR_(ABI|VERSION)_|^WEIR_(API|EXPORT|NOEXCEPT|EXTERN_C|INLINE)$' | sort)
for name in $names; do printf '"%s" %s\n' "$name" "$name"; done >>"$work/all.c"
cc -std=c11 "${includes[@]}" -E -P "$work/all.c" | sed -nE 's/^"(WEIR_[A-Z0-9_]+)" (.+)$/\1 \2/p' | LC_ALL=C sort >"$work/constants.now"
[ "$(wc -l <"$work/constants.now")" -gt 80 ] || { echo "found hardly any constant: have the headers changed their form?"; exit 1; }
if [ "${1-}" = --write ]; then
  mkdir -p "$(dirname "$record")"
  cp "$work/constants.now" "$record"
  exit 0
fi
if ! diff "$record" "$work/constants.now"; then
  if [ -z "$(comm -23 <(LC_ALL=C sort "$record") "$work/constants.now")" ]; then
    echo "constants were added, and baseline/constants.txt does not know them: tests/abi/renew.sh records them"
  else
    echo "a public constant has another value than plugins and programs were built with"
  fi
  exit 1
fi
