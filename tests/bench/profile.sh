#!/bin/bash
# profile.sh WORK OP BATCH [SECONDS]: where one thread spends its time, by samples of the processor's clock (Debian: linux-perf).
#
#     tests/bench/profile.sh W1 train 512
#
# prints a line of shares in percent: products; elementwise functions of the host (exp, tanh ...); the optimizer with the adding of
# gradients; rows gathered and spread; plugins, each by its file; the C library; what is left of the host.
# BUILD names the build folder (build), SHOW=N lists the N functions that take most.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -lt 3 ]; then sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; fi
bench=${BUILD:-build}/bin/weir-bench
if ! command -v perf >/dev/null; then echo "profile.sh: perf is not installed; apt-get install linux-perf" >&2; exit 1; fi
if [ ! -x "$bench" ]; then echo "profile.sh: $bench is not there; scripts/build.sh builds it" >&2; exit 1; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Building the model and its data is over in the first second.
perf record -q -e cpu-clock -F 2999 -D 1000 -o "$folder/data" -- "$bench" --steady "$1" "$2" "$3" "${4:-5}" >"$folder/rate" 2>"$folder/said" ||
  { cat "$folder/said" >&2; exit 1; }
perf report -i "$folder/data" --stdio --no-children -F overhead,dso,symbol --percent-limit 0 2>/dev/null |
  sed -nE 's/^ *([0-9.]+)% +([^ ]+) +\[.\] +([^ ]+).*/\1 \2 \3/p' >"$folder/shares"
if [ ! -s "$folder/shares" ]; then echo "profile.sh: perf took no samples here" >&2; exit 1; fi
if [ -n "${SHOW:-}" ]; then head -n "$SHOW" "$folder/shares"; fi
awk -v title="$1 $2 $3" '
  function group() {
    if ($2 ~ /^libsleef/ || $3 ~ /_all_f(32|64)$|activat/) return "functions"
    if ($2 ~ /^libweir/ && $3 ~ /gemm|narrow|piece_|turned_|slice|panel|copies|column|in_place|weir__row/) return "products"
    if ($2 ~ /^libweir/ && $3 ~ /arena|adam|moments|squares|reduce/) return "optimizer"
    if ($2 ~ /^libweir/ && $3 ~ /gather|scatter|spread|store/) return "rows"
    if ($2 ~ /^libweir/) return "host"
    if ($2 ~ /^(libc|libm|ld-|\[)/) return "libc"
    sub(/\.so$/, "", $2)
    return "plugin " $2
  }
  { share[group()] += $1; all += $1 }
  END {
    printf "%s:", title
    for (g in share) printf "  %s %.0f%%", g, 100 * share[g] / all
    print ""
  }' "$folder/shares"
