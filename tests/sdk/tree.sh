#!/bin/bash
# tree.sh COMPILER: the install tree works by itself, wherever it is: the command, the Lua module under a plain luajit,
# and a program that embeds libweir.
set -eu
first=$PWD/first
prefix="$PWD/second place"
cmake --install "$WEIR_TEST_BUILD" --prefix "$first" >install.log
mv "$first" "$prefix"
unset WEIR_PLUGIN_PATH LUA_PATH LUA_CPATH
wrong=0
fail() { echo "$1"; wrong=1; }

for file in bin/weir bin/weir-probe libexec/weir/weir-checker lib/libweir.so lib/weir/plugins/manifest.json lib/weir/lua/weir/core.so \
  include/weir.h include/weir/plugin.h lib/pkgconfig/weir.pc lib/pkgconfig/weir-sdk.pc lib/cmake/weir/weirConfig.cmake \
  lib/cmake/weir-sdk/weir-sdkConfig.cmake share/weir/weir; do
  [ -e "$prefix/$file" ] || [ -e "$prefix/$file.lua" ] || fail "not installed: $file"
done
find "$prefix" -type f -name '*.[ch]' | grep -vE "$prefix/(include|share/weir-sdk/templates)/" && fail "sources are installed"

"$prefix/bin/weir" layers >layers.txt || fail "the installed command does not run"
grep -q permutation layers.txt || { cat layers.txt; fail "the installed command does not find its plugins"; }
"$prefix/bin/weir" check additive --quiet >check.txt 2>&1 || { cat check.txt; fail "the installed command does not check"; }
grep -q 'in this process' check.txt && fail "the installed library does not find weir-checker"
loaded=$(ldd "$prefix/lib/weir/lua/weir/core.so" | sed -nE 's/.*libweir\.so\.0\.1 => (.*) \(0x.*/\1/p')
[ "$(realpath "$loaded")" = "$(realpath "$prefix/lib/libweir.so")" ] || fail "the installed Lua module loads another libweir than ${loaded:-none}"

LUA_PATH="$prefix/share/weir/?.lua;$prefix/share/weir/?/init.lua" LUA_CPATH="$prefix/lib/weir/lua/?.so" \
  luajit -e 'local weir = require "weir"; assert(weir.permutation)' || fail "a plain luajit does not load the module"

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
flags=$(pkg-config --cflags --libs weir)
eval "$1 -std=c11 -Wall -Wextra -Wpedantic -Werror '$(dirname "$0")/embed.c' -o embed $flags -lm"
LD_LIBRARY_PATH="$prefix/lib" ./embed || fail "a program that embeds libweir fails"

# The same by find_package, which brings the SDK's headers along; another version is refused.
mkdir project
cp "$(dirname "$0")/embed.c" project/
find_weir() { # find_weir WORDS: configures a project that wants it
  cat >project/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(embed C)
find_package(weir $1)
add_executable(embed embed.c)
target_link_libraries(embed PRIVATE weir::weir m)
CMAKE
  cmake -S project -B built -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$2" >step.log 2>&1
}
find_weir "0.1 REQUIRED" "$1" && cmake --build built >>step.log 2>&1 || { cat step.log; fail "find_package(weir) does not serve"; }
./built/embed >embed.log || fail "a program that found libweir by find_package fails"
for version in 0.2 1.0 9; do
  if find_weir "$version REQUIRED" "$1"; then fail "find_package(weir $version) takes this one"; fi
done
exit $wrong
