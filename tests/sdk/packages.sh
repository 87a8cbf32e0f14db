#!/bin/bash
# packages.sh: the Debian packages, built by cpack from this build and unpacked somewhere: the command, the Lua module and
# libweir work from there, weir-dev has what programs and plugins are built with, and both say what they need. (What lintian
# thinks of them: scripts/test.sh --all.)
set -eu
for tool in dpkg-deb dpkg-shlibdeps file luajit; do
  command -v $tool >/dev/null || { echo "skipped: no $tool here"; exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
unset WEIR_PLUGIN_PATH LUA_PATH LUA_CPATH
wrong=0
fail() { echo "$1"; wrong=1; }
cpack --config "$WEIR_TEST_BUILD/CPackConfig.cmake" -G DEB -B "$PWD" >cpack.log 2>&1 || { cat cpack.log; exit 1; }
version=$(sed -nE 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$WEIR_TEST_BUILD/CMakeCache.txt")
machine=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
runtime=$(echo weir_"$version"-1_*.deb)
dev=$(echo weir-dev_"$version"-1_*.deb)
root=$PWD/root
dpkg-deb -x "$runtime" "$root"

# What they say of themselves.
depends=$(dpkg-deb -f "$runtime" Depends)
for needed in libblis4-pthread libjansson4 libsleef3 libluajit-5.1-2 zlib1g libc6; do
  grep -qE "(^|, )$needed( |,|$)" <<<"$depends" || fail "weir does not depend on $needed: $depends"
done
[ "$(dpkg-deb -f "$dev" Depends)" = "weir (= $version-1)" ] || fail "weir-dev does not depend on its weir"
dpkg-deb -I "$runtime" shlibs | grep -q '^libweir 0\.1 weir ' || fail "no word of the library for programs that are linked with it"
for file in $(find "$root" -type f -name '*.so*') "$root"/usr/bin/weir*; do
  if readelf -SW "$file" | grep -qF .debug_info; then fail "$file is not stripped"; fi
  if readelf -d "$file" | grep -E 'R(UN)?PATH' | grep -vqE '\[(\$ORIGIN/[./a-z]+|/usr/lib/[a-z0-9_/-]+)(:/usr/lib/[a-z0-9_/-]+)?\]'; then
    fail "$file has a run path of the build"
  fi
done
if grep -rlF "$WEIR_TEST_BUILD" "$root" >paths.txt; then fail "a path of the build stands in: $(cat paths.txt)"; fi

# The runtime alone. Its manifest vouches for the plugins: nothing is tried in a process of its own.
export XDG_CACHE_HOME=$PWD/cache
"$root/usr/bin/weir" layers >layers.txt || fail "the command does not run"
grep -q permutation layers.txt || { cat layers.txt; fail "the command does not find its plugins"; }
WEIR_PROBE=/bin/false "$root/usr/bin/weir" layers >probed.txt 2>&1 || true
cmp -s layers.txt probed.txt || { cat probed.txt; fail "the packed manifest is not believed"; }
printf 'a,b\n' >data.csv
awk -v OFS=, 'BEGIN { srand(1); for (i = 0; i < 300; i++) print rand(), rand() }' >>data.csv
"$root/usr/bin/weir" fit data.csv -o model.safetensors --epochs 1 >fit.log 2>&1 || { cat fit.log; fail "the command does not train"; }
(cd / && LD_LIBRARY_PATH="$root/usr/lib" LUA_PATH="$root/usr/share/lua/5.1/?.lua;$root/usr/share/lua/5.1/?/init.lua" \
  LUA_CPATH="$root/usr/lib/$machine/lua/5.1/?.so" \
  luajit -e 'local weir = require "weir"; assert(weir.permutation); assert(#weir.presets.names() > 3)') ||
  fail "Debian's luajit does not load the module"
find "$root/usr/include" -type f 2>/dev/null | grep . && fail "headers are in the runtime"

# With weir-dev: a program by pkg-config, and a plugin.
dpkg-deb -x "$dev" "$root"
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
# shellcheck disable=SC2046
cc -std=c11 "$here/embed.c" -o embed $(pkg-config --cflags --libs weir) -lm
LD_LIBRARY_PATH="$root/usr/lib" ./embed || fail "a program that embeds libweir fails"
mkdir plugins
# shellcheck disable=SC2046
cc -std=c11 -shared -fPIC "$here/../abi/pair/plugin.c" -o plugins/stretch.so $(pkg-config --cflags weir-sdk)
WEIR_PLUGIN_PATH=$PWD/plugins "$root/usr/bin/weir" layers | grep -q pair.stretch || fail "a plugin built with weir-sdk.pc is not found"
[ "$(pkg-config --variable=plugindir weir-sdk)" -ef "$root/usr/lib/weir/plugins" ] || fail "weir-sdk.pc knows another folder of plugins"
PATH="$root/usr/bin:$PATH" weir new univariate acme.bend >new.log 2>&1 || { cat new.log; fail "weir new does not find its templates"; }
exit $wrong
