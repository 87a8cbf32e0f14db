#!/bin/bash
# install.sh COMPILER C++-COMPILER: a stranger's plugins, built out of the tree against an installed SDK and nothing else.
set -eu
cc=$1
cxx=$2
here=$(cd "$(dirname "$0")" && pwd)
prefix=$PWD/prefix
cmake --install "$WEIR_TEST_BUILD" --prefix "$prefix" --component sdk >install.log

wrong=0
expect() { # expect WHAT GOT WANTED
  if [ "$2" != "$3" ]; then
    printf '%s: got\n%s\nwanted\n%s\n' "$1" "$2" "$3"
    wrong=1
  fi
}
quietly() { "$@" >step.log 2>&1 || { cat step.log; exit 1; }; }
build() { # build PROJECT
  quietly cmake -S "$here/$1" -B "$1" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
  quietly ninja -C "$1"
}
build two_file
build in_cxx
"$cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$prefix/include" "$here/describe.c" -o describe

for plugin in two_file/two_file two_file/one_precision in_cxx/in_cxx; do
  expect "symbols of $plugin" "$(nm -D --defined-only $plugin.so | awk '{print $3}')" weir_plugin
done
expect two_file "$(./describe ./two_file/two_file.so)" "magic right
sizes right
name two_file
version 2.3.4
needs nothing
module 0: f32 test.cube, f64 test.cube
module 1: f32 absent, f64 test.cube_exact
beyond: absent, absent, absent"
expect one_precision "$(./describe ./two_file/one_precision.so)" "magic right
sizes right
name one_precision
version 0.0.1
needs libfoo.so.1 libbar.so.2
module 0: f32 absent, f64 test.cube_exact
module 1: f32 absent, f64 test.cube
beyond: absent, absent, absent"
expect in_cxx "$(./describe ./in_cxx/in_cxx.so)" "magic right
sizes right
name in_cxx
version 1.0.0
needs libstdc++.so.6 libgcc_s.so.1
module 0: f32 test.laplace, f64 test.laplace
beyond: absent, absent, absent"
expect "what two_file needs" "$(readelf -d two_file/two_file.so | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | grep -vE '^lib[cm]\.so\.6$')" ""

# And the host runs them: both modules keep every promise.
if [ -x "$WEIR_TEST_BUILD/bin/weir" ]; then
  for plugin in two_file/two_file in_cxx/in_cxx; do
    "$WEIR_TEST_BUILD/bin/weir" check "./$plugin.so" >check.log 2>&1 || { cat check.log; wrong=1; }
  done
fi

# An exception ends at the border: the process, if it must, but the host is never unwound. What is not noexcept does not
# compile.
if [ -x "$WEIR_TEST_BUILD/bin/weir" ]; then
  status=0
  "$WEIR_TEST_BUILD/bin/weir" check ./in_cxx/throws.so >check.log 2>&1 || status=$?
  grep -q '^FAILED .* 48 .*Aborted.* in forward' check.log || status=none
  grep -q 'in_cxx/\|throws\.so+0x' check.log || status=none
  expect "status of an exception" "$status" "1"
fi
if "$cxx" -std=c++17 -fsyntax-only -DWEIR_REAL=64 -DFORGETS_NOEXCEPT -I"$prefix/include" \
  "$here/in_cxx/throws.cpp" >step.log 2>&1; then
  echo "a call that may throw is taken for one of the interface"
  wrong=1
fi
grep -q noexcept step.log || { cat step.log; wrong=1; }
quietly "$cxx" -std=c++17 -fsyntax-only -DWEIR_REAL=64 -I"$prefix/include" "$here/in_cxx/throws.cpp"

# A mistake is refused with a word about it.
refused() { # refused CALL PATTERN
  mkdir -p refused
  printf 'cmake_minimum_required(VERSION 3.25)\nproject(refused C)\nfind_package(weir-sdk REQUIRED)\n%s\n' "$1" >refused/CMakeLists.txt
  if cmake -S refused -B refused/build -DCMAKE_PREFIX_PATH="$prefix" >step.log 2>&1; then echo "accepted: $1"; wrong=1; fi
  tr -s ' \n' ' ' <step.log | grep -qF "$2" || { echo "$1 does not say: $2"; cat step.log; wrong=1; }
}
refused 'weir_add_plugin(nothing)' 'name at least one source file'
refused 'weir_add_plugin(Bad-Name a.c)' "a plugin's name is lower-case letters"
refused 'weir_add_plugin(half a.c PRECISIONS 16)' 'PRECISIONS is 32, 64 or both'
exit $wrong
