#!/bin/bash
# The Lua library's comments make pages without a complaint, and a comment that does not fit makes none.
set -eu
command -v ldoc >/dev/null || { echo "skipped: no ldoc here; scripts/setup.sh --tests installs it"; exit 77; }
"$WEIR_TEST_SOURCE/scripts/docs.sh" "$PWD/pages" >docs.log 2>&1 || { cat docs.log; exit 1; }
for page in weir weir.flow weir.data weir.fit weir.plot; do
  [ -s "pages/modules/$page.html" ] || [ -s "pages/$page.html" ] || { echo "no page of $page"; exit 1; }
done
grep -rq 'Flow:log_prob' pages || { echo "the methods of flows are missing"; exit 1; }

mkdir copy
cp -r "$WEIR_TEST_SOURCE/scripts/weir" "$WEIR_TEST_SOURCE/scripts/config.ld" "$WEIR_TEST_SOURCE/scripts/docs.sh" copy/
sed -i 's/^-- @param n number: how many$/-- @param m number: how many/' copy/weir/flow.lua
if copy/docs.sh "$PWD/other" >docs.log 2>&1; then echo "a parameter that does not exist passes"; exit 1; fi
