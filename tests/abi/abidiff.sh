#!/bin/bash
# abidiff.sh [--write | witness | libweir]: what crosses Weir's borders is what the baseline says, in the eyes of abidiff: the
# types, by a witness library (witness.sh), and the symbols of libweir with their versions. baseline/ is the interface that
# plugins and programs out there were built against.
#
# What was only added is told from what breaks them. --write (see renew.sh) records the interface of today, and refuses one
# that breaks while neither the draft number of the ABI nor libweir's SONAME has changed. Without a name it looks at both.
set -eu
write=false
if [ "${1-}" = --write ]; then
  write=true
  set --
fi
[ $# -gt 0 ] || set -- witness libweir
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${WEIR_TEST_SOURCE:-$here/../..}" && pwd)
library=${WEIR_TEST_BUILD:-$root/build}/lib/libweir.so
record=$here/baseline
for tool in abidw abidiff; do
  command -v $tool >/dev/null || { echo "skipped: no $tool here; scripts/setup.sh --tests installs it (abigail-tools)"; exit 77; }
done
[ -e "$library" ] || { echo "no $library: build Weir first, or say where in WEIR_TEST_BUILD"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[[ " $* " != *" witness "* ]] || bash "$here/witness.sh" "$root" "$work/witness.so"
objcopy --strip-debug "$library" "$work/libweir.so" # whatever the build type: here the symbols count
{
  echo "draft $(sed -nE 's/^#define WEIR_ABI_DRAFT ([0-9]+)$/\1/p' "$root/sdk/include/weir/abi.h")"
  echo "soname $(readelf -d "$library" | sed -nE 's/.*SONAME.*\[(.*)\]/\1/p')"
} >"$work/versions.txt"
# The libraries that libweir needs are left out: they follow the linker, and are nobody's interface.
for name in "$@"; do
  abidw --no-show-locs --no-corpus-path --no-comp-dir-path --type-id-style hash "$work/$name.so" |
    sed '/<elf-needed>/,/<\/elf-needed>/d' >"$work/$name.abi"
done

# Prints nothing, "added" or "broken"; the report stands in NAME.report.
compare() { # compare NAME
  local status=0
  abidiff "$record/$1.abi" "$work/$1.abi" >"$work/$1.report" 2>&1 || status=$?
  : >"$work/$1.gone"
  [ $status != 0 ] || return 0
  if [ $((status & 3)) != 0 ]; then echo broken; return 0; fi # abidiff itself failed
  awk -f "$here/only_added.awk" "$record/$1.abi" "$work/$1.abi" >"$work/$1.gone"
  if [ -s "$work/$1.gone" ]; then echo broken; else echo added; fi
}

wrong=0
for name in "$@"; do
  if [ ! -e "$record/$name.abi" ]; then
    $write || { echo "no $record/$name.abi: tests/abi/renew.sh makes it"; wrong=1; }
    continue
  fi
  case $(compare $name) in
  added)
    $write || { echo "$name: something was added, and the baseline does not know it: tests/abi/renew.sh records it"; wrong=1; } ;;
  broken)
    if ! $write; then
      cat "$work/$name.report" "$work/$name.gone"
      echo "$name: this breaks what was built before (rules 8 to 10 of sdk/ABI.md, and its versions)"
      wrong=1
    elif cmp -s "$record/versions.txt" "$work/versions.txt"; then
      cat "$work/$name.report" "$work/$name.gone"
      echo "$name: not recorded: this breaks what was built before; raise WEIR_ABI_DRAFT (plugins) or the version (weir.h) first"
      wrong=1
    fi ;;
  esac
done
if ! $write && ! cmp -s "$record/versions.txt" "$work/versions.txt"; then
  diff "$record/versions.txt" "$work/versions.txt" || true
  echo "the versions have changed: tests/abi/renew.sh records them"
  wrong=1
fi
if $write && [ $wrong = 0 ]; then
  mkdir -p "$record"
  for name in "$@"; do cp "$work/$name.abi" "$record/"; done
  cp "$work/versions.txt" "$record/"
fi
exit $wrong
