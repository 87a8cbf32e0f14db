#!/bin/bash
# sdk/REFERENCE.md is what sdk/reference.lua makes of the headers, and has a line for every member that the compiler finds
# in the structs of the SDK (tests/static/layout.txt).
set -eu
cd "$WEIR_TEST_SOURCE"
command -v luajit >/dev/null || { echo "skipped: no luajit here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
luajit sdk/reference.lua >"$work/page"
if ! diff -u sdk/REFERENCE.md "$work/page" >"$work/difference"; then
  head -n 40 "$work/difference"
  echo "sdk/REFERENCE.md is not what the headers say: luajit sdk/reference.lua > sdk/REFERENCE.md"
  wrong=1
fi
awk '/^### weir_/ { struct = $2 } /^\| `/ && struct != "" { gsub(/`/, "", $2); print struct "." $2 } /^### Numbers/ { struct = "" }' \
  sdk/REFERENCE.md | LC_ALL=C sort >"$work/described"
structs=$(grep -hoE '^(typedef )?struct weir_[a-z_]+ \{' sdk/include/weir/{abi,tile,frame,module,build,files}.h | grep -oE 'weir_[a-z_]+')
for struct in $structs; do
  grep -E "^$struct\\." tests/static/layout.txt | cut -d ' ' -f 1 || { echo "layout.txt knows no $struct"; wrong=1; }
done | LC_ALL=C sort >"$work/members"
[ "$(wc -l <"$work/members")" -gt 150 ] || { echo "found only $(wc -l <"$work/members") members"; wrong=1; }
if ! diff "$work/members" "$work/described"; then
  echo "the members in the structs (<) and those on the page (>) differ"
  wrong=1
fi

# A member without a comment is found out.
mkdir -p "$work/sdk/include"
cp -r sdk/include/weir "$work/sdk/include/"
cp sdk/reference.lua "$work/sdk/"
sed -i 's|int32_t mode; .*|int32_t mode;|' "$work/sdk/include/weir/frame.h"
if luajit "$work/sdk/reference.lua" >/dev/null 2>"$work/message"; then echo "a member without a comment passes"; wrong=1; fi
grep -q 'weir_frame.mode has no comment' "$work/message" || { cat "$work/message"; wrong=1; }
exit $wrong
