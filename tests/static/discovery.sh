#!/bin/bash
# Criterion's exit status alone hides leaks, undefined behaviour and executables without tests. This builds a small
# project where each of these happens, and asks ctest what became of them, in both ways Criterion draws its list.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$PWD/build
cmake -S "$here/discovery" -B "$build" -G Ninja -DCMAKE_C_FLAGS=-fsanitize=address,undefined >configure.log
ninja -C "$build" >build.log

wrong=0
expect() { # expect PATTERN: a line of ctest's output matches
  if ! grep -Eq "$1" ctest.log; then
    echo "ctest does not say: $1"
    wrong=1
  fi
}
for locale in C C.UTF-8; do
  LC_ALL=$locale ctest --test-dir "$build" >ctest.log 2>&1 || true
  expect 'unit\.cases\.fates\.passes \.+ +Passed'
  expect 'unit\.cases\.fates\.skips \.+\*\*\*Skipped'
  for fate in fails crashes hangs leaks overflows; do
    expect "unit\\.cases\\.fates\\.$fate \\.+\\*\\*\\*Failed"
  done
  expect 'unit\.none\.holds_no_test \.+\*\*\*Failed'
  expect ' tests failed out of 8$'
done
[ $wrong = 0 ] || cat ctest.log
exit $wrong
