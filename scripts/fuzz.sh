#!/bin/bash
# fuzz.sh [SECONDS [NAME...]]: runs every fuzzer of tests/fuzz, or those named, for their share of SECONDS (3600).
# What reaches code that the kept inputs do not reach is kept in tests/fuzz/NAME, in as few files as will do, each as small
# as was found. An input that breaks a promise is made smaller, kept as tests/fuzz/NAME/broke-*, and fails the run.
set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
seconds=${1:-3600}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "fuzz.sh: expected SECONDS, got $seconds" >&2; exit 2; }
shift
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for source in tests/fuzz/*.c; do
    name=$(basename "$source" .c)
    [ "$name" = replay ] || names+=("$name")
  done
fi
for name in "${names[@]}"; do
  [ -d "tests/fuzz/$name" ] || { echo "fuzz.sh: there is no fuzzer $name" >&2; exit 2; }
done

build=${WEIR_FUZZ_BUILD:-build/fuzz}
cmake --preset fuzz -B "$build" >/dev/null || exit 1
cmake --build "$build" --target "${names[@]/#/fuzz_}" weir_manifest || exit 1

# Leaks are looked for; a request for too much memory gets none, as on a machine that has no more.
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=256:detect_leaks=1
export LSAN_OPTIONS=suppressions=$PWD/tests/leaks.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
limits=(-len_control=0 -rss_limit_mb=4096 -timeout=20)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
share=$(((seconds + ${#names[@]} - 1) / ${#names[@]}))
failed=0

# The smallest input that still breaks it, in the corpus under a name that says so.
keep_broken() { # keep_broken NAME INPUT
  local kept
  kept=tests/fuzz/$1/broke-$(basename "$2")
  "$build/tests/fuzz_$1" "${limits[@]}" -minimize_crash=1 -max_total_time=30 -artifact_prefix="$work/" \
    -exact_artifact_path="$work/small" "$2" >/dev/null 2>&1
  if [ -s "$work/small" ]; then mv "$work/small" "$kept"; else cp "$2" "$kept"; fi
  echo "$1: broken by $kept; see it with: $build/tests/fuzz_$1 $kept"
  failed=1
}

for name in "${names[@]}"; do
  corpus=tests/fuzz/$name
  mkdir -p "$work/$name/found" "$work/$name/broken"
  before=$(find "$corpus" -type f | wc -l)
  "$build/tests/fuzz_$name" "${limits[@]}" -max_total_time="$share" -print_final_stats=1 \
    -artifact_prefix="$work/$name/broken/" "$work/$name/found" "$corpus" >"$work/log" 2>&1 || tail -n 30 "$work/log"
  for input in "$work/$name/broken"/*; do
    [ -e "$input" ] && keep_broken "$name" "$input"
  done
  "$build/tests/fuzz_$name" "${limits[@]}" -use_counters=0 -set_cover_merge=1 -artifact_prefix="$work/" "$corpus" \
    "$work/$name/found" >/dev/null 2>&1 ||
    { echo "$name: what was found could not be merged"; failed=1; }
  runs=$(sed -nE 's/^stat::number_of_executed_units: +//p' "$work/log")
  echo "$name: ${runs:-?} inputs in $share seconds, $(($(find "$corpus" -type f | wc -l) - before)) files kept more"
done
exit $failed
