#!/bin/bash
# build.sh [PRESET [TARGET]]: configures and builds; the preset release, the default, goes into build/. Says nothing else
# unless it fails. The target weir_product leaves the tests out.
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
target=${2:-all}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "build: $preset"
if ! { cmake --preset "$preset" && cmake --build --preset "$preset" --target "$target"; } >"$log" 2>&1; then
  grep -E -A 6 '^FAILED|error:|CMake Error|undefined reference' "$log" | cut -c -300 | head -n 60 >&2 || tail -n 40 "$log" >&2
  echo "build.sh: the $preset build failed; the lines above say where" >&2
  exit 1
fi
