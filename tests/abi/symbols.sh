#!/bin/bash
# libweir exports the functions of weir.h and nothing else, each with a version, and those are the ones that the baseline
# lists. Its SONAME, its version nodes, weir.h and weir.pc speak of one version.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
library=$WEIR_TEST_BUILD/lib/libweir.so
header=$WEIR_TEST_SOURCE/core/include/weir.h
wrong=0
say() { echo "$1"; wrong=1; }

nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort >exported
sed -nE "s/.*<elf-symbol name='([^']+)' version='([^']+)' is-default-version='yes'.*/\1@@\2/p" "$here/baseline/libweir.abi" | LC_ALL=C sort >recorded
sed -nE 's/^WEIR_API .*[ *](weir_[a-z0-9_]+)\(.*/\1/p' "$header" | LC_ALL=C sort >declared
[ -s recorded ] || say "found no symbol in baseline/libweir.abi"
diff recorded exported >step.log || { cat step.log; say "the exported functions are not those of the baseline: tests/abi/renew.sh records what was added"; }
sed 's/@@.*//' exported | diff declared - >step.log || { cat step.log; say "the exported functions are not those that weir.h declares"; }
grep -vE '^weir_[a-z0-9][a-z0-9_]*@@WEIR_[0-9]+(\.[0-9]+)*$' exported && say "a function without a name of weir_*, or without a version"

version=$(sed -nE 's/^#define WEIR_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' "$header" | paste -sd.)
configured=$(sed -nE 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$WEIR_TEST_BUILD/CMakeCache.txt")
[ "$version" = "$configured" ] || say "weir.h says version $version, CMakeLists.txt $configured"
grep -qx "Version: $version" "$WEIR_TEST_BUILD/core/weir.pc" || say "weir.pc says another version than $version"
case $version in 0.*) compatible=${version%.*} ;; *) compatible=${version%%.*} ;; esac
soname=$(readelf -d "$library" | sed -nE 's/.*SONAME.*\[(.*)\]/\1/p')
[ "$soname" = "libweir.so.$compatible" ] || say "the SONAME is $soname, that of version $version is libweir.so.$compatible"
first=$(sed -nE 's/^(WEIR_[0-9.]+) \{.*/\1/p' "$WEIR_TEST_SOURCE/core/weir.map" | head -n 1)
[ "$first" = "WEIR_$compatible" ] || say "the first node of core/weir.map is $first, that of $soname is WEIR_$compatible"
for node in $(sed 's/.*@@//' exported | sort -u); do
  case $node in "WEIR_$compatible" | "WEIR_$compatible".*) ;; *) say "the node $node does not belong to $soname" ;; esac
done

# A program keeps what it was linked with: the name and the node.
if [ -x "$WEIR_TEST_BUILD/bin/weir" ]; then
  readelf -d "$WEIR_TEST_BUILD/bin/weir" | grep -qF "[$soname]" || say "the weir command does not ask for $soname"
  readelf -VW "$WEIR_TEST_BUILD/bin/weir" | grep -q "Name: WEIR_$compatible " || say "the weir command asks for no version of its functions"
fi
# One that needs a function of a newer libweir is told so when it starts.
printf 'void weir_newer(void);\nvoid weir_newer(void) {}\n' >newer.c
echo "WEIR_$compatible.99 { global: weir_newer; local: *; };" >newer.map
printf 'void weir_newer(void);\nint main(void)\n{\n    weir_newer();\n    return 0;\n}\n' >program.c
cc -shared -fPIC -Wl,-soname,"$soname" -Wl,--version-script=newer.map newer.c -o newer.so
cc program.c ./newer.so -o program
LD_LIBRARY_PATH=$WEIR_TEST_BUILD/lib ./program >step.log 2>&1 && say "a program that needs a newer libweir starts"
grep -q "version .WEIR_$compatible.99' not found" step.log || { cat step.log; say "a program that needs a newer libweir is not told"; }
exit $wrong
