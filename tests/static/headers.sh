#!/bin/bash
# headers.sh HEADER: the header compiles alone, in every language it promises, with both compilers, without a warning.
set -eu
root=$WEIR_TEST_SOURCE
header=$1
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
wrong=0
try() { # try COMPILER FLAGS...
  if ! printf '#include <%s>\n' "$header" | "$@" $warnings -I"$root/sdk/include" -I"$root/core/include" -fsyntax-only -; then
    echo "$header: not clean with: $*"
    wrong=1
  fi
}
precisions="-DWEIR_REAL=32 -DWEIR_REAL=64"
case $header in
weir/plugin.h | weir/lanes.h | weir/moments.h | weir/roots.h | weir/spaces.h | weir/explicit.h | weir/formula.h | weir/networks.h | weir/bound.h | weir/random.h | weir/reflections.h) ;;
*) precisions="-DWEIR_NO_PRECISION" ;;
esac
for precision in $precisions; do
  for standard in c11 c17; do
    try gcc -x c -std=$standard "$precision"
    try clang -x c -std=$standard "$precision"
  done
  try g++ -x c++ -std=c++17 "$precision"
  try clang++ -x c++ -std=c++17 "$precision"
done
exit $wrong
