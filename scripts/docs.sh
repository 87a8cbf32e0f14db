#!/bin/bash
# docs.sh [FOLDER]: the pages of the Lua library, made by ldoc (Debian's package lua-ldoc) of the comments in
# scripts/weir, into FOLDER (build/docs/lua). Fails when a comment does not fit what it stands before.
set -eu
case ${1-} in
-h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
-*) echo "docs.sh: takes a folder; see --help" >&2; exit 2 ;;
esac
command -v ldoc >/dev/null || { echo "docs.sh: no ldoc here; install the package lua-ldoc" >&2; exit 1; }
out=$(realpath -m "${1:-$(dirname "$0")/../build/docs/lua}")
cd "$(dirname "$0")"
exec ldoc --fatalwarnings --config config.ld --dir "$out" .
