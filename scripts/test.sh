#!/bin/bash
# test.sh [--fuzz|--all]: installs what is missing, builds with and without sanitizers, and runs every test.
#   --fuzz  and every fuzzer for some seconds
#   --all   the whole matrix: clang, the thread sanitizer, valgrind, 64-bit Arm, clang-tidy, lintian, fuzzers, coverage (an hour or so)
# The last line is the sum over all runs: N passed, N failed, N skipped.
set -u
cd "$(dirname "$0")/.." || exit 1

all=false
fuzz=false
for word in "$@"; do
  case $word in
  --all) all=true ;;
  --fuzz) fuzz=true ;;
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  *) echo "test.sh: unknown word '$word'; it takes --fuzz and --all" >&2; exit 2 ;;
  esac
done

passed=0
failed=0
skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count_one() { # count_one NAME command...: the command is one test
  local name=$1
  shift
  echo "== $name"
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    tail -n 80 "$log"
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
}

# Builds a preset and adds up what ctest says. A build that fails, and a run that holds no test, count as a failure.
run_preset() { # run_preset PRESET
  local total bad idle
  echo "== $1"
  if ! scripts/build.sh "$1"; then
    failed=$((failed + 1))
    return
  fi
  ctest --preset "$1" >"$log" 2>&1
  local status=$?
  total=$(sed -nE 's/.*tests passed, [0-9]+ tests failed out of ([0-9]+)$/\1/p' "$log")
  bad=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed out of [0-9]+$/\1/p' "$log")
  idle=$(grep -cE '\*\*\*Skipped' "$log")
  if [ -z "$total" ] || [ "$total" = 0 ]; then
    tail -n 20 "$log"
    echo "FAILED: the preset $1 ran no test"
    failed=$((failed + 1))
    return
  fi
  if [ $status != 0 ] && [ "$bad" = 0 ]; then
    bad=1
    total=$((total + 1))
  fi
  # What passed needs no line of its own.
  [ "$bad" = 0 ] || grep -vE '^ *Start +[0-9]+: |\.\.+ +Passed +[0-9.]+ sec$' "$log"
  echo "$1: $((total - bad - idle)) passed, $bad failed, $idle skipped"
  passed=$((passed + total - bad - idle))
  failed=$((failed + bad))
  skipped=$((skipped + idle))
}

valgrind_units() {
  local status=0 program
  for program in build/debug/tests/unit_* build/debug/tests/threads_*; do
    [ -x "$program" ] || continue
    WEIR_TEST_VALGRIND=1 WEIR_PLUGIN_PATH=build/debug/plugins valgrind --quiet --trace-children=yes --trace-children-skip='*/weir-probe' \
      --error-exitcode=99 --suppressions=tests/valgrind.supp "$program" || { echo "valgrind: $program"; status=1; }
  done
  return $status
}

tidy() {
  local files
  files=$(find core/src plugins -name '*.c') || return 1
  # shellcheck disable=SC2086
  printf '%s\n' $files | xargs -P 2 -n 4 clang-tidy --quiet -p build --warnings-as-errors="*"
}

# Of the packages that sdk.packages of the release build left behind. Who packs is said when it is configured.
lintian_packages() {
  lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    build/tests/sdk/packages/*.deb
}

# For 64-bit Arm, on an emulated processor.
run_cross() {
  if ! command -v aarch64-linux-gnu-gcc >/dev/null || ! command -v qemu-aarch64 >/dev/null; then
    echo "== aarch64: skipped, no cross compiler or no qemu-aarch64 here; scripts/setup.sh --all installs both"
    skipped=$((skipped + 1))
    return
  fi
  if ! scripts/cross.sh; then
    failed=$((failed + 1))
    return
  fi
  run_preset aarch64
}

if $all; then needs=--all; else needs=--tests; fi
if $all; then export WEIR_TEST_LEVEL=full; fi # of weir check, for what weir new wrote
scripts/setup.sh $needs || exit 1

run_preset release
run_preset asan
if $fuzz || $all; then run_preset fuzz; fi
if $all; then
  count_one lintian lintian_packages
  run_preset clang-release
  run_preset clang-asan
  run_preset tsan
  run_cross
  count_one clang-tidy tidy
  count_one "ulp bounds at 200 times the points" env WEIR_TEST_DENSE=200 build/tests/unit_math --filter 'math/*bound'
  run_preset debug
  count_one valgrind valgrind_units
  run_preset coverage
  count_one "coverage report" gcovr --root . --filter core/ --filter plugins/ --print-summary \
    --txt build/coverage/coverage.txt build/coverage
fi

[ $passed -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
