#!/bin/bash
# layout.sh [--write|--print]: every public struct has the size and offsets recorded in layout.txt, for both compilers, in C and C++.
#
# The record is what plugins already built rely on. A line may change only while the ABI is a draft, together with
# WEIR_ABI_DRAFT; after that lines are only ever added. --write records the layout of today, --print shows it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=${WEIR_TEST_SOURCE:-$here/../..}
record=$here/layout.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$(cd "$root" && pwd)
cd "$work"
includes="-I$root/sdk/include -I$root/core/include"
printf '#include <weir.h>\n#include <weir/build.h>\n#if __has_include(<weir/files.h>)\n#include <weir/files.h>\n#endif\n' >all.c

# clang lists "offset | type member" and "[sizeof=N, align=M]"; only the members of the struct itself are indented by three.
# shellcheck disable=SC2086
clang -std=c11 $includes -fsyntax-only -Xclang -fdump-record-layouts-complete all.c | awk '
  / \| struct weir_[a-z0-9_]+$/ { name = $NF; next }
  name != "" && /sizeof=/ { match($0, /sizeof=[0-9]+/); print name, substr($0, RSTART + 7, RLENGTH - 7); name = ""; next }
  name != "" && /^ *[0-9]+ \|   [^ ]/ { print name "." $NF, $1 }' | LC_ALL=C sort >layout.now
draft=$(sed -nE 's/^#define WEIR_ABI_DRAFT ([0-9]+)$/\1/p' "$root/sdk/include/weir/abi.h")
sed -i "1i draft $draft" layout.now
if [ "${1-}" = --write ]; then
  cp layout.now "$record"
  exit 0
fi
if [ "${1-}" = --print ]; then
  cat layout.now
  exit 0
fi
[ "$(wc -l <layout.now)" -gt 100 ] || { echo "found hardly any struct: has clang's listing changed its form?"; exit 1; }
if ! diff "$record" layout.now; then
  echo "the layout of public structs differs from tests/static/layout.txt: see layout.sh"
  exit 1
fi

awk '/^draft/ { next }
  $1 ~ /\./ { split($1, part, "."); print "CHECK(offsetof(" part[1] ", " part[2] ") == " $2 ", \"" $1 "\");"; next }
  { print "CHECK(sizeof(" $1 ") == " $2 ", \"" $1 "\");" }' "$record" >checks.inc
{
  cat all.c
  printf '#ifdef __cplusplus\n#define CHECK static_assert\n#else\n#define CHECK _Static_assert\n#endif\n'
  cat checks.inc
} >checks.c
for compiler in "gcc -x c -std=c11" "g++ -x c++ -std=c++17" "clang++ -x c++ -std=c++17"; do
  # shellcheck disable=SC2086
  $compiler $includes -Werror -fsyntax-only checks.c
done

# A member inserted in the middle, and two that change places, are found out.
mutated() { # mutated SED-COMMAND: is the header with that change refused?
  rm -rf mutant
  cp -r "$root/sdk/include" mutant
  sed -i -E "$1" mutant/weir/tile.h
  cmp -s mutant/weir/tile.h "$root/sdk/include/weir/tile.h" && { echo "the header was not changed by $1"; exit 1; }
  gcc -std=c11 -Imutant -I"$root/core/include" -Werror -fsyntax-only checks.c 2>mutant.log && { echo "a changed header passes: $1"; exit 1; }
  grep -q 'weir_tile\.' mutant.log || { cat mutant.log; exit 1; }
}
mutated '/^ +int32_t features;/i \    int32_t inserted;'
mutated '/^ +int32_t features;/{h;d};/^ +int32_t rows;/G'
