#!/bin/bash
# build.sh [PRESET]: configures and builds; the preset release, the default, goes into build/. Quiet unless it fails.
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "build: $preset"
if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
  grep -E -A 12 'FAILED|rror' "$log" | head -n 60 >&2 || tail -n 40 "$log" >&2
  echo "build.sh: the $preset build failed; the lines above say where" >&2
  exit 1
fi
