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
  include/weir.h include/weir/plugin.h lib/pkgconfig/weir.pc lib/cmake/weir-sdk/weir-sdkConfig.cmake share/weir/weir; do
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
exit $wrong
