#!/bin/bash
# witness.sh ROOT OUT.so: builds a shared object that says with its debug information what crosses Weir's borders, as the
# headers under ROOT tell it: a pointer to every public struct, and to every function of weir.h. Nothing calls it; abidiff
# reads it. libweir itself hides types behind pointers without a type, and a release build has no debug information.
set -eu
root=$(cd "$1" && pwd)
out=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
includes=(-I"$root/sdk/include" -I"$root/core/include")
printf '#include <weir.h>\n#include <weir/build.h>\n#include <weir/files.h>\n' >"$work/witness.c"

structs=$("${CC:-cc}" -std=c11 "${includes[@]}" -E -P "$work/witness.c" | grep -oE '\bstruct weir_[a-z0-9_]+ \{' |
  awk '{ print $2 }' | sort -u)
calls=$(sed -nE 's/^WEIR_API .*[ *](weir_[a-z0-9_]+)\(.*/\1/p' "$root/core/include/weir.h" | sort -u)
if [ "$(wc -w <<<"$structs")" -lt 25 ] || [ "$(wc -w <<<"$calls")" -lt 40 ]; then
  echo "found hardly any struct or function in the headers: have they changed their form?" >&2
  exit 1
fi
{
  for name in $structs; do echo "const struct $name *witness_of_$name;"; done
  for name in $calls; do echo "__typeof__(&$name) witness_of_$name;"; done
  echo "weir_plugin_fn witness_of_weir_plugin_fn;"
} >>"$work/witness.c"
cd "$work" # so that no path of this machine stands in what abidw writes
"${CC:-cc}" -std=gnu11 -g -O0 -fPIC -shared -Wl,-soname,witness.so "${includes[@]}" witness.c -o "$out"
