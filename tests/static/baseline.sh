#!/bin/bash
# What is built runs on every x86-64: nothing is compiled for the machine that builds, and newer instructions are in files (or
# clones of functions) of their own, which run-time choice alone enters.
set -eu
commands=$WEIR_TEST_BUILD/compile_commands.json
[ -s "$commands" ] || { echo "no $commands: is this test looking in the right place?"; exit 1; }
bad=0
refuse() { # refuse REASON, with offending lines on standard input
  local lines
  lines=$(cat)
  if [ -n "$lines" ]; then
    printf '%s\n%s\n' "$1:" "$lines" | cut -c1-300
    bad=1
  fi
}
shopt -s lastpipe

grep -oE -- '"command": .*' "$commands" >lines
[ "$(wc -l <lines)" -ge 100 ] || { echo "hardly any command in $commands"; exit 1; }
{ grep -E -- '-(march|mcpu|mtune)=' lines || true; } | refuse "compiled for one processor"
{ grep -E -- ' -m(avx|fma|sse3|ssse3|sse4|bmi|popcnt|f16c)' lines || true; } |
  { grep -vE -- '-c [^ ]*_avx(2|512)\.c"' || true; } | refuse "newer instructions in a file that every processor enters"
grep -qE -- ' -mavx2 .*-c [^ ]*_avx2\.c"' lines || { echo "no file is compiled for AVX2: has the list changed its form?"; bad=1; }
{ grep -rnE --include=CMakeLists.txt --include='*.cmake' --include='*.cmake.in' --include=CMakePresets.json --include='*.sh' \
  --exclude=baseline.sh --exclude-dir='build*' -e '-m(arch|tune|cpu)=native' "$WEIR_TEST_SOURCE" || true; } | refuse "a build for one processor"

# The host's objects themselves: registers that the baseline has not.
command -v objdump >/dev/null || { echo "skipped: no objdump here"; exit 77; }
find "$WEIR_TEST_BUILD/core/CMakeFiles/weir_objects.dir" -name '*.o' >objects
grep -vE '_avx(2|512)\.c\.o$' objects >usual
[ "$(wc -l <usual)" -ge 50 ] || { echo "hardly any object of the host"; exit 1; }
while IFS= read -r object; do
  if [ "$(objdump -d --no-show-raw-insn "$object" | grep -cE '%[yz]mm|%k[0-7]|\bvfn?m' || true)" != 0 ]; then echo "$object"; fi
done <usual | refuse "instructions beyond the baseline"
wide=$(grep -E '_avx2\.c\.o$' objects | head -n 1)
objdump -d --no-show-raw-insn "$wide" | grep -q '%ymm' || { echo "no AVX2 in $wide: the search above would find nothing"; bad=1; }
exit $bad
