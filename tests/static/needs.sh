#!/bin/bash
# Each built-in plugin needs libc and libm only, and what its plugin.cmake declares; it exports weir_plugin only, and cannot be
# unloaded. libweir exports weir_* and needs no Lua.
set -eu
plugins=$(ls "$WEIR_TEST_BUILD"/plugins/*.so)
library=$WEIR_TEST_BUILD/lib/libweir.so
wrong=0
say() {
  echo "$1"
  wrong=1
}
for file in $plugins; do
  exported=$(nm -D --defined-only "$file" | awk '{print $3}')
  [ "$exported" = weir_plugin ] || say "$file exports: $exported"
  declared=$(sed -nE 's/^set\(plugin_needs (.*)\)$/\1/p' \
    "$WEIR_TEST_SOURCE/plugins/$(basename "$file" .so)/plugin.cmake" 2>/dev/null || true)
  for needed in $(readelf -d "$file" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'); do
    case $needed in
    libc.so.6 | libm.so.6) ;;
    *) [[ " $declared " == *" $needed "* ]] || say "$file needs $needed" ;;
    esac
  done
  loaded=$(ldd "$file" | grep -vE 'linux-vdso|ld-linux|libc\.so\.6|libm\.so\.6' || true)
  [ -z "$loaded" ] || [ -n "$declared" ] || say "$file loads $loaded"
  for needed in $declared; do
    readelf -d "$file" | grep -qF "[$needed]" || say "$file declares $needed, and does not need it"
  done
  readelf -d "$file" | grep -q NODELETE || say "$file could be unloaded"
  if readelf -d "$file" | grep -qE 'RPATH|RUNPATH|TEXTREL'; then say "$file has a run path or text relocations"; fi
  readelf -lW "$file" | grep GNU_STACK | grep -q 'RW ' || say "$file wants an executable stack"
  if objdump -d "$file" | grep -q ldmxcsr; then say "$file changes the floating-point control register"; fi
done
nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | grep -vE '^weir_[a-z0-9]' && say "libweir exports more than weir_*"
nm -D --defined-only "$library" | awk '{print $3}' | grep '^weir__' && say "libweir exports internals"
ldd "$library" | grep -i lua && say "libweir needs Lua"
ldd "$library" | grep -q 'blis-pthread/libblis' || say "libweir does not load the pinned flavour of BLIS"
exit $wrong
